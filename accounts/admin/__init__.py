"""The doors for people: who can call, who can be reached, and what they agreed to."""

from accounts.admin.access import GroupAdmin, UserAdmin
from accounts.admin.agreements import (
    CapAdmin,
    CategoryAdmin,
    ConsentChangeAdmin,
    PreferenceAdmin,
    ReceivedReplyAdmin,
    RefusalAdmin,
    SuppressionAdmin,
)
from accounts.admin.applications import AppKeyAdmin, ApplicationAdmin
from accounts.admin.audit_log import AuditEntryAdmin
from accounts.admin.people import DeviceAdmin, RecipientAdmin

__all__ = [
    "AppKeyAdmin",
    "ApplicationAdmin",
    "AuditEntryAdmin",
    "CapAdmin",
    "CategoryAdmin",
    "ConsentChangeAdmin",
    "DeviceAdmin",
    "GroupAdmin",
    "PreferenceAdmin",
    "ReceivedReplyAdmin",
    "RecipientAdmin",
    "RefusalAdmin",
    "SuppressionAdmin",
    "UserAdmin",
]
