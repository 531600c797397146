"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7).

The first 48 bits are milliseconds since the epoch, so ids sort by time, and the log can be
partitioned by day on its primary key alone.
"""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """One identifier, later than every one this process made before."""
    return UUID(int=uuid_utils.uuid7().int)


def new_ids(count: int) -> list[UUID]:
    """`count` identifiers in ascending order."""
    return [UUID(int=uuid_utils.uuid7().int) for _ in range(count)]


def floor_of(at: datetime) -> UUID:
    """The smallest identifier that can be made at `at` or later: a bound for ranges and partitions."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def instant_of(identifier: UUID) -> datetime:
    """When an identifier was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)
