"""POST /v1/conversions: told once or often, put down to the last click, or refused with a word for each field."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale
from babel.numbers import get_territory_currencies

from accounts.channels import Mode
from accounts.models import Application
from notifications.clock import clock
from notifications.models import Delivery, Notification
from tests.builders import Caller, caller, fields_named
from tests.tracking.reacting import NOW, PART, clicked, counts, earned, engagement, person_of, sent
from tracking.currencies import CURRENCIES
from tracking.models import Conversion

pytestmark = pytest.mark.django_db


def owner_of(delivery: Delivery, mode: Mode = Mode.LIVE, **values: Any) -> Caller:
    """The program whose message this is."""
    api = caller(mode=mode, **values)
    Notification.objects.filter(pk=delivery.notification_id).update(
        application_id=Application.objects.order_by("-id")[0].pk, mode=mode.value
    )
    return api


def external_id_of(delivery: Delivery) -> str:
    return person_of(delivery).external_id


def bought(delivery: Delivery, **values: Any) -> dict[str, Any]:
    return {"ref": "order-1", "delivery": str(delivery.pk), "value": "39000", "currency": "KRW", **values}


def told(api: Caller, body: Any) -> dict[str, Any]:
    answer = api.post("/v1/conversions", body)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_conversion_goes_to_the_click_before_it_and_is_rolled_up() -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    clicked(delivery, NOW - timedelta(minutes=20))

    answer = told(api, bought(delivery, name="purchase"))

    assert answer["attributed_to"] == str(delivery.pk)
    row = Conversion.objects.get()
    assert (row.name, row.recipient_id, row.part_of, row.look_again_at) == (
        "purchase", delivery.recipient_id, PART, None,
    )  # fmt: skip
    assert counts()["converted"] == (1, 1)
    assert earned() == {"KRW": (1, Decimal(39000))}
    assert engagement(delivery).converted_at == row.at


def test_a_person_is_named_by_their_id_and_the_last_click_wins_whosever_message_it_was() -> None:
    first, second, third = sent(3)
    Delivery.objects.filter(pk__in=[second.pk, third.pk]).update(recipient=first.recipient_id)
    clicked(first, NOW - timedelta(minutes=20))
    clicked(second, NOW - timedelta(minutes=10))

    answer = told(caller(), {"ref": "a", "recipient": external_id_of(first)})

    assert answer["attributed_to"] == str(second.pk)


def test_a_click_after_it_is_not_why() -> None:
    first, second = sent(2)
    Delivery.objects.filter(pk=second.pk).update(recipient=first.recipient_id)
    clicked(first, NOW - timedelta(minutes=20))
    clicked(second, NOW)
    clicked(first, NOW)

    at = (NOW - timedelta(minutes=5)).isoformat()
    answer = told(caller(), {"ref": "a", "recipient": external_id_of(first), "at": at})

    assert answer["attributed_to"] == str(first.pk)


@pytest.mark.parametrize(("days", "is_put_down"), [(2, True), (4, False)])
def test_the_category_of_what_was_clicked_says_how_long_a_click_counts(days: int, *, is_put_down: bool) -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    category = delivery.notification.category
    category.attribution_days = 3
    category.save()
    clicked(delivery, NOW - timedelta(days=days))

    answer = told(api, bought(delivery))

    assert bool(answer["attributed_to"]) == is_put_down
    assert ("converted" in counts()) == is_put_down
    assert answer["explanation"].startswith("The last click" if is_put_down else "No click of this person")


def test_a_contact_has_the_clicks_of_the_delivery_that_is_named() -> None:
    first, second = sent(2)
    Delivery.objects.update(recipient=None)
    api = owner_of(first)
    clicked(first)
    clicked(second)

    assert told(api, bought(first))["attributed_to"] == str(first.pk)


def test_what_is_told_twice_counts_once_and_is_answered_the_same() -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    clicked(delivery)

    answers = [told(api, bought(delivery)) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert counts()["converted"] == (1, 1)


def test_two_conversions_of_a_person_are_one_person_and_two_times() -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    clicked(delivery)

    told(api, bought(delivery))
    told(api, bought(delivery, ref="order-2", value="1.5", currency="USD"))

    assert counts()["converted"] == (1, 2)
    assert earned() == {"KRW": (1, Decimal(39000)), "USD": (1, Decimal("1.5"))}


@pytest.mark.parametrize(
    "other", [{"value": "39001"}, {"currency": "JPY"}, {"name": "visit"}, {"at": NOW.isoformat()}], ids=str
)
def test_another_thing_under_the_same_ref_is_refused(other: dict[str, str]) -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    told(api, bought(delivery, at=(NOW - timedelta(minutes=1)).isoformat()))

    answer = api.post("/v1/conversions", bought(delivery, **other))

    assert fields_named(answer) == {"ref"}
    assert next(iter(other)) in answer.json()["detail"]
    assert Conversion.objects.count() == 1


def test_another_application_has_refs_of_its_own() -> None:
    [delivery] = sent()
    body = {"ref": "order-1", "recipient": external_id_of(delivery)}

    assert told(caller(), body)["id"] != told(caller(), body)["id"]


SOMEBODY = {"ref": "a", "recipient": "jimin"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"ref"}),
        ({"ref": "a"}, {"recipient"}),
        ({"ref": "", "recipient": "jimin"}, {"ref"}),
        ({"ref": "a" * 201, "recipient": "jimin"}, {"ref"}),
        ({**SOMEBODY, "delivery": "0190a5c0-0000-7000-8000-000000000001"}, {"recipient"}),
        (SOMEBODY, {"recipient"}),
        ({"ref": "a", "delivery": "0190a5c0-0000-7000-8000-000000000001"}, {"delivery"}),
        ({"ref": "a", "delivery": "order"}, {"delivery"}),
        ({**SOMEBODY, "value": "5"}, {"currency"}),
        ({**SOMEBODY, "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "-1", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "100000000001", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "1e400", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "NaN", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "Infinity", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "0.0000001", "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": [1], "currency": "KRW"}, {"value"}),
        ({**SOMEBODY, "value": "1", "currency": "krw"}, {"currency"}),
        ({**SOMEBODY, "value": "1", "currency": "ABC"}, {"currency"}),
        ({**SOMEBODY, "at": "yesterday"}, {"at"}),
        ({**SOMEBODY, "amount": 5}, {"amount"}),
        ({"ref": 5.5, "recipient": {"id": 1}}, {"recipient"}),
        ([], {"body"}),
        ("order-1", {"body"}),
        ({"conversions": []}, {"conversions"}),
        ({"conversions": {}}, {"conversions"}),
        ({"conversions": [{}] * 1001}, {"conversions"}),
        ({"conversions": [{}], "ref": "a"}, {"ref"}),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(body: Any, fields: set[str]) -> None:
    answer = caller().post("/v1/conversions", body if isinstance(body, dict) else json.dumps(body))

    assert answer.status_code == 422, answer.content
    assert fields_named(answer) == fields
    assert not Conversion.objects.exists()


@pytest.mark.parametrize(
    ("away", "is_taken"),
    [
        (timedelta(minutes=4), True),
        (timedelta(minutes=6), False),
        (-timedelta(days=89), True),
        (-timedelta(days=91), False),
    ],
)
def test_it_happened_in_the_last_ninety_days(away: timedelta, *, is_taken: bool) -> None:
    [delivery] = sent()
    body = {"ref": "a", "recipient": external_id_of(delivery), "at": (clock.now() + away).isoformat()}

    answer = caller().post("/v1/conversions", body)

    assert (answer.status_code == 200) == is_taken
    assert is_taken or fields_named(answer) == {"at"}


def test_a_delivery_of_another_application_is_unknown() -> None:
    [delivery] = sent()

    assert fields_named(caller().post("/v1/conversions", bought(delivery))) == {"delivery"}


def test_tests_and_life_are_kept_apart() -> None:
    live, test = sent(2)
    Delivery.objects.filter(pk=test.pk).update(recipient=live.recipient_id)
    api, trying = owner_of(live), caller(mode=Mode.TEST)
    clicked(live)

    assert told(trying, {"ref": "a", "recipient": external_id_of(live)})["attributed_to"] is None
    Notification.objects.update(mode=Mode.TEST.value)
    assert fields_named(api.post("/v1/conversions", bought(live))) == {"delivery"}


def test_an_application_without_the_scope_may_not_tell() -> None:
    assert caller(scopes=["notifications:write"]).post("/v1/conversions", SOMEBODY).status_code == 403


def test_many_are_told_at_once_and_the_good_ones_are_kept() -> None:
    first, second = sent(2)
    api = owner_of(first)
    clicked(first)
    clicked(second)
    one = bought(first)
    entries = [one, None, {"ref": "x"}, bought(second, ref="b"), one, {**one, "value": "1"}, {**SOMEBODY, "ref": "c"}]

    answer = told(api, {"conversions": entries})

    assert [result["status"] for result in answer["results"]] == [200, 422, 422, 200, 200, 422, 422]
    assert (answer["accepted"], answer["rejected"]) == (3, 4)
    assert [error["field"] for error in answer["results"][2]["problem"]["errors"]] == ["recipient"]
    assert answer["results"][0]["conversion"] == answer["results"][4]["conversion"]
    assert [error["field"] for error in answer["results"][5]["problem"]["errors"]] == ["ref"]
    assert counts()["converted"] == (2, 2)


def test_an_hour_has_room_for_any_number_of_the_dearest_conversions() -> None:
    [delivery] = sent()
    api = owner_of(delivery)
    clicked(delivery)
    dearest = [bought(delivery, ref=f"order-{number}", value="100000000000") for number in range(1000)]

    assert told(api, {"conversions": dearest})["accepted"] == 1000
    assert told(api, bought(delivery, ref="one more", value="0.000001"))["attributed_to"] == str(delivery.pk)
    assert earned() == {"KRW": (1001, Decimal("100000000000000.000001"))}


def test_every_currency_that_is_paid_with_today_is_known() -> None:
    territories = [str(code) for code in Locale("en").territories]
    countries = [code for code in territories if len(code) == 2 and code.isalpha()]
    paid = {currency for code in countries for currency in get_territory_currencies(code, tender=True)}

    assert paid - CURRENCIES == set()
