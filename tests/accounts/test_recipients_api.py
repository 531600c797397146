"""/v1/recipients/{external_id}: what is kept of a person, and what is refused."""

from typing import Any

import pytest

from accounts.models import Device, Preference, Recipient
from tests.builders import caller, category, device, fields_named, person

pytestmark = pytest.mark.django_db

PATH = "/v1/recipients/jimin"
JIMIN = {
    "email": "Jimin@Example.com",
    "phone": "+82 10-1234-5678",
    "locale": "ko_kr",
    "country": "kr",
    "time_zone": "Asia/Seoul",
    "attributes": {"grade": "gold", "points": 12},
}


def test_put_creates_a_person_with_every_value_in_its_normal_form() -> None:
    answer = caller().put(PATH, JIMIN)

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["external_id"] == "jimin"
    assert (told["email"], told["phone"]) == ("jimin@example.com", "+821012345678")
    assert (told["locale"], told["country"], told["time_zone"]) == ("ko-KR", "KR", "Asia/Seoul")
    assert (told["attributes"], told["devices"]) == ({"grade": "gold", "points": 12}, [])


def test_put_replaces_all_that_is_known_and_leaves_devices_and_preferences() -> None:
    api = caller()
    api.put(PATH, JIMIN)
    jimin = Recipient.objects.get()
    device(jimin)
    Preference.objects.create(recipient=jimin, allowed=False)

    answer = api.put(PATH, {"phone": "+821099998888"})

    assert answer.status_code == 200
    told = answer.json()
    assert (told["phone"], told["email"], told["locale"], told["attributes"]) == ("+821099998888", "", "", {})
    assert len(told["devices"]) == 1
    assert Preference.objects.count() == 1


def test_get_says_what_put_said() -> None:
    api = caller()
    told = api.put(PATH, JIMIN).json()

    assert api.get(PATH).json() == told


def test_a_person_is_the_same_for_every_application() -> None:
    caller().put(PATH, JIMIN)

    assert caller().get(PATH).json()["email"] == "jimin@example.com"


def test_patch_changes_what_is_named_only() -> None:
    api = caller()
    api.put(PATH, JIMIN)

    told = api.patch(PATH, {"email": "new@example.com"}).json()

    assert told["email"] == "new@example.com"
    assert (told["phone"], told["locale"], told["attributes"]) == ("+821012345678", "ko-KR", JIMIN["attributes"])


def test_patch_merges_attributes_and_removes_those_set_to_null() -> None:
    api = caller()
    api.put(PATH, JIMIN)

    told = api.patch(PATH, {"attributes": {"points": 13, "grade": None, "city": "서울"}}).json()

    assert told["attributes"] == {"points": 13, "city": "서울"}


def test_an_empty_text_means_unknown() -> None:
    api = caller()
    api.put(PATH, JIMIN)

    assert api.patch(PATH, {"phone": ""}).json()["phone"] == ""


def test_a_change_is_dated() -> None:
    api = caller()
    before = api.put(PATH, JIMIN).json()["updated_at"]

    assert api.patch(PATH, {"locale": "en"}).json()["updated_at"] > before


def test_delete_forgets_the_person_with_devices_and_preferences() -> None:
    jimin = person()
    device(jimin)
    Preference.objects.create(recipient=jimin, category=category(), channel="sms", allowed=False)
    api = caller()

    assert api.delete(PATH).status_code == 204

    assert not Recipient.objects.exists()
    assert not Device.objects.exists()
    assert not Preference.objects.exists()
    assert api.get(PATH).status_code == 404


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("path", [PATH, "/v1/recipients/%00", "/v1/recipients/한글", f"/v1/recipients/{'x' * 500}"])
def test_who_is_not_known_is_not_found(method: str, path: str) -> None:
    answer = getattr(caller(), method)(path)

    assert answer.status_code == 404
    assert fields_named(answer) == set()


def test_patch_does_not_create_anybody() -> None:
    assert caller().patch(PATH, {"locale": "ko"}).status_code == 404
    assert not Recipient.objects.exists()


GOOD_IDS = ["7", "user.name", "a:b", "a@example.com", "A|B", "0" * 128]


@pytest.mark.parametrize("external_id", GOOD_IDS)
def test_an_external_id_may_be(external_id: str) -> None:
    assert caller().put(f"/v1/recipients/{external_id}", {}).status_code == 201


@pytest.mark.parametrize("external_id", ["-a", ".", "a%20b", "지민", "a%0A", "a%00b", "x" * 129])
def test_an_external_id_cannot_be(external_id: str) -> None:
    answer = caller().put(f"/v1/recipients/{external_id}", {})

    assert (answer.status_code, fields_named(answer)) == (422, {"external_id"})
    assert not Recipient.objects.exists()


