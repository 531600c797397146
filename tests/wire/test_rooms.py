"""How many requests may be under way to an origin: what its connections have shown that they take, and one more."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from notifications.wire.rooms import Rooms

ORIGIN = "push.example:443"


class Connections:
    """Sockets' numbers that are really open."""

    def __init__(self) -> None:
        self._open: list[int] = []

    def one(self) -> int:
        self._open.append(os.dup(0))
        return self._open[-1]

    def close(self, connection: int) -> None:
        os.close(connection)
        self._open.remove(connection)

    def close_all(self) -> None:
        for connection in list(self._open):
            self.close(connection)


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections()
    yield made
    made.close_all()


@pytest.fixture
def rooms() -> Rooms[str]:
    """At each look at the clock, a second has passed."""
    ticks = count(1)
    return Rooms(clock=lambda: float(next(ticks)))


def answered(rooms: Rooms[str], connection: int, *, multiplexes: bool = True) -> None:
    """One request, from its beginning to its answer."""
    began = rooms.begin(ORIGIN)
    rooms.answered(ORIGIN, connection, began, multiplexes=multiplexes)
    rooms.end(ORIGIN, began)


def test_the_first_request_to_an_origin_goes_alone_and_so_does_the_first_on_every_connection(
    rooms: Rooms[str], connections: Connections
) -> None:
    assert rooms.limit(ORIGIN) == 1
    for proven in range(1, 4):
        answered(rooms, connections.one())
        assert rooms.limit(ORIGIN) == 100 * proven + 1


def test_a_connection_counts_once_and_for_its_own_origin(rooms: Rooms[str], connections: Connections) -> None:
    connection = connections.one()
    answered(rooms, connection)
    answered(rooms, connection)

    assert rooms.limit(ORIGIN) == 101
    assert rooms.limit("other.example:443") == 1


def test_an_origin_of_http_1_has_a_connection_for_each_request_and_no_limit_here(
    rooms: Rooms[str], connections: Connections
) -> None:
    answered(rooms, connections.one(), multiplexes=False)

    assert rooms.limit(ORIGIN) > 10_000


def test_to_an_origin_that_nobody_reaches_all_go_and_fail_together(rooms: Rooms[str], connections: Connections) -> None:
    rooms.failed(ORIGIN)
    assert rooms.limit(ORIGIN) > 10_000

    answered(rooms, connections.one())
    assert rooms.limit(ORIGIN) == 101
    rooms.failed(ORIGIN)
    assert rooms.limit(ORIGIN) == 101, "one that was reached before is not given up for a request that was not answered"


def test_a_connection_that_was_closed_or_whose_number_is_another_ones_now_gives_no_room(
    rooms: Rooms[str], connections: Connections
) -> None:
    first, second = connections.one(), connections.one()
    answered(rooms, first)
    answered(rooms, second)
    assert rooms.limit(ORIGIN) == 201

    connections.close(first)
    rooms.opened(connections.one() + 1000)
    assert rooms.limit(ORIGIN) in (101, 201), "its number may have been taken at once"
    rooms.opened(second)
    rooms.opened(first)
    assert rooms.limit(ORIGIN) == 1


def test_one_that_refuses_after_it_has_answered_goes_away_and_the_others_stay(
    rooms: Rooms[str], connections: Connections
) -> None:
    leaving, staying = connections.one(), connections.one()
    answered(rooms, leaving)
    answered(rooms, staying)

    rooms.refused(ORIGIN, leaving)

    assert rooms.limit(ORIGIN) == 101
    answered(rooms, staying)
    assert rooms.limit(ORIGIN) == 101


def test_where_a_new_connection_refuses_only_those_are_believed_in_that_answer_what_begins_from_now_on(
    rooms: Rooms[str], connections: Connections
) -> None:
    leaving, staying, new = connections.one(), connections.one(), connections.one()
    answered(rooms, leaving)
    answered(rooms, staying)
    before = rooms.begin(ORIGIN)

    rooms.refused(ORIGIN, new)

    assert rooms.limit(ORIGIN) == 1
    # what was under way is answered by one that goes away, and proves nothing
    rooms.answered(ORIGIN, leaving, before, multiplexes=True)
    rooms.end(ORIGIN, before)
    assert rooms.limit(ORIGIN) == 1
    answered(rooms, staying)
    assert rooms.limit(ORIGIN) == 101


def test_whoever_was_refused_comes_again_as_soon_as_there_is_room(rooms: Rooms[str], connections: Connections) -> None:
    alone = rooms.begin(ORIGIN)
    for who in ("a", "b", "c"):
        rooms.wait(ORIGIN, who)
    assert rooms.next(ORIGIN) is None

    rooms.end(ORIGIN, alone)
    assert rooms.next(ORIGIN) == "a"
    rooms.begin(ORIGIN)
    assert rooms.next(ORIGIN) is None

    assert [rooms.forget(ORIGIN, "b"), rooms.forget(ORIGIN, "b")] == [True, False]
    answered(rooms, connections.one())
    assert [rooms.next(ORIGIN), rooms.next(ORIGIN)] == ["c", None]


def test_an_origin_that_closes_every_connection_with_its_answer_is_not_served_one_by_one_for_ever(
    rooms: Rooms[str],
) -> None:
    for _ in range(20):
        assert rooms.limit(ORIGIN) == 1
        answered(rooms, -1)

    assert rooms.limit(ORIGIN) > 10_000
