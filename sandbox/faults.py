"""Trouble on demand: how slowly, how often and in which way a provider fails."""

import random
from enum import StrEnum
from typing import Annotated

import msgspec


class Mode(StrEnum):
    """In which way a provider fails."""

    STATUS = "status"  # answers with an error
    TIMEOUT = "timeout"  # takes nothing and never answers
    RESET = "reset"  # takes nothing and aborts the stream
    RESET_AFTER_BODY = "reset_after_body"  # takes the message and aborts the stream instead of answering


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """What is wrong with a provider.

    `latency_ms`, with up to `latency_jitter_ms` more, delays every answer. A share `rate` of the requests fails in
    the way of `mode`; `status` mode fails only where a `status` is given, so that a fault can be latency alone.
    `remaining` is how many requests will still fail; None for as long as the fault stands.
    """

    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=600_000)] = 0
    latency_jitter_ms: Annotated[float, msgspec.Meta(ge=0, le=600_000)] = 0
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    mode: Mode = Mode.STATUS
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    remaining: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def delay(self) -> float:
        """How long the next answer takes, in seconds."""
        return (self.latency_ms + self.latency_jitter_ms * random.random()) / 1000

    def strikes(self) -> Mode | None:
        """How the next request fails, or None if it does not. Counts it off `remaining`."""
        if self.mode is Mode.STATUS and self.status is None:
            return None
        if self.remaining == 0 or random.random() >= self.rate:
            return None
        if self.remaining is not None:
            self.remaining -= 1
        return self.mode
