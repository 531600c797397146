"""Create, change and erase recipients, and what a valid recipient is: the same for the API and for CSV files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import available_timezones

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from accounts import storable
from accounts.locales import NotALocale, normal
from accounts.models import EXTERNAL_ID_PATTERN, Recipient

_LONGEST_EMAIL: Final = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets
_EXTERNAL_ID: Final = re.compile(EXTERNAL_ID_PATTERN)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
#: "localtime" is the clock of the machine that reads it, "Factory" that of a machine on which nobody has set it.
_ZONES: Final = frozenset(available_timezones()) - {"localtime", "Factory"}
_is_email: Final = EmailValidator()
#: Attributes that may be known of one person.
MAX_ATTRIBUTES: Final = 100


class Invalid(ValueError):
    """A value cannot be accepted; the message says what would be. `field` says which of several values it was."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person, every value in its normal form. Made by `profile`."""

    email: str = ""
    phone: str = ""
    locale: str = ""
    country: str = ""
    time_zone: str = ""
    quiet_from: time | None = None
    quiet_until: time | None = None
    #: Whether anything is said of them. Where nothing is, they stay: the person may have chosen them.
    names_quiet_hours: bool = False
    attributes: Mapping[str, Any] | None = None


def normal_external_id(text: str) -> str:
    """A product's own user id. Raises `Invalid`."""
    if not _EXTERNAL_ID.fullmatch(text):
        raise Invalid("Use letters, digits and . _ : @ | - only, a letter or digit first, at most 128 characters.")
    return text


def normal_email(text: str) -> str:
    """An address in lower case, so that one suppression covers every way of writing it. Raises `Invalid`."""
    address = _text(text).strip().lower()
    try:
        _is_email(address)
    except ValidationError:
        raise Invalid("Not an email address; one looks like name@example.com.") from None
    if len(address) > _LONGEST_EMAIL:
        raise Invalid(f"An email address has at most {_LONGEST_EMAIL} characters.")
    return address


def normal_phone(text: str, country: str = "") -> str:
    """A number in E.164 (ITU-T). `country` tells how to read a national one. Raises `Invalid`."""
    try:
        number = phonenumbers.parse(_text(text), country or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise Invalid("Not a phone number; write it in E.164: a plus, the country code, the rest, as in +821012345678.")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not _E164.fullmatch(written):
        raise Invalid("Not a phone number; E.164 has at most 15 digits.")
    return written


def normal_locale(text: str) -> str:
    """A language tag (BCP 47). Raises `Invalid`."""
    try:
        return normal(_text(text).strip())
    except NotALocale as error:
        raise Invalid(str(error)) from None


def normal_country(text: str) -> str:
    """A country's two letters (ISO 3166-1). Raises `Invalid`."""
    country = _text(text).strip().upper()
    if country not in _COUNTRIES:
        raise Invalid("Not a country; write its two letters of ISO 3166-1, for example KR.")
    return country


def normal_time_zone(text: str) -> str:
    """A zone of the IANA database. Raises `Invalid`."""
    zone = _text(text).strip()
    if zone not in _ZONES:
        raise Invalid("Not a time zone; write its IANA name, for example Asia/Seoul.")
    return zone


def normal_quiet_hours(start: str, end: str) -> tuple[time, time]:
    """Quiet hours by the person's clock, as "22:00" and "07:00"; they may reach over midnight. Raises `Invalid`."""
    try:
        hours = tuple(datetime.strptime(_text(one).strip(), "%H:%M").time() for one in (start, end))  # noqa: DTZ007
    except ValueError:
        raise Invalid("Write both as hours and minutes, from 00:00 to 23:59: for example 22:00.") from None
    if hours[0] == hours[1]:
        raise Invalid("Quiet hours that end as they begin are none, or all of the day; give two different times.")
    return hours[0], hours[1]


def normal_attributes(given: object) -> dict[str, Any]:
    """What templates may say about a person, by names they can write after `recipient.` Raises `Invalid`."""
    if not isinstance(given, Mapping):
        raise Invalid('Write an object, for example {"grade": "gold"}.')
    if len(given) > MAX_ATTRIBUTES:
        raise Invalid(f"At most {MAX_ATTRIBUTES} attributes.")
    if odd := [name for name in given if not name.isidentifier()]:
        raise Invalid(f"{odd[0]!r} cannot be written in a template; use letters, digits and _, a letter first.")
    attributes = dict(given)
    try:
        storable.check(attributes)
    except storable.NotStorable as error:
        raise Invalid(str(error)) from None
    return attributes


def put(external_id: str, profile: Profile, at: datetime) -> tuple[Recipient, bool]:
    """Make the person exactly what `profile` says; True when they were unknown before."""
    values: dict[str, Any] = {
        "email": profile.email,
        "phone": profile.phone,
        "locale": profile.locale,
        "country": profile.country,
        "time_zone": profile.time_zone,
        "attributes": dict(profile.attributes or {}),
        "updated_at": at,
    }
    if profile.names_quiet_hours:
        values |= {"quiet_from": profile.quiet_from, "quiet_until": profile.quiet_until}
    return Recipient.objects.update_or_create(external_id=external_id, defaults=values)


def change(recipient: Recipient, values: Mapping[str, Any], at: datetime) -> None:
    """Change the named fields only; `attributes` are merged, and an attribute set to None is removed.

    Raises `Invalid` when that makes too many attributes.
    """
    for name, value in values.items():
        if name == "attributes":
            merged = {**recipient.attributes, **value}
            kept = {key: one for key, one in merged.items() if one is not None}
            if len(kept) > MAX_ATTRIBUTES:
                raise Invalid(f"At most {MAX_ATTRIBUTES} attributes.", field="attributes")
            recipient.attributes = kept
        else:
            setattr(recipient, name, value)
    recipient.updated_at = at
    recipient.save(update_fields=[*values, "updated_at"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("Write a text.")
    return value
