"""Dates, numbers and money as people write them in the locale of the text (CLDR, by Babel). Pure, and never "now"."""

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, ParamSpec
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format, get_time_format
from babel.numbers import format_currency, format_decimal, format_percent, is_currency
from liquid import is_undefined
from liquid.exceptions import FilterArgumentError

from accounts.locales import stand_ins

LENGTHS: Final = ("short", "medium", "long", "full")
_SKELETON: Final = re.compile(r"[GyMQdEeHhmsjJvVzB]{1,20}")
#: Digits before the point of what can be a price or a count of anything.
_LARGEST: Final = Decimal(10) ** 18
_MOST_DECIMALS: Final = 10
_LONGEST: Final = 64
_Any = ParamSpec("_Any")


class Unsuitable(FilterArgumentError):
    """A filter cannot use what it was given; the message is for whoever wrote the text."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


@lru_cache(maxsize=256)
def cldr(locale: str) -> Locale:
    """The nearest locale that CLDR knows; English for those it does not."""
    for name in stand_ins(locale):
        try:
            found = Locale.parse(name, sep="-")
            # read from disk now, and not when the first text is waiting for it
            format_date(dt.date.min, locale=found)
        except (UnknownLocaleError, ValueError):
            continue
        return found
    return Locale("en")


@lru_cache(maxsize=256)
def filters(locale: str) -> dict[str, Callable[..., str]]:
    """The filters of one locale, by name; shared by all texts of it, with what they remember."""
    at = cldr(locale)

    # The same few prices and dates are written for everybody in a batch.
    @lru_cache(maxsize=2048, typed=True)
    def date(value: Any, form: str = "medium", zone: str = "") -> str:
        return _date(_moment(value), form, zone, at)

    @lru_cache(maxsize=2048, typed=True)
    def number(value: Any, decimals: Any = None) -> str:
        exact = _number(value)
        places = _places(decimals)
        if places is None:
            return str(format_decimal(exact, locale=at, decimal_quantization=False))
        return str(format_decimal(exact, format=f"#,##0{_point(places)}", locale=at))

    @lru_cache(maxsize=2048, typed=True)
    def money(value: Any, currency: str) -> str:
        code = str(currency).upper()
        if not is_currency(code):
            raise Unsuitable(f"{str(currency)[:20]!r} is no currency; write its code of three letters, such as KRW")
        return str(format_currency(_number(value), code, locale=at))

    @lru_cache(maxsize=2048, typed=True)
    def percent(value: Any, decimals: Any = 0) -> str:
        return str(format_percent(_number(value), format=f"#,##0{_point(_places(decimals) or 0)}%", locale=at))

    return {name: _careful(one) for name, one in
            (("date", date), ("number", number), ("money", money), ("percent", percent))}  # fmt: skip


def _careful(function: Callable[_Any, str]) -> Callable[_Any, str]:
    """What is missing is said to be missing, and what cannot be remembered is told to be of the wrong kind."""

    def run(*values: _Any.args, **more: _Any.kwargs) -> str:
        for value in values:
            if is_undefined(value):
                str(value)  # strict: says which
            if not isinstance(value, (str, int, float, Decimal)) or isinstance(value, bool):
                raise Unsuitable(f"a text or a number is needed, not {_kind(value)}")
            if isinstance(value, str) and len(value) > _LONGEST:
                raise Unsuitable(f"{len(value)} characters are no date and no number")
        return function(*values, **more)

    return run


def _kind(value: Any) -> str:
    names = {bool: "true or false", list: "a list", dict: "an object", type(None): "nothing"}
    return names.get(type(value), "this")


def _places(decimals: Any) -> int | None:
    if decimals is None:
        return None
    if not isinstance(decimals, int) or not 0 <= decimals <= _MOST_DECIMALS:
        raise Unsuitable(f"the number of decimals is a whole number from 0 to {_MOST_DECIMALS}")
    return decimals


def _point(places: int) -> str:
    return f".{'0' * places}" if places else ""


def _number(value: Any) -> Decimal:
    try:
        exact = Decimal(str(value).strip()) if not isinstance(value, Decimal) else value
    except InvalidOperation:
        raise Unsuitable(f"{str(value)[:40]!r} is no number") from None
    if not exact.is_finite() or abs(exact) >= _LARGEST or exact.as_tuple().exponent < -_LONGEST:  # type: ignore[operator]
        raise Unsuitable(f"{str(value)[:40]!r} is no number that can be written out")
    return exact


def _moment(value: Any) -> dt.datetime | dt.date:
    """ISO 8601, or seconds since 1970. Whatever leaves a part to be guessed from today is refused."""
    if isinstance(value, str) and not value.strip().isdecimal():
        text = value.strip()
        if text.lower() in ("now", "today"):
            raise Unsuitable("now would be another moment on every attempt; give the moment in data")
        try:
            return (
                dt.date.fromisoformat(text)
                if "-" in text and len(text) <= len("2026-11-25")
                else dt.datetime.fromisoformat(text)
            )
        except ValueError:
            raise Unsuitable(f"{text[:40]!r} is no date; write it as 2026-11-25 or 2026-11-25T10:00:00+09:00") from None
    try:
        seconds = float(value)
        if not math.isfinite(seconds):
            raise ValueError  # noqa: TRY301 - said below
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Unsuitable(f"{str(value)[:40]!r} is no moment") from None


def _date(moment: dt.datetime | dt.date, form: str, zone: str, locale: Locale) -> str:
    form = str(form).strip()
    if isinstance(moment, dt.datetime) and zone:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(_zone(str(zone)))
    if "%" in form:
        return moment.strftime(form)
    length, _, part = form.partition(" ")
    if length in LENGTHS and part in ("", "time", "datetime"):
        return _of_length(moment, length, part, locale)
    if not _SKELETON.fullmatch(form):
        raise Unsuitable(
            f"{form[:20]!r} is no form of a date; write short, medium, long or full (with time or datetime behind "
            "it), a skeleton such as MMMd, or signs such as %Y-%m-%d"
        )
    own = moment.tzinfo if isinstance(moment, dt.datetime) else None
    try:
        return str(format_skeleton(form, _full(moment), tzinfo=own or dt.UTC, locale=locale))
    except (KeyError, AttributeError):
        raise Unsuitable(f"{form[:20]!r} is no skeleton that this language has") from None


def _of_length(moment: dt.datetime | dt.date, length: Any, part: str, locale: Locale) -> str:
    if not part:
        return str(format_date(moment, length, locale=locale))
    full = _full(moment)
    pattern = get_time_format(length, locale=locale).pattern
    # 오후, not PM: CLDR's short form for Korean is the English one
    written = pattern if "'" in pattern or "aa" in pattern else pattern.replace("a", "aaaa")
    time = str(format_time(full, written, tzinfo=full.tzinfo or dt.UTC, locale=locale))
    if part == "time":
        return time
    together = str(get_datetime_format(length, locale=locale)).replace("'", "")
    return together.replace("{1}", str(format_date(full, length, locale=locale))).replace("{0}", time)


def _full(moment: dt.datetime | dt.date) -> dt.datetime:
    return (
        moment if isinstance(moment, dt.datetime) else dt.datetime(moment.year, moment.month, moment.day, tzinfo=dt.UTC)
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Unsuitable(f"{name[:40]!r} is no time zone; write it as Asia/Seoul") from None
