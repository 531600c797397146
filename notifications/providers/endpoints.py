"""Where each provider takes requests, as far as a wrong address can be told from a right one without asking.

An address in nobody's domain is a sandbox or a proxy of one's own, about which nothing is known here.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from notifications.providers.contract import BadAccount


@dataclass(frozen=True, slots=True)
class _Home:
    """A provider's domains, and those of its hosts that take messages."""

    domains: tuple[str, ...]
    hosts: re.Pattern[str]


_HOMES: Final = {
    # "Sending notification requests to APNs": production and development
    "apns": _Home(("push.apple.com",), re.compile(r"api(\.sandbox|\.development)?\.push\.apple\.com")),
    "fcm": _Home(("googleapis.com", "firebase.google.com"), re.compile(r"fcm\.googleapis\.com")),
    # twilio.com/docs/global-infrastructure: api.<edge>.<region>.twilio.com
    "twilio": _Home(("twilio.com",), re.compile(r"api(\.[a-z0-9-]+\.[a-z0-9-]+)?\.twilio\.com")),
    "vonage": _Home(("nexmo.com", "vonage.com"), re.compile(r"rest[a-z0-9-]*\.nexmo\.com")),
    # the servers of its specification
    "sendgrid": _Home(("sendgrid.com", "sendgrid.net"), re.compile(r"api(\.eu)?\.sendgrid\.com")),
    "mandrill": _Home(("mandrillapp.com", "mailchimp.com"), re.compile(r"mandrillapp\.com")),
    "jpush": _Home(("jpush.cn", "jiguang.cn"), re.compile(r"([a-z0-9]+\.)?api\.jpush\.cn")),
    "pushy": _Home(("pushy.me",), re.compile(r"api\.pushy\.me")),
}
#: Whose servers are anybody's: a mail server of one's own, or the one that SendGrid offers besides.
_ANYWHERE: Final = frozenset({"smtp"})
#: Names that mean a network of one's own: RFC 6761, 6762 and 8375, and the usual ones.
_OWN: Final = ("localhost", ".localhost", ".local", ".internal", ".home.arpa", ".lan", ".corp", ".intranet")


def check(provider: str, endpoint: str) -> None:
    """Raise `BadAccount` for an address at which this provider does not take messages."""
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").rstrip(".")
    if provider in _ANYWHERE:
        return
    owner = next((name for name, home in _HOMES.items() if any(_is_in(host, one) for one in home.domains)), None)
    if owner is None:
        return
    if owner != provider:
        raise BadAccount(f"{host} belongs to {owner}, and this is an account of {provider}")
    if not _HOMES[owner].hosts.fullmatch(host):
        raise BadAccount(f"{host} is not where {provider} takes messages; leave the endpoint empty for the usual one")
    if parts.path.strip("/"):
        raise BadAccount(f"the endpoint of {provider} ends with its host: leave {parts.path} out")


def may_be_private(provider: str) -> bool:
    """Whether it is usual that an account of this provider sends to a server in a network of one's own."""
    return provider in _ANYWHERE


def is_private(endpoint: str) -> bool:
    """Whether an address leads into a network of one's own, as far as can be told without resolving names."""
    host = (urlsplit(endpoint).hostname or "").rstrip(".").lower()
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or any(host.endswith(own) for own in _OWN)
    return not address.is_global


def _is_in(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
