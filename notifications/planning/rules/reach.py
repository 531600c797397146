"""Which addresses a person has on a channel, and which of them may be used."""

from uuid import UUID

from accounts.channels import Channel
from accounts.policies import Reach
from notifications.planning.values import Candidate, DeviceFact, Drop, Facts, Target
from notifications.vocabulary import Queue, Reason


def targets(candidate: Candidate, facts: Facts) -> tuple[Target, ...] | Drop:
    """Every address the message goes to, or why there is none.

    A suppression beats everything, critical categories included: the law and the carriers ask for it.
    """
    person = candidate.person
    match candidate.channel:
        case Channel.PUSH:
            devices = person.devices
            if len(devices) > 1 and facts.policy.itinerary.reach is Reach.LATEST:
                devices = (max(devices, key=_seen_at),)
            found = tuple(Target(device.queue, device_id=device.id) for device in devices)
            return found or Drop(Reason.NO_ADDRESS, "no registered device")
        case Channel.SMS:
            return _single(Queue.SMS, person.phone, candidate, facts)
        case Channel.EMAIL:
            return _single(Queue.EMAIL, person.email, candidate, facts)


def _seen_at(device: DeviceFact) -> tuple[float, UUID]:
    """Of two that were seen at the same moment, always the same one."""
    return device.seen_at.timestamp() if device.seen_at else 0.0, device.id


def _single(queue: Queue, address: str, candidate: Candidate, facts: Facts) -> tuple[Target, ...] | Drop:
    if not address:
        return Drop(Reason.NO_ADDRESS)
    if (candidate.channel, address) in facts.suppressed:
        return Drop(Reason.SUPPRESSED_ADDRESS)
    return (Target(queue, address=address),)
