"""The first answer to an idempotency key, decided by a unique constraint and not by a look-up."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.ids import new_id


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request as far as repetition goes: whose it is, its key, and the SHA-256 of what it asks."""

    application_id: UUID
    key: str
    digest: bytes


#: Of two requests with one key at once, the second waits here until the first has committed or given up.
_FIRST = """
    INSERT INTO notifications_idempotencykey (id, application_id, key, digest, answer)
    VALUES (%(id)s, %(application)s, %(key)s, %(digest)s, '')
        ON CONFLICT (application_id, key) DO NOTHING
    RETURNING id
"""

_ANSWER = """
    UPDATE notifications_idempotencykey
       SET answer = %(answer)s
     WHERE application_id = %(application)s AND key = %(key)s
"""

_FOUND = (
    "SELECT digest, answer FROM notifications_idempotencykey WHERE application_id = %(application)s AND key = %(key)s"
)


def is_first(repeat: Repeat) -> bool:
    """Whether this key is new. Then its answer must be kept in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST,
            {"id": new_id(), "application": repeat.application_id, "key": repeat.key, "digest": repeat.digest},
        )
        return cursor.fetchone() is not None


def keep(repeat: Repeat, answer: str) -> None:
    """Keep the answer for repetitions."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWER, {"answer": answer, "application": repeat.application_id, "key": repeat.key})


def found(repeat: Repeat) -> tuple[bytes, str]:
    """The digest and the answer of the first request with this key."""
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, {"application": repeat.application_id, "key": repeat.key})
        digest, answer = cursor.fetchone()
        return bytes(digest), answer
