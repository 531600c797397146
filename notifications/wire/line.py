"""In which order requests go out, and which of them have to wait for others."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Final

from notifications.providers.contract import Crowd, Request

#: Requests under way at once: enough for 4,000 a second from a provider that takes 150 ms, few enough that a crash
#: leaves few in doubt.
MAX_IN_FLIGHT: Final = 600


class Line:
    """Hands out requests with their positions; those that may not go yet are held back, and others pass them.

    1. An origin never has more under way than there is room for: `room` says how much that is at the moment. One that
       never answered gets one request first, and the others after its end.
    2. A crowd never has more under way than it may.
    """

    def __init__(self, requests: Iterable[Request], room: Callable[[str], int]) -> None:
        self._source = enumerate(requests)
        self._room = room
        self._there: Counter[str] = Counter()
        self._full: defaultdict[str, deque[tuple[int, Request]]] = defaultdict(deque)
        self._crowded: defaultdict[str, deque[tuple[int, Request]]] = defaultdict(deque)
        self._under_way: Counter[str] = Counter()
        self._released: deque[tuple[int, Request]] = deque()
        self._held = 0

    def next(self) -> tuple[int, Request] | None:
        """The next one that may go; None when there is none, for now or for good."""
        while self._released:
            numbered = self._released.popleft()
            self._held -= 1
            if self._may_go(numbered):
                return numbered
        if self._held >= MAX_IN_FLIGHT:
            return None
        for numbered in self._source:
            if self._may_go(numbered):
                return numbered
        return None

    def ended(self, whom: str, crowd: Crowd | None) -> None:
        """An exchange with this origin, of this crowd, has ended in whatever way."""
        self._there[whom] -= 1
        waiting = self._full[whom]
        for _ in range(min(len(waiting), self._room(whom) - self._there[whom])):
            self._released.append(waiting.popleft())
        if crowd:
            self._under_way[crowd.name] -= 1
            if crowded := self._crowded[crowd.name]:
                self._released.append(crowded.popleft())

    def _may_go(self, numbered: tuple[int, Request]) -> bool:
        """Whether it goes now; if not, it is held back until another one has ended."""
        request = numbered[1]
        whom = origin(request.url)
        if self._there[whom] >= self._room(whom):
            self._full[whom].append(numbered)
            self._held += 1
            return False
        crowd = request.crowd
        if crowd and self._under_way[crowd.name] >= crowd.at_once:
            self._crowded[crowd.name].append(numbered)
            self._held += 1
            return False
        self._there[whom] += 1
        if crowd:
            self._under_way[crowd.name] += 1
        return True


def origin(url: str) -> str:
    """Host and port of an address: whom a connection is to."""
    parts = url.split("/", 3)
    return parts[2] if len(parts) > 2 else ""
