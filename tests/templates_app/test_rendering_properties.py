"""Rendering, whatever the words and the data: the short way says what the long one says, and nothing escapes."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from accounts.channels import Channel
from templates_app.content import EmailText
from templates_app.rendering import ContentError, RenderError, compile_content

#: Examples enough to find what differs; a busy machine is no failure.
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.sampled_from(["a", "b", "size", "first", "last", "user_name"])
PLAIN = st.one_of(WORDS, st.integers(-(10**30), 10**30), st.booleans(), st.none(), st.floats(allow_nan=False))
DATA = st.dictionaries(
    NAMES, st.recursive(PLAIN, lambda inner: st.dictionaries(NAMES, inner) | st.lists(inner), max_leaves=6)
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
LITERAL = WORDS.filter(lambda words: "{" not in words and "}" not in words and "\0" not in words)


def outcome(source: str, data: dict[str, Any], *, field: str) -> str:
    """The text, or what was wrong with the data."""
    content = compile_content({"email": {"ko": {"subject": "s", "text": "t", field: source}}})
    try:
        return f"text: {getattr(content.render(Channel.EMAIL, 'ko', data), field)}"
    except RenderError as error:
        return f"error: {error} {error.variable}"


@pytest.mark.parametrize("field", ["subject", "text", "html"])
@unhurried
@given(before=LITERAL, path=PATHS, after=LITERAL, data=DATA)
@example(before="", path="a", after="", data={"a": "\r\n"})
@example(before="x", path="a", after="", data={"a": "\x85"})
@example(before="", path="a.size", after="", data={"a": {"size": "x"}})
@example(before="", path="a", after="", data={"a": "&<>'\""})
def test_the_short_way_says_what_python_liquid_says(
    field: str, before: str, path: str, after: str, data: dict[str, Any]
) -> None:
    """A comment changes nothing, but sends the text the long way."""
    source = f"{before}{{{{ {path} }}}}{after}"

    assert outcome(source, data, field=field) == outcome(
        f"{{% comment %}}{{% endcomment %}}{source}", data, field=field
    )


@pytest.mark.parametrize(("field", "characters"), [("text", 30_000), ("text", 120_000), ("html", 120_000)])
@pytest.mark.parametrize("letter", ["x", "가", "&"])
def test_both_ways_have_the_same_limit(field: str, characters: int, letter: str) -> None:
    words = letter * characters

    for source, data in ((f"{words}{{{{ a }}}}", {"a": "b"}), ("{{ a }}", {"a": words})):
        long_way = f"{{% comment %}}{{% endcomment %}}{source}"
        assert outcome(source, data, field=field) == outcome(long_way, data, field=field)


@unhurried
@given(body=st.text(max_size=60), data=DATA)
def test_whatever_is_written_and_given_ends_in_a_text_or_in_an_error_of_ours(body: str, data: dict[str, Any]) -> None:
    try:
        content = compile_content({"sms": {"ko": {"body": body}}})
    except ContentError:
        assume(condition=False)
        raise
    with suppress(RenderError):
        assert content.render(Channel.SMS, "ko", data) == content.render(Channel.SMS, "ko", data)


@unhurried
@given(data=st.fixed_dictionaries({"a": WORDS.filter(lambda words: "\0" not in words)}))
def test_a_subject_has_one_line_whatever_the_data(data: dict[str, str]) -> None:
    email = compile_content({"email": {"ko": {"subject": "Hi {{ a }}", "text": "t"}}}).render(Channel.EMAIL, "ko", data)

    assert isinstance(email, EmailText)
    assert len(email.subject.splitlines()) == 1
