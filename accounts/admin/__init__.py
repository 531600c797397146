"""The doors for people: who can call, who can be reached, and what they agreed to."""

from accounts.admin.agreements import CapAdmin, CategoryAdmin, PreferenceAdmin, ReceivedReplyAdmin, SuppressionAdmin
from accounts.admin.applications import AppKeyAdmin, ApplicationAdmin
from accounts.admin.people import DeviceAdmin, RecipientAdmin

__all__ = [
    "AppKeyAdmin",
    "ApplicationAdmin",
    "CapAdmin",
    "CategoryAdmin",
    "DeviceAdmin",
    "PreferenceAdmin",
    "ReceivedReplyAdmin",
    "RecipientAdmin",
    "SuppressionAdmin",
]
