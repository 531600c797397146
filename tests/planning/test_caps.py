"""How many messages are too many, in every span of time; and what becomes of one that would be."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import WhenCapped
from notifications.planning.plan import plan
from notifications.planning.rules.caps import Full, Granted, capped, first_room, fits, in_words, wants
from notifications.planning.values import CapRule, Drop, Facts, Policy, Send
from notifications.vocabulary import Reason
from tests.planning.examples import NEWS, NOON, facts, person

DAY = CapRule(NEWS, None, most=3, window=timedelta(hours=24))
WEEK = CapRule(NEWS, None, most=10, window=timedelta(days=7))
TEXTS = CapRule(None, Channel.SMS, most=1, window=timedelta(hours=12))


def asked(*caps: CapRule, policy: dict[str, Any] | None = None, **more: Any) -> Facts:
    rules = {"opt_in": False, "is_critical": False, "name": "marketing", "caps": caps, **(policy or {})}
    return facts(person(), policy=Policy(NEWS, **rules), **more)


@pytest.mark.parametrize(
    ("taken", "most", "at", "room"),
    [
        ([], 1, 0, 0),
        ([0], 1, 5, 10),  # the one before must have fallen out of the window
        ([0], 1, 10, 10),  # half-open: exactly a window later it has
        ([0, 1], 2, 5, 10),
        ([0, 4, 8], 3, 9, 10),
        ([5], 1, 0, 15),  # what is to leave later counts as well
        ([5], 2, 0, 0),
        ([5, 15, 25], 1, 0, 35),
        ([12], 1, 0, 0),  # far enough before it
    ],
)
def test_there_is_room_where_no_span_of_a_window_has_too_many(
    taken: list[float], most: int, at: float, room: float
) -> None:
    assert first_room(taken, most, 10, at) == room


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(1, 4), st.integers(1, 20), st.integers(0, 60))
def test_the_first_room_is_room_and_there_is_none_before_it(
    moments: list[int], most: int, window: int, at: int
) -> None:
    taken: list[float] = []
    for moment in moments:
        if fits(taken, most, window, moment):
            taken = sorted([*taken, moment])

    room = first_room(taken, most, window, at)

    assert fits(taken, most, window, room)
    assert not any(fits(taken, most, window, earlier) for earlier in range(at, int(room)))


def test_a_message_counts_once_a_channel_however_many_devices_it_goes_to() -> None:
    question = asked(DAY, TEXTS)

    found = wants(plan(question, NOON), question, NOON)

    assert [(one.place, one.rules) for one in found] == [(0, (DAY,)), (1, (DAY, TEXTS)), (2, (DAY,))]
    assert all(one.at == NOON == one.until for one in found), "what is dropped when it is too many waits for nothing"


def test_what_is_not_sent_is_not_counted() -> None:
    question = asked(DAY, suppressed=frozenset({(Channel.SMS, "+821012345678")}))

    assert [one.place for one in wants(plan(question, NOON), question, NOON)] == [0, 2]


def test_a_category_without_caps_asks_for_nothing() -> None:
    question = asked()

    assert wants(plan(question, NOON), question, NOON) == []


def test_what_is_critical_is_counted_and_never_too_many() -> None:
    question = asked(DAY, policy={"is_critical": True, "when_capped": WhenCapped.HOLD})

    assert all(one.counts_only and one.until == NOON for one in wants(plan(question, NOON), question, NOON))


def test_one_that_is_held_waits_for_room_as_long_as_it_is_of_use() -> None:
    expires = NOON + timedelta(hours=5)
    question = asked(DAY, policy={"when_capped": WhenCapped.HOLD}, expires_at=expires)

    assert {one.until for one in wants(plan(question, NOON), question, NOON)} == {expires}


def test_the_answers_become_drops_and_holds_with_their_reason() -> None:
    question = asked(DAY, WEEK)
    later = NOON + timedelta(hours=3)

    decided = capped(plan(question, NOON), {0: Granted(NOON), 1: Full(DAY), 2: Granted(later)}, question.policy, NOON)

    push, sms, email = (one.verdict for one in decided.decisions)
    assert isinstance(push, Send)
    assert push.hold is None
    assert sms == Drop(Reason.CAPPED, "3 of 3 in 24 h, category marketing")
    assert isinstance(email, Send)
    assert email.hold is not None
    assert (email.hold.until, email.hold.rule) == (later, "capped")
    assert email.hold.detail == (
        "held by the cap of 3 in 24 h, category marketing and 10 in 7 days, category marketing; "
        "due 2026-03-02 15:00 UTC"
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (DAY, "3 in 24 h, category marketing"),
        (WEEK, "10 in 7 days, category marketing"),
        (TEXTS, "1 in 12 h, all categories by sms"),
        (CapRule(UUID(int=1), Channel.PUSH, 5, timedelta(hours=1)), "5 in 1 h, category marketing by push"),
    ],
)
def test_a_cap_can_be_read_back(rule: CapRule, words: str) -> None:
    assert in_words(rule, asked().policy) == words
