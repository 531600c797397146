"""The words of the pipeline: states and their moves, reasons, urgencies, lanes. Free of Django."""

from enum import StrEnum
from typing import Final

from accounts.channels import Channel, Platform


class Urgency(StrEnum):
    """How soon a notification matters to the person who gets it."""

    CRITICAL = "critical"
    NORMAL = "normal"
    BULK = "bulk"


class Queue(StrEnum):
    """Where deliveries wait. Each has a plain lane and a `.critical`, a `.bulk` and a `.retry` one."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"
    SMS = "sms"
    EMAIL = "email"


class Lane(StrEnum):
    """One line of waiting deliveries: a queue and how urgent it is. Also the name of its Celery queue."""

    IOS_CRITICAL = "ios.critical"
    IOS = "ios"
    IOS_RETRY = "ios.retry"
    IOS_BULK = "ios.bulk"
    ANDROID_CRITICAL = "android.critical"
    ANDROID = "android"
    ANDROID_RETRY = "android.retry"
    ANDROID_BULK = "android.bulk"
    WEB_CRITICAL = "web.critical"
    WEB = "web"
    WEB_RETRY = "web.retry"
    WEB_BULK = "web.bulk"
    SMS_CRITICAL = "sms.critical"
    SMS = "sms"
    SMS_RETRY = "sms.retry"
    SMS_BULK = "sms.bulk"
    EMAIL_CRITICAL = "email.critical"
    EMAIL = "email"
    EMAIL_RETRY = "email.retry"
    EMAIL_BULK = "email.bulk"

    @classmethod
    def for_urgency(cls, queue: Queue, urgency: Urgency) -> "Lane":
        """The lane in which a first attempt waits."""
        return cls(queue.value if urgency is Urgency.NORMAL else f"{queue}.{urgency}")

    @property
    def queue(self) -> Queue:
        """The queue this lane belongs to."""
        return Queue(self.value.partition(".")[0])

    @property
    def is_critical(self) -> bool:
        """Whether every millisecond counts here."""
        return self.value.endswith(".critical")

    @property
    def more_urgent(self) -> tuple["Lane", ...]:
        """The lanes of the same queue that come before this one, the most urgent first."""
        of_queue = [lane for lane in type(self) if lane.queue is self.queue]
        return tuple(of_queue[: of_queue.index(self)])

    @property
    def retry(self) -> "Lane":
        """The lane in which this lane's failed attempts wait for their next one."""
        return Lane(f"{self.queue}.retry")


CHANNEL_OF: Final = {
    Queue.IOS: Channel.PUSH,
    Queue.ANDROID: Channel.PUSH,
    Queue.WEB: Channel.PUSH,
    Queue.SMS: Channel.SMS,
    Queue.EMAIL: Channel.EMAIL,
}

QUEUE_OF_PLATFORM: Final = {
    Platform.IOS: Queue.IOS,
    Platform.ANDROID: Queue.ANDROID,
    Platform.WEB: Queue.WEB,
    Platform.DESKTOP: Queue.WEB,
}


class DeliveryState(StrEnum):
    """Where a delivery stands: whose turn it is, or whose fault."""

    SCHEDULED = "scheduled"  # waits for its time
    QUEUED = "queued"  # waits for a worker
    SENDING = "sending"  # a worker holds it and may be talking to a provider
    RETRYING = "retrying"  # failed for a passing reason; waits for its next attempt
    UNCERTAIN = "uncertain"  # may or may not have left the machine; a receipt or a person settles it
    SENT = "sent"  # a provider accepted it
    DELIVERED = "delivered"  # the provider says that it arrived
    FAILED = "failed"  # it will not arrive; the reason says whose fault that is
    EXPIRED = "expired"  # too late to be of use
    CANCELLED = "cancelled"  # withdrawn before it was sent
    SUPPRESSED = "suppressed"  # a rule decided against it; the reason says which


_S = DeliveryState

#: Every allowed change of state. The ledger's statements name the state before in their WHERE.
MOVES: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    _S.SCHEDULED: frozenset({_S.SENDING, _S.EXPIRED, _S.CANCELLED}),
    _S.QUEUED: frozenset({_S.SENDING, _S.EXPIRED, _S.CANCELLED}),
    _S.RETRYING: frozenset({_S.SENDING, _S.EXPIRED, _S.CANCELLED}),
    # answered; refused; again; no answer, or the worker vanished; too late; given back before it left
    _S.SENDING: frozenset({_S.SENT, _S.FAILED, _S.RETRYING, _S.UNCERTAIN, _S.EXPIRED, _S.SUPPRESSED, _S.QUEUED}),
    # a receipt, an operator, or the category's rule settles it
    _S.UNCERTAIN: frozenset({_S.SENT, _S.DELIVERED, _S.FAILED, _S.RETRYING}),
    _S.SENT: frozenset({_S.DELIVERED, _S.FAILED}),
    _S.DELIVERED: frozenset(),
    # an operator replays a dead letter; a late receipt says that it did arrive
    _S.FAILED: frozenset({_S.RETRYING, _S.DELIVERED}),
    _S.EXPIRED: frozenset({_S.DELIVERED}),
    _S.CANCELLED: frozenset(),
    _S.SUPPRESSED: frozenset(),
}

#: States from which a worker may claim a delivery.
WAITING: Final = frozenset({_S.SCHEDULED, _S.QUEUED, _S.RETRYING})


