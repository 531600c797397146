"""A campaign of a million with two variants: when the first message leaves, how fast it goes, what its page costs."""

import json
import time
from typing import Any, Final
from uuid import uuid4

import psutil

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
    campaign = _written(stage, people)
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
        _asked(stage, "POST", f"/v1/campaigns/{campaign}/start")
        first = _first(stage)
        series = stage.until_done(people, since, progress=at)
    stage.check(since, people)
    _report_agrees(stage, campaign, people)
    return {
        "campaign.first_s": first - began,
        "campaign.deliveries_per_s": rate([(began, 0), *series]),
        "campaign.page_ms": _page(stage, campaign),
        "campaign.planner_growth": planner.memory_info().rss / early[0],
    }


def _written(stage: Stage, people: int) -> str:
    """A segment of everybody who was brought in, and a draft for it; the id of the draft."""
    name = f"crowd {uuid4()}"
    rules = {"field": "external_id", "is": "begins with", "value": "crowd-"}
    _asked(stage, "POST", "/v1/segments", {"name": name, "kind": "rules", "rules": rules})
    data = {"user_name": "지민", "product_name": "겨울 신발"}
    variants = [{"template": "restock", "weight": 1}, {"template": "restock", "weight": 1}]
    told = _asked(
        stage,
        "POST",
        "/v1/campaigns",
        {"name": name, "segment": name, "variants": variants, "channels": ["push"], "data": data},
    )
    return str(told["id"])


def _first(stage: Stage) -> float:
    """When the providers had the first message."""
    deadline = time.monotonic() + 60
    while not stage.accepted():
        if time.monotonic() > deadline:
            raise Void("no message of the campaign left within a minute")
        time.sleep(0.02)
    return min(seen.first_at for seen in stage.sent().values() if seen.accepted)


def _page(stage: Stage, campaign: str) -> float:
    """Milliseconds until the API has told how far the campaign is; the median of some."""
    taken = []
    for _ in range(_LOOKS):
        began = time.monotonic()
        _asked(stage, "GET", f"/v1/campaigns/{campaign}")
        taken.append((time.monotonic() - began) * 1000)
    return sorted(taken)[_LOOKS // 2]


def _report_agrees(stage: Stage, campaign: str, people: int) -> None:
    """Wait until the roll-ups have caught up. Raises `Void` unless they count everybody as sent."""
    deadline = time.monotonic() + 60
    while True:
        told = _asked(stage, "GET", f"/v1/campaigns/{campaign}")["run"]
        if told["state"] == "finished" and told["counts"]["sent"] == people:
            return
        if time.monotonic() > deadline:
            raise Void(f"the campaign is {told['state']} and counts {told['counts']}, where {people} were sent")
        time.sleep(0.5)


def _asked(stage: Stage, method: str, path: str, body: object | None = None) -> Any:
    """What the API answers. Raises `Void` where it refuses."""
    connection = stage.connection()
    connection.request(method, path, None if body is None else json.dumps(body).encode(), stage.headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise Void(f"{method} {path} answered {answer.status}: {text[:300]!r}")
    return json.loads(text)
