"""Waiting that many requests share: one timer for all that end within the same few milliseconds."""

import asyncio
import math
from typing import Final

#: Seconds. Nobody's latency is known more exactly, and a timer for each of 10,000 requests a second takes a tenth of
#: a core, and as much again of the client, to which the answers come one by one.
_TICK: Final = 0.005


class Ticks:
    """Sleepers by the tick at which they are woken."""

    def __init__(self) -> None:
        self._woken: dict[int, asyncio.Future[None]] = {}

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, rounded up to the next tick."""
        loop = asyncio.get_running_loop()
        tick = math.ceil((loop.time() + seconds) / _TICK)
        woken = self._woken.get(tick)
        if woken is None:
            woken = self._woken[tick] = loop.create_future()
            loop.call_at(tick * _TICK, self._wake, tick)
        await woken

    def _wake(self, tick: int) -> None:
        self._woken.pop(tick).set_result(None)
