"""What a campaign's page tells beside its form: where it stands, what happens next, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from campaigns import checking
from campaigns.admin.when import in_a_while, on_the_wall
from campaigns.checking import Findings
from campaigns.models import Campaign, Run
from campaigns.schedule_of import window_of
from campaigns.vocabulary import UNFINISHED, CampaignState, RunState, ScheduleKind, Split
from notifications import facts
from notifications.vocabulary import Urgency
from templates_app import catalogue

#: Of a campaign that recurs.
_LATEST_RUNS: Final = 5
#: How a state looks.
LOOKS: Final = {
    CampaignState.DRAFT: "",
    CampaignState.IN_REVIEW: "bongsu-warn",
    CampaignState.ACTIVE: "bongsu-good",
    CampaignState.PAUSED: "bongsu-warn",
    CampaignState.ENDED: "",
}
#: What the checks call what is no field of the form.
_PLACES: Final = {"variants": "variants-group", "data": "id_data"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem, and the place in the page where it is mended."""

    label: str
    message: str
    place: str


def standing(state: CampaignState, *, is_out: bool) -> tuple[str, str]:
    """Where a campaign stands, in a word, and how that looks; `is_out`: a run of it is under way."""
    if is_out and state in {CampaignState.ACTIVE, CampaignState.ENDED}:
        return "Under way", "bongsu-good"
    return state.value.capitalize().replace("_", " "), LOOKS[state]


def what_next(campaign: Campaign, at: datetime, *, is_out: bool = False) -> str:
    """What happens with it from here on, in a sentence; `is_out`: a run of it is under way."""
    match CampaignState(campaign.state):
        case CampaignState.ENDED if is_out:
            return "Its run is on its way; none comes after it."
        case CampaignState.DRAFT:
            return "Nothing of it goes out before it is started."
        case CampaignState.IN_REVIEW:
            by = f" by {campaign.submitted_by}" if campaign.submitted_by else ""
            return f"Asked for{by}; nothing goes out before somebody else approves."
        case CampaignState.PAUSED:
            if campaign.next_at is None:
                return "Paused, and no moment is left."
            return f"Paused: {on_the_wall(campaign.next_at, campaign.zone)} passes without a run, unless it is resumed."
        case CampaignState.ENDED:
            return "No moment is left: nothing more goes out."
        case CampaignState.ACTIVE:
            if campaign.next_at is None:
                return "No moment is left."
            if campaign.next_at <= at:
                return "A run begins within seconds."
            away = in_a_while(campaign.next_at - at)
            return f"The next run begins in {away}: {on_the_wall(campaign.next_at, campaign.zone)}."


def latest_runs(campaign: Campaign) -> Sequence[Run]:
    """The last of its runs, the latest first."""
    return list(campaign.runs.order_by("-planned_for")[:_LATEST_RUNS])


def in_short(state: RunState, people: int, handled: int) -> str:
    """How far a run is, in a few words; of those who are planned, which is known without counting."""
    if state in UNFINISHED and people:
        return f"{state.value}, {100 * handled // people} %"
    return state.value


def how(campaign: Campaign, people: int) -> list[str]:
    """What decides how it goes out, besides its moments, in a sentence each; `people` are in its segment."""
    found = []
    if (window := window_of(campaign)) is not None:
        clock = "everybody's own clock" if campaign.in_local_time else f"the clock of {campaign.zone}"
        found.append(f"Sent only from {window.opens:%H:%M} until {window.closes:%H:%M}, by {clock}.")
    if pace := campaign.throttle_per_minute:
        long = in_a_while(timedelta(minutes=people / pace)) if people > pace else "a minute"
        found.append(f"At most {pace:,} people a minute: about {long} for all of them.")
    if campaign.schedule_kind != ScheduleKind.NOW:
        found.append(f"A start that is more than {campaign.late_hours} h late is left out.")
    if campaign.holdout_percent:
        found.append(f"{campaign.holdout_percent} % get nothing, to be compared with.")
    if campaign.variants.count() > 1:
        found += _of_variants(campaign)
    return found


def _of_variants(campaign: Campaign) -> list[str]:
    found = []
    if campaign.test_percent < 100:
        hours = f"{campaign.decide_after_hours} to {campaign.decide_by_hours} hours"
        found.append(
            f"Tried on {campaign.test_percent} % of the people; after {hours} the better one goes to the rest."
        )
    if campaign.split == Split.ADAPTIVE:
        found.append("The variant that does better gets more and more of the people.")
    return found


def troubles(found: Findings) -> list[Trouble]:
    """The problems of a campaign, each with the way to its field."""
    return [_trouble(one) for one in found.problems]


def _trouble(one: checking.Problem) -> Trouble:
    name, _, _ = one.field.partition(".")
    named = {field.name: str(field.verbose_name) for field in Campaign._meta.concrete_fields}
    return Trouble(named.get(one.field, one.field), one.message, _PLACES.get(name, f"id_{name}"))


def needed(template_names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What each template must be given in the data, by its name; without those that need nothing."""
    found = []
    for name in dict.fromkeys(template_names):
        edition = catalogue.published(name)
        if edition is None:
            continue
        question = facts.Question(edition, (), edition.channels, {}, urgency=Urgency.BULK)
        if paths := [path for path in facts.unsaid(question) if not path.startswith("recipient.")]:
            found.append((name, paths))
    return found
