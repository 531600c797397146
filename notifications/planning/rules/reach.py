"""Which addresses a person has on a channel, and which of them may be used."""

from accounts.channels import Channel
from notifications.planning.values import Candidate, Drop, Facts, Target
from notifications.vocabulary import Queue, Reason


def targets(candidate: Candidate, facts: Facts) -> tuple[Target, ...] | Drop:
    """Every address the message goes to, or why there is none.

    A suppression beats everything, critical categories included: the law and the carriers ask for it.
    """
    person = candidate.person
    match candidate.channel:
        case Channel.PUSH:
            found = tuple(Target(device.queue, device_id=device.id) for device in person.devices)
            return found or Drop(Reason.NO_ADDRESS, "no registered device")
        case Channel.SMS:
            return _single(Queue.SMS, person.phone, candidate, facts)
        case Channel.EMAIL:
            return _single(Queue.EMAIL, person.email, candidate, facts)


def _single(queue: Queue, address: str, candidate: Candidate, facts: Facts) -> tuple[Target, ...] | Drop:
    if not address:
        return Drop(Reason.NO_ADDRESS)
    if (candidate.channel, address) in facts.suppressed:
        return Drop(Reason.SUPPRESSED_ADDRESS)
    return (Target(queue, address=address),)
