"""What was sent here: exact counts for every delivery, whole messages for the latest ones."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice, takewhile

import msgspec

from sandbox.exchange import Answer, Call, Taken


class Row(msgspec.Struct, gc=False):
    """All that is kept of one delivery for good, about 250 bytes. Times are epoch seconds.

    `refusals` counts the refused attempts by reason; None until there is one.
    """

    id: str
    provider: str
    accepted: int
    refused: int
    first_at: float
    last_at: float
    refusals: dict[str, int] | None = None


class Kept(msgspec.Struct, frozen=True, gc=False):
    """One attempt, whole, its body as its reader has it. `number` grows with every attempt."""

    number: int
    provider: str
    at: float
    message: Taken
    refused: str
    body: bytes


class Tally(msgspec.Struct):
    """Counts of one provider. `accepted_again` are messages accepted for a delivery that already had one."""

    requests: int = 0
    accepted: int = 0
    accepted_again: int = 0
    refused: int = 0
    deliveries: int = 0
    without_id: int = 0
    refusals: dict[str, int] = msgspec.field(default_factory=dict)


class Record:
    """The memory of the sandbox: counts for all, bodies for the last `keep` attempts."""

    def __init__(self, keep: int = 5000) -> None:
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._rows: dict[str, Row] = {}
        self._tallies: dict[str, Tally] = {}
        self._latest: deque[Kept] = deque(maxlen=self._keep)
        self._number = 0
        #: Tells one memory from the next, whose numbers start again.
        self.began_at = time.time()

    def add(self, provider: str, call: Call, answer: Answer) -> None:
        """Note what became of each message of a request."""
        tally = self._tallies.get(provider)
        if tally is None:
            tally = self._tallies[provider] = Tally()
        tally.requests += 1
        if answer.refused:
            tally.refused += 1
            _count(tally.refusals, answer.refused)
        for message in answer.messages:
            self._number += 1
            body = answer.clear or call.body
            self._latest.append(Kept(self._number, provider, call.at, message, answer.refused, body))
            if not answer.refused:
                tally.accepted += 1
            if message.delivery_id:
                self._note(tally, provider, message.delivery_id, call.at, answer.refused)
            else:
                tally.without_id += 1

    def _note(self, tally: Tally, provider: str, delivery_id: str, at: float, refused: str) -> None:
        row = self._rows.get(delivery_id)
        if row is None:
            row = self._rows[delivery_id] = Row(delivery_id, provider, 0, 0, at, at)
            tally.deliveries += 1
        row.last_at = at
        if refused:
            row.refused += 1
            if row.refusals is None:
                row.refusals = {}
            _count(row.refusals, refused)
        else:
            if row.accepted:
                tally.accepted_again += 1
            row.accepted += 1

    def counts(self) -> dict[str, Tally]:
        """By provider, what was counted since the start or the last `clear`."""
        return self._tallies

    def row(self, delivery_id: str) -> Row | None:
        """The counts of one delivery."""
        return self._rows.get(delivery_id)

    def rows(self, provider: str, since: float) -> Iterator[Row]:
        """The deliveries of a provider ("" for all) with an attempt at `since` or later, oldest first.

        Safe to consume slowly: deliveries that arrive meanwhile are left out.
        """
        for row in list(self._rows.values()):
            if row.last_at >= since and (not provider or row.provider == provider):
                yield row

    def attempts(self, delivery_id: str) -> list[Kept]:
        """Those attempts of one delivery whose bodies are still kept, oldest first."""
        return [kept for kept in self._latest if kept.message.delivery_id == delivery_id]

    def latest_of_each(self, after: int, limit: int) -> list[Kept]:
        """The newest accepted messages of each provider numbered above `after`, newest first."""
        found: list[Kept] = []
        seen: Counter[str] = Counter()
        for kept in takewhile(lambda kept: kept.number > after, reversed(self._latest)):
            if not kept.refused and seen[kept.provider] < limit:
                seen[kept.provider] += 1
                found.append(kept)
        return found

    def latest(self, after: int, limit: int, before: int | None = None) -> list[Kept]:
        """The newest accepted messages numbered above `after`, and below `before` if that is given, newest first."""
        newer = takewhile(lambda kept: kept.number > after, reversed(self._latest))
        shown = (kept for kept in newer if not kept.refused and (before is None or kept.number < before))
        return list(islice(shown, limit))


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
