"""Who may go next, of those who want to send."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Container, Iterable
from typing import Final

from notifications.providers.contract import Crowd, Envelope, Outgoing

#: Requests under way at once: enough for 4,000 a second from a provider that takes 150 ms, few enough that a crash
#: leaves few in doubt.
MAX_IN_FLIGHT: Final = 600
#: Mails under way at once with one server, for accounts that do not say otherwise. Each has a connection to itself, and
#: Postfix takes 50 from one address (postconf(5), smtpd_client_connection_count_limit), which a host's workers share.
MAILS_PER_SERVER: Final = 16


_ANY: Final = 1 << 20


class Line:
    """Hands out what is to be sent, with its position; what may not go yet is held back, and others pass it.

    1. An origin that never answered gets one request first, and the others after its end. Until its settings arrive
       nobody knows how many streams a server allows; Apple allows one before the first valid token.
    2. An origin never has more under way than there is room for: `room` says how much that is at the moment.
    3. A crowd never has more under way than it may. The mails to one server are a crowd, where they are not another.
    """

    def __init__(
        self, outgoing: Iterable[Outgoing], known: Container[str], room: Callable[[Outgoing], int] = lambda _one: _ANY
    ) -> None:
        self._source = enumerate(outgoing)
        self._room = room
        self._there: Counter[str] = Counter()
        self._full: defaultdict[str, deque[tuple[int, Outgoing]]] = defaultdict(deque)
        self._known = known
        self._met: set[str] = set()
        self._strangers: dict[str, deque[tuple[int, Outgoing]]] = {}
        self._crowded: defaultdict[str, deque[tuple[int, Outgoing]]] = defaultdict(deque)
        self._under_way: Counter[str] = Counter()
        self._released: deque[tuple[int, Outgoing]] = deque()
        self._held = 0
        self._flying = 0

    def next(self) -> tuple[int, Outgoing] | None:
        """The next one that may go; None when there is none, for now or for good."""
        numbered = self._found() if self._flying < MAX_IN_FLIGHT else None
        if numbered:
            self._flying += 1
        return numbered

    def ended(self, one: Outgoing) -> None:
        """The exchange that this one began has ended in whatever way."""
        self._flying -= 1
        origin = origin_of(one)
        if origin in self._strangers:
            self._met.add(origin)
            self._released.extend(self._strangers.pop(origin))
        self._there[origin] -= 1
        full = self._full[origin]
        for _ in range(min(len(full), self._room(one) - self._there[origin])):
            self._released.append(full.popleft())
        if crowd := _crowd_of(one):
            self._under_way[crowd.name] -= 1
            if waiting := self._crowded[crowd.name]:
                self._released.append(waiting.popleft())

    def _found(self) -> tuple[int, Outgoing] | None:
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

    def _may_go(self, numbered: tuple[int, Outgoing]) -> bool:
        """Whether it goes now; if not, it is held back until another one has ended."""
        one = numbered[1]
        origin = origin_of(one)
        if origin in self._strangers:
            self._strangers[origin].append(numbered)
            self._held += 1
            return False
        if self._there[origin] >= self._room(one):
            self._full[origin].append(numbered)
            self._held += 1
            return False
        crowd = _crowd_of(one)
        if crowd and self._under_way[crowd.name] >= crowd.at_once:
            self._crowded[crowd.name].append(numbered)
            self._held += 1
            return False
        if origin not in self._known and origin not in self._met:
            self._strangers[origin] = deque()
        self._there[origin] += 1
        if crowd:
            self._under_way[crowd.name] += 1
        return True


def origin_of(one: Outgoing) -> str:
    """Host and port."""
    parts = one.url.split("/", 3)
    return parts[2] if len(parts) > 2 else ""


def _crowd_of(one: Outgoing) -> Crowd | None:
    if one.crowd is None and isinstance(one, Envelope):
        return Crowd(f"mail to {origin_of(one)}", MAILS_PER_SERVER)
    return one.crowd
