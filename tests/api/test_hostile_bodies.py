"""Bodies that no client sends on purpose, to every door of campaigns and tracking: refused with a word, never a 500."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.ids import new_id
from accounts.models import Application
from notifications.models import Notification
from tests.builders import Caller, caller, published
from tests.campaigns.stage import SALE, crowd, segment
from tests.tracking.reacting import sent

pytestmark = pytest.mark.django_db

#: JSON, most of it of a kind that is expected nowhere, and some that is none.
HOSTILE = (
    "null", "true", "0", "-1", "1.5", '""', "[]", "{}", '"x"', '[null]', "[[]]", "[{}]", '{"": 1}',
    "1e308", "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "9" * 4299, "9" * 6000,
    "NaN", "Infinity", "-Infinity", '"NaN"', '"Infinity"', '"1e5"', '"1_000"', '"0x10"', '"１２"',
    r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"x\udc00"', r'["\ud800"]', r'{"\u0000": 1}', r'{"\ud800": 1}',
    r'"\ud83d\ude00"', r'"\uffff"', r'"\n"', '" "', '"' + "x" * 5000 + '"', '"' + "한" * 5000 + '"',
    "[" * 31 + "]" * 31, "[" * 33 + "]" * 33, "[" * 900 + "]" * 900, "[" * 20_000 + "]" * 20_000,
    '{"a": ' * 40 + "1" + "}" * 40, '{"a": 1, "a": 2}',
    '"0000-01-01T00:00"', '"0001-01-01T00:00"', '"9999-12-31T23:59"', '"10000-01-01T00:00"', '"2026-02-30T00:00"',
    '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"24:00"', '"* * * * *"', '"0 0 30 2 *"',
    '"99999999999999999999 * * * *"', '"*/0 * * * *"', '"../../etc/passwd"', '"Asia/Seoul\\n"', '"KRW"', '"once"',
    '"0190a5c0-0000-7000-8000-000000000001"', '"http://["', '"https://a\\u0001b"', '"https://xn--/"', "'x'", "x", "",
)  # fmt: skip

CAMPAIGN: dict[str, Any] = {
    "name": "Spring",
    "segment": "everybody",
    "variants": [{"template": "sale", "weight": 2}, {"template": "sale"}],
    "channels": ["email"],
    "urgency": "bulk",
    "data": {"shop": {"name": "Bongsu"}},
    "schedule": "crontab",
    "starts_wall": "2030-01-01T09:00",
    "crontab": "0 9 * * *",
    "ends_wall": "2031-01-01T09:00",
    "zone": "Asia/Seoul",
    "in_local_time": False,
    "window_from": "09:00",
    "window_until": "18:00",
    "throttle_per_minute": 100,
    "late_hours": 4,
    "split": "fixed",
    "goal": "click",
    "holdout_percent": 10,
    "test_percent": 50,
    "decide_after_hours": 4,
    "decide_by_hours": 24,
    "sure_percent": 95,
}
RULES: dict[str, Any] = {
    "all": [
        {"field": "country", "is": "one of", "value": ["KR", "JP"]},
        {"field": "attributes.plan.name", "is": "at least", "value": 5},
        {"field": "attributes.since", "is": "before", "value": "2026-01-31"},
        {"field": "app_version", "is": "at least", "value": "2.10", "platform": "ios"},
        {"field": "preference", "is": "allows", "value": {"category": "news", "channel": "email"}},
        {"not": {"any": [{"field": "clicked", "is": "within", "value": 30}, {"field": "push", "is": "exists"}]}},
    ]
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A program, a campaign and a segment of it, and a message that it sent."""

    api: Caller
    campaign: str
    segment: str
    delivery: UUID


@pytest.fixture
def stage() -> Stage:
    segment()
    published("sale", SALE)
    crowd(3)
    api = caller(name="shop")
    [delivery] = sent()
    Notification.objects.update(application=Application.objects.get(name="shop"))
    made = api.post("/v1/campaigns", {**CAMPAIGN, "name": "Winter"}).json()["id"]
    return Stage(api, made, api.post("/v1/segments", {"name": "Some"}).json()["id"], delivery.pk)


def anew(**changes: Any) -> dict[str, Any]:
    return {**CAMPAIGN, "name": str(new_id()), **changes}


def conversion(on: Stage) -> dict[str, Any]:
    return {
        "ref": "order-1",
        "name": "purchase",
        "delivery": str(on.delivery),
        "value": "39000",
        "currency": "KRW",
        "at": "2026-11-29T09:00:00Z",
    }


def event(on: Stage) -> dict[str, Any]:
    return {
        "delivery": str(on.delivery),
        "kind": "clicked",
        "at": "2026-11-29T09:00:00Z",
        "link": "https://shop.example/p",
    }


#: Each door: how it is asked, where, and what is good there.
DOORS: Mapping[str, tuple[str, str, Callable[[Stage], Any]]] = {
    "a campaign": ("post", "/v1/campaigns", lambda on: anew()),
    "a campaign at intervals": (
        "post",
        "/v1/campaigns",
        lambda on: anew(schedule="interval", crontab=None, every=1, every_unit="days"),
    ),
    "a campaign by everybody's own clock": (
        "post",
        "/v1/campaigns",
        lambda on: anew(schedule="once", crontab=None, ends_wall=None, in_local_time=True),
    ),
    "start": ("post", "/v1/campaigns/{campaign}/start", lambda on: {"seen": "0123456789abcdef"}),
    "choose": ("post", "/v1/campaigns/{campaign}/choose", lambda on: {"variant": "A"}),
    "a segment": ("post", "/v1/segments", lambda on: {"name": str(new_id()), "rules": RULES}),
    "a segment that is changed": ("put", "/v1/segments/{segment}", lambda on: {"name": "Some", "rules": RULES}),
    "a preview": ("post", "/v1/segments/preview", lambda on: {"rules": RULES}),
    "a conversion": ("post", "/v1/conversions", conversion),
    "conversions": ("post", "/v1/conversions", lambda on: {"conversions": [{"ref": "a"}, conversion(on)]}),
    "events": ("post", "/v1/events", lambda on: {"events": [{"kind": "opened"}, event(on)]}),
}

