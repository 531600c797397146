"""A connection is looked at before a request, without a question to the server."""

import psycopg2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db(transaction=True)


def asked_by_others(statement: str, *values: object) -> None:
    parameters = connection.get_connection_params()
    del parameters["cursor_factory"]
    other = psycopg2.connect(**parameters)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute(statement, values)
    other.close()


def test_a_connection_that_stands_is_usable_and_is_not_asked() -> None:
    connection.ensure_connection()

    with CaptureQueriesContext(connection) as asked:
        assert connection.is_usable()

    assert len(asked) == 0


def test_one_that_the_server_ended_is_not_usable() -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    asked_by_others("SELECT pg_terminate_backend(%s, 5000)", backend)

    assert not connection.is_usable()

    connection.close()


def test_one_that_has_only_been_told_something_is_usable() -> None:
    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
    asked_by_others("NOTIFY news")

    assert connection.is_usable()

    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN news")


def test_one_that_was_closed_here_is_not_usable() -> None:
    connection.ensure_connection()
    connection.connection.close()

    assert not connection.is_usable()

    connection.close()
