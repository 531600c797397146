"""How many people some rules mean, and who some of them are: for whoever writes the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from psycopg2.errors import QueryCanceled

from accounts.ids import floor_of
from campaigns.models import Campaign, Segment, Upload
from campaigns.segments.compiling import Person, UnusableRules, checked, compiled, count, sample
from campaigns.segments.keeping import closure
from campaigns.vocabulary import CampaignState, SegmentKind, UploadState

#: Milliseconds that a look may take: nobody waits longer, and everybody else would.
_PATIENCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What the rules come to now."""

    people: int
    some: Sequence[Person]


@dataclass(frozen=True, slots=True)
class Use:
    """Who would notice if a segment changed. `active`: the campaigns that may go out at any moment."""

    campaigns: Sequence[str]
    active: Sequence[str]
    segments: Sequence[str]

    def __str__(self) -> str:
        """As people read it; empty where nobody uses it."""
        told = [f"the campaign “{name}”" for name in self.campaigns]
        return ", ".join([*told, *(f"the segment “{name}”" for name in self.segments)])


def look(rules: Any, at: datetime, own: UUID | None = None) -> Look:
    """Who meets `rules`, which may be those of segment `own`. Raises `UnusableRules`."""
    return _look(checked(rules, at, own), at)


def look_into(segment: Segment, at: datetime) -> Look:
    """Who is in a segment as it is saved. Raises `UnusableRules`."""
    return _look(compiled(segment, at), at)


def used_by(segment: Segment) -> Use:
    """Campaigns for it, and segments that name it."""
    rows = list(Campaign.objects.filter(segment=segment).order_by("name").values_list("name", "state"))
    written = Segment.objects.filter(kind=SegmentKind.RULES).annotate(written=Cast("rules", TextField()))
    naming = written.filter(written__contains=str(segment.pk)).exclude(pk=segment.pk).order_by("name")
    active = {CampaignState.ACTIVE, CampaignState.IN_REVIEW, CampaignState.PAUSED}
    return Use(
        [name for name, _ in rows],
        [name for name, state in rows if state in active],
        list(naming.values_list("name", flat=True)),
    )


def being_read(segment: Segment) -> Sequence[str]:
    """The names of lists in a segment, or that it is, for which a file is being read. Raises `UnusableRules`."""
    uploads = Upload.objects.filter(segment__in=closure(segment), state=UploadState.READING)
    return list(uploads.order_by("segment__name").values_list("segment__name", flat=True).distinct())


def _look(who: Any, at: datetime) -> Look:
    before = floor_of(at)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_PATIENCE)])
            found = Look(count(who, before), sample(who, before))
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        says = f"to count them takes longer than {_PATIENCE // 1000} seconds; ask for less."
        raise UnusableRules("", says) from None
    return found
