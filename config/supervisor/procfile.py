"""Reads Procfiles: a name, a colon, and a line for the shell; `#` starts a comment line."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from config.supervisor.keeper import Command

_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)")
_WISH: Final = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:=(?P<count>\d{1,2}))?")


class UnknownProcess(Exception):
    """A process was asked for that no Procfile has; the message names those that there are."""


def read(*files: Path) -> dict[str, str]:
    """The command of every process, by name. Raises ValueError for a line that is not one."""
    commands: dict[str, str] = {}
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line.strip())
            if not found:
                raise ValueError(f"{file}, line {number}: expected `name: command`, got {line!r}")
            commands[found["name"]] = found["command"]
    return commands


def chosen(commands: Mapping[str, str], wishes: Iterable[str]) -> dict[str, Command]:
    """What to run for wishes such as `ios` or `ios=2`; all of them, once, when nothing is wished for.

    Each knows its number by PROCESS (1, 2, …), so that it can call itself differently from its twin. Raises
    UnknownProcess.
    """
    lines: dict[str, Command] = {}
    for wish in list(wishes) or commands:
        found = _WISH.fullmatch(wish)
        if not found or found["name"] not in commands:
            raise UnknownProcess(
                f"There is no process {wish!r}; there are {', '.join(commands)} (and `ios=2` runs two)."
            )
        name, count = found["name"], int(found["count"] or 1)
        for number in range(1, count + 1):
            label = name if count == 1 else f"{name}.{number}"
            lines[label] = Command(commands[name], {"PROCESS": str(number)})
    return lines
