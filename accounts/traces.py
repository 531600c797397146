"""What is left of an address whose owner was erased: enough to know it again, and too little to read it.

Whoever said STOP and was then erased must not be written to when the address comes back, so suppressions outlast an
erasure as traces: keyed BLAKE2b (RFC 7693). Without the key a list of traces cannot be tried against all phone numbers,
which are few enough for that.
"""

from collections.abc import Iterable, Mapping
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


def owned(found: Iterable[str], addresses: Iterable[str]) -> Mapping[str, str]:
    """What each of the addresses that were `found` is: itself, or the one of `addresses` that it is a trace of."""
    known: dict[str, str] = {}
    whose = {address: address for address in found}
    traces = [address for address in whose if address.startswith(PREFIX)]
    if traces:
        known = {trace_of(address): address for address in addresses if address}
    return whose | {trace: known[trace] for trace in traces if trace in known}


@cache
def _keyed(secret: str) -> blake2b:
    """The beginning of every trace's making, which is copied. BLAKE2b takes keys of 64 bytes at most."""
    return blake2b(key=sha256(secret.encode()).digest(), digest_size=16)
