"""Campaigns by the API: written, started, watched, held, withdrawn; by their own application alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.channels import Mode
from accounts.models import Category, Recipient, Scope
from campaigns.models import Campaign, Run, Segment
from campaigns.vocabulary import CampaignState, RunState
from notifications import recovery
from tests.builders import Caller, caller, published
from tests.campaigns.asking import body, errors, written
from tests.campaigns.stage import SALE, crowd, segment, worked_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Caller:
    segment()
    published("sale", SALE)
    return caller()


def test_a_campaign_is_written_as_a_draft_and_sends_nothing(shop: Caller) -> None:
    crowd(3)
    answer = shop.post("/v1/campaigns", body())

    assert answer.json()["state"] == "draft"
    assert answer.json()["run"] is None
    assert worked_off() == 0


def test_who_starts_a_campaign_is_told_how_many_people_are_meant_and_what_to_know(shop: Caller) -> None:
    crowd(3)
    Recipient.objects.filter(pk__in=[one.pk for one in crowd(2, "d")]).update(locale="de")
    campaign = written(shop)

    started = shop.post(f"/v1/campaigns/{campaign}/start", {}).json()

    assert started["people"] == 5
    assert started["warnings"] == ["2 people read de; they get it in ko."]


def test_what_was_changed_since_it_was_read_does_not_start(shop: Caller) -> None:
    crowd(3)
    campaign = written(shop)
    seen = shop.get(f"/v1/campaigns/{campaign}").json()["fingerprint"]
    Segment.objects.update(changed_at=timezone.now() + timedelta(seconds=1))

    refused = shop.post(f"/v1/campaigns/{campaign}/start", {"seen": seen})

    assert refused.status_code == 409
    assert "It was changed since you looked at it" in refused.json()["detail"]
    assert not Run.objects.exists()
    again = shop.get(f"/v1/campaigns/{campaign}").json()["fingerprint"]
    started = shop.post(f"/v1/campaigns/{campaign}/start", {"seen": again})
    assert (started.status_code, started.json()["fingerprint"]) == (200, None)


@pytest.mark.parametrize(
    ("asked", "field"), [({"seen": ""}, "seen"), ({"seen": None}, "seen"), ({"saw": "x"}, "saw"), ([], "body")]
)
def test_a_start_that_says_something_else_is_refused(shop: Caller, asked: Any, field: str) -> None:
    crowd(1)
    campaign = written(shop)

    assert set(errors(shop.post(f"/v1/campaigns/{campaign}/start", asked))) == {field}
    assert shop.post(f"/v1/campaigns/{campaign}/start", "").status_code == 200


def test_a_campaign_that_is_started_goes_out_and_tells_how_far_it_is(shop: Caller) -> None:
    crowd(30)
    campaign = written(shop)

    started = shop.post(f"/v1/campaigns/{campaign}/start", {}).json()
    assert (started["state"], started["run"]["state"]) == ("ended", "starting")
    worked_off()
    recovery.keep_tally()
    told = shop.get(f"/v1/campaigns/{campaign}").json()["run"]

    assert (told["people"], told["handled"], told["counts"]["planned"]) == (30, 30, 30)
    assert told["arms"][0]["variant"] == "A"
    assert told["arms"][0]["planned"] == 30


def test_what_is_started_twice_goes_out_once(shop: Caller) -> None:
    crowd(3)
    campaign = written(shop)
    shop.post(f"/v1/campaigns/{campaign}/start", {})

    for _ in ("while it is on its way", "when it is over"):
        again = shop.post(f"/v1/campaigns/{campaign}/start", {})
        assert again.status_code == 409
        assert "It was started already." in again.json()["detail"]
        worked_off()
        shop.post(f"/v1/campaigns/{campaign}/cancel", {})
    assert Run.objects.count() == 1


def test_what_was_stopped_is_a_draft_that_can_be_started_anew(shop: Caller) -> None:
    crowd(3)
    campaign = written(shop, schedule="crontab", crontab="0 9 * * *")
    assert shop.post(f"/v1/campaigns/{campaign}/stop", {}).status_code == 409
    assert shop.post(f"/v1/campaigns/{campaign}/start", {}).json()["state"] == "active"

    stopped = shop.post(f"/v1/campaigns/{campaign}/stop", {}).json()

    assert (stopped["state"], stopped["next_at"]) == ("draft", None)
    assert shop.post(f"/v1/campaigns/{campaign}/start", {}).json()["state"] == "active"


def test_a_run_is_held_resumed_and_withdrawn(shop: Caller) -> None:
    crowd(5)
    campaign = written(shop)
    shop.post(f"/v1/campaigns/{campaign}/start", {})
    worked_off()

    assert shop.post(f"/v1/campaigns/{campaign}/pause", {}).json()["run"]["state"] == "paused"
    assert shop.post(f"/v1/campaigns/{campaign}/resume", {}).json()["run"]["state"] == "running"
    assert shop.post(f"/v1/campaigns/{campaign}/cancel", {}).json() == {"cancelled": 5, "too_late": 0}
    again = shop.post(f"/v1/campaigns/{campaign}/pause", {})
    assert again.status_code == 409
    assert "nothing left to pause" in again.json()["detail"]


def test_a_moment_that_was_skipped_meanwhile_does_not_keep_a_run_from_being_held(shop: Caller) -> None:
    crowd(5)
    campaign = written(shop)
    shop.post(f"/v1/campaigns/{campaign}/start", {})
    run = Run.objects.get()
    skipped = run.planned_for + timedelta(hours=1)
    Run.objects.create(campaign_id=campaign, planned_for=skipped, state=RunState.SKIPPED)

    assert shop.get(f"/v1/campaigns/{campaign}").json()["run"]["id"] == str(run.pk)
    assert shop.post(f"/v1/campaigns/{campaign}/pause", {}).json()["run"]["state"] == "paused"


def test_a_campaign_whose_moments_were_all_skipped_says_why(shop: Caller) -> None:
    campaign = written(shop)
    Run.objects.create(campaign_id=campaign, planned_for=timezone.now(), state=RunState.SKIPPED, note="Too late.")

    assert shop.get(f"/v1/campaigns/{campaign}").json()["run"]["note"] == "Too late."
    assert "not gone out yet" in shop.post(f"/v1/campaigns/{campaign}/pause", {}).json()["detail"]


EVE = "2030-12-24T09:00"
REFUSED = [
    ({"data": {"a": "x" * 10_000}}, "data", "10,009 bytes of JSON are too many; at most 10,000."),
    ({"segment": "nobody"}, "segment", "There is no segment named 'nobody'"),
    ({"variants": [{"template": "gone"}]}, "variants[0].template", "There is no template named 'gone'"),
    ({"variants": []}, "variants", "empty"),
    ({"variants": [{"template": "sale"}] * 7}, "variants", "no more than 6"),
    ({"variants": [{"template": "sale", "weight": 0}]}, "variants[0].weight", "greater than or equal to 1"),
    ({"window_from": "09:00+09:00", "window_until": "18:00"}, "window_from", "hh:mm"),
    ({"window_from": "09:00"}, "window_until", "a beginning and an end"),
    ({"decide_after_hours": 8, "decide_by_hours": 2}, "decide_by_hours", "after 8 hours at the earliest"),
    ({"colour": "red"}, "colour", "Unknown field"),
    ({"crontab": "0 9 * * *"}, "schedule", "Say which it is, beside crontab: crontab."),
    ({"starts_wall": EVE}, "schedule", "Say which it is, beside starts_wall: once, crontab or interval."),
    ({"in_local_time": True, "ends_wall": EVE}, "schedule", "crontab or interval"),
    ({"crontab": "0 9 * * *", "every": 2}, "schedule", "once, crontab or interval"),
    ({"schedule": "now", "starts_wall": EVE}, "starts_wall", "leave it out, or choose once, crontab or interval"),
    ({"schedule": "now", "in_local_time": True}, "in_local_time", "“now” does not ask for it"),
    ({"schedule": "once", "starts_wall": EVE, "crontab": "0 9 * * *"}, "crontab", "“once” does not ask for it"),
    ({"schedule": "once", "starts_wall": EVE, "ends_wall": EVE}, "ends_wall", "choose crontab or interval"),
    ({"schedule": "crontab", "crontab": "0 9 * * *", "every": 2}, "every", "choose interval"),
    ({"schedule": "interval", "every": 2, "every_unit": "days", "crontab": "* * * * *"}, "crontab", "choose crontab"),
    ({"urgency": "soon"}, "urgency", '"soon" is none of critical, normal, bulk'),
]


@pytest.mark.parametrize(("changes", "field", "says"), REFUSED)
def test_what_cannot_be_written_is_refused_at_its_field(
    shop: Caller, changes: dict[str, Any], field: str, says: str
) -> None:
    found = errors(shop.post("/v1/campaigns", body(**changes)))

    assert says in found[field]
    assert not Campaign.objects.exists()


SAYS_NOTHING = [
    ({"in_local_time": False}, "now"),
    ({"crontab": None, "starts_wall": None, "ends_wall": None, "every": None, "every_unit": None}, "now"),
    ({"zone": "Europe/London", "window_from": "09:00", "window_until": "18:00", "late_hours": 4}, "now"),
    ({"schedule": "once", "starts_wall": EVE, "crontab": None, "window_from": None, "window_until": None}, "once"),
]


@pytest.mark.parametrize(("changes", "schedule"), SAYS_NOTHING, ids=["usual", "null", "zone", "once"])
def test_a_field_of_another_schedule_that_says_nothing_is_taken(
    shop: Caller, changes: dict[str, Any], schedule: str
) -> None:
    assert shop.post("/v1/campaigns", body(**changes)).json()["schedule"] == schedule


def test_a_draft_that_says_more_than_its_schedule_asks_for_does_not_start(shop: Caller) -> None:
    crowd(3)
    campaign = written(shop)
    Campaign.objects.update(crontab="0 9 * * *", in_local_time=True)

    found = errors(shop.post(f"/v1/campaigns/{campaign}/start", {}))

    assert "“now” does not ask for it" in found["crontab"]
    assert set(found) == {"crontab", "in_local_time"}
    assert not Run.objects.exists()


NOT_READY = [
    ({}, "segment", "Nobody is in “everybody” now"),
    ({"schedule": "once", "starts_wall": "2020-01-01T09:00"}, "starts_wall", "past"),
    ({"schedule": "crontab", "crontab": "0 9 30 2 *"}, "crontab", "never"),
    ({"schedule": "crontab", "crontab": "0 9 * *"}, "crontab", "five"),
    ({"split": "adaptive"}, "split", "nothing to adapt"),
    ({"test_percent": 20}, "test_percent", "nothing to test"),
    ({"zone": "Asia/Nowhere", "schedule": "once", "starts_wall": "2030-01-01T09:00"}, "zone", "Asia/Nowhere"),
    ({"channels": ["sms"]}, "channels", "says nothing by sms"),
]


@pytest.mark.parametrize(("changes", "field", "says"), NOT_READY)
def test_what_cannot_go_out_is_refused_when_it_is_started(
    shop: Caller, changes: dict[str, Any], field: str, says: str
) -> None:
    if changes:
        crowd(3)
    campaign = written(shop, **changes)

    found = errors(shop.post(f"/v1/campaigns/{campaign}/start", {}))

    assert says in found[field]
    assert Campaign.objects.get(pk=campaign).state == CampaignState.DRAFT
    assert not Run.objects.exists()


def test_a_name_is_taken_once(shop: Caller) -> None:
    written(shop)

    assert "already" in errors(shop.post("/v1/campaigns", body()))["name"]


def test_where_the_category_wants_it_nothing_goes_out_before_somebody_has_approved_it(shop: Caller) -> None:
    crowd(1)
    Category.objects.update(needs_approval=True)
    campaign = written(shop)

    assert shop.post(f"/v1/campaigns/{campaign}/start", {}).json()["state"] == "in_review"
    assert not Run.objects.exists()


def test_another_applications_campaign_is_not_there(shop: Caller) -> None:
    campaign = written(shop)
    stranger, tester = caller(), caller(mode=Mode.TEST)

    for somebody in (stranger, tester):
        assert somebody.get(f"/v1/campaigns/{campaign}").status_code == 404
        assert somebody.post(f"/v1/campaigns/{campaign}/start", {}).status_code == 404
        assert somebody.get("/v1/campaigns").json() == {"next": None, "previous": None, "results": []}


def test_reading_and_writing_are_rights_of_their_own(shop: Caller) -> None:
    reader = caller(scopes=[Scope.CAMPAIGNS_READ.value])

    assert reader.get("/v1/campaigns").status_code == 200
    assert reader.post("/v1/campaigns", body()).status_code == 403


def test_what_has_not_gone_out_can_be_neither_held_nor_tried_again(shop: Caller) -> None:
    campaign = written(shop)

    for act in ("pause", "resume", "cancel", "retry"):
        assert shop.post(f"/v1/campaigns/{campaign}/{act}", {}).status_code == 409


def test_a_person_decides_for_the_rest_by_api(shop: Caller) -> None:
    crowd(400)
    published("outlet", SALE)
    campaign = written(shop, variants=[{"template": "sale"}, {"template": "outlet"}], test_percent=50)
    shop.post(f"/v1/campaigns/{campaign}/start", {})
    worked_off()

    refused = errors(shop.post(f"/v1/campaigns/{campaign}/choose", {"variant": "Z"}))
    assert refused == {"variant": "There is no variant 'Z'; there are A, B."}
    told = shop.post(f"/v1/campaigns/{campaign}/choose", {"variant": "B"}).json()

    assert told["run"]["winner"] == "B"
    assert worked_off() > 100
    assert Run.objects.get().state == RunState.RUNNING