class Reason(StrEnum):
    """Why a delivery was not sent, or not yet. `REASON_TEXT` has the sentence for people."""

    # decided by planning
    NO_ADDRESS = "no_address"
    NO_CONTENT = "no_content"
    MISSING_DATA = "missing_data"
    OPTED_OUT = "opted_out"
    NOT_OPTED_IN = "not_opted_in"
    SUPPRESSED_ADDRESS = "suppressed_address"
    EXPIRED = "expired"
    QUIET_HOURS = "quiet_hours"
    CAPPED = "capped"
    ROUTED = "routed"
    DIGESTED = "digested"
    # decided on the way
    ESCALATED = "escalated"
    NOT_NEEDED = "not_needed"
    ERASED = "erased"
    CANCELLED = "cancelled"
    DEVICE_GONE = "device_gone"
    NO_ACCOUNT = "no_account"
    NOT_RENDERED = "not_rendered"
    # said by a provider
    ADDRESS_DEAD = "address_dead"
    ADDRESS_FORBIDDEN = "address_forbidden"
    PROVIDER_OPT_OUT = "provider_opt_out"
    CONTENT_REFUSED = "content_refused"
    CREDENTIAL_REFUSED = "credential_refused"
    NO_FUNDS = "no_funds"
    THROTTLED = "throttled"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    NO_ANSWER = "no_answer"
    WORKER_LOST = "worker_lost"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    BREAKER_OPEN = "breaker_open"
    PACED = "paced"
    PAUSED = "paused"
    MASS_DEATH = "mass_death"
    BOUNCED = "bounced"
    UNDELIVERED = "undelivered"
    COMPLAINED = "complained"
    NO_RECEIPT = "no_receipt"


#: The reason as a sentence for the person who asks "why did I not get this?".
REASON_TEXT: Final[dict[Reason, str]] = {
    Reason.NO_ADDRESS: "The recipient has no address for this channel.",
    Reason.NO_CONTENT: "The template says nothing for this channel.",
    Reason.MISSING_DATA: "The template says something about the person that is not known.",
    Reason.OPTED_OUT: "The recipient opted out.",
    Reason.NOT_OPTED_IN: "The category needs consent, and the recipient has not given it.",
    Reason.SUPPRESSED_ADDRESS: "The address is on the suppression list.",
    Reason.EXPIRED: "It was too late to be of use.",
    Reason.QUIET_HOURS: "It waits for the end of quiet hours.",
    Reason.CAPPED: "The recipient has had as many messages as the cap allows.",
    Reason.ROUTED: "The message takes another channel.",
    Reason.DIGESTED: "It is gathered into a digest with others.",
    Reason.ESCALATED: "Nothing was heard of it on the channel before, so it takes this one as well.",
    Reason.NOT_NEEDED: "It arrived on a channel before this one.",
    Reason.ERASED: "The recipient was erased before it was sent.",
    Reason.CANCELLED: "The notification was cancelled before this was sent.",
    Reason.DEVICE_GONE: "The device was removed before this was sent.",
    Reason.NO_ACCOUNT: "No active provider account serves this queue.",
    Reason.NOT_RENDERED: "The template could not be rendered with this data.",
    Reason.ADDRESS_DEAD: "The provider says that this address does not exist any more.",
    Reason.ADDRESS_FORBIDDEN: "The address leads into a private network, where nothing is sent.",
    Reason.PROVIDER_OPT_OUT: "The provider says that this person opted out.",
    Reason.CONTENT_REFUSED: "The provider refused the content of the message.",
    Reason.CREDENTIAL_REFUSED: "The provider refused our credentials.",
    Reason.NO_FUNDS: "The provider account has no balance or quota left.",
    Reason.THROTTLED: "The provider asked us to slow down.",
    Reason.PROVIDER_UNAVAILABLE: "The provider could not be reached or had an error of its own.",
    Reason.NO_ANSWER: "The request was sent, but no answer came.",
    Reason.WORKER_LOST: "The worker that was sending this stopped before it could note the answer.",
    Reason.ATTEMPTS_EXHAUSTED: "Every attempt failed; an operator can replay it.",
    Reason.BREAKER_OPEN: "The provider account failed too often just now and is left alone for a moment.",
    Reason.PACED: "The provider account sends as fast as it may; this waits for its turn.",
    Reason.PAUSED: "Its campaign is paused.",
    Reason.MASS_DEATH: "Too many addresses were called dead at once: taken for a mistake of ours, not of theirs.",
    Reason.BOUNCED: "The message was accepted and then bounced.",
    Reason.UNDELIVERED: "The message was accepted and then not delivered; the address may well be good.",
    Reason.COMPLAINED: "The recipient reported the message as spam.",
    Reason.NO_RECEIPT: "The provider took it and never said whether it arrived; that is not waited for any more.",
}


def in_words(reason: Reason, detail: str) -> str:
    """The reason as a sentence, with what the rule that decided has to add."""
    text = REASON_TEXT[reason]
    return f"{text.rstrip('.')} ({detail})." if detail else text


class EventKind(StrEnum):
    """What a line of a delivery's timeline tells. New ones come last: an event's id is made of its kind's place."""

    SENT = "sent"
    RETRYING = "retrying"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    REPLAYED = "replayed"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"
    OPENED = "opened"
    CLICKED = "clicked"
    HELD = "held"
    ESCALATED = "escalated"
    BLOCKED = "blocked"
    DIGESTED = "digested"


class ReceiptKind(StrEnum):
    """What a provider tells us later about a message that it accepted."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"
    OPENED = "opened"
    CLICKED = "clicked"
    BLOCKED = "blocked"  # a soft bounce: a full mailbox or a filter, this once; many end in a suppression


#: How the detail of an open begins that a program made and perhaps no person: a mail program's proxy, a scanner.
MACHINE: Final = "machine:"
