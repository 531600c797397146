"""Who can call, who can be reached, and what they agreed to."""

from accounts.models.agreements import (
    Cap,
    Category,
    Consent,
    Preference,
    Suppression,
    SuppressionCause,
)
from accounts.models.applications import AppKey, Application, Scope, all_scopes
from accounts.models.audits import AuditEntry, AuditEntryQuerySet
from accounts.models.consents import (
    Actor,
    Aspect,
    ConsentChange,
    Refusal,
    SoftBounce,
    Via,
)
from accounts.models.people import EXTERNAL_ID_PATTERN, GOOGLE_EXPIRES, Device, Recipient
from accounts.models.received import ReceivedReply

__all__ = [
    "EXTERNAL_ID_PATTERN",
    "GOOGLE_EXPIRES",
    "Actor",
    "AppKey",
    "Application",
    "Aspect",
    "AuditEntry",
    "AuditEntryQuerySet",
    "Cap",
    "Category",
    "Consent",
    "ConsentChange",
    "Device",
    "Preference",
    "ReceivedReply",
    "Recipient",
    "Refusal",
    "Scope",
    "SoftBounce",
    "Suppression",
    "SuppressionCause",
    "Via",
    "all_scopes",
]