BAD: list[tuple[str, Any, int, set[str]]] = [
    ("an email without a host", {"email": "jimin@"}, 422, {"email"}),
    ("an email too long", {"email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com"}, 422, {"email"}),
    ("an email with a line break", {"email": "a@example.com\nBcc: b@example.com"}, 422, {"email"}),
    ("an email that is a number", {"email": 7}, 422, {"email"}),
    ("an email that is null", {"email": None}, 422, {"email"}),
    ("a national phone number", {"phone": "010-1234-5678"}, 422, {"phone"}),
    ("a phone number too short", {"phone": "+821"}, 422, {"phone"}),
    ("a phone number in words", {"phone": "call me"}, 422, {"phone"}),
    ("a locale in words", {"locale": "Korean language"}, 422, {"locale"}),
    ("a country nobody knows", {"country": "XX"}, 422, {"country"}),
    ("a country by name", {"country": "Korea"}, 422, {"country"}),
    ("a time zone as an offset", {"time_zone": "+09:00"}, 422, {"time_zone"}),
    ("the clock of some machine", {"time_zone": "localtime"}, 422, {"time_zone"}),
    ("a clock that nobody set", {"time_zone": "Factory"}, 422, {"time_zone"}),
    ("a time zone as a path", {"time_zone": "../../etc/passwd"}, 422, {"time_zone"}),
    ("attributes that are a list", {"attributes": [1]}, 422, {"attributes"}),
    ("an attribute no template can name", {"attributes": {"a b": 1}}, 422, {"attributes"}),
    ("101 attributes", {"attributes": {f"a{i}": 1 for i in range(101)}}, 422, {"attributes"}),
    ("an unknown field", {"e_mail": "a@example.com"}, 422, {"e_mail"}),
    ("an unknown field beside a bad one", {"emial": "x", "country": "XX"}, 422, {"emial", "country"}),
    ("NUL in a value", {"locale": "k\0"}, 422, {"locale"}),
    ("NUL in an attribute", {"attributes": {"a": ["b\0"]}}, 422, {"attributes.a[0]"}),
    ("two bad fields", {"email": "x", "phone": "y"}, 422, {"email", "phone"}),
    ("a list", [JIMIN], 422, {"body"}),
    ("a text", '"jimin"', 422, {"body"}),
    ("no JSON", "{", 400, set()),
    ("a number out of range", '{"attributes": {"a": 1e400}}', 422, {"attributes.a"}),
    ("half a surrogate pair", '{"attributes": {"a": "\\ud800"}}', 422, {"attributes.a"}),
]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(("body", "status", "fields"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_refused_by_field_and_nothing_is_half_written(
    method: str, body: Any, status: int, fields: set[str]
) -> None:
    person(email="old@example.com")
    given = {**JIMIN, **body} if isinstance(body, dict) else body

    answer = getattr(caller(), method)(PATH, given)

    assert (answer.status_code, fields_named(answer)) == (status, fields)
    kept = Recipient.objects.get()
    assert (kept.email, kept.phone, kept.attributes) == ("old@example.com", "", {})


def test_attributes_cannot_grow_past_their_limit_by_patches() -> None:
    api = caller()
    api.put(PATH, {"attributes": {f"a{i}": 1 for i in range(100)}})

    answer = api.patch(PATH, {"attributes": {"one_more": 1}})

    assert (answer.status_code, fields_named(answer)) == (422, {"attributes"})
    assert len(Recipient.objects.get().attributes) == 100
    assert api.patch(PATH, {"attributes": {"one_more": 1, "a0": None}}).status_code == 200


def test_another_method_is_not_taken() -> None:
    assert caller().post(PATH, {}).status_code == 405


def test_a_person_may_have_quiet_hours_of_their_own() -> None:
    api = caller()
    hours = {"from": "22:00", "until": "07:30"}

    assert api.put(PATH, {**JIMIN, "quiet_hours": hours}).json()["quiet_hours"] == hours
    assert api.patch(PATH, {"locale": "en"}).json()["quiet_hours"] == hours
    assert api.put(PATH, JIMIN).json()["quiet_hours"] == hours, "which the person may have chosen on their own page"
    assert api.patch(PATH, {"quiet_hours": None}).json()["quiet_hours"] is None
    api.patch(PATH, {"quiet_hours": hours})
    assert api.put(PATH, {**JIMIN, "quiet_hours": None}).json()["quiet_hours"] is None


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        ({"from": "22:00"}, '{"from": "22:00", "until": "07:00"}'),
        ("22:00-07:00", '{"from": "22:00", "until": "07:00"}'),
        ({"from": "22:00", "until": "07:00", "zone": "x"}, '{"from": "22:00", "until": "07:00"}'),
        ({"from": "24:00", "until": "07:00"}, "from 00:00 to 23:59"),
        ({"from": "ten", "until": "07:00"}, "from 00:00 to 23:59"),
        ({"from": "22:00", "until": "22:00"}, "two different times"),
    ],
)
def test_impossible_quiet_hours_are_refused_with_what_would_be_right(hours: object, says: str) -> None:
    answer = caller().put(PATH, {**JIMIN, "quiet_hours": hours})

    assert answer.status_code == 422
    assert says in answer.json()["errors"][0]["message"]
    assert not Recipient.objects.exists()
