"""Who a text message is from, which depends on where it goes: many countries want a number, or a name, of their own.

Written as a setting, `1: +15005550006, 44: BONGSU`: for numbers that begin with +1, for those that begin with +44. The
longest prefix decides; `sender` is for all others.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import phonenumbers

from notifications.providers.contract import Account, BadAccount

#: For the settings of an adapter.
SENDERS: Final = "optional: other senders by the beginning of the number, as in 1: +15005550006, 44: BONGSU"
#: The United States, Canada and their neighbours take no names (Twilio, "Alphanumeric Sender ID for Twilio Programmable
#: SMS"; Vonage, "Custom Sender ID").
_NAMELESS: Final = "1"
_LONGEST_PREFIX: Final = 15
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def sender_for(settings: Mapping[str, str], to: str) -> str:
    """The sender for a number in E.164."""
    listed = settings.get("senders")
    if not listed:
        return settings.get("sender", "")
    senders = _table(listed)
    digits = to.removeprefix("+")
    for length in range(min(len(digits), _LONGEST_PREFIX), 0, -1):
        if sender := senders.get(digits[:length]):
            return sender
    return settings.get("sender", "")


def check(account: Account, is_sender: Callable[[str], bool], words: str) -> None:
    """Raise `BadAccount` unless every sender of the account is one, as `words` describe it, and may be used there."""
    sender = account.settings.get("sender", "")
    if not is_sender(sender):
        raise BadAccount(f"{account.name}: sender is {words}{_hint(sender)}")
    try:
        senders = _table(account.settings.get("senders", ""))
    except ValueError as error:
        raise BadAccount(f"{account.name}: senders: {error}") from None
    for prefix, one in senders.items():
        if not is_sender(one):
            raise BadAccount(f"{account.name}: senders: {one!r}, for +{prefix}, is not {words}{_hint(one)}")
        if prefix.startswith(_NAMELESS) and not is_number(one) and not one.startswith("MG"):
            raise BadAccount(f"{account.name}: senders: +{prefix} takes no names such as {one!r}; it must be a number")


def is_number(sender: str) -> bool:
    """Whether it is a phone number in E.164, or a short code."""
    digits = sender.removeprefix("+")
    return digits.isascii() and digits.isdecimal()


def is_e164(sender: str) -> bool:
    """Whether it is a possible phone number, written with its plus sign."""
    try:
        return bool(_E164.fullmatch(sender)) and phonenumbers.is_possible_number(phonenumbers.parse(sender))
    except phonenumbers.NumberParseException:
        return False


def _hint(sender: str) -> str:
    written = f"+{sender.lstrip('+0')}"
    written = "".join(char for char in written if char not in " -.()/")
    return f"; perhaps {written}?" if written != sender and is_e164(written) else ""


@lru_cache(maxsize=64)
def _table(listed: str) -> Mapping[str, str]:
    """The senders by the digits of their prefix. Raises `ValueError`."""
    senders: dict[str, str] = {}
    for entry in listed.replace("\n", ",").replace(";", ",").split(","):
        if not entry.strip():
            continue
        prefix, colon, sender = (part.strip() for part in entry.partition(":"))
        digits = prefix.removeprefix("+")
        if not colon or not sender:
            raise ValueError(f"write {entry.strip()!r} as the beginning of a number, a colon and a sender")
        if not digits.isascii() or not digits.isdecimal() or digits.startswith("0") or len(digits) > _LONGEST_PREFIX:
            raise ValueError(f"{prefix!r} is not the beginning of a number; write its country code, as in 82")
        if digits in senders:
            raise ValueError(f"+{digits} stands there twice")
        senders[digits] = sender
    return senders
