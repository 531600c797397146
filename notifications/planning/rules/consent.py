"""What the person chose, and what silence means."""

from datetime import datetime

from notifications.planning.values import Candidate, Drop, Facts
from notifications.vocabulary import Reason


def refused(candidate: Candidate, facts: Facts, _at: datetime) -> Drop | None:
    """Drop what the person does not want.

    The most specific choice wins: category and channel, category, channel, everything. Without any, the category
    says what silence means. Critical categories (security, legal) ask for no consent.
    """
    if facts.policy.is_critical:
        return None
    category, choices = facts.policy.category_id, candidate.person.choices
    for key in ((category, candidate.channel), (category, None), (None, candidate.channel), (None, None)):
        if key in choices:
            return None if choices[key] else Drop(Reason.OPTED_OUT, _about(key[0] is not None, key[1] is not None))
    return Drop(Reason.NOT_OPTED_IN) if facts.policy.opt_in else None


def _about(names_category: bool, names_channel: bool) -> str:  # noqa: FBT001 - which keys a choice names
    match names_category, names_channel:
        case True, True:
            return "of this category on this channel"
        case True, False:
            return "of this category"
        case False, True:
            return "of this channel"
        case _:
            return "of everything"
