"""Where data could make a link of an email run a program. Found once, when a text is compiled, so that most emails cost
nothing of it, and the others a look at the values that stand where a link begins. Pure.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from templates_app.hyperlinks import LEFT_OUT, RUNNING, may_run
from templates_app.language.quick import Piece
from templates_app.liquid_masks import liquids

#: Stands for what data brings. No template has it: it is no character.
_HOLE: Final = "\ufdd0"
#: A tag, ended or not. A value that is longer than any address is not looked into.
_QUOTED: Final = r""""[^"]{0,4000}"|'[^']{0,4000}'"""
_TAG: Final = re.compile(rf"""<[^<>"']*(?:(?:{_QUOTED})[^<>"']*)*""")
_VALUES: Final = re.compile(_QUOTED)
#: The beginning of a link. With any of : / ? # it is known where it leads.
_BEGINNING: Final = re.compile(r"""href[\t\n\f\r ]*=[\t\n\f\r ]*["']?([^"'<>=:/?#]*)""", re.IGNORECASE)
#: A filter after which data is written as it is, tags and all.
_AS_IT_IS: Final = "safe"


def watched(pieces: tuple[Piece, ...], source: str) -> tuple[Piece, ...] | None:
    """The pieces, of which those at the beginning of a link refuse what may run a program; None where only the whole
    text can tell. `source` is what they are made of.
    """
    text = "".join(piece if isinstance(piece, str) else _HOLE for piece in pieces)
    if _AS_IT_IS in source or _is_written_in(text):
        return None
    first: set[int] = set()
    for beginning in _BEGINNING.finditer(text):
        before, hole, behind = beginning[1].partition(_HOLE)
        if hole and (_HOLE in behind or before.strip()):
            if _may_go_on(before):
                return None
        elif hole:
            first.add(text.count(_HOLE, 0, beginning.start(1)))
    holes = iter(range(len(pieces)))
    return tuple(
        piece if isinstance(piece, str) or next(holes) not in first else (piece[0], (*piece[1], _harmless))
        for piece in pieces
    )


def are_to_be_watched(sources: Iterable[str]) -> bool:
    """Whether texts that do more than write out data could make a link of it that runs a program."""
    return any(_is_to_be_watched(source) for source in sources)


def _is_to_be_watched(source: str) -> bool:
    text = _without_liquid(source)
    if _AS_IT_IS in source or _is_written_in(text):
        return True
    starts = (beginning[1].partition(_HOLE) for beginning in _BEGINNING.finditer(text))
    return any(hole and _may_go_on(before) for before, hole, _ in starts)


def _without_liquid(source: str) -> str:
    pieces, done = [], 0
    for start, end in liquids(source):
        pieces += [source[done:start], _HOLE]
        done = end
    return "".join([*pieces, source[done:]])


def _is_written_in(text: str) -> bool:
    """Whether a link that runs a program is in the text itself, or data brings attributes, or values without quotes."""
    if may_run(text.replace(_HOLE, "")):
        return True
    return any(_HOLE in tag and _HOLE in _VALUES.sub("", tag) for tag in _TAG.findall(text))


def _may_go_on(before: str) -> bool:
    """Whether what stands before data in a link may become a scheme that runs a program; also where it is nothing."""
    so_far = before.strip().translate(LEFT_OUT).lower()
    return "&" in so_far or any(f"{name}:".startswith(so_far) for name in RUNNING)


def _harmless(value: Any) -> Any:
    """A value with which no link runs a program. Raises `ValueError` where that is not seen at once."""
    # a few nanoseconds for nearly all there are
    if isinstance(value, str) and value[:4] != "http" and may_run(f"={value}"):
        raise ValueError("the whole text has to be read")
    return value
