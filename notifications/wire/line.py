"""In which order requests go out, and which of them have to wait for others."""

from collections import Counter, defaultdict, deque
from collections.abc import Container, Iterable
from typing import Final

from notifications.providers.contract import Crowd, Request

#: Requests under way at once: enough for 4,000 a second from a provider that takes 150 ms, few enough that a crash
#: leaves few in doubt.
MAX_IN_FLIGHT: Final = 600


class Line:
    """Hands out requests with their positions; those that may not go yet are held back, and others pass them.

    1. An origin that never answered gets one request first, and the others after its end. Until its settings arrive
       nobody knows how many streams a server allows; Apple allows one before the first valid token.
    2. A crowd never has more under way than it may.
    """

    def __init__(self, requests: Iterable[Request], known: Container[str]) -> None:
        self._source = enumerate(requests)
        self._known = known
        self._met: set[str] = set()
        self._strangers: dict[str, deque[tuple[int, Request]]] = {}
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
        if whom in self._strangers:
            self._met.add(whom)
            self._released.extend(self._strangers.pop(whom))
        if crowd:
            self._under_way[crowd.name] -= 1
            if waiting := self._crowded[crowd.name]:
                self._released.append(waiting.popleft())

    def _may_go(self, numbered: tuple[int, Request]) -> bool:
        """Whether it goes now; if not, it is held back until another one has ended."""
        request = numbered[1]
        whom = origin(request.url)
        if whom in self._strangers:
            self._strangers[whom].append(numbered)
            self._held += 1
            return False
        crowd = request.crowd
        if crowd and self._under_way[crowd.name] >= crowd.at_once:
            self._crowded[crowd.name].append(numbered)
            self._held += 1
            return False
        if whom not in self._known and whom not in self._met:
            self._strangers[whom] = deque()
        if crowd:
            self._under_way[crowd.name] += 1
        return True


def origin(url: str) -> str:
    """Host and port of an address: whom a connection is to."""
    parts = url.split("/", 3)
    return parts[2] if len(parts) > 2 else ""
