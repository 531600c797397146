"""The doors for people: one module a subject."""

from notifications.admin.batches import BatchAdmin
from notifications.admin.dead_letters import DeadLetterAdmin
from notifications.admin.deliveries import DeliveryAdmin
from notifications.admin.erasures import ErasureAdmin
from notifications.admin.notifications import NotificationAdmin
from notifications.admin.provider_accounts import ProviderAccountAdmin
from notifications.admin.routes import RouteAdmin
from notifications.admin.schedules import PeriodicTaskAdmin
from notifications.admin.sms_prices import SmsPriceAdmin
from notifications.admin.template_editor import EditedVersionAdmin

__all__ = [
    "BatchAdmin",
    "DeadLetterAdmin",
    "DeliveryAdmin",
    "EditedVersionAdmin",
    "ErasureAdmin",
    "NotificationAdmin",
    "PeriodicTaskAdmin",
    "ProviderAccountAdmin",
    "RouteAdmin",
    "SmsPriceAdmin",
]
