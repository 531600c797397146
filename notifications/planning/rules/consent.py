"""What the person chose, and what silence means."""

from datetime import datetime

from accounts.channels import Channel
from accounts.policies import decisive
from notifications.planning.values import Candidate, Drop, Facts
from notifications.vocabulary import Reason


def refused(candidate: Candidate, facts: Facts, _at: datetime) -> Drop | None:
    """Drop what the person does not want.

    What the owner of the address refuses comes first. Then the most specific choice wins: category and channel,
    category, channel, everything. Without any, the category says what silence means. Critical categories (security,
    legal) ask for no consent.
    """
    if facts.policy.is_critical:
        return None
    if facts.refused and (candidate.channel, _address(candidate)) in facts.refused:
        return Drop(Reason.OPTED_OUT, "of this category, by a link in a message to this address")
    choices = candidate.person.choices
    about = decisive(choices, facts.policy.category_id, candidate.channel)
    if about is not None:
        return None if choices[about] else Drop(Reason.OPTED_OUT, _about(about[0] is not None, about[1] is not None))
    return Drop(Reason.NOT_OPTED_IN) if facts.policy.opt_in else None


def _address(candidate: Candidate) -> str:
    return candidate.person.phone if candidate.channel is Channel.SMS else candidate.person.email


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
