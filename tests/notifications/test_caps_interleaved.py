"""Caps hold in whichever order workers come, with clocks that disagree, and plans made twice or taken back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.ids import new_id
from accounts.policies import WhenCapped
from notifications import caps
from notifications.planning.plan import plan
from notifications.planning.values import CapRule, Facts, Policy, Send
from tests.planning.examples import NEWS, facts, person

#: Ten thousand examples take their time on a busy machine.
pytestmark = pytest.mark.timeout(900)

START: Final = datetime(2026, 3, 2, 3, tzinfo=UTC)
OTHER: Final = UUID(int=2)
PEOPLE: Final = tuple(
    person(ref=ref, recipient_id=None, phone=f"+8210{place}", email="") for place, ref in enumerate("ab")
)


@dataclass(frozen=True)
class Turn:
    """One worker's chunk: whom it plans for, by which category, how long after the last and how far behind in time."""

    minutes: int
    behind: int
    whom: tuple[int, ...]
    category: UUID
    holds: bool
    is_repeated: bool
    is_taken_back: bool


turns = st.builds(
    Turn,
    minutes=st.integers(0, 50),
    behind=st.integers(0, 55),
    whom=st.sampled_from([(0,), (1,), (0, 1)]),
    category=st.sampled_from([NEWS, OTHER]),
    holds=st.booleans(),
    is_repeated=st.integers(0, 3).map(lambda one: one == 3),
    is_taken_back=st.integers(0, 4).map(lambda one: one == 4),
)
limits = st.fixed_dictionaries(
    {name: st.tuples(st.integers(1, 3), st.integers(1, 3)) for name in ("news", "other", "texts", "everything")}
)


def rules_of(found: dict[str, tuple[int, int]]) -> dict[UUID, tuple[CapRule, ...]]:
    def rule(name: str, category: UUID | None, channel: Channel | None) -> CapRule:
        most, hours = found[name]
        return CapRule(category, channel, most, timedelta(hours=hours))

    shared = (rule("texts", None, Channel.SMS), rule("everything", None, None))
    return {NEWS: (rule("news", NEWS, None), *shared), OTHER: (rule("other", OTHER, None), *shared)}


def asked(turn: Turn, rules: dict[UUID, tuple[CapRule, ...]]) -> Facts:
    when = WhenCapped.HOLD if turn.holds else WhenCapped.DROP
    policy = Policy(turn.category, opt_in=False, is_critical=False, caps=rules[turn.category], when_capped=when)
    return facts(*(PEOPLE[place] for place in turn.whom), channels=(Channel.SMS,), policy=policy)


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(limits, st.lists(turns, max_size=16))
def test_no_cap_is_ever_exceeded(
    redis_client: redis.Redis, found: dict[str, tuple[int, int]], coming: list[Turn]
) -> None:
    redis_client.flushdb()
    rules, now = rules_of(found), START
    granted: dict[tuple[str, UUID], tuple[UUID, datetime]] = {}
    for turn in coming:
        now += timedelta(minutes=turn.minutes)
        at, name, question = now - timedelta(seconds=turn.behind), new_id(), asked(turn, rules)
        decided = caps.counted(plan(question, at), question, name, at)
        if turn.is_repeated:
            decided = caps.counted(plan(question, at), question, name, at)
        left = {one.candidate.person.ref: _leaves(one.verdict, at) for one in decided.decisions}
        if turn.is_taken_back:
            caps.give_back(plan(question, at), question, name, at)
            continue
        granted |= {(ref, name): (turn.category, moment) for ref, moment in left.items() if moment}

    for ref in "ab":
        for rule in {rule for some in rules.values() for rule in some}:
            moments = sorted(
                moment
                for (who, _), (category, moment) in granted.items()
                if who == ref and rule.category_id in (None, category)
            )
            spans = zip(moments, moments[rule.most :], strict=False)
            assert all(last - first >= rule.window - timedelta(milliseconds=1) for first, last in spans)


def _leaves(verdict: Any, at: datetime) -> datetime | None:
    if not isinstance(verdict, Send):
        return None
    return verdict.hold.until if verdict.hold else at
