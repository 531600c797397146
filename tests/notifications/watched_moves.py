"""PostgreSQL itself notes every change of state of every delivery: no statement is taken at its word."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from notifications.vocabulary import DeliveryState

#: Gone with the transaction of the test.
_WATCH = """
    CREATE TEMPORARY TABLE watched_move (
        place bigserial, delivery_id uuid, attempt smallint, before text, after text
    ) ON COMMIT DROP;
    CREATE FUNCTION pg_temp.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO watched_move (delivery_id, attempt, before, after)
        VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state);
        RETURN NULL;
    END $$;
    CREATE TRIGGER watched AFTER UPDATE ON notifications_delivery
       FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION pg_temp.note_move()
"""


@dataclass(frozen=True)
class Move:
    """One change of state. `attempt` is the delivery's number of attempts after it."""

    delivery_id: UUID
    attempt: int
    before: DeliveryState
    after: DeliveryState


def watch() -> None:
    """Begin to note moves. Must run within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_WATCH)


def forget() -> None:
    """Forget what was noted."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE watched_move")


def moves() -> list[Move]:
    """What was noted, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT delivery_id, attempt, before, after FROM watched_move ORDER BY place")
        return [Move(row[0], row[1], DeliveryState(row[2]), DeliveryState(row[3])) for row in cursor.fetchall()]
