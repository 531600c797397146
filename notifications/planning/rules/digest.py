"""What would be sent is gathered instead, to be sent together with others of its kind."""

from collections.abc import Sequence
from datetime import datetime

from notifications.planning.values import Decision, Facts, Gather, Send


def gathered(decisions: Sequence[Decision], facts: Facts, at: datetime) -> Sequence[Decision]:
    """One person's decisions, of which all that would send gather.

    Which of the channels the digest takes is decided when it is sent: the one that would be taken now may be gone by
    then. So are quiet hours and caps; what is refused is refused at once.
    """
    if facts.digest is None:
        return decisions
    gather = Gather(at + facts.digest.length, facts.digest.key)
    return [Decision(one.candidate, gather) if isinstance(one.verdict, Send) else one for one in decisions]
