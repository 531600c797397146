"""Every provider by name, who reads its receipts, who gives its numbers, and who tries its accounts.

A provider is imported when it is first asked for: a worker for iPhones needs none of the libraries for email, which
would take 40 MB of every process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from accounts.channels import Channel
from notifications.providers.contract import (
    NumberSource,
    Provider,
    ReceiptReader,
)
from notifications.providers.probing import Prober


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a provider serves, and the names of its classes.

    `receipts` is empty where it does not call back, `numbers` where it hands out none. `endpoints` is how an account's
    endpoint may look, the scheme first.
    """

    channel: Channel
    send: str
    receipts: str = ""
    numbers: str = ""
    endpoints: tuple[str, ...] = ("https://host", "https://host:port")


_ENTRIES: Final[Mapping[str, _Entry]] = {
    "apns": _Entry(Channel.PUSH, "Apns"),
    "fcm": _Entry(Channel.PUSH, "Fcm"),
    "jpush": _Entry(Channel.PUSH, "Jpush", numbers="JpushNumbers"),
    "pushy": _Entry(Channel.PUSH, "Pushy"),
    "twilio": _Entry(Channel.SMS, "Twilio", "TwilioReceipts"),
    "sendgrid": _Entry(Channel.EMAIL, "SendGrid", "SendGridReceipts"),
    "mandrill": _Entry(Channel.EMAIL, "Mandrill", "MandrillReceipts"),
    "vonage": _Entry(Channel.SMS, "Vonage", "VonageReceipts"),
    "smtp": _Entry(Channel.EMAIL, "Smtp", endpoints=("smtp://host:587", "smtps://host:465")),
    "webpush": _Entry(Channel.PUSH, "WebPush"),
}

NAMES: Final = tuple(_ENTRIES)


def channel_of(name: str) -> Channel:
    """What a provider serves. Raises `KeyError` for one that is not in `NAMES`."""
    return _ENTRIES[name].channel


def endpoints_of(name: str) -> tuple[str, ...]:
    """How an account's endpoint may look, as patterns for people: scheme, host and perhaps port."""
    return _ENTRIES[name].endpoints


@cache
def provider(name: str) -> Provider:
    """The provider of this name. Raises `KeyError` for one that is not in `NAMES`."""
    found: Provider = getattr(import_module(f"notifications.providers.{name}.send"), _ENTRIES[name].send)()
    return found


def calls_back(name: str) -> bool:
    """Whether this provider tells later what became of a message."""
    return bool(_ENTRIES[name].receipts)


@cache
def always_tells(channel: Channel) -> bool:
    """Whether every provider of a channel tells later what became of a message."""
    return all(entry.receipts for entry in _ENTRIES.values() if entry.channel is channel)


@cache
def receipts_of(name: str) -> ReceiptReader | None:
    """Who reads what this provider calls back with; None where it does not."""
    reader = _ENTRIES[name].receipts if name in _ENTRIES else ""
    if not reader:
        return None
    found: ReceiptReader = getattr(import_module(f"notifications.providers.{name}.receipts"), reader)()
    return found


@cache
def numbers_of(name: str) -> NumberSource | None:
    """Who gives the numbers under which this provider takes a message once; None where it hands out none."""
    source = _ENTRIES[name].numbers
    if not source:
        return None
    found: NumberSource = getattr(import_module(f"notifications.providers.{name}.numbers"), source)()
    return found


@cache
def prober_of(name: str) -> Prober | None:
    """Who tries this provider's accounts: `<its class>Probe` in its `probe.py`; None where it has no such file."""
    place = f"notifications.providers.{name}.probe"
    if name not in _ENTRIES or find_spec(place) is None:
        return None
    found: Prober = getattr(import_module(place), f"{_ENTRIES[name].send}Probe")()
    return found
