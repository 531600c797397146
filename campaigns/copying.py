"""A new draft that says what another campaign does."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.ids import new_id
from accounts.staff import audit
from accounts.staff.audit import By, Deed
from campaigns.models import Campaign, Variant
from campaigns.vocabulary import CampaignState

_LONGEST: Final = 120


def duplicate(campaign_id: UUID, at: datetime, *, by: By) -> Campaign:
    """A draft with a name of its own; what has happened to the other has not happened to it."""
    with transaction.atomic():
        made = Campaign.objects.get(pk=campaign_id)
        variants = list(made.variants.order_by("letter"))
        of = made.name
        made.pk, made.name, made.created_at = new_id(), _free_name(of), at
        made.state, made.next_at, made.last_planned_at, made.periodic_task = CampaignState.DRAFT.value, None, None, None
        made.submitted_by, made.approved_by_name, made.approved_at = None, "", None
        made.created_by_name = by.get_username()[:150] if by else "system"
        made.save(force_insert=True)
        for one in variants:
            Variant.objects.create(campaign=made, letter=one.letter, template_id=one.template_id, weight=one.weight)
        audit.note(made, Deed("added", f"as “{of}” is"), by)
    return made


def _free_name(of: str) -> str:
    number = 1
    while True:
        end = " (copy)" if number == 1 else f" (copy {number})"
        name = of[: _LONGEST - len(end)] + end
        if not Campaign.objects.filter(name=name).exists():
            return name
        number += 1
