"""Which hosts and addresses are out on the internet, and not in somebody's own network. Free of Django."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

#: One label of a host name (RFC 1123, section 2.1).
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
#: Endings of names that are nobody's on the internet: RFC 6761, 6762, 7686, 8375 and 9476; ICANN keeps `internal` for
#: private use, and gives `corp`, `home` and `lan` to nobody because networks use them.
_OWN_NAMES: Final = (
    ".localhost", ".local", ".internal", ".alt", ".test", ".invalid", ".onion", ".home.arpa", ".home", ".lan", ".corp",
)  # fmt: skip
#: IPv6 addresses that end in an IPv4 address to which a gateway may lead: RFC 6052 and, long deprecated, RFC 4291.
_WRAPPED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet can be reached by.

    False for loopback, private, link-local, shared, reserved and multicast addresses, also where they are wrapped in
    an IPv6 address, and for what is no IP address.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _inner(found)
        if inner is not None:
            return _is_public(inner)
        return _is_public(found) and not found.is_site_local and not found.is_reserved
    return _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    return found.is_global and not found.is_multicast


def _inner(found: IPv6Address) -> IPv4Address | None:
    if wrapped := found.ipv4_mapped or found.sixtofour:
        return wrapped
    if any(found in network for network in _WRAPPED):
        return IPv4Address(int(found) & 0xFFFF_FFFF)
    return None


def host_trouble(host: str) -> str:
    """Why a host, in lower case, as a URL names it, cannot be out on the internet; "" where it may be."""
    if host.startswith("["):
        return "" if is_public(host[1:-1]) else "is not a public IPv6 address"
    labels = host.split(".")
    # What ends in a number is an IPv4 address, in whatever way it is written: https://url.spec.whatwg.org/#host-parsing
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return "" if is_public(host) else "is not a public IPv4 address"
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "is not a host name"
    if len(labels) < 2 or host.endswith(_OWN_NAMES):
        return "is a name for a private network"
    return ""
