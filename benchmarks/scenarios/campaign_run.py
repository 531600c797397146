"""A campaign of a million with two variants: when the first message leaves, how fast it goes, what its page costs."""

import time
from collections.abc import Callable
from typing import Final

import psutil

from benchmarks import campaigns
from benchmarks.admin import Onlooker
from benchmarks.context import Context, Values, rate
from benchmarks.stage import Stage, Void

#: How often the progress is asked for in the end.
_LOOKS: Final = 40
#: The part after which the planner's memory is what it is compared with in the end.
_EARLY: Final = 0.1


def run(context: Context) -> Values:
    """Start it by the API, watch it by the API, and compare the providers' record with its report."""
    stage, people = context.stage, context.sizes.urgent_background
    context.bring_in("crowd-", people)
    context.empty_log()
    campaign = campaigns.written(stage, "crowd-", ["restock", "restock"])
    planner = psutil.Process(stage.about["processes"]["planner"])
    early: list[int] = []

    def at(done: int) -> None:
        if done >= _EARLY * people and not early:
            early.append(planner.memory_info().rss)
        bar.at(done)

    since = stage.now()
    stage.begin()
    with context.bar("a campaign with two variants", people) as bar:
        began = time.time()
        campaigns.start(stage, campaign)
        first = _first(stage)
        series = stage.until_done(people, since, progress=at)
    stage.check(since, people)
    _report_agrees(stage, campaign, people)
    return {
        "campaign.first_s": first - began,
        "campaign.deliveries_per_s": rate([(began, 0), *series]),
        "campaign.asked_ms": _median_ms(lambda: campaigns.latest_run(stage, campaign)),
        "campaign.page_ms": _page(stage, campaign),
        "campaign.planner_growth": planner.memory_info().rss / early[0],
    }


def _first(stage: Stage) -> float:
    """When the providers had the first message."""
    deadline = time.monotonic() + 60
    while not stage.accepted():
        if time.monotonic() > deadline:
            raise Void("no message of the campaign left within a minute")
        time.sleep(0.02)
    return min(seen.first_at for seen in stage.sent().values() if seen.accepted)


def _page(stage: Stage, campaign: str) -> float:
    """What the page of its run asks every other second, by somebody who is signed in."""
    onlooker, run = Onlooker(stage), campaigns.latest_run(stage, campaign)["id"]
    return _median_ms(lambda: onlooker.get(f"/admin/campaigns/run/{run}/live/"))


def _median_ms(ask: Callable[[], object]) -> float:
    """Milliseconds until there is an answer."""
    taken = []
    for _ in range(_LOOKS):
        began = time.monotonic()
        ask()
        taken.append((time.monotonic() - began) * 1000)
    return sorted(taken)[_LOOKS // 2]


def _report_agrees(stage: Stage, campaign: str, people: int) -> None:
    """Wait until the roll-ups have caught up. Raises `Void` unless they count everybody as sent."""
    deadline = time.monotonic() + 60
    while True:
        told = campaigns.latest_run(stage, campaign)
        if told["state"] == "finished" and told["counts"]["sent"] == people:
            return
        if time.monotonic() > deadline:
            raise Void(f"the campaign is {told['state']} and counts {told['counts']}, where {people} were sent")
        time.sleep(0.5)
