"""A campaign of two variants through everything at once: kills, a pause, a lost Redis, no beat."""

import http.client
import random
import time
from collections.abc import Callable
from typing import Any, Final

import redis

from benchmarks import campaigns, people
from benchmarks.chaos.processes import kill, pids
from benchmarks.stage import Stage, Void

#: How the external ids begin of those whom it reaches; four for each of those with a device whom others reach.
STORM: Final = "storm-"
TIMES: Final = 4.0
_TEMPLATES: Final = ("restock", "restock")
#: Seconds between two kills, for which the API is asked again, and until the report has caught up.
_BREATH: Final = 0.7
_PATIENCE: Final = 30.0
_CATCHES_UP: Final = 60.0
_LATEST: Final = "SELECT id::text FROM campaigns_campaign ORDER BY id DESC LIMIT 1"
_BY_STATE: Final = """
    SELECT delivery.state, count(*)
      FROM notifications_delivery AS delivery
      JOIN campaigns_arm AS arm ON arm.notification_id = delivery.notification_id
      JOIN campaigns_run AS run ON run.id = arm.run_id
     WHERE run.campaign_id = %s
     GROUP BY delivery.state
"""


class Disagreement(Exception):
    """The report tells something else than the providers; the message says what."""


def begin(stage: Stage, size: int) -> Callable[[], None]:
    """Two variants to everybody, started by the API."""
    people.bring_in(stage, STORM, size, address="device")
    campaigns.start(stage, campaigns.written(stage, STORM, _TEMPLATES))
    return lambda: None


def strike(stage: Stage, outage: float) -> None:
    """kill -9 for any process, one after the other; in the midst of it beat, Redis, and a pause of two seconds."""
    campaign = _campaign(stage)
    began, calm = time.monotonic(), [_flushed, _without_beat, _paused]
    while (passed := time.monotonic() - began) < outage or calm:
        alive = pids(stage, "celery -A config", "granian")
        kill(random.sample(alive, min(1, len(alive))))
        if calm and passed >= outage * (4 - len(calm)) / 4:
            calm.pop(0)(stage, campaign)
        time.sleep(_BREATH)


def agrees(stage: Stage) -> None:
    """Raises `Disagreement` unless the report counts just what the log holds, and what the providers took."""
    campaign = _campaign(stage)
    deadline = time.monotonic() + _CATCHES_UP
    while True:
        run = _insist(lambda: campaigns.latest_run(stage, campaign))
        states = dict(stage.rows(_BY_STATE, campaign))
        told, uncertain = run["counts"], states.get("uncertain", 0)
        taken = sum(bool(seen.accepted) for seen in stage.sent().values())
        sure = states.get("sent", 0) + states.get("delivered", 0)
        wrong = []
        if run["state"] != "finished" or run["percent"] != 100:
            wrong.append(f"the run is {run['state']}, {run['percent']} %")
        if told["sent"] != sure + uncertain or told["planned"] != sum(states.values()):
            wrong.append(f"the report has {told}, the log {states}")
        if not sure <= taken <= sure + uncertain:
            wrong.append(f"the providers took {taken}, the log has {states}")
        if not wrong:
            return
        if time.monotonic() > deadline:
            raise Disagreement("; ".join(wrong))
        time.sleep(0.5)


def _flushed(stage: Stage, _campaign_id: str) -> None:
    with redis.Redis.from_url(stage.about["redis_url"]) as client:
        client.flushall()


def _without_beat(stage: Stage, _campaign_id: str) -> None:
    kill(pids(stage, "config beat"))


def _paused(stage: Stage, campaign: str) -> None:
    """Raises `Disagreement` where the providers go on taking messages two seconds after a pause."""
    _insist(lambda: campaigns.asked(stage, "POST", f"/v1/campaigns/{campaign}/pause"))
    time.sleep(2)
    before = stage.accepted()
    time.sleep(2)
    went_on = stage.accepted() - before
    _insist(lambda: campaigns.asked(stage, "POST", f"/v1/campaigns/{campaign}/resume"))
    if went_on:
        raise Disagreement(f"{went_on} messages left while the campaign was paused")


def _insist(ask: Callable[[], Any]) -> Any:
    """What the API answers, once it does: its process may just have been killed."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return ask()
        except (OSError, http.client.HTTPException, Void):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def _campaign(stage: Stage) -> str:
    return str(stage.rows(_LATEST)[0][0])
