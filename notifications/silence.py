"""Whether it is night by now for those to whom a claim goes: what was due by day may have waited until then."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.ids import floor_of
from accounts.models import Recipient
from accounts.zones import zone_of
from notifications.facts import policy_of, quiet_of
from notifications.ledger import people
from notifications.ledger.claim import Claim, Claimed, Shared
from notifications.planning.rules.quiet_hours import Sleeper, silence
from notifications.planning.values import Hold, Policy
from templates_app import catalogue

#: What was planned within so long was planned by the same hour of the day, as far as people's own quiet hours go.
_FRESH: Final = timedelta(minutes=1)


class _Sleepers:
    """Whether anybody has quiet hours of their own: where nobody has, nobody need be looked up."""

    #: Seconds for which a process believes what it found.
    fresh_for: Final = 10.0

    def __init__(self) -> None:
        self._asked_at, self._are_any = float("-inf"), False

    def are_any(self) -> bool:
        """As of a few seconds ago at most. Served by recipient_quiet, which has those people alone."""
        now = time.monotonic()
        if now - self._asked_at > self.fresh_for:
            self._are_any = Recipient.objects.filter(quiet_from__isnull=False).exists()
            self._asked_at = now
        return self._are_any

    def forget(self) -> None:
        """Look again at the next question."""
        self._asked_at = float("-inf")


sleepers: Final = _Sleepers()


class Silence:
    """The quiet hours that bear on one claim: one query for those that may be concerned, none where nobody is."""

    def __init__(self, held: Claim, at: datetime) -> None:
        self._at = at
        self._policies: Mapping[UUID, Policy] = {
            shared.id: policy_of(catalogue.edition(shared.version_id).category)
            for shared in held.notifications.values()
        }
        planned_before = floor_of(at - _FRESH)
        concerned = [
            one.id
            for one in held.deliveries
            if self._policies[one.notification_id].quiet or (one.id < planned_before and not self._is_critical(one))
        ]
        if concerned and not (any(policy.quiet for policy in self._policies.values()) or sleepers.are_any()):
            concerned = []
        self._people = people.behind(concerned) if concerned else {}

    def of(self, claimed: Claimed, shared: Shared) -> Hold | None:
        """How long this one has to wait; None where it may leave."""
        who = self._people.get(claimed.id)
        if who is None:
            return None
        zone = zone_of(who.time_zone, who.country, settings.USUAL_TIME_ZONE)
        spoken = silence(self._policies[shared.id], Sleeper(who.name, zone, quiet_of(who.quiet)), self._at)
        return spoken if isinstance(spoken, Hold) else None

    def _is_critical(self, claimed: Claimed) -> bool:
        return self._policies[claimed.notification_id].is_critical
