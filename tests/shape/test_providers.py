"""A provider is a folder, a line in the registry, a simulator and their tests: this names what one still lacks."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications.providers import registry
from notifications.providers.contract import Provider

CHECKOUT = Path(__file__).resolve().parents[2]


def missing_parts(name: str, *, calls_back: bool) -> list[str]:
    """What docs/how-to/add-a-provider.md asks for and this provider has not got."""
    files = [part for part in _files(name, calls_back=calls_back) if not (CHECKOUT / part).is_file()]
    return files + [f"{name} in {place}" for place in _unmentioned(name)]


def _files(name: str, *, calls_back: bool) -> Iterator[str]:
    yield f"notifications/providers/{name}/__init__.py"
    yield f"notifications/providers/{name}/send.py"
    yield f"notifications/providers/{name}/README.md"
    yield f"tests/providers/{name}/test_send.py"
    if calls_back:
        yield f"notifications/providers/{name}/receipts.py"
        yield f"tests/providers/{name}/test_receipts.py"
    yield f"sandbox/providers/{name}.py"
    yield f"tests/sandbox/test_{name}.py"


def _unmentioned(name: str) -> Iterator[str]:
    pyproject = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    contracts = {one["name"]: one for one in pyproject["tool"]["importlinter"]["contracts"]}
    if f"notifications.providers.{name}" not in contracts["Providers do not know each other"]["modules"]:
        yield "the contract 'Providers do not know each other' of pyproject.toml"
    for place, mark in {
        "sandbox/server.py": f'"{name}"',
        "sandbox/keys.py": f'"{name}"',
        "tests/sandbox/world.py": f'"{name}"',
    }.items():
        if mark not in (CHECKOUT / place).read_text():
            yield place


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_provider_is_complete(name: str) -> None:
    assert missing_parts(name, calls_back=registry.calls_back(name)) == [], "see docs/how-to/add-a-provider.md"


def test_what_is_missing_is_named() -> None:
    lacking = missing_parts("pigeon", calls_back=True)

    assert "notifications/providers/pigeon/send.py" in lacking
    assert "pigeon in sandbox/server.py" in lacking
    assert "sandbox/providers/pigeon.py" in lacking


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_provider_has_its_facts_and_names_itself(name: str) -> None:
    found: Provider = registry.provider(name)

    assert found.name == name
    assert found.channel is registry.channel_of(name)
    assert all(sentence for sentence in (*found.credentials.values(), *found.settings.values()))
