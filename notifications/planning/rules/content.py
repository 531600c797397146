"""A template may say nothing on a channel."""

from datetime import datetime

from notifications.planning.values import Candidate, Drop, Facts
from notifications.vocabulary import Reason


def without_content(candidate: Candidate, _facts: Facts, _at: datetime) -> Drop | None:
    """Drop a channel for which the template has no text in any locale."""
    return Drop(Reason.NO_CONTENT) if candidate.locale is None else None


def without_data(candidate: Candidate, _facts: Facts, _at: datetime) -> Drop | None:
    """Drop what would read "Hello, !": the template needs something that is not known about this person."""
    return Drop(Reason.MISSING_DATA, candidate.person.lacks) if candidate.person.lacks else None
