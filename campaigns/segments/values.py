"""What a rule compares with, out of JSON: one strict function a kind."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from accounts import storable
from accounts.channels import Channel, Platform
from accounts.recipients import Invalid, normal_country, normal_locale
from campaigns.segments.fields import Kind
from campaigns.segments.rules import Scalar

#: Characters of one text, and values of one list.
LONGEST_TEXT: Final = 200
MOST_VALUES: Final = 500
#: Ten years.
MOST_DAYS: Final = 3650
_VERSION: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,5}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_DIGITS: Final = 15

Value = TypeVar("Value")


def value_of(kind: Kind, given: Any) -> Any:
    """What `given`, as a JSON parser gave it, says. Raises `Invalid`; `field` is the place in it."""
    return _READERS[kind](given)


def text(given: Any) -> str:
    """Some characters."""
    if not isinstance(given, str) or not given:
        raise Invalid("write a text.")
    if len(given) > LONGEST_TEXT:
        raise Invalid(f"at most {LONGEST_TEXT} characters.")
    try:
        storable.check(given)
    except storable.NotStorable as error:
        raise Invalid(str(error)) from None
    return given


def scalar(given: Any) -> Scalar:
    """A text, a number, or true and false."""
    match given:
        case bool():
            return given
        case str():
            return text(given)
        case int() | float():
            return number(given)
        case _:
            raise Invalid("write a text, a number, or true or false.")


def number(given: Any) -> Decimal:
    """A number that can be compared to the last digit."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Invalid("write a number.")
    # whole numbers may be longer than a float holds, and isfinite makes one of them
    if isinstance(given, float) and not math.isfinite(given):
        raise Invalid("write a number.")
    if abs(given) >= 10**_MOST_DIGITS:
        raise Invalid(f"at most {_MOST_DIGITS} digits.")
    return Decimal(repr(given))


def days(given: Any) -> int:
    """A number of days."""
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_DAYS:
        raise Invalid(f"write a number of days, from 1 to {MOST_DAYS}.")
    return given


def day(given: Any) -> date:
    """A day of the calendar."""
    if isinstance(given, str) and _DAY.fullmatch(given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    raise Invalid("write a day as in 2026-01-31.")


def version(given: Any) -> tuple[int, ...]:
    """The numbers of an app's version; zeros at its end say nothing."""
    if not isinstance(given, str) or not _VERSION.fullmatch(given):
        raise Invalid("write numbers with dots between them, as in 2.10.1.")
    return shortened([int(part) for part in given.split(".")])


def shortened(parts: list[int]) -> tuple[int, ...]:
    """The same version without zeros at its end: 2.0 is 2."""
    while len(parts) > 1 and parts[-1] == 0:
        parts = parts[:-1]
    return tuple(parts)


def language(given: Any) -> str:
    """A language without a region."""
    locale = normal_locale(given)
    if "-" in locale:
        raise Invalid(
            f"write the language alone, {locale.partition('-')[0]}; for {locale} ask whether the locale is it."
        )
    return locale


def platform(given: Any) -> Platform:
    """What kind of device."""
    found: Platform = one_of(Platform)(given)
    return found


def choice(given: Any) -> tuple[str, Channel]:
    """A category, by its slug, and a channel."""
    if not isinstance(given, Mapping) or set(given) != {"category", "channel"}:
        raise Invalid('write a category and a channel, as in {"category": "news", "channel": "email"}.')
    return _in("category", text, given), _in("channel", one_of(Channel), given)


def _in(name: str, reader: Callable[[Any], Value], given: Mapping[str, Any]) -> Value:
    try:
        return reader(given[name])
    except Invalid as error:
        raise Invalid(str(error), field=f".{name}") from None


def identifier(given: Any) -> UUID:
    """The id of a segment or a campaign."""
    try:
        if isinstance(given, str) and len(given) == 36:
            return UUID(given)
    except ValueError:
        pass
    raise Invalid("write its id, as in 01890a5d-ac96-774b-bcce-b302099a8057.")


def one_of(words: Any) -> Callable[[Any], Any]:
    """One word of a few."""

    def read(given: Any) -> Any:
        if not isinstance(given, str) or given not in set(words):
            raise Invalid(f"write one of {', '.join(words)}.")
        return words(given)

    return read


def many(reader: Callable[[Any], Value]) -> Callable[[Any], tuple[Value, ...]]:
    """A list of values, each as `reader` reads one."""

    def read(given: Any) -> tuple[Value, ...]:
        if not isinstance(given, list) or not given:
            raise Invalid("write a list, as in [1, 2], with one value at least.")
        if len(given) > MOST_VALUES:
            raise Invalid(f"at most {MOST_VALUES} values; for more upload a list.")
        found = []
        for at, one in enumerate(given):
            try:
                found.append(reader(one))
            except Invalid as error:
                raise Invalid(str(error), field=f"[{at}]{error.field}") from None
        return tuple(found)

    return read


def alone(reader: Callable[[Any], Value]) -> Callable[[Any], tuple[Value, ...]]:
    """One value, for rules that know several."""
    return lambda given: (reader(given),)


_READERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.NOTHING: lambda _given: None,
    Kind.TEXT: text,
    Kind.SCALAR: alone(scalar),
    Kind.SCALARS: many(scalar),
    Kind.NUMBER: number,
    Kind.DAY: day,
    Kind.DAYS: days,
    Kind.VERSION: version,
    Kind.LOCALE: alone(normal_locale),
    Kind.LOCALES: many(normal_locale),
    Kind.LANGUAGE: alone(language),
    Kind.LANGUAGES: many(language),
    Kind.COUNTRY: alone(normal_country),
    Kind.COUNTRIES: many(normal_country),
    Kind.PLATFORM: alone(platform),
    Kind.PLATFORMS: many(platform),
    Kind.CHOICE: choice,
    Kind.SEGMENT: identifier,
}
