"""Webhooks back to the platform: on a schedule of their own, in the background, never in the way of an answer."""

import asyncio
import heapq
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any, Final

import aiohttp
import msgspec

from sandbox.exchange import Answer, Answered, Call, Caller, Said

#: Receipts that may wait; more are dropped and counted, so that a platform that is away costs no memory without end.
_WAITING: Final = 200_000
#: Requests to the platform at once.
_AT_ONCE: Final = 16
#: Events in one request, of a provider that sends batches.
_BATCH: Final = 500
#: Seconds the platform has to answer.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
#: Seconds before the second, third … attempt; after the last one the receipt is lost, as with the real ones.
_AGAIN: Final = (1, 2, 5, 10, 30, 60, 120)

_EventsUrl = Annotated[str, msgspec.Meta(pattern=r"^((https?://[^/\s]+)?/\S*)?$")]


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """How receipts are sent. `receipt_delay_ms` is the time between the steps of a message's life.

    `sendgrid_events_url` and `mandrill_events_url` are where these two post their events: whole, or a path below
    `platform_url`; `twilio_inbound_url` and `vonage_inbound_url` likewise for what people answer.
    Each receipt is sent `receipt_copies` times, and each time up to `receipt_jitter_ms` late, so that they arrive out
    of order.
    """

    receipts: bool = True
    receipt_delay_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 300
    receipt_copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    receipt_jitter_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 0
    platform_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/\s]+)?$")] = ""
    sendgrid_events_url: _EventsUrl = ""
    mandrill_events_url: _EventsUrl = ""
    twilio_inbound_url: _EventsUrl = ""
    vonage_inbound_url: _EventsUrl = ""

    def events_url(self, provider: str) -> str:
        """The whole address of a provider's events; "" where there is none."""
        return self._whole({"sendgrid": self.sendgrid_events_url, "mandrill": self.mandrill_events_url}, provider)

    def inbound_url(self, provider: str) -> str:
        """The whole address to which a provider tells what people answer; "" where there is none."""
        return self._whole({"twilio": self.twilio_inbound_url, "vonage": self.vonage_inbound_url}, provider)

    def _whole(self, urls: Mapping[str, str], provider: str) -> str:
        url = urls.get(provider, "")
        if url.startswith("/"):
            return self.platform_url + url if self.platform_url else ""
        return url


class Fate(msgspec.Struct):
    """How the receipts fare: in the line, taken by the platform, given up, and dropped for want of room."""

    waiting: int = 0
    delivered: int = 0
    lost: int = 0
    dropped: int = 0


class _Due(msgspec.Struct, order=True, gc=False):
    at: float
    number: int
    provider: str
    url: str
    fields: Mapping[str, Any]
    attempt: int = 0


class Receipts:
    """The line of receipts, ordered by when they are due, and the task that works through it."""

    def __init__(self, callers: Mapping[str, Caller], answered: Mapping[str, Answered], settings: Settings) -> None:
        self.settings = settings
        self.fate = Fate()
        self._callers = callers
        self._answered = answered
        self._line: list[_Due] = []
        self._numbers = itertools.count()
        self._news = asyncio.Event()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._posting: set[asyncio.Task[None]] = set()

    def plan(self, provider: str, call: Call, answer: Answer) -> None:
        """Put the news that follows an accepted request into the line."""
        caller = self._callers.get(provider)
        if caller is None or not self.settings.receipts:
            return
        step = self.settings.receipt_delay_ms / 1000
        jitter = self.settings.receipt_jitter_ms / 1000
        planned = caller.receipts(call, answer, self.settings.events_url(provider))
        for receipt in (one for one in planned for _ in range(self.settings.receipt_copies)):
            self._put(
                _Due(
                    call.at + step * (receipt.after + 1) + jitter * random.random(),
                    next(self._numbers),
                    provider,
                    receipt.url,
                    receipt.fields,
                )
            )

    def hear(self, said: Said) -> Mapping[str, Any]:
        """Tell the platform what a person answers, now; what it is told. Raises `LookupError` where that cannot be."""
        provider = self._answered.get(said.provider)
        if provider is None:
            raise LookupError(f"Nobody answers to {said.provider!r}; to {' and '.join(self._answered)} people can.")
        url = self.settings.inbound_url(said.provider)
        if not url:
            raise LookupError(f"Set {said.provider}_inbound_url, and platform_url if it is a path: PUT settings.")
        fields = provider.incoming(said)
        self._put(_Due(time.time(), next(self._numbers), said.provider, url, fields))
        return fields

    def clear(self) -> None:
        """Forget what waits, and the counts."""
        self._line.clear()
        self.fate = Fate()

    async def run(self) -> None:
        """Post what is due, until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                while True:
                    await self._until_due()
                    for batch in self._take():
                        await self._places.acquire()
                        task = asyncio.create_task(self._post(session, batch))
                        self._posting.add(task)
                        task.add_done_callback(self._posting.discard)
            finally:
                for task in self._posting:
                    task.cancel()
                await asyncio.gather(*self._posting, return_exceptions=True)

    def _put(self, due: _Due) -> None:
        if len(self._line) >= _WAITING:
            self.fate.dropped += 1
            return
        heapq.heappush(self._line, due)
        self.fate.waiting = len(self._line)
        if self._line[0] is due:
            self._news.set()

    async def _until_due(self) -> None:
        while True:
            self._news.clear()
            wait = self._line[0].at - time.time() if self._line else None
            if wait is not None and wait <= 0:
                return
            try:
                await asyncio.wait_for(self._news.wait(), wait)
            except TimeoutError:
                return

    def _take(self) -> list[list[_Due]]:
        """What is due now, in batches that can travel together: by provider and address, in order."""
        now, taken = time.time(), defaultdict[tuple[str, str], list[_Due]](list)
        while self._line and self._line[0].at <= now:
            due = heapq.heappop(self._line)
            taken[due.provider, due.url].append(due)
        self.fate.waiting = len(self._line)
        return [
            list(batch)
            for dues in taken.values()
            for batch in (dues[at : at + _BATCH] for at in range(0, len(dues), _BATCH))
        ]

    async def _post(self, session: aiohttp.ClientSession, batch: list[_Due]) -> None:
        try:
            url = batch[0].url
            requests = self._callers[batch[0].provider].post(url, [due.fields for due in batch], time.time())
            taken = True
            for headers, body in requests:
                taken = await _taken(session, url, headers, body) and taken
            if taken:
                self.fate.delivered += len(batch)
            else:
                self._again(batch)
        finally:
            self._places.release()

    def _again(self, batch: list[_Due]) -> None:
        for due in batch:
            if due.attempt >= len(_AGAIN):
                self.fate.lost += 1
                continue
            due.at = time.time() + _AGAIN[due.attempt]
            due.attempt += 1
            self._put(due)


async def _taken(session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether the platform took it. A refusal (4xx) is final, as it is to the real ones."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status < 500 and response.status != 429
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return False
