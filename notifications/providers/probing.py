"""Whether an account works at all: what the author of a provider's `probe.py` must read besides `contract.py`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from notifications.providers.contract import Account, Outgoing, Response, Token


class Standing(StrEnum):
    """What a provider thinks of an account."""

    WORKS = "works"
    REFUSED = "refused"  # nothing this account sends would pass
    UNCLEAR = "unclear"  # it did not say; asking again may help


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer to a probe shows, and a sentence for the person who asked. It quotes no secret."""

    standing: Standing
    says: str


class Prober(Protocol):
    """How an account is tried without a message to anybody: `probe.py`, for a provider that has a harmless request."""

    #: Whether only a token that was traded for just now shows that the key behind it still holds.
    renews_token: ClassVar[bool]

    def probe(self, account: Account, token: Token | None) -> Outgoing:
        """A request that needs these credentials and reaches nobody."""

    def judge(self, response: Response) -> Judgement:
        """What the answer shows. Anything unknown is `UNCLEAR`."""