#: A body in which one thing, or all of it, is something else; and one with a field that nobody knows.
PLACE = "@@@"


def places(value: Any) -> Iterator[Any]:
    """The value with a mark in place of each of its parts."""
    yield PLACE
    match value:
        case dict():
            yield {**value, "colour": PLACE}
            for name, inner in value.items():
                yield from ({**value, name: marked} for marked in places(inner))
        case list():
            for number, inner in enumerate(value):
                yield from ([*value[:number], marked, *value[number + 1 :]] for marked in places(inner))
        case _:
            pass


def is_understood(answer: Any) -> None:
    """Whatever it was: done, or refused by a document that says what is wrong and where."""
    assert answer.status_code in {200, 201, 202, 204, 400, 404, 405, 409, 413, 415, 422}, answer.content
    if answer.status_code < 400:
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    assert all(one["field"] and one["message"] for one in problem.get("errors", ()))
    if answer.status_code == 400:
        assert problem["detail"].startswith("The body is not valid JSON")
    if answer.status_code == 422:
        assert problem["errors"]


# Nothing is shrunk, which would take minutes: the body that failed is told.
@pytest.mark.parametrize("door", DOORS)
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_a_body_says_it_is_taken_or_refused_with_a_word(stage: Stage, door: str, data: st.DataObject) -> None:
    method, path, good = DOORS[door]
    body = json.dumps(data.draw(st.sampled_from(list(places(good(stage))))))
    hostile = data.draw(st.sampled_from(HOSTILE))

    answer = getattr(stage.api, method)(
        path.format(campaign=stage.campaign, segment=stage.segment), body.replace(f'"{PLACE}"', hostile)
    )

    is_understood(answer)
    if answer.status_code == 201 and path == "/v1/campaigns":
        made = f"/v1/campaigns/{answer.json()['id']}"
        is_understood(stage.api.post(f"{made}/start", {}))
        for what in ("", "/runs", "/report"):
            assert stage.api.get(made + what).status_code == 200


READ = (
    "/v1/campaigns/{campaign}/runs?cursor={text}", "/v1/campaigns/{campaign}/runs?page_size={text}",
    "/v1/campaigns/{campaign}/runs?{text}=1", "/v1/campaigns/{campaign}/runs/{text}",
    "/v1/campaigns/{campaign}/report?run={text}", "/v1/campaigns/{text}", "/v1/campaigns?{text}={text}",
    "/v1/campaigns?name={text}", "/v1/campaigns?state={text}", "/v1/campaigns?cursor={text}",
    "/v1/segments?name={text}", "/v1/segments?cursor={text}", "/v1/segments?{text}={text}",
    "/v1/segments/{text}", "/v1/reports?by={text}", "/v1/reports?since={text}", "/v1/reports?until={text}",
    "/v1/reports?{text}=1",
)  # fmt: skip
TEXTS = (
    "", "\0", "x\0y", "%00", "%FF", "\ud800", "é", "한", "x" * 3000, "-1", "9" * 400, "1e400", "0000-01-01",
    "9999-12-31", "10000-01-01", "' OR 1=1 --", "../..", "0190a5c0-0000-7000-8000-000000000001", "0190a5c0-0000-7000",
    "cD0yMDI2", "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "cj0xJnA9",
)  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_whatever_is_asked_by_an_address_is_answered_or_refused_with_a_word(stage: Stage, path: str) -> None:
    for text in TEXTS:
        escaped = quote(text.encode("utf-8", "surrogatepass"), safe="")
        is_understood(stage.api.get(path.format(campaign=stage.campaign, text=escaped)))


@pytest.mark.parametrize("path", ["/c/{text}", "/c/{text}?lang={text}", "/e/{text}.gif"])
def test_what_is_no_link_of_ours_leads_nowhere(path: str) -> None:
    for text in TEXTS:
        escaped = quote(text.encode("utf-8", "surrogatepass"), safe="")
        assert Client().get(path.format(text=escaped)).status_code == 404


WRITTEN = ["/v1/campaigns", "/v1/segments", "/v1/segments/preview", "/v1/conversions", "/v1/events"]


@pytest.mark.parametrize("path", WRITTEN)
@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_a_body_of_more_than_a_megabyte_is_too_large(path: str, size: int) -> None:
    answer = caller().post(path, '{"name": "' + "x" * size + '"}')

    is_understood(answer)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", WRITTEN)
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\0"],
)
def test_what_is_not_called_json_is_not_read(path: str, kind: str) -> None:
    api = caller()

    answer = api.post(path, "{}", content_type=kind)

    is_understood(answer)
    assert answer.status_code == 415


@pytest.mark.parametrize("path", WRITTEN)
def test_of_two_fields_of_one_name_the_last_counts(stage: Stage, path: str) -> None:
    answer = stage.api.post(path, '{"colour": 1, "colour": 2}')

    [error] = [one for one in answer.json()["errors"] if one["field"] == "colour"]
    assert (answer.status_code, error["message"].partition(".")[0]) == (422, "Unknown field")
