"""The demo on paper: it can be played at any hour, and says what is other than it promises."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.demo import rules, scenes
from config.demo.scenes import Played
from config.demo.story import Ending


def ending(where: str, state: str, reason: str = "", told: Sequence[tuple[str, str]] = ()) -> Ending:
    """A delivery as the API tells it, and as it should have arrived."""
    delivery: dict[str, Any] = {
        "recipient": "jimin",
        "queue": where,
        "channel": where,
        "state": state,
        "reason": reason,
        "timeline": [{"at": "2026-11-25T12:00:00Z", "what": what, "detail": detail} for what, detail in told],
    }
    return Ending(delivery, 1 if state in {"sent", "delivered"} else 0)


HELD = [("held", "held by quiet hours 21:00-08:00 Asia/Seoul, category Offers; due 2026-11-26 08:07")]
PUSH = ending("ios", "sent", told=[("escalated", "attempt 1, goes on by sms")])
SMS = ending("sms", "delivered", told=[("escalated", "Nothing was heard of it on the channel before")])

GOOD: dict[Callable[[Sequence[Ending]], str], list[Ending]] = {
    scenes.everywhere: [ending(queue, "sent") for queue, count in scenes.EXPECTED.items() for _ in range(count)],
    scenes.opted_out: [ending(channel, "suppressed", "opted_out") for channel in ("push", "sms", "email")],
    scenes.held: [ending("sms", "scheduled", told=HELD)],
    scenes.capped: [ending("sms", "delivered"), ending("sms", "suppressed", "capped")],
    scenes.escalated: [PUSH, SMS],
}


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
)
def test_at_every_moment_there_is_a_place_where_the_night_goes_on_for_two_hours(at: datetime) -> None:
    zone = ZoneInfo(rules.night_zone(at))

    for moment in (at, at + timedelta(hours=2) - timedelta(minutes=1)):
        local = moment.astimezone(zone)
        assert local.hour >= 21 or local.hour < 8


def test_every_scene_has_a_good_ending() -> None:
    for scene in scenes.SCENES:
        good = GOOD[scene.flaw]
        assert len(good) == scene.deliveries
        assert Played(scene, good).flaw == ""


@pytest.mark.parametrize(
    ("rule", "endings", "says"),
    [
        (scenes.everywhere, GOOD[scenes.everywhere][1:], "{'android': 3, 'web': 1, 'sms': 2, 'email': 2} arrived"),
        (scenes.opted_out, [], "there is nothing"),
        (scenes.opted_out, [*GOOD[scenes.opted_out][:2], ending("email", "sent")], "email sent (jimin); it should be"),
        (
            scenes.opted_out,
            [ending(channel, "suppressed", "no_address") for channel in ("push", "sms", "email")],
            "push suppressed (jimin, no_address) for another reason",
        ),
        (scenes.held, [ending("sms", "delivered")], "sms delivered (jimin); it should be sms scheduled"),
        (scenes.held, [ending("sms", "scheduled")], "for another reason"),
        (scenes.capped, [ending("sms", "delivered")] * 2, "it should be sms delivered, sms suppressed"),
        (
            scenes.capped,
            [ending("sms", "delivered"), ending("sms", "suppressed", "no_address")],
            "sms suppressed (jimin, no_address) for another reason",
        ),
        (scenes.escalated, [PUSH], "ios sent (jimin); it should be ios sent, sms delivered"),
        (scenes.escalated, [ending("ios", "sent"), ending("sms", "delivered")], "nothing tells why"),
    ],
)
def test_a_scene_that_came_out_otherwise_says_so(
    rule: Callable[[Sequence[Ending]], str], endings: list[Ending], says: str
) -> None:
    assert says in rule(endings)


def test_what_a_provider_took_twice_is_a_flaw() -> None:
    twice = Ending(SMS.delivery, 2)
    scene = next(scene for scene in scenes.SCENES if scene.flaw is scenes.escalated)

    assert Played(scene, [PUSH, twice]).flaw == "sms delivered (jimin), taken by providers 2 times"


def test_what_was_kept_back_and_sent_all_the_same_is_a_flaw() -> None:
    scene = next(scene for scene in scenes.SCENES if scene.flaw is scenes.held)
    leaked = Ending(GOOD[scenes.held][0].delivery, 1)

    assert "taken by providers 1 times" in Played(scene, [leaked]).flaw
