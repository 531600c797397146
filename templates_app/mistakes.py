"""What is wrong with a content, or with the data that it was given, and where. Pure."""

from dataclasses import dataclass


def line_and_column(source: str, index: int) -> tuple[int, int]:
    """Of a place in a text, from 1."""
    before = source[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(frozen=True, slots=True)
class Place:
    """Which text: push.ko.body."""

    channel: str
    locale: str = ""
    field: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.channel, self.locale, self.field) if part)


class ContentError(Exception):
    """The content cannot be used. `line` and `column` count from 1 inside that text; 0 where neither applies."""

    def __init__(self, place: Place, message: str, *, line: int = 0, column: int = 0) -> None:
        where = f" (line {line}, column {column})" if line else ""
        super().__init__(f"{place}{where}: {message}")
        self.place = place
        self.message = message
        self.line = line
        self.column = column


class RenderError(Exception):
    """The content says nothing sensible with this data. If that is why: `variable` is what is missing, `link` what
    must not leave.
    """

    def __init__(self, place: Place, message: str, *, variable: str = "", link: str = "") -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.variable = variable
        self.link = link
