"""Heads as libcurl knows them: of an answer, as it hands it over, and of a request, as it takes it."""

from collections.abc import Iterable, Iterator, Mapping


class Head(Mapping[str, str]):
    """Header lines as they came, looked through when somebody asks for one; names are lower case.

    Most answers are asked for one header or none, so they are not taken apart beforehand. An interim answer (1xx)
    before the real one is forgotten.
    """

    __slots__ = ("_lines",)

    def __init__(self, raw: bytes) -> None:
        text = raw.decode("latin-1")
        interim = text.rfind("\r\n\r\nHTTP/")
        self._lines = text[interim + 4 :] if interim >= 0 else text

    def __getitem__(self, name: str) -> str:
        start = self._lines.lower().rfind(f"\r\n{name}:")
        if start < 0:
            raise KeyError(name)
        start += len(name) + 3
        end = self._lines.find("\r\n", start)
        return self._lines[start : end if end >= 0 else None].strip()

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for line in self._lines.split("\r\n")[1:]:
            name, colon, _ = line.lower().partition(":")
            if colon and name not in seen:
                seen.add(name)
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Head({dict(self)!r})"


def header_lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    """The lines of a request's head, as libcurl takes them. Raises `ValueError` for what would be more than they."""
    lines = [f"{name}: {value}" for name, value in headers]
    together = "".join(lines)
    if "\n" in together or "\r" in together or "\0" in together:
        raise ValueError("a header holds a line break")
    # Without this, libcurl waits a second for "100 Continue" before a long body.
    lines.append("expect:")
    return lines
