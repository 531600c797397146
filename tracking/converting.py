"""What a product counts as a success: told once or often, it is kept once, and put down to a click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from django.db import connection, transaction

from accounts.channels import Mode
from accounts.ids import array_of, new_ids
from accounts.models import Recipient
from notifications.models import Delivery
from notifications.models.turnouts import NO_PART
from tracking.attributing import LOOK_AGAIN, attribute
from tracking.models import Conversion


@dataclass(frozen=True, slots=True)
class Teller:
    """The application that tells, and whether with a key for tests."""

    application_id: UUID
    mode: Mode


@dataclass(frozen=True, slots=True)
class Told:
    """A conversion as a product tells it, of a person or of whoever got a delivery. No `at`: it is just happening."""

    ref: str
    name: str
    delivery_id: UUID | None = None
    recipient: str = ""
    value: Decimal = Decimal(0)
    currency: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversion as it is kept, and the delivery it is put down to."""

    id: UUID
    ref: str
    attributed_to: UUID | None


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with a conversion, by field."""

    errors: Mapping[str, str] = field(default_factory=dict)


_NO_DELIVERY: Final = "This application has no such delivery, or it is gone from the log."
_OTHER_MODE: Final = "This delivery is of {} mode: tell it with a {} key."
_NO_RECIPIENT: Final = "No recipient has this external_id."
_REUSED: Final = "Was told before with other contents ({} differ). A new conversion needs a ref of its own."

#: In the order of the references, so that two requests at once that tell the same wait for each other in one order.
_KEEP = """
    INSERT INTO tracking_conversion
           (id, application_id, ref, name, mode, recipient_id, delivery_id, value, currency, at, look_again_at, part_of)
    SELECT id, %(application)s, ref, name, %(mode)s, recipient_id, delivery_id, value, currency, at, %(look_again)s,
           %(no_part)s
      FROM unnest(%(ids)s::uuid[], %(refs)s::text[], %(names)s::text[], %(recipients)s::uuid[], %(deliveries)s::uuid[],
                  %(values)s::numeric[], %(currencies)s::text[], %(ats)s::timestamptz[])
           AS told (id, ref, name, recipient_id, delivery_id, value, currency, at)
     ORDER BY ref, id
        ON CONFLICT (application_id, ref) DO NOTHING
    RETURNING id
"""


def tell(told: Sequence[Told], by: Teller, at: datetime) -> Sequence[Kept | Refused]:
    """Keep what is new and can be kept; one answer for each, in order.

    1. Whom each is about. A delivery of another application, or a person nobody knows, is refused.
    2. Those whose reference is new are written, put down to clicks, and counted, all in one transaction.
    3. What was told before is answered as it was, unless something else is told now under its reference.
    """
    whose = _whose(told, by)
    known = [one for one in told if isinstance(whose[_named(one)], _Whose)]
    with transaction.atomic():
        if new := _keep([(one, whose[_named(one)]) for one in known], by, at):
            attribute(new)
        rows = Conversion.objects.filter(application=by.application_id, ref__in={one.ref for one in known})
        kept = {row.ref: row for row in rows}
    return [_answer(one, whose[_named(one)], kept.get(one.ref), by) for one in told]


# --- whom it is about --------------------------------------------------------------------------------
class _Whose(msgspec.Struct, frozen=True, gc=False):
    recipient_id: UUID | None
    delivery_id: UUID | None = None


def _named(one: Told) -> UUID | str:
    return one.delivery_id or one.recipient


def _whose(told: Sequence[Told], by: Teller) -> Mapping[UUID | str, _Whose | Refused]:
    """By what they are named: the person and the delivery, or what is wrong with the name."""
    deliveries = Delivery.objects.filter(pk__in={one.delivery_id for one in told if one.delivery_id})
    own = deliveries.filter(notification__application_id=by.application_id)
    found: dict[UUID | str, _Whose | Refused] = {
        pk: _Whose(recipient_id, pk) if mode == by.mode else Refused({"delivery": _OTHER_MODE.format(mode, mode)})
        for pk, recipient_id, mode in own.values_list("pk", "recipient_id", "notification__mode")
    }
    people = Recipient.objects.known_as({one.recipient for one in told if one.recipient})
    found |= {external_id: _Whose(pk) for external_id, pk in people.values_list("external_id", "pk")}
    for one in told:
        wrong = {"delivery": _NO_DELIVERY} if one.delivery_id else {"recipient": _NO_RECIPIENT}
        found.setdefault(_named(one), Refused(wrong))
    return found


# --- what is kept ------------------------------------------------------------------------------------
def _keep(told: Sequence[tuple[Told, _Whose | Refused]], by: Teller, at: datetime) -> Sequence[UUID]:
    """The ids of those that are new."""
    whose = [who for _, who in told if isinstance(who, _Whose)]
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "application": by.application_id,
                "mode": by.mode.value,
                "look_again": at + LOOK_AGAIN,
                "no_part": NO_PART,
                "ids": array_of(new_ids(len(told))),
                "refs": [one.ref for one, _ in told],
                "names": [one.name for one, _ in told],
                "recipients": [who.recipient_id for who in whose],
                "deliveries": [who.delivery_id for who in whose],
                "values": [one.value for one, _ in told],
                "currencies": [one.currency for one, _ in told],
                "ats": [one.at or at for one, _ in told],
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _answer(one: Told, who: _Whose | Refused, row: Conversion | None, by: Teller) -> Kept | Refused:
    if isinstance(who, Refused):
        return who
    assert row is not None
    other = [
        name
        for name, is_other in {
            "name": one.name != row.name,
            "delivery": who.delivery_id != row.delivery_id,
            "recipient": who.recipient_id != row.recipient_id,
            "value": one.value != row.value,
            "currency": one.currency != row.currency,
            "at": one.at is not None and one.at != row.at,
            "the key's mode": by.mode != row.mode,
        }.items()
        if is_other
    ]
    return Refused({"ref": _REUSED.format(", ".join(other))}) if other else Kept(row.pk, row.ref, row.attributed_to)
