"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7).

The first 48 bits are milliseconds since the epoch, so ids sort by time, and the log can be
partitioned by day on its primary key alone.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID, SafeUUID

import psycopg2.extensions
import psycopg2.extras
import uuid_utils


class Id(UUID):
    """A UUID that keeps its text and works out its number only when it is compared.

    A delivery's way through the pipeline reads eight ids out of the database and writes seven into it again; with
    plain UUIDs that was a seventh of a worker's time.
    """

    __slots__ = ("_number", "_text")

    _text: str
    _number: int

    @classmethod
    def of(cls, text: str) -> "Id":
        """The id written as `text`, which must be 36 lower-case characters, as PostgreSQL writes them."""
        made = object.__new__(cls)
        object.__setattr__(made, "_text", text)
        return made

    def __str__(self) -> str:
        return self._text

    def __hash__(self) -> int:
        return hash(self.int)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Id.of, (self._text,)

    @property  # type: ignore[misc] # a slot of UUID, filled here when it is asked for
    def int(self) -> int:
        """The number, as UUID has it."""
        try:
            return self._number
        except AttributeError:
            number = int(self._text.replace("-", ""), 16)
            object.__setattr__(self, "_number", number)
            return number

    @property  # type: ignore[misc] # likewise
    def is_safe(self) -> SafeUUID:
        """Whether the machine promises uniqueness; unknown, as for every UUID that was read."""
        return SafeUUID.unknown


def new_id() -> UUID:
    """One identifier, later than every one this process made before."""
    return Id.of(str(uuid_utils.uuid7()))


def new_ids(count: int) -> list[UUID]:
    """`count` identifiers in ascending order."""
    return [Id.of(str(uuid_utils.uuid7())) for _ in range(count)]


def floor_of(at: datetime) -> UUID:
    """The smallest identifier that can be made at `at` or later: a bound for ranges and partitions."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def instant_of(identifier: UUID) -> datetime:
    """When an identifier was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)


def array_of(ids: Iterable[UUID]) -> str:
    """`ids` as one parameter `%(ids)s::uuid[]`: psycopg2 would adapt them one by one, at 1.5 microseconds each."""
    return "{" + ",".join(map(str, ids)) + "}"


@lru_cache(maxsize=16_384)
def _read(text: str) -> Id:
    """The same object for an id that is read again: from its batch, its claim and its record."""
    return Id.of(text)


def read_as_ids() -> None:
    """Let psycopg2 give every uuid of the database as an `Id`. To be called after Django has loaded its backend."""
    one = psycopg2.extensions.new_type((2950,), "ID", lambda text, _cursor: None if text is None else _read(text))
    psycopg2.extensions.register_type(one)
    psycopg2.extensions.register_type(psycopg2.extensions.new_array_type((2951,), "ID[]", one))
    psycopg2.extensions.register_adapter(Id, psycopg2.extras.UUID_adapter)
