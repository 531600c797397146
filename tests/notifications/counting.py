"""What the roll-up of turnouts says, and what the log itself does."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from accounts.ids import instant_of
from notifications import recovery
from notifications.models import NO_PART, Delivery, Turnout, TurnoutNote

WAITING = {"scheduled", "queued", "sending", "retrying"}

#: Hour, version, part, channel, state, reason.
Kind = tuple[datetime, UUID, UUID, str, str, str]


def counted() -> Counter[Kind]:
    """The roll-up, once all notes are added."""
    recovery.keep_tally()
    assert not TurnoutNote.objects.exists()
    return Counter(
        {
            (one.hour, one.version_id, one.part_of, one.channel, one.state, one.reason): one.count
            for one in Turnout.objects.exclude(count=0)
        }
    )


def true() -> Counter[Kind]:
    """The log, row by row."""
    return Counter(
        (
            instant_of(one.pk).replace(minute=0, second=0, microsecond=0),
            one.notification.version_id,
            one.notification.part_of or NO_PART,
            one.channel,
            "waiting" if one.state in WAITING else one.state,
            "" if one.state in WAITING else one.reason,
        )
        for one in Delivery.objects.select_related("notification")
    )
