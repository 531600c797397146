"""Patterns read a text in one pass: whoever sends 100 KB of one sign, or of one beginning, holds no process up.

What is measured is the time of the processor that this process had, and thousands of times of what one pass takes: a
pattern that looks from every letter to the end needs minutes.
"""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from accounts import masking
from accounts.staff import eyes
from templates_app.emails import prepared, text_of
from templates_app.liquid_masks import Masked, liquids

PACKAGES = ("accounts", "campaigns", "config", "notifications", "templates_app", "tracking")
#: Patterns that may look again and again, and why nobody can make them do it for long.
ELSEWHERE: Final = {
    "accounts.subscriptions._SCHEME_AND_HOST": "an address of at most LONGEST_ENDPOINT characters",
    "config.supervisor.procfile._LINE": "a file of the installation's own",
    "notifications.providers.apns.send._TOPIC": "fullmatch: begins once",
    "notifications.providers.smtp.send._PATH": "fullmatch: begins once",
    "notifications.providers.twilio.send._SENDER_NAME": "fullmatch: begins once",
    "notifications.providers.vonage.send._SENDER": "fullmatch: begins once",
    "templates_app.emails._BODY_TAG": "emails._opening looks no further than where one ends",
    "templates_app.emails._HEAD_TAG": "emails._opening looks no further than where one ends",
    "templates_app.emails._HTML_TAG": "emails._opening looks no further than where one ends",
    "templates_app.emails._HAS_LAYOUT": "match: begins once",
    "templates_app.files.layout._OWN": "fullmatch: begins once",
    "templates_app.hyperlinks._ATTRIBUTE": "match: begins where the one before it ended",
    "templates_app.hyperlinks._UNENDED": "match: begins once, and ends the reading where it is found",
    "templates_app.language.particles._BRACKETED": "the last letters of a word, of which there are a few",
}
#: What is repeated: signs of every kind, and the beginnings of whatever patterns look for.
HOSTILE: Final = (
    "x", "0", "é", " ", "\u3000", "\n", ".", "-", "@", "\\", "/", "=", "(", "'", '"', "#", "<", "1,", "x ", "a.", "+1",
    "a@", "a@b.", "%40", "a%40", "k=", "q%3D", "eyJ", "id=", "https://", "/%2e", "&#", "&a", "<a ", "<a '", "<html ",
    "<head ", "<body ", "<meta ", "<table ", "<table>", "<style", "<mj-a ", "<!--", "<!--lqd1zz-->", "{{", "{% ", " {%",
    "{% x %}", "{%-raw", "value=\"", "MI", "-----BEGIN A-----", "--- BEGIN A",
)  # fmt: skip
#: Characters, and seconds of the processor's time. A pass over so many takes a few thousandths of one.
LENGTH, BOUND = 100_000, 2.0


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every pattern of a module, by its name."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "management", "__main__"} & set(module.name.split(".")):
                for name, value in vars(importlib.import_module(module.name)).items():
                    if isinstance(value, re.Pattern):
                        yield f"{module.name}.{name}", value


def seconds(do: Any) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


def slow(pattern: re.Pattern[Any]) -> list[str]:
    """The beginnings that hold a pattern up; a short text is tried first, so that a bad one is told soon."""
    found = []
    for one in HOSTILE:
        text = one * (LENGTH // len(one))
        given = text.encode() if isinstance(pattern.pattern, bytes) else text

        def read(length: int, given: Any = given) -> None:
            for _ in pattern.finditer(given[:length]):
                pass

        if seconds(lambda: read(LENGTH // 50)) > BOUND / 5 or seconds(lambda: read(LENGTH)) > BOUND:
            found.append(one)
    return found


def test_every_pattern_reads_a_text_in_one_pass() -> None:
    known = dict(patterns())

    assert {name: found for name, it in known.items() if name not in ELSEWHERE and (found := slow(it))} == {}
    assert len(known) > 100
    assert set(ELSEWHERE) <= set(known)


@pytest.mark.parametrize("one", HOSTILE)
def test_what_masks_and_reads_texts_does_so_in_one_pass(one: str) -> None:
    """A page holds it between tags, within one, and as it is."""
    text = one * (LENGTH // len(one))
    safe = text.replace("<", "&lt;").replace('"', "&quot;")

    assert seconds(lambda: masking.masked(text)) < BOUND
    assert seconds(lambda: eyes.masked_page(text)) < BOUND
    assert seconds(lambda: eyes.masked_page(f'<p title="{safe}">{safe}</p><textarea>{safe}</textarea>')) < BOUND
    assert seconds(lambda: list(liquids(text))) < BOUND


@pytest.mark.parametrize("end", ["", ">", "-->", "}}", "'"])
@pytest.mark.parametrize("one", [one for one in HOSTILE if one[0] in "<{ &"])
def test_what_is_typed_for_an_email_is_read_in_one_pass(one: str, end: str) -> None:
    text = one * (LENGTH // len(one)) + end

    assert seconds(lambda: Masked(text)) < BOUND
    assert seconds(lambda: prepared({"html": text, "preheader": text}, "ko")) < BOUND


def test_a_megabyte_is_masked_in_no_time() -> None:
    assert seconds(lambda: masking.masked("x" * 1_000_000)) < BOUND
    assert seconds(lambda: eyes.masked_text("a." * 500_000)) < BOUND


def test_a_line_of_many_tags_before_words_is_read_in_one_way() -> None:
    assert text_of("<p>" + "{% x %}" * 40 + "hello</p>") == "{% x %}" * 40 + "hello"
