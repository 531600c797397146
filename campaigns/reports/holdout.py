"""What the messages of a run brought: those who were meant to get one, compared with those who were held out.

Both are everybody of the audience, whether a message reached them or not and whether they clicked or not: chance alone
says who is in which, so that nothing but the messages makes the difference. What people did counts as told by products,
not as put down to clicks, of which those who got nothing have none.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from accounts.ids import floor_of
from campaigns import launching
from campaigns.experiments.bayes import Tally
from campaigns.experiments.finding import LEAST_PEOPLE
from campaigns.experiments.uplift import Uplift, uplift
from campaigns.models import Arm, Run
from campaigns.reports.charts import chance
from campaigns.vocabulary import HOLD_OUT

#: A product's clock may be so much ahead of ours, so that what it tells was told before it happened.
_AHEAD: Final = timedelta(minutes=10)

#: How long a comparison stands: it takes up to a second, and moves slowly.
_STANDS: Final = 60

#: Whoever did something in the span, and is in a chunk that was planned; `has_waited` are those of whom the second
#: phase is planned as well. What was told since is a range of the primary key. The one chunk that may have somebody is
#: found by chunk_once, 20 microseconds for each, and every chunk is opened once.
_CONVERTED: Final = """
    WITH converter AS MATERIALIZED (
        SELECT DISTINCT recipient_id AS id
          FROM tracking_conversion
         WHERE id >= %(first)s
           AND at >= %(since)s
           AND at < %(until)s
           AND mode = %(mode)s
           AND recipient_id IS NOT NULL
    ), place AS (
        SELECT chunk.id AS chunk_id, array_agg(converter.id) AS ids
          FROM converter
         CROSS JOIN LATERAL (SELECT id
                               FROM campaigns_chunk
                              WHERE run_id = %(run)s AND phase = 1 AND after_id < converter.id
                              ORDER BY after_id DESC
                              LIMIT 1) AS chunk
         GROUP BY chunk.id
    )
    SELECT person.id, coalesce(later.state = 'planned', FALSE) AS has_waited
      FROM place
      JOIN campaigns_chunk AS chunk ON chunk.id = place.chunk_id
     CROSS JOIN LATERAL (SELECT unnest(place.ids) AS id INTERSECT SELECT unnest(chunk.recipient_ids)) AS person
      LEFT JOIN campaigns_chunk AS later
             ON later.run_id = %(run)s AND later.phase = 2 AND later.after_id = chunk.after_id
     WHERE chunk.state = 'planned'
"""


@dataclass(frozen=True, slots=True)
class Brought:
    """The comparison, in figures and as a sentence. `until` is when people's doings ceased to count."""

    found: Uplift
    held_out: Tally
    until: datetime

    @property
    def sentence(self) -> str:
        """What there is to say."""
        meant, held = self.found.reached, self.held_out
        if min(meant.people, held.people) < LEAST_PEOPLE:
            return (
                f"Too early to tell what the messages bring: {meant.people:,} people were meant to get one and "
                f"{held.people:,} are held out, and {LEAST_PEOPLE} of each are needed."
            )
        direction = "more" if self.found.difference >= 0 else "less"
        if not meant.successes and not held.successes:
            return (
                "Nobody of the audience has converted yet, neither who was meant to get a message nor who is held out."
            )
        more = f"{100 * abs(self.found.difference):.2f} percentage points {direction}"
        true = f"between {100 * self.found.low:+.2f} and {100 * self.found.high:+.2f} with 95 %"
        return (
            f"{100 * meant.rate:.2f} % of all who were meant to get a message converted, whether they clicked or not, "
            f"and {100 * held.rate:.2f} % of those held out: {more} (the true difference lies {true}). "
            f"The messages help with {chance(self.found.helps)}."
        )


def brought(run: Run, arms: list[Arm], at: datetime) -> Brought | None:
    """What a run brought so far, as it was found within the last minute; None where nobody is held out.

    The span is as long as clicks are waited for before a conversion (the longest of its categories), from the start.
    """
    people = {arm.letter: arm.people for arm in arms}
    if not people.get(HOLD_OUT) or run.started_at is None:
        return None
    with suppress(RedisError):
        if known := cache.get(_key(run)):
            return _brought(known)
    until = min(at, run.started_at + _window(run))
    meant = sum(number for letter, number in people.items() if letter != HOLD_OUT)
    found = _Found(meant, people[HOLD_OUT], *_did(run, until), until)
    with suppress(RedisError):
        cache.set(_key(run), found, timeout=_STANDS)
    return _brought(found)


class _Found(NamedTuple):
    """What is kept of a comparison."""

    meant: int
    held: int
    did_meant: int
    did_held: int
    until: datetime


def _brought(found: _Found) -> Brought:
    held_out = Tally(HOLD_OUT, found.held, min(found.did_held, found.held))
    meant = Tally("all", found.meant, min(found.did_meant, found.meant))
    return Brought(uplift([meant], held_out), held_out, found.until)


def _key(run: Run) -> str:
    return f"brought:{run.id}"


def _did(run: Run, until: datetime) -> tuple[int, int]:
    """How many did it of those who were meant to get a message, and of those held out."""
    assert run.started_at is not None
    divided = launching.design(run)
    did = {True: 0, False: 0}
    for person, has_waited in _converted(run, run.started_at, until):
        is_held_out = divided.is_held_out(person)
        if is_held_out or has_waited or divided.is_tested(person):
            did[is_held_out] += 1
    return did[False], did[True]


def _window(run: Run) -> timedelta:
    days = run.campaign.variants.values_list("template__category__attribution_days", flat=True)
    return timedelta(days=max(days, default=0))


def _converted(run: Run, since: datetime, until: datetime) -> list[tuple[UUID, bool]]:
    asked: dict[str, Any] = {
        "run": run.id,
        "mode": run.campaign.mode,
        "first": floor_of(since - _AHEAD),
        "since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONVERTED, asked)
        return list(cursor.fetchall())
