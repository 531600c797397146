"""What the rules of a segment say, as plain values. Free of Django; read from JSON by `reading.py`."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from accounts.channels import Channel, Platform

Scalar = str | bool | int | Decimal


class Order(StrEnum):
    """How two values compare."""

    IS = "="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Deed(StrEnum):
    """What somebody did, or what was done to them."""

    OPENED = "opened"
    CLICKED = "clicked"
    CONVERTED = "converted"
    GOT = "got"


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
class AttributeIs:
    """An attribute is one of these. A number and a truth are met by texts that say them as well."""

    path: tuple[str, ...]
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class AttributeIncludes:
    """An attribute is a list with this in it."""

    path: tuple[str, ...]
    value: Scalar


@dataclass(frozen=True, slots=True)
class AttributeBegins:
    """An attribute is a text that begins so."""

    path: tuple[str, ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class AttributeNumber:
    """An attribute is a number, or a text that says one, and compares so."""

    path: tuple[str, ...]
    order: Order
    number: Decimal


@dataclass(frozen=True, slots=True)
class AttributeDay:
    """An attribute is a text that begins with a day, as 2026-01-31 or 2026-01-31T10:00Z, and the day compares so."""

    path: tuple[str, ...]
    order: Order
    day: date


@dataclass(frozen=True, slots=True)
class AttributeExists:
    """An attribute is there, and not null."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A column of the person is not empty: locale, country, email or phone."""

    column: str


@dataclass(frozen=True, slots=True)
class LocaleIs:
    """Their locale is one of these."""

    locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LanguageIs:
    """Their locale is of one of these languages, whatever its region."""

    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountryIs:
    """Their country is one of these."""

    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdBegins:
    """The id by which products know them begins so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class CreatedWithin:
    """They became known within so many days."""

    days: int


@dataclass(frozen=True, slots=True)
class HasDevice:
    """They have a live device; of one of these platforms, where some are named."""

    platforms: tuple[Platform, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenWithin:
    """A live device of theirs was seen within so many days."""

    days: int


@dataclass(frozen=True, slots=True)
class AppVersion:
    """The app on a live device of theirs compares so: number by number, so that 2.10 is more than 2.9, and 2.0 is 2."""

    order: Order
    version: tuple[int, ...]
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Allows:
    """A category may come to them on a channel, by their most specific choice or, without any, by its default."""

    category: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Did:
    """They did this: with a campaign's messages, or with any; within so many days, or ever."""

    deed: Deed
    campaign: UUID | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class InSegment:
    """They are in another segment."""

    segment: UUID


@dataclass(frozen=True, slots=True)
class OnList:
    """They were in a file of a segment: they are on one of some of its lists."""

    segment: UUID
    lists: tuple[UUID, ...]


AboutAttribute = (
    AttributeIs | AttributeIncludes | AttributeBegins | AttributeNumber | AttributeDay | AttributeExists
)  # fmt: skip
AboutPerson = Known | LocaleIs | LanguageIs | CountryIs | IdBegins | CreatedWithin
AboutDevices = HasDevice | SeenWithin | AppVersion
Leaf = AboutAttribute | AboutPerson | AboutDevices | Allows | Did | InSegment | OnList
Node = All | Some | Not | Leaf
EVERYBODY = All(())
