"""Mail that comes back though the address may well be good: once is nothing, many times in a row is an answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from accounts.channels import Channel
from accounts.suppressions import Cause, Unwanted, Witness, suppress_many

#: Which of these addresses have come back before. In one order, as every writer takes them.
_LOCK: Final = """
    SELECT address
      FROM accounts_softbounce
     WHERE address = ANY(%(addresses)s)
     ORDER BY address
       FOR UPDATE
"""

#: What came back before something was delivered counts no more.
_RESET: Final = """
    UPDATE accounts_softbounce AS known
       SET times = ARRAY(SELECT moment FROM unnest(times) AS moment WHERE moment > delivered.at)
      FROM unnest(%(addresses)s::text[], %(ats)s::timestamptz[]) AS delivered (address, at)
     WHERE known.address = delivered.address
"""

#: One more moment for each; those of long ago are left out. Says how many there are now.
_COUNT: Final = """
    INSERT INTO accounts_softbounce AS known (address, times)
    SELECT address, array_agg(at ORDER BY at)
      FROM unnest(%(addresses)s::text[], %(ats)s::timestamptz[]) AS bounced (address, at)
     GROUP BY address
     ORDER BY address
        ON CONFLICT (address) DO UPDATE
       SET times = ARRAY(SELECT moment FROM unnest(known.times || excluded.times) AS moment
                          WHERE moment > %(since)s
                          ORDER BY moment)
    RETURNING address, cardinality(times)
"""

_FORGET: Final = """
    DELETE FROM accounts_softbounce
     WHERE NOT EXISTS (SELECT FROM unnest(times) AS moment WHERE moment > %(before)s)
"""


@dataclass(frozen=True, slots=True)
class Bounce:
    """Mail to `address` came back at `at`; `by` is the account that told."""

    address: str = field(repr=False)
    at: datetime
    by: Witness


def heed(bounced: Iterable[Bounce], delivered: Iterable[tuple[str, datetime]], at: datetime) -> int:
    """Count what came back, begin anew where something was delivered since, and suppress where it is too much.

    `SOFT_BOUNCES` within `SOFT_BOUNCE_DAYS`, with nothing delivered in between, are too much. Says how many addresses
    that were. Bounces told after the delivery that followed them count, where they are told in different rounds.
    """
    reached: dict[str, datetime] = {}
    for address, moment in delivered:
        reached[address] = max(moment, reached.get(address, moment))
    since = at - timedelta(days=settings.SOFT_BOUNCE_DAYS)
    counted = [one for one in bounced if one.at > max(since, reached.get(one.address, since))]
    if not settings.SOFT_BOUNCES or not (counted or reached):
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, {"addresses": [*reached, *(one.address for one in counted)]})
        if cursor.fetchall():
            cursor.execute(_RESET, {"addresses": list(reached), "ats": list(reached.values())})
        if not counted:
            return 0
        cursor.execute(
            _COUNT,
            {"addresses": [one.address for one in counted], "ats": [one.at for one in counted], "since": since},
        )
        full = {address: times for address, times in cursor.fetchall() if times >= settings.SOFT_BOUNCES}
        if full:
            suppress_many([_unwanted(one, full[one.address]) for one in counted if one.address in full], at)
            cursor.execute("DELETE FROM accounts_softbounce WHERE address = ANY(%s)", [list(full)])
    return len(full)


def forget(at: datetime) -> None:
    """What came back so long ago that it counts no more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"before": at - timedelta(days=settings.SOFT_BOUNCE_DAYS)})


def _unwanted(one: Bounce, times: int) -> Unwanted:
    detail = f"{times} soft bounces in {settings.SOFT_BOUNCE_DAYS} days, the last: {one.by.detail}"
    by = Witness(one.by.actor, one.by.via, one.by.name, detail.removesuffix(", the last: "))
    return Channel.EMAIL, one.address, Cause.SOFT_BOUNCE, by
