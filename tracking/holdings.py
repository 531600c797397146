"""What is known of what people did: told to them, and nobody's once they are erased. The sums stay as they are."""

from typing import Any, Final

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from notifications.ledger import stripping
from notifications.ledger.holdings import Bit, Held, Holding, Subject, by_recipient
from tracking.models import Conversion, Engagement


def _nobodys(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """That something was done stays, to be counted; not by whom."""
    some = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True)[: stripping.TOGETHER])
    rows.filter(pk__in=some).update(recipient=None)
    return Bit(len(some), len(some) < stripping.TOGETHER)


def _anonymous(rows: QuerySet[Any], _subject: Subject) -> Bit:
    """Likewise; and what the product calls it, by which the product may know whose it was, goes."""
    some = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True)[: stripping.TOGETHER])
    named = Concat(Value("erased:"), Cast("pk", CharField()))
    rows.filter(pk__in=some).update(recipient=None, look_again_at=None, ref=named)
    return Bit(len(some), len(some) < stripping.TOGETHER)


#: Looked at again until the erasure has settled: somebody may just have been counting.
HELD: Final = Held(
    bit_by_bit=(
        Holding(Engagement, by_recipient(Engagement), _nobodys),
        Holding(Conversion, by_recipient(Conversion), _anonymous),
    )
)
