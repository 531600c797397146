"""What no database can keep, in one entry of a batch: it is refused with its field, and the others are kept."""

import json
from typing import Any

import pytest

from notifications.models import Notification, PendingReceipt
from tests.api.shop import DATA, jimin, shop
from tests.builders import caller, person
from tests.tracking.reacting import sent
from tracking.models import Conversion

pytestmark = pytest.mark.django_db

#: What is in a text or stands for a value, as JSON writes it, and what is said of it.
UNKEPT = [
    pytest.param(r'"a\u0000b"', "Contains a NUL character", id="NUL"),
    pytest.param(r'"\ud800"', "Contains half of a surrogate pair", id="first half of a pair"),
    pytest.param(r'"x\udc00y"', "Contains half of a surrogate pair", id="second half of a pair"),
    pytest.param(r'"\ud800\u0041"', "Contains half of a surrogate pair", id="half of a pair and a letter"),
    pytest.param(r'{"a": ["\u0000"]}', "Contains a NUL character", id="NUL further inside"),
    pytest.param("1e400", "too large", id="larger than any float"),
    pytest.param("-1e400", "too large", id="smaller than any float"),
    pytest.param("9" * 5000, "too large", id="longer than any integer"),
    pytest.param("[" * 33 + "]" * 33, "Nested more than 32 levels", id="nested too deeply"),
]
#: Names of fields, which cannot be repeated in an answer.
UNNAMED = [
    pytest.param(r"\u0000", "Contains a NUL character", id="NUL"),
    pytest.param(r"\ud800", "Contains half of a surrogate pair", id="half of a pair"),
]
WHOLE = [
    pytest.param(r"{\u0022a\u0022: 1}", id="quotes outside of a text"),
    pytest.param('{"a": NaN}', id="NaN"),
    pytest.param('{"a": -Infinity}', id="Infinity"),
    pytest.param('{"a": 1,}', id="a comma too many"),
    pytest.param('{"a": 01}', id="a leading zero"),
    pytest.param('{"a": "\n"}', id="a line break in a text"),
    pytest.param(r'{"a": "\ud80"}', id="half of an escape"),
    pytest.param('{"a": 1e400} x', id="something behind"),
    pytest.param("[" * 100_000, id="open for ever"),
]


def told(caller: Any, path: str, name: str, *entries: Any) -> Any:
    """Entries are JSON, or what is made JSON of."""
    written = ", ".join(one if isinstance(one, str) else json.dumps(one) for one in entries)
    return caller.post(path, f'{{"{name}": [{written}]}}')


def refused(answer: Any) -> dict[str, str]:
    """The errors of the one entry that was refused, by field."""
    body = answer.json()
    assert (answer.status_code < 300, body["rejected"]) == (True, 1), body
    [one] = [one for one in body["results"] if one["status"] == 422]
    assert one["index"] == 1
    return {error["field"]: error["message"] for error in one["problem"]["errors"]}


@pytest.mark.parametrize(("value", "says"), UNKEPT)
def test_a_conversion_that_cannot_be_kept_spoils_no_other(value: str, says: str) -> None:
    person("jimin")
    good = [{"ref": "first", "recipient": "jimin"}, {"ref": "last", "recipient": "jimin"}]

    errors = refused(
        told(
            caller(),
            "/v1/conversions",
            "conversions",
            good[0],
            f'{{"ref": "bad", "recipient": "jimin", "name": {value}}}',
            good[1],
        )
    )

    assert {field.partition(".")[0] for field in errors} == {"name"}
    assert all(says in message for message in errors.values())
    assert set(Conversion.objects.values_list("ref", flat=True)) == {"first", "last"}


@pytest.mark.parametrize(("value", "says"), UNKEPT)
def test_an_event_that_cannot_be_kept_spoils_no_other(value: str, says: str) -> None:
    api = shop()
    [sent_one] = sent()
    Notification.objects.update(application=api.application)
    delivery = str(sent_one.pk)
    good = [{"delivery": delivery, "kind": "opened"}, {"delivery": delivery, "kind": "delivered"}]
    bad = f'{{"delivery": "{delivery}", "kind": "clicked", "link": {value}}}'

    errors = refused(told(api, "/v1/events", "events", good[0], bad, good[1]))

    assert {field.partition(".")[0] for field in errors} == {"link"}
    assert all(says in message for message in errors.values())
    assert PendingReceipt.objects.count() == 2


@pytest.mark.parametrize(("value", "says"), UNKEPT)
def test_a_notification_that_cannot_be_kept_spoils_no_other(value: str, says: str) -> None:
    api = shop()
    jimin()
    good = {"template": "restock", "recipients": ["jimin"], "data": DATA}
    bad = f'{{"template": "restock", "recipients": ["jimin"], "data": {{"user_name": {value}}}}}'

    errors = refused(told(api, "/v1/notifications/batch", "notifications", good, bad, good))

    assert {field.partition(".")[0] for field in errors} == {"data"}
    assert all(says in message for message in errors.values())
    assert Notification.objects.count() == 2


@pytest.mark.parametrize(("name", "says"), UNNAMED)
def test_a_field_whose_name_cannot_be_kept_is_told_without_its_name(name: str, says: str) -> None:
    person("jimin")
    good = {"ref": "first", "recipient": "jimin"}

    errors = refused(told(caller(), "/v1/conversions", "conversions", good, f'{{"{name}": 1}}'))

    assert list(errors) == ["body"]
    assert says in errors["body"]


@pytest.mark.parametrize("entry", [pytest.param('"\\u0000"', id="NUL"), pytest.param("1e400", id="too large")])
def test_an_entry_that_is_no_object_and_cannot_be_kept_is_refused_as_others_are(entry: str) -> None:
    person("jimin")
    good = {"ref": "first", "recipient": "jimin"}

    assert list(refused(told(caller(), "/v1/conversions", "conversions", good, entry))) == ["body"]


def test_a_batch_of_nothing_else_keeps_nothing() -> None:
    answer = told(caller(), "/v1/conversions", "conversions", *(['{"ref": "\\u0000"}'] * 1000))

    assert (answer.json()["accepted"], answer.json()["rejected"]) == (0, 1000)


@pytest.mark.parametrize("path", ["/v1/conversions", "/v1/events", "/v1/notifications/batch", "/v1/campaigns"])
@pytest.mark.parametrize("body", WHOLE)
def test_what_is_no_json_is_refused_as_a_whole(path: str, body: str) -> None:
    answer = caller().post(path, body)

    assert (answer.status_code, answer.json()["type"]) == (400, "/docs/problems#malformed")
    assert "not valid JSON" in answer.json()["detail"]


@pytest.mark.parametrize(("value", "says"), UNKEPT)
@pytest.mark.parametrize("path", ["/v1/conversions", "/v1/events", "/v1/notifications/batch"])
def test_beside_the_entries_it_is_refused_as_a_whole(path: str, value: str, says: str) -> None:
    name = path.rpartition("/")[2].replace("batch", "notifications")

    answer = caller().post(path, f'{{"{name}": [{{}}], "colour": {value}}}')

    assert answer.status_code == 422
    assert says in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(("value", "says"), UNKEPT)
def test_where_there_are_no_entries_the_field_is_told(value: str, says: str) -> None:
    answer = caller().post("/v1/conversions", f'{{"ref": "a", "recipient": "jimin", "name": {value}}}')

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"].partition(".")[0]) == (422, "name")
    assert says in error["message"]
