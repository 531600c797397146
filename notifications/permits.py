"""What each account may be sent of one claim: as its breaker and its buckets say, found out once for all deliveries."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from notifications import buckets
from notifications.breakers import PROBES, Gate, Permission, breakers
from notifications.buckets import Unit
from notifications.routes import Outlet
from notifications.vocabulary import Reason, Urgency

#: So many per second come back to an account whose breaker was open: a million that waited for it must not keep the
#: workers busy with finding out, again and again, that it is still open.
RETURNING_PER_S: Final = 2000.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an account may not be sent to now, also in words. `wait`: seconds until it may; `rate`: how many per second
    from then on.
    """

    account: str
    reason: Reason
    wait: float
    rate: float
    why: str


class Permits:
    """The permits of one claim. `expected` is how many deliveries it has: so many are asked for together."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._permissions: dict[str, Permission] = {}
        self._as_of = breakers.changes
        self._probes: Counter[str] = Counter()
        #: Taken from a bucket and not spent, by account, unit and urgency.
        self._purses: dict[tuple[str, Unit, Urgency], float] = {}
        self._rates: dict[tuple[str, Unit, Urgency], float] = {}
        self._empty: set[tuple[str, Unit, Urgency]] = set()
        #: The next place in an account's line, and how many of those that were taken are left.
        self._places: dict[tuple[str, Reason, Urgency], tuple[float, int]] = {}

    def refusal(self, outlet: Outlet, urgency: Urgency, segments: Callable[[], int]) -> Refusal | None:
        """Why `outlet` may not be used for one more message now; None where it may, and that counts as used.

        `segments` counts the parts of the message; it is asked only where an account is limited by them.
        """
        account, limits = outlet.account.name, outlet.limits
        if not self._is_closed(account):
            permission = self._permissions[account]
            why = f"{account}'s breaker is open" + (f": {permission.why}" if permission.why else "")
            return Refusal(account, Reason.BREAKER_OPEN, max(0.0, permission.until - time.time()), RETURNING_PER_S, why)
        costs = []
        if limits.messages:
            costs.append((Unit.MESSAGES, 1, limits.messages))
        if limits.segments:
            costs.append((Unit.SEGMENTS, segments(), limits.segments))
        for unit, cost, rate in costs:
            if not self._affords((account, unit, urgency), cost, rate):
                return Refusal(account, Reason.PACED, 0.0, rate / cost, f"{account} sends as fast as it may")
        for unit, cost, _ in costs:
            self._purses[account, unit, urgency] -= cost
        return None

    def place(self, refusal: Refusal, urgency: Urgency) -> float:
        """In how many seconds it is a delivery's turn that `refusal` holds back."""
        key = (refusal.account, refusal.reason, urgency)
        place, left = self._places.get(key, (0.0, 0))
        if not left:
            left = max(1, self._expected)
            place = buckets.line_up(refusal.account, urgency, left, refusal.rate, not_before=refusal.wait)
        self._places[key] = (place + 1 / refusal.rate, left - 1)
        return place

    def done_with_one(self) -> None:
        """One delivery of the claim fewer to come."""
        self._expected -= 1

    def close(self) -> None:
        """Give back what was taken from buckets and is left."""
        for (account, unit, urgency), left in self._purses.items():
            if left:
                buckets.give_back(account, unit, int(left), self._rates[account, unit, urgency])
        self._purses.clear()

    def _is_closed(self, account: str) -> bool:
        if self._as_of != breakers.changes:  # one was opened since, by answers that came meanwhile
            self._permissions.clear()
            self._as_of = breakers.changes
        permission = self._permissions.get(account)
        if permission is None:
            permission = self._permissions[account] = breakers.permission(account)
        if permission.gate is Gate.HALF_OPEN:
            self._probes[account] += 1
            if self._probes[account] > PROBES:
                # the others wait for what these few come to
                self._permissions[account] = Permission(Gate.OPEN, time.time() + 1, permission.why)
                return False
        return permission.gate is not Gate.OPEN

    def _affords(self, key: tuple[str, Unit, Urgency], cost: int, rate: float) -> bool:
        held = self._purses.get(key, 0)
        if held < cost and key not in self._empty:
            account, unit, urgency = key
            wanted = cost * max(1, self._expected) - int(held)
            taken = buckets.take(account, unit, wanted, rate, urgency)
            if taken < wanted:
                self._empty.add(key)
            held = self._purses[key] = held + taken
            self._rates[key] = rate
        return held >= cost
