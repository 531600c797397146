"""Who is on a list, and in the frozen audience of a run.

The place where a chunk begins may be the id of somebody who is gone: it stands between people and leads to nobody.
"""

from typing import Any, Final

from django.db.models import F, Func, OuterRef, QuerySet, Subquery, UUIDField, Value

from campaigns.models import Chunk, Run, SegmentMember
from notifications.ledger.holdings import Bit, Held, Holding, Subject, by_recipient, gone

#: Chunks that lose somebody in one transaction: each is written anew, which takes a fifth of a millisecond.
_TOGETHER: Final = 100
_PHASES: Final = (1, 2)


def chunks_of(subject: Subject) -> QuerySet[Chunk]:
    """Where they stand in what was frozen. In each phase of a run there is one chunk that can have them: the last one
    that begins before their id. So this costs a look into chunk_once for each run that is kept, and reads no other ids.
    """
    places = [
        Run.objects.values_list(
            Subquery(
                Chunk.objects.filter(run=OuterRef("pk"), phase=phase, after_id__lt=subject.recipient_id)
                .order_by("-after_id")
                .values("pk")[:1]
            )
        )
        for phase in _PHASES
    ]
    return Chunk.objects.filter(pk__in=places[0].union(places[1]), recipient_ids__contains=[subject.recipient_id])


def _left_out(rows: QuerySet[Any], subject: Subject) -> Bit:
    """The others stay where they are. A chunk that somebody is just planning is left until the next look."""
    some = list(rows.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)[:_TOGETHER])
    person = Value(subject.recipient_id, output_field=UUIDField())
    Chunk.objects.filter(pk__in=some).update(recipient_ids=Func(F("recipient_ids"), person, function="array_remove"))
    return Bit(len(some), len(some) < _TOGETHER)


HELD: Final = Held(
    at_once=(Holding(SegmentMember, by_recipient(SegmentMember), gone),),
    # a chunk is about a thousand people, so an export does not have it: what they got of it are their deliveries
    bit_by_bit=(Holding(Chunk, chunks_of, _left_out, is_told=False),),
)
