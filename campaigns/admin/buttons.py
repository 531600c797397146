"""What somebody may do now, as buttons: by the state of a thing, and by their permissions."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from campaigns.models import Campaign, Run
from campaigns.vocabulary import UNFINISHED, CampaignState, RunState

May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Button:
    """`asks`: it leads to a page that says what would happen; otherwise it does it at once, by a POST."""

    label: str
    url: str
    asks: bool = False
    is_risky: bool = False
    is_quiet: bool = False


def of_campaign(campaign: Campaign, may: May, *, needs_approval: bool, is_out: bool, has_run: bool) -> list[Button]:
    """What can be done with a campaign, the usual next step first; `is_out`: a run of it is under way."""

    def to(name: str) -> str:
        return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])

    state = CampaignState(campaign.state)
    may_start, may_approve = may("campaigns.start_campaign"), may("campaigns.approve_campaign")
    found: list[Button] = []
    if may_start and state in {CampaignState.DRAFT, CampaignState.ENDED} and not is_out:
        again = "" if state is CampaignState.DRAFT else " again"
        found.append(
            Button(f"Ask for approval{again} …" if needs_approval else f"Start{again} …", to("start"), asks=True)
        )
    if may_approve and state is CampaignState.IN_REVIEW:
        found.append(Button("Approve or send back …", to("approve"), asks=True))
    if may_start and state is CampaignState.ACTIVE:
        found.append(Button("Pause", to("pause")))
    if may_start and state is CampaignState.PAUSED:
        found.append(Button("Resume", to("resume")))
    if has_run:
        found.append(Button("Report", to("report"), asks=True, is_quiet=True))
    if may_rehearse(may):
        found.append(Button("Send to me first …", to("rehearse"), asks=True, is_quiet=True))
    if may_start and state is not CampaignState.DRAFT and not is_out:
        said = {CampaignState.IN_REVIEW: "Take back & edit", CampaignState.ENDED: "Edit"}
        is_risky = state not in said
        found.append(Button(said.get(state, "Stop & edit"), to("stop"), is_risky=is_risky, is_quiet=not is_risky))
    if may("campaigns.add_campaign"):
        found.append(Button("Duplicate", to("duplicate"), is_quiet=True))
    return found


def may_rehearse(may: May) -> bool:
    """Those who write campaigns, start or approve them."""
    return any(may(f"campaigns.{verb}_campaign") for verb in ("change", "start", "approve"))


def of_run(run: Run, may: May, *, failed: int) -> list[Button]:
    """What can be done with a run."""
    if not may("campaigns.start_campaign"):
        return []

    def to(name: str, *more: str) -> str:
        return reverse(f"admin:campaigns_run_{name}", args=[run.pk, *more])

    found: list[Button] = []
    is_going = run.state in UNFINISHED
    if run.state == RunState.PAUSED:
        found.append(Button("Resume", to("resume")))
    elif is_going:
        found.append(Button("Pause", to("pause")))
    if is_going and run.test_percent < 100 and not run.winner:
        found += [
            Button(f"Send {letter} to the rest …", to("choose", letter), asks=True) for letter in sorted(run.shares)
        ]
    if failed and run.state != RunState.CANCELLED:
        found.append(Button("Retry failed …", to("retry"), asks=True))
    if is_going:
        found.append(Button("Cancel the run …", to("cancel"), asks=True, is_risky=True))
    return found
