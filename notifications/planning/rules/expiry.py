"""What would come too late is not sent."""

from datetime import datetime

from notifications.planning.values import Candidate, Drop, Facts
from notifications.vocabulary import Reason


def expired(_candidate: Candidate, facts: Facts, at: datetime) -> Drop | None:
    """Drop what expires before it can go out; the moment of expiry itself is too late."""
    if facts.expires_at is None:
        return None
    leaves_at = max(at, facts.send_at or at)
    if leaves_at < facts.expires_at:
        return None
    return Drop(
        Reason.EXPIRED, f"would leave at {leaves_at:%Y-%m-%d %H:%M:%S %Z}, expires at {facts.expires_at:%H:%M:%S}"
    )
