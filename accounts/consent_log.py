"""The log of consent: who changed what, when, by which way, from what to what. Lines are only ever added."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from accounts.csv_cells import harmless
from accounts.ids import new_id
from accounts.models import Actor, Aspect, ConsentChange, Recipient, Via

#: What an export says of each change, in this order.
COLUMNS: Final = (
    "at", "about", "recipient", "address", "category", "channel", "before", "after", "who", "name", "via", "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Witness:
    """Who changes something, and how it came: an application, an admin or an account has a name. `detail` is what was
    said about it: by a provider, in an answer, or by an application about where the person said so.
    """

    actor: Actor
    via: Via
    name: str = ""
    detail: str = ""

    @property
    def source(self) -> str:
        """In one phrase, as a preference keeps it."""
        return self.detail or (f"{self.via}: {self.name}" if self.name else self.via.value)


@dataclass(frozen=True, slots=True)
class Change:
    """What was before, and what is now; empty where nothing is said. About a person, or about an address."""

    aspect: Aspect
    before: str
    after: str
    recipient_id: UUID | None = None
    address: str = ""
    category: str = ""
    channel: str = ""


def append(changes: Iterable[Change], at: datetime, by: Witness) -> None:
    """Note changes, in the transaction in which they happen."""
    ConsentChange.objects.bulk_create(
        [
            ConsentChange(
                id=new_id(),
                at=at,
                aspect=change.aspect.value,
                recipient_id=change.recipient_id,
                address=change.address,
                category=change.category,
                channel=change.channel,
                before=change.before[:40],
                after=change.after[:40],
                actor=by.actor.value,
                actor_name=by.name[:150],
                via=by.via.value,
                detail=by.detail[:200],
            )
            for change in changes
        ]
    )


def lines_of(people: Iterable[Recipient]) -> Iterator[Mapping[str, Any]]:
    """Every change that concerns these people, in their order, by the names of `COLUMNS`."""
    for person in people:
        for change in ConsentChange.objects.of(person).iterator(chunk_size=1000):
            yield {
                "at": change.at.isoformat(),
                "about": change.aspect,
                "recipient": person.external_id,
                "address": change.address,
                "category": change.category,
                "channel": change.channel,
                "before": change.before,
                "after": change.after,
                "who": change.actor,
                "name": change.actor_name,
                "via": change.via,
                "detail": change.detail,
            }


def as_csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """CSV with a header. What a spreadsheet would take for a formula is shown to it as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(str(line[name])) for name in COLUMNS] for line in lines)
    return out.getvalue()


def as_json(lines: Iterable[Mapping[str, Any]]) -> str:
    """A JSON array of objects."""
    return json.dumps(list(lines), ensure_ascii=False, indent=2) + "\n"
