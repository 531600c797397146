"""All that is held on a person, as one JSON object, written while it is read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import chain
from typing import Any, Final

from django.db.models import Model, QuerySet

from accounts.models import Recipient
from notifications.ledger import holdings
from notifications.ledger.holdings import Holding, Subject
from notifications.models import Delivery
from notifications.timeline import Noted, noted_of, timeline

#: Rows that are in memory at a time.
_PAGE: Final = 200


def export(person: Recipient, at: datetime) -> Iterator[str]:
    """The object, piece by piece: a list of rows for each table, the newest first."""
    subject = Subject(person.pk, person.external_id, person.email, person.phone, asked_at=at)
    yield f'{{"exported_at": {_json(at)}'
    tables = {holding.name: holding for holding in chain(holdings.at_once(), holdings.bit_by_bit()) if holding.is_told}
    for name, holding in tables.items():
        yield f",\n{_json(name)}: ["
        for number, row in enumerate(_rows(holding, subject)):
            yield f"{',' if number else ''}\n  {_json(row)}"
        yield "]"
    yield "}\n"


def _rows(holding: Holding, subject: Subject) -> Iterator[Mapping[str, Any]]:
    theirs = holding.theirs(subject)
    if issubclass(holding.model, Delivery):
        theirs = theirs.select_related("notification__version__template", "notification__category")
    for page in _pages(theirs):
        if issubclass(holding.model, Delivery):
            told = zip(page, noted_of(page), strict=True)
            yield from (_columns(delivery) | _message(delivery, noted) for delivery, noted in told)
        else:
            yield from map(_columns, page)


def _pages(rows: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    """By their primary keys, a page at a time: a cursor on the server would not outlast a pool of connections."""
    page = list(rows.order_by("-pk")[:_PAGE])
    while page:
        yield page
        page = list(rows.filter(pk__lt=page[-1].pk).order_by("-pk")[:_PAGE]) if len(page) == _PAGE else []


def _message(delivery: Delivery, noted: Noted) -> dict[str, Any]:
    """What was said, and what became of it."""
    notification = delivery.notification
    return {
        "template": notification.version.template.name,
        "version": notification.version.number,
        "category": notification.category.slug,
        "data_of_notification": notification.data,
        "timeline": [asdict(moment) for moment in timeline(delivery, noted)],
    }


def _columns(row: Model) -> dict[str, Any]:
    return {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
