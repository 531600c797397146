"""From a draft to a campaign that goes out: by whoever may start it, and by two where its category wants that.

Every function takes the row of the campaign first, so that of two people at once the second finds what the first did.
Who may do what at all is a question of permissions, which the doors ask; here the approver is another than who asked.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from accounts.models import AuditEntry
from accounts.staff import audit
from accounts.staff.audit import By, Deed
from campaigns import beat, beginning, starting
from campaigns.checking import Findings, Problem, look_at, needs_approval
from campaigns.models import Campaign, Variant
from campaigns.schedules import BadSchedule
from campaigns.segments import keeping
from campaigns.segments.reading import UnusableRules
from campaigns.vocabulary import UNFINISHED, CampaignState, ScheduleKind
from templates_app import catalogue

_CHANGED: Final = "It was changed since you looked at it; read it again."
#: What makes somebody a writer, in the words of the audit log.
_WRITING: Final = ("added", "changed")
_ON_ITS_WAY: Final = "A run of it is on its way: wait until it is finished, or cancel the run first."


@dataclass(frozen=True, slots=True)
class Started:
    """A campaign that goes out, or waits for a second pair of eyes, and what was found when it was looked at."""

    campaign: Campaign
    found: Findings


class NotReady(Exception):
    """Nothing started. `problems` says what is wrong, field by field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in problems))
        self.problems = problems


class NotAllowed(Exception):
    """The campaign is in no state for that, or it is not for this person to do; the message says what is right."""


def start(campaign_id: UUID, at: datetime, *, by: By, after: str = "", seen: str | None = None) -> Started:
    """Let a draft go out, or ask for a second pair of eyes where its category wants that; its `state` says which.

    One that has ended starts again only where `after` is the id of its last run: who asks twice for the first start,
    because of a double click or an answer that was lost, does not get a second. `seen` is the `fingerprint` of what was
    read before, where anything was. Raises `NotReady` with all that is wrong, and `NotAllowed`.
    """
    with transaction.atomic():
        campaign = _locked(campaign_id)
        if campaign.state == CampaignState.ENDED:
            _must_be_meant_again(campaign, after)
        else:
            _must_be(campaign, CampaignState.DRAFT)
        found = _must_be_ready(campaign, at)
        if seen is not None and seen != fingerprint(campaign):
            raise NotAllowed(_CHANGED)
        if needs_approval(campaign):
            campaign.state = CampaignState.IN_REVIEW
            campaign.submitted_by = by if isinstance(by, User) else None
            campaign.save(update_fields=["state", "submitted_by"])
            audit.note(campaign, Deed("submitted"), by)
            return Started(campaign, found)
        _activate(campaign, at)
        audit.note(campaign, Deed("started"), by)
    return Started(campaign, found)


def approve(campaign_id: UUID, at: datetime, *, by: By, seen: str | None = None) -> Campaign:
    """Let out what waits for a second pair of eyes. `seen` is the `fingerprint` of what was read on a page.

    Raises `NotAllowed`, also for who asked for it or wrote it and where it was changed since, and `NotReady`.
    """
    with transaction.atomic():
        campaign = _locked(campaign_id)
        _must_be(campaign, CampaignState.IN_REVIEW)
        if isinstance(by, User) and campaign.submitted_by_id == by.pk:
            raise NotAllowed("You asked for this yourself; somebody else has to look at it.")
        if isinstance(by, User) and by.pk in _writers(campaign):
            raise NotAllowed("You wrote a part of this yourself; somebody else has to look at it.")
        if seen is not None and seen != fingerprint(campaign):
            raise NotAllowed(_CHANGED)
        _must_be_ready(campaign, at)
        campaign.approved_by_name = by.get_username()[:150] if by else "system"
        campaign.approved_at = at
        campaign.save(update_fields=["approved_by_name", "approved_at"])
        _activate(campaign, at)
        audit.note(campaign, Deed("approved"), by)
    return campaign


def fingerprint(campaign: Campaign) -> str:
    """What an approver approves: all that the campaign says, whom it is for, and its wordings as they are published."""
    said = {
        **audit.snapshot(campaign),
        "segments": _segments(campaign),
        "variants": [
            [one.letter, one.weight, str(edition.version_id) if edition else one.template.name]
            for one in campaign.variants.select_related("template").order_by("letter")
            for edition in [catalogue.published(one.template.name)]
        ],
    }
    # longer, it would be taken for a token, and masked in the page that keeps it
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _writers(campaign: Campaign) -> set[int | None]:
    """Who made the draft or changed it, or its variants, since it was approved last. Served by audit_entry_object."""
    lines = AuditEntry.objects.about(campaign)
    approved = lines.filter(action="approved").first()
    variants = AuditEntry.objects.filter(
        model=Variant._meta.label_lower,
        object_id__in=[str(key) for key in campaign.variants.values_list("pk", flat=True)],
    )
    found: set[int | None] = set()
    for some in (lines, variants):
        since = some.filter(id__gt=approved.pk) if approved else some
        found.update(since.filter(action__in=_WRITING).values_list("actor_id", flat=True))
    return found


