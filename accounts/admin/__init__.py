"""The doors for people: who can call, who can be reached, and what they agreed to."""

from accounts.admin.agreements import CategoryAdmin, PreferenceAdmin, ReceivedReplyAdmin, SuppressionAdmin
from accounts.admin.applications import AppKeyAdmin, ApplicationAdmin
from accounts.admin.people import DeviceAdmin, RecipientAdmin

__all__ = [
    "AppKeyAdmin",
    "ApplicationAdmin",
    "CategoryAdmin",
    "DeviceAdmin",
    "PreferenceAdmin",
    "ReceivedReplyAdmin",
    "RecipientAdmin",
    "SuppressionAdmin",
]
