"""What the rules of a segment say, as plain values. Free of Django; read from JSON by `reading.py`."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class All:
    """Whoever meets every one of them; with none of them, everybody."""

    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Whoever meets one of them at least."""

    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whoever does not meet it."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class LocaleIs:
    """Their locale is one of these."""

    locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountryIs:
    """Their country is one of these."""

    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdBegins:
    """The id by which products know them begins so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class OnList:
    """They were in the file of a segment."""

    segment: UUID


Leaf = LocaleIs | CountryIs | IdBegins | OnList
Node = All | Some | Not | Leaf
EVERYBODY = All(())
