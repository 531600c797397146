"""Push tokens: registered, moved, replaced, retired."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.devices import register, registration, retire, retire_many
from accounts.models import Device
from tests.builders import apns_token, caller, device, fcm_token, fields_named, iphone, person

pytestmark = pytest.mark.django_db

PATH = "/v1/recipients/jimin/devices"
NOW = timezone.now()
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def ios(token: str = "", **more: Any) -> dict[str, Any]:
    return {"platform": "ios", "token": token or apns_token(), **more}


def android(token: str = "", **more: Any) -> dict[str, Any]:
    return {"platform": "android", "token": token or fcm_token(), **more}


def holders(token: str) -> list[str]:
    return list(Device.objects.live().filter(token=token).values_list("recipient__external_id", flat=True))


def test_an_app_registers_its_token() -> None:
    person()

    answer = caller().post(PATH, ios(app_version="2.1.0"))

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["platform"], told["service"], told["app_version"]) == ("ios", "apns", "2.1.0")
    assert holders(apns_token()) == ["jimin"]


def test_a_token_is_never_told() -> None:
    person()
    api = caller()

    for answer in (api.post(PATH, ios()), api.get(PATH), api.get("/v1/recipients/jimin")):
        assert apns_token() not in answer.content.decode()


def test_registering_again_changes_only_what_the_app_reports() -> None:
    person()
    api = caller()
    first = api.post(PATH, ios(app_version="1")).json()

    answer = api.post(PATH, ios(app_version="2"))

    assert answer.status_code == 200
    again = answer.json()
    assert (again["id"], again["app_version"]) == (first["id"], "2")
    assert again["registered_at"] > first["registered_at"]
    assert Device.objects.count() == 1


def test_a_token_that_somebody_else_has_moves() -> None:
    device(person("minsu"))
    person()

    answer = caller().post(PATH, ios())

    assert answer.status_code == 201
    assert holders(apns_token()) == ["jimin"]


def test_the_same_text_from_another_service_is_another_token() -> None:
    jimin, text = person(), "a" * 40
    api = caller()

    for service in ("fcm", "pushy"):
        assert api.post(PATH, android(text, service=service)).status_code == 201

    assert Device.objects.live().filter(recipient=jimin).count() == 2


@pytest.mark.parametrize(
    ("service", "token"),
    [
        ("jpush", "1a0018970aa2b9e8c44"),
        ("jpush", "0a0018970aa"),
        ("pushy", "a6345d0278adc55d3474f5"),
        ("pushy", "a6f36efb913f1def30c6"),
    ],
)
def test_services_for_china_have_tokens_of_their_own(service: str, token: str) -> None:
    person()

    answer = caller().post(PATH, android(token, service=service))

    assert (answer.status_code, answer.json()["service"]) == (201, service)
    assert holders(token) == ["jimin"]


def test_apple_tokens_are_the_same_in_capitals() -> None:
    person()
    api = caller()
    api.post(PATH, ios("ab" * 32))

    assert api.post(PATH, ios("AB" * 32)).status_code == 200


def test_replacing_leaves_these_devices_and_no_others() -> None:
    jimin = person()
    kept, gone = device(jimin, iphone(apns_token("a"))), device(jimin, iphone(apns_token("b")))

    answer = caller().put(PATH, {"devices": [ios(apns_token("a")), android()]})

    assert answer.status_code == 200, answer.content
    assert [told["platform"] for told in answer.json()] == ["ios", "android"]
    assert answer.json()[0]["id"] == str(kept.id)
    gone.refresh_from_db()
    assert (gone.retired_at is not None, gone.retired_because) == (True, "replaced by the API")


def test_replacing_by_nothing_retires_all() -> None:
    device(person())

    assert caller().put(PATH, {"devices": []}).json() == []
    assert not Device.objects.live().exists()


def test_replacing_by_the_same_token_twice_keeps_one() -> None:
    person()

    assert len(caller().put(PATH, {"devices": [ios(), ios()]}).json()) == 1


def test_a_bad_entry_is_named_by_its_place_and_nothing_is_replaced() -> None:
    kept = device(person())

    answer = caller().put(PATH, {"devices": [android(), ios("short"), {"platform": "ios"}]})

    assert (answer.status_code, fields_named(answer)) == (422, {"devices[1].token", "devices[2].token"})
    assert list(Device.objects.live()) == [kept]


def test_signing_out_retires_the_device_once() -> None:
    signed_out = device(person())
    api = caller()

    answers = [api.delete(f"{PATH}/{signed_out.id}").status_code for _ in range(2)]

    assert answers == [204, 404]
    assert api.get(PATH).json() == []


def test_nobody_retires_the_device_of_somebody_else() -> None:
    theirs = device(person("minsu"))
    person()

    assert caller().delete(f"{PATH}/{theirs.id}").status_code == 404
    assert Device.objects.live().exists()


@pytest.mark.parametrize("owner", ["jimin", "minsu"])
def test_a_retired_token_that_is_registered_again_lives_as_a_new_device(owner: str) -> None:
    people = {name: person(name) for name in ("jimin", "minsu")}
    old = device(people[owner])
    retire(old, timezone.now(), "Unregistered")
    assert holders(apns_token()) == []

    answer = caller().post(PATH, ios())

    assert answer.status_code == 201
    assert answer.json()["id"] != str(old.id)
    assert holders(apns_token()) == ["jimin"]


def test_a_token_that_takes_anothers_place_is_the_same_device() -> None:
    person()
    api = caller()
    first = api.post(PATH, android(fcm_token("old"))).json()

    answer = api.post(PATH, android(fcm_token("new"), replaces=fcm_token("old")))

    assert (answer.status_code, answer.json()["id"]) == (200, first["id"])
    assert (holders(fcm_token("old")), holders(fcm_token("new"))) == ([], ["jimin"])
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("had", "status"),
    [
        # (whose the old token is, whose the new one is)
        (("minsu", None), 201),
        (("jimin", "minsu"), 201),
        (("jimin", "jimin"), 200),
        ((None, None), 201),
        ((None, "jimin"), 200),
    ],
)
def test_whoever_had_them_only_the_new_token_is_left_and_with_the_one_who_reports_it(
    had: tuple[str | None, str | None], status: int
) -> None:
    people = {name: person(name) for name in ("jimin", "minsu")}
    for name, token in zip(had, ("old", "new"), strict=True):
        if name:
            device(people[name], registration("android", fcm_token(token)))

    answer = caller().post(PATH, android(fcm_token("new"), replaces=fcm_token("old")))

    assert answer.status_code == status, answer.content
    assert (holders(fcm_token("old")), holders(fcm_token("new"))) == ([], ["jimin"])


def test_a_token_that_replaces_itself_is_registered_again() -> None:
    device(person())

    assert caller().post(PATH, ios(replaces=apns_token().upper())).status_code == 200
    assert holders(apns_token()) == ["jimin"]


def test_what_is_replaced_must_look_like_a_token() -> None:
    person()

    assert fields_named(caller().post(PATH, ios(replaces="no token"))) == {"replaces"}
    assert not Device.objects.exists()


# --- not heard of ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("service", "days", "is_stale", "is_expired"),
    [
        ("fcm", 0, False, False),
        ("fcm", 30, False, False),
        ("fcm", 31, True, False),
        ("fcm", 270, True, False),
        ("fcm", 271, True, True),
        # Apple's tokens do not expire by themselves
        ("apns", 31, True, False),
        ("apns", 271, True, False),
    ],
)
def test_a_device_that_nobody_heard_of_for_long_is_flagged_and_stays(
    service: str, days: int, *, is_stale: bool, is_expired: bool
) -> None:
    silent = registration("android", fcm_token()) if service == "fcm" else iphone()
    found, _ = register(person(), silent, NOW - timedelta(days=days))

    assert (found.is_stale(NOW), Device.objects.stale(NOW).exists()) == (is_stale, is_stale)
    assert Device.objects.expired(NOW).exists() == is_expired
    assert Device.objects.live().exists()


def test_who_is_heard_of_again_is_stale_no_more_and_the_retired_never_were() -> None:
    jimin, month_ago = person(), NOW - timedelta(days=40)
    register(jimin, iphone(apns_token("a")), month_ago)
    gone, _ = register(jimin, iphone(apns_token("b")), month_ago)
    assert Device.objects.stale(NOW).count() == 2

    register(jimin, iphone(apns_token("a")), NOW)
    retire(gone, NOW, "Unregistered")

    assert not Device.objects.stale(NOW).exists()
    gone.refresh_from_db()
    assert not gone.is_stale(NOW)


def test_how_many_days_are_long_is_a_setting(settings: Any) -> None:
    register(person(), iphone(), NOW - timedelta(days=8))
    settings.DEVICE_STALE_DAYS = 7

    assert Device.objects.stale(NOW).exists()


BAD: list[tuple[str, Any, set[str]]] = [
    ("no platform", {"token": apns_token()}, {"platform"}),
    ("an unknown platform", ios(platform="symbian"), {"platform"}),
    ("a platform that is a list", ios(platform=["ios"]), {"platform"}),
    ("no token", {"platform": "ios"}, {"token"}),
    ("an empty token", {"platform": "ios", "token": ""}, {"token"}),
    ("a token that is null", {"platform": "ios", "token": None}, {"token"}),
    ("an Apple token that is not hexadecimal", ios("z" * 64), {"token"}),
    ("an Apple token with an odd digit", ios("a" * 65), {"token"}),
    ("a Google token with a space", android(f"a b{'x' * 40}"), {"token"}),
    ("a registration id of JPush with another length", android("1a0018970aa2b9e8c4", service="jpush"), {"token"}),
    ("a registration id of JPush that is not hexadecimal", android("1a0018970aa2b9e8c4z", service="jpush"), {"token"}),
    ("a token of Pushy with a dash", android("a6345d02-78adc55d3474f5", service="pushy"), {"token"}),
    ("a token of JPush for an iPhone", ios("1a1018970aa2b9e8c44", service="jpush"), {"service"}),
    ("a token too long", android("x" * 4097), {"token"}),
    ("a token with a line break", android(f"{'x' * 20}\n{'x' * 20}"), {"token"}),
    ("NUL in the token", ios(f"{apns_token()}\0"), {"token"}),
    ("a service that cannot reach the platform", ios(service="fcm"), {"service"}),
    ("an unknown service", ios(service="pigeon"), {"service"}),
    ("an app version too long", ios(app_version="1" * 41), {"app_version"}),
    ("an app version with a line break", ios(app_version="1\n2"), {"app_version"}),
    ("an unknown field", ios(model="iPhone"), {"model"}),
    ("a list", [ios()], {"body"}),
]


@pytest.mark.parametrize(("body", "fields"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_registration_is_refused_by_field(body: Any, fields: set[str]) -> None:
    person()

    answer = caller().post(PATH, body)

    assert (answer.status_code, fields_named(answer)) == (422, fields)
    assert not Device.objects.exists()


def test_at_most_fifty_devices_in_one_request() -> None:
    person()

    answer = caller().put(PATH, {"devices": [android(fcm_token(f"t{i}")) for i in range(51)]})

    assert (answer.status_code, fields_named(answer)) == (422, {"devices"})


@pytest.mark.parametrize(
    ("method", "body"), [("get", None), ("post", ios()), ("put", {"devices": []})], ids=["get", "post", "put"]
)
def test_nobody_known_has_no_devices(method: str, body: Any) -> None:
    given = () if body is None else (body,)

    assert getattr(caller(), method)(PATH, *given).status_code == 404


RETIREMENTS = [
    ("the provider does not say since when", None, True),
    ("dead since after the registration", LATER, True),
    ("dead since the moment of the registration", NOW, True),
    ("dead before it was registered again", EARLIER, False),
]


@pytest.mark.parametrize(
    ("since", "retired"), [case[1:] for case in RETIREMENTS], ids=[case[0] for case in RETIREMENTS]
)
def test_the_moment_that_the_provider_names_decides(since: Any, retired: bool) -> None:
    registered, _ = register(person(), iphone(), NOW)

    assert retire_many([(registered.id, since, "Unregistered")], LATER) == int(retired)

    registered.refresh_from_db()
    assert (registered.retired_at == LATER, registered.retired_because) == (retired, "Unregistered" if retired else "")


def test_the_first_retirement_stands() -> None:
    registered, _ = register(person(), iphone(), NOW)
    retire_many([(registered.id, None, "first")], NOW)

    assert retire_many([(registered.id, None, "second")], LATER) == 0

    registered.refresh_from_db()
    assert (registered.retired_at, registered.retired_because) == (NOW, "first")


def test_a_long_reason_is_cut_and_no_devices_are_no_trouble() -> None:
    registered = device(person())

    assert retire_many([(registered.id, None, "x" * 500)], NOW) == 1
    assert retire_many([], NOW) == 0

    registered.refresh_from_db()
    assert len(registered.retired_because) == 200
