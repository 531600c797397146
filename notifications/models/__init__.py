"""How it gets there: the log, the work that waits, the accounts by which it leaves. Shape and constraints, no verbs."""

from notifications.models.digests import Digest, DigestEntry
from notifications.models.erasures import Erasure
from notifications.models.escalations import Escalation
from notifications.models.log import (
    BATCH_SIZE,
    Audience,
    AwaitedReceipts,
    Batch,
    DeadLetter,
    Delivery,
    DeliveryEvent,
    DeliveryEventQuerySet,
    DeliveryQuerySet,
    IdempotencyKey,
    Notification,
    PendingReceipt,
)
from notifications.models.prices import SmsPrice
from notifications.models.provider_accounts import ProviderAccount
from notifications.models.reactions import Reaction
from notifications.models.routes import Route, RouteStep
from notifications.models.tallies import Standing, Tally, TallyNote
from notifications.models.turnouts import NO_PART, Spending, SpendingNote, Turnout, TurnoutNote, TurnoutState

__all__ = [
    "BATCH_SIZE",
    "NO_PART",
    "Audience",
    "AwaitedReceipts",
    "Batch",
    "DeadLetter",
    "Delivery",
    "DeliveryEvent",
    "DeliveryEventQuerySet",
    "DeliveryQuerySet",
    "Digest",
    "DigestEntry",
    "Erasure",
    "Escalation",
    "IdempotencyKey",
    "Notification",
    "PendingReceipt",
    "ProviderAccount",
    "Reaction",
    "Route",
    "RouteStep",
    "SmsPrice",
    "Spending",
    "SpendingNote",
    "Standing",
    "Tally",
    "TallyNote",
    "Turnout",
    "TurnoutNote",
    "TurnoutState",
]
