"""What one text message came to: its parts, and what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts import links
from accounts.channels import Channel, Mode
from accounts.links import Subject
from notifications import moulds, pricing
from notifications.models import Delivery, ProviderAccount
from notifications.planning.prices import Money, cost
from notifications.planning.segments import segments
from notifications.providers.gsm import is_gsm
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.content import SmsText
from templates_app.models import TemplateVersion
from templates_app.rendering import RenderError


@dataclass(frozen=True, slots=True)
class TextCost:
    """`alphabet` decides how much room a part has. `price` is None where no list knows one, or it reached nobody."""

    segments: int
    alphabet: str
    price: Money | None


def cost_of(delivery: Delivery) -> TextCost | None:
    """The parts and the price of a text message, by the prices of the day it was sent; None for anything else.

    It is rendered again for this, from the version and the data that it was sent with.
    """
    if delivery.channel != Channel.SMS or not delivery.address:
        return None
    notification = delivery.notification
    data = {**(notification.data or {}), **(delivery.data or {})}
    subject = Subject(Channel.SMS, delivery.recipient_id, delivery.address)
    try:
        edition = catalogue.edition(notification.version_id)
        body = said(edition, delivery.locale, data, subject, delivery.pk)
    except (RenderError, TemplateVersion.DoesNotExist):
        return None
    parts = segments(body)
    # a test account, which may stand in for a live one, costs nothing
    account = ProviderAccount.objects.filter(name=delivery.account, mode=Mode.LIVE.value).first()
    on = (delivery.sent_at or delivery.planned_at).date()
    price = cost(parts, delivery.address, pricing.table_of(account, on)) if account else None
    return TextCost(parts, "GSM-7" if is_gsm(body) else "UCS-2", price)


def said(edition: Edition, locale: str, data: Mapping[str, Any], to: Subject, delivery_id: UUID) -> str:
    """A text message as it is sent, links and all. Raises `RenderError`."""
    own = links.urls(edition.content.links_on(Channel.SMS), to, edition.category.id)
    text = edition.render(Channel.SMS, locale, {**data, **own})
    filled = moulds.moulded(text, edition.category).filled(delivery_id, own)
    return filled.body if isinstance(filled, SmsText) else ""
