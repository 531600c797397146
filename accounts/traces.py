"""What is left of an address whose owner was erased: enough to know it again, and too little to read it.

Whoever said STOP and was then erased must not be written to when the address comes back, so suppressions outlast an
erasure as traces: keyed BLAKE2b (RFC 7693). Without the key a list of traces cannot be tried against all phone numbers,
which are few enough for that.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b, sha256
from typing import Final

from django.conf import settings

#: How every trace begins. No email address and no phone number has a colon before anything else.
PREFIX: Final = "erased:"


def trace_of(address: str) -> str:
    """What stands in the place of `address` once its owner is erased."""
    hashed = _keyed(settings.ERASURE_KEY).copy()
    hashed.update(address.encode())
    return PREFIX + hashed.hexdigest()


def with_traces(addresses: Iterable[str]) -> list[str]:
    """The addresses, and what they would be called if their owners had been erased."""
    named = [address for address in addresses if address]
    return [*named, *map(trace_of, named)]


def readable(found: Iterable[tuple[str, str]], addresses: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Pairs of channel and address; where an address is the trace of one of `addresses`, that one in its place."""
    pairs = list(found)
    if not any(address.startswith(PREFIX) for _, address in pairs):
        return pairs
    known = {trace_of(address): address for address in addresses}
    return [(channel, known.get(address, address)) for channel, address in pairs]


@cache
def _keyed(secret: str) -> blake2b:
    """The beginning of every trace's making, which is copied. BLAKE2b takes keys of 64 bytes at most."""
    return blake2b(key=sha256(secret.encode()).digest(), digest_size=16)
