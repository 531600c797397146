"""What can be asked of a person in a rule: fields, operators, and what each takes. The builder reads it, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an operator takes."""

    NOTHING = "nothing"
    TEXT = "text"
    SCALAR = "scalar"  # a text, a number, or true and false
    SCALARS = "scalars"
    NUMBER = "number"
    DAY = "day"
    DAYS = "days"  # so many of them
    VERSION = "version"
    LOCALE = "locale"
    LOCALES = "locales"
    LANGUAGE = "language"
    LANGUAGES = "languages"
    COUNTRY = "country"
    COUNTRIES = "countries"
    PLATFORM = "platform"
    PLATFORMS = "platforms"
    CHOICE = "choice"  # a category on a channel
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is known of a person. `also` names what a rule about it may say besides."""

    label: str
    operators: Mapping[str, Kind]
    also: tuple[str, ...] = ()


#: Operators that say the opposite of another.
NEGATIVE: Final[Mapping[str, str]] = {
    "is not": "is",
    "missing": "exists",
    "not within": "within",
    "never": "ever",
    "refuses": "allows",
    "not in": "in",
}
#: The field of an attribute begins so; its name, or its way through objects in objects, follows.
ATTRIBUTE: Final = "attributes."

_THERE: Final[Mapping[str, Kind]] = {"exists": Kind.NOTHING, "missing": Kind.NOTHING}
_WHEN: Final[Mapping[str, Kind]] = {"within": Kind.DAYS, "not within": Kind.DAYS}
_DEED: Final[Mapping[str, Kind]] = {"ever": Kind.NOTHING, "never": Kind.NOTHING, **_WHEN}
_COMPARED: Final = ("less than", "at most", "more than", "at least")

FIELDS: Final[Mapping[str, Field]] = {
    ATTRIBUTE: Field(
        "Attribute",
        {
            "is": Kind.SCALAR,
            "is not": Kind.SCALAR,
            "one of": Kind.SCALARS,
            "includes": Kind.SCALAR,
            "begins with": Kind.TEXT,
            **dict.fromkeys(_COMPARED, Kind.NUMBER),
            "before": Kind.DAY,
            "from": Kind.DAY,
            **_THERE,
        },
    ),
    "locale": Field(
        "Locale",
        {
            "language is": Kind.LANGUAGE,
            "language one of": Kind.LANGUAGES,
            "is": Kind.LOCALE,
            "is not": Kind.LOCALE,
            "one of": Kind.LOCALES,
            **_THERE,
        },
    ),
    "country": Field("Country", {"is": Kind.COUNTRY, "is not": Kind.COUNTRY, "one of": Kind.COUNTRIES, **_THERE}),
    "platform": Field("Platform of a device", {"is": Kind.PLATFORM, "is not": Kind.PLATFORM, "one of": Kind.PLATFORMS}),
    "app_version": Field(
        "App version on a device", {"is": Kind.VERSION, **dict.fromkeys(_COMPARED, Kind.VERSION)}, ("platform",)
    ),
    "last_seen": Field("Last seen", _WHEN),
    "created": Field("Became known", _WHEN),
    "external_id": Field("External id", {"begins with": Kind.TEXT}),
    "email": Field("Email address", _THERE),
    "phone": Field("Phone number", _THERE),
    "push": Field("Device for push", _THERE),
    "preference": Field("Preference", {"allows": Kind.CHOICE, "refuses": Kind.CHOICE}),
    "opened": Field("Opened", _DEED, ("campaign",)),
    "clicked": Field("Clicked", _DEED, ("campaign",)),
    "converted": Field("Converted", _DEED, ("campaign",)),
    "got": Field("Got", _DEED, ("campaign",)),
    "segment": Field("Segment", {"in": Kind.SEGMENT, "not in": Kind.SEGMENT}),
}