def _segments(campaign: Campaign) -> list[list[str]]:
    """When the segment and those that it names were changed last; what cannot be used does not start anyway."""
    try:
        return [[str(one.pk), one.changed_at.isoformat()] for one in keeping.closure(campaign.segment)]
    except UnusableRules as error:
        return [[str(error)]]


def send_back(campaign_id: UUID, *, by: By, comment: str) -> Campaign:
    """From review back to a draft, with a word on what should be changed. Raises `NotAllowed`."""
    if not comment.strip():
        raise NotAllowed("Say what should be changed.")
    with transaction.atomic():
        campaign = _locked(campaign_id)
        _must_be(campaign, CampaignState.IN_REVIEW)
        _to_draft(campaign)
        audit.note(campaign, Deed("sent back", comment.strip()), by)
    return campaign


def pause(campaign_id: UUID, at: datetime, *, by: By) -> Campaign:
    """Let its moments pass without a run. A run that is on its way has a pause of its own."""
    with transaction.atomic():
        campaign = _locked(campaign_id)
        _must_be(campaign, CampaignState.ACTIVE)
        campaign.state = CampaignState.PAUSED
        campaign.save(update_fields=["state"])
        beat.keep(campaign, at)
        audit.note(campaign, Deed("paused"), by)
    return campaign


def resume(campaign_id: UUID, at: datetime, *, by: By) -> Campaign:
    """Go on with the next moment; those that passed meanwhile are told of, and not caught up.

    Raises `NotAllowed`, also where its schedule makes no sense any more.
    """
    with transaction.atomic():
        campaign = _locked(campaign_id)
        _must_be(campaign, CampaignState.PAUSED)
        campaign.state = CampaignState.ACTIVE
        campaign.save(update_fields=["state"])
        try:
            starting.pass_over(campaign, at)
        except BadSchedule as wrong:
            raise NotAllowed(f"{wrong} Stop the campaign, change its schedule, and start it again.") from None
        audit.note(campaign, Deed("resumed"), by)
    return campaign


def stop(campaign_id: UUID, at: datetime, *, by: By) -> Campaign:
    """Back to a draft, which can be changed: no further run begins. Raises `NotAllowed` while one is on its way."""
    with transaction.atomic():
        campaign = _locked(campaign_id)
        _must_be(campaign, CampaignState.ACTIVE, CampaignState.PAUSED, CampaignState.IN_REVIEW, CampaignState.ENDED)
        if campaign.runs.filter(state__in=sorted(UNFINISHED)).exists():
            raise NotAllowed(_ON_ITS_WAY)
        _to_draft(campaign)
        beat.keep(campaign, at)
        audit.note(campaign, Deed("stopped"), by)
    return campaign


def is_editable(campaign: Campaign) -> bool:
    """Whether it may be changed: what is on its way never is."""
    return campaign.state == CampaignState.DRAFT


def _activate(campaign: Campaign, at: datetime) -> None:
    campaign.state = CampaignState.ACTIVE
    campaign.save(update_fields=["state"])
    starting.schedule(campaign, at)
    if campaign.schedule_kind == ScheduleKind.NOW:
        beginning.begin(starting.start(campaign.pk, at), at)
        campaign.refresh_from_db()


def _to_draft(campaign: Campaign) -> None:
    campaign.state, campaign.next_at, campaign.submitted_by = CampaignState.DRAFT, None, None
    campaign.approved_at, campaign.approved_by_name = None, ""
    campaign.save(update_fields=["state", "next_at", "submitted_by", "approved_at", "approved_by_name"])


def _must_be(campaign: Campaign, *states: CampaignState) -> None:
    if campaign.state not in states:
        wanted = " or ".join(state.value.replace("_", " ") for state in states)
        raise NotAllowed(f"It is {campaign.get_state_display().lower()}; for this it has to be {wanted}.")


def _must_be_meant_again(campaign: Campaign, after: str) -> None:
    last = campaign.runs.order_by("-id").first()
    if last is None or str(last.pk) != after:
        raise NotAllowed("It was started already. To send it once more, stop it first: that makes it a draft again.")
    if last.state in UNFINISHED:
        raise NotAllowed(_ON_ITS_WAY)


def _must_be_ready(campaign: Campaign, at: datetime) -> Findings:
    found = look_at(campaign, at)
    if found.problems:
        raise NotReady(found.problems)
    return found


def _locked(campaign_id: UUID) -> Campaign:
    found = Campaign.objects.select_for_update(of=("self",)).select_related("segment", "application")
    return found.get(pk=campaign_id)
