"""All runs of a campaign by the API: page by page, one by one, and of the caller's own campaigns alone."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.channels import Mode
from accounts.ids import new_id
from accounts.models import Application, Scope
from campaigns.models import Campaign, Run
from campaigns.vocabulary import HOLD_OUT, RunState
from notifications import recovery
from notifications.models import DeadLetter, Delivery
from tests.builders import Caller, caller, fields_named
from tests.campaigns.reports import scene
from tests.campaigns.reports.written import reaction, run_of, spending, turnout
from tests.campaigns.stage import begun, campaign, counted, crowd, deliveries, worked_off

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def shop() -> Caller:
    """A program of the application "shop"."""
    return caller(name="shop")


def mine(*templates: str, **values: Any) -> Campaign:
    return campaign(*templates, application=Application.objects.get(name="shop"), **values)


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids_of(page: Any) -> list[str]:
    return [one["id"] for one in page["results"]]


# --- the list ------------------------------------------------------------------------------------------
def test_runs_are_listed_the_latest_first_each_with_what_became_of_it(shop: Caller) -> None:
    of = mine("sale", "outlet")
    earlier, later = run_of(of, planned_for=FIRST), run_of(of, planned_for=FIRST + DAY, winner="B", note="as planned")
    counted(earlier, "A", sent=3, delivered=2, failed=1, suppressed=5, clicked=1, machine_opened=9)
    counted(earlier, "B", sent=10)
    counted(later, "A", waiting=7)

    page = answered(shop.get(f"/v1/campaigns/{of.pk}/runs"))

    assert (page["next"], page["previous"]) == (None, None)
    new, old = page["results"]
    assert (new["id"], new["state"], new["winner"], new["note"]) == (str(later.pk), "finished", "B", "as planned")
    assert (new["planned_for"], new["finished_at"]) == ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z")
    assert (new["people"], new["counts"]["people"], new["counts"]["waiting"]) == (1000, 1000, 7)
    assert old["id"] == str(earlier.pk)
    assert {name: number for name, number in old["counts"].items() if number} == {
        "people": 1000, "planned": 16, "sent": 15, "delivered": 2, "failed": 1, "suppressed": 5, "clicked": 1,
    }  # fmt: skip


def test_what_was_skipped_or_could_not_start_is_listed_with_the_reason(shop: Caller) -> None:
    of = mine()
    Run.objects.create(campaign=of, planned_for=FIRST, state=RunState.SKIPPED, note="Too late.")

    [told] = answered(shop.get(f"/v1/campaigns/{of.pk}/runs"))["results"]

    assert (told["state"], told["note"], told["started_at"]) == ("skipped", "Too late.", None)
    assert set(told["counts"].values()) == {0}


def test_a_campaign_that_never_went_out_has_an_empty_page(shop: Caller) -> None:
    page = answered(shop.get(f"/v1/campaigns/{mine().pk}/runs"))

    assert page == {"next": None, "previous": None, "results": []}


def test_pages_lead_on_and_back_and_a_run_that_begins_meanwhile_moves_nothing(shop: Caller) -> None:
    of = mine()
    runs = [str(run_of(of, planned_for=FIRST + number * DAY).pk) for number in range(5)]
    newest_first = list(reversed(runs))

    first = answered(shop.get(f"/v1/campaigns/{of.pk}/runs?page_size=2"))
    run_of(of, planned_for=FIRST + 9 * DAY)
    second = answered(shop.get(first["next"]))
    third = answered(shop.get(second["next"]))

    assert ids_of(first) + ids_of(second) + ids_of(third) == newest_first
    assert third["next"] is None
    assert ids_of(answered(shop.get(third["previous"]))) == newest_first[2:4]


def test_a_page_of_many_costs_as_many_statements_as_one_of_few(shop: Caller) -> None:
    of = mine("sale", "outlet")

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            answered(shop.get(f"/v1/campaigns/{of.pk}/runs"))
        return len(asked)

    counted(run_of(of, planned_for=FIRST), "A", sent=1)
    statements()  # the first also looks the key up
    few = statements()
    for number in range(1, 30):
        counted(run_of(of, planned_for=FIRST + number * DAY), "A", sent=1)
    assert statements() == few


def cursor(position: str) -> str:
    return urlencode({"cursor": b64encode(urlencode({"p": position}).encode()).decode()})


@pytest.mark.parametrize(
    "position",
    ["", "yesterday", "2026-11-01", "2026-11-01 09:00:00", "2026-02-30 09:00:00+00:00", "\0", "0190a5c0", "'; --"],
)
def test_a_cursor_that_names_no_moment_leads_nowhere(shop: Caller, position: str) -> None:
    answer = shop.get(f"/v1/campaigns/{mine().pk}/runs?{cursor(position)}")

    assert (answer.status_code, answer.json()["type"]) == (404, "/docs/problems#not-found")


@pytest.mark.parametrize("position", ["0001-01-01 00:00:00+14:00", "9999-12-31 23:59:59.999999-14:00"])
def test_a_cursor_at_the_end_of_the_calendar_is_a_place_like_others(shop: Caller, position: str) -> None:
    of = mine()
    run_of(of)

    page = answered(shop.get(f"/v1/campaigns/{of.pk}/runs?{cursor(position)}"))

    assert len(page["results"]) == position.startswith("9")


@pytest.mark.parametrize(
    ("query", "field"),
    [("page_size=0", "page_size"), ("page_size=1001", "page_size"), ("page=2", "page"), ("cursor=", "cursor")],
)
def test_what_cannot_be_asked_is_refused_by_its_name(shop: Caller, query: str, field: str) -> None:
    assert fields_named(shop.get(f"/v1/campaigns/{mine().pk}/runs?{query}")) == {field}


# --- one of them ---------------------------------------------------------------------------------------
def test_the_latest_run_is_told_as_its_campaign_tells_it(shop: Caller) -> None:
    crowd(30)
    of = mine("sale", "outlet", holdout_percent=20)
    run = begun(of)
    worked_off()
    recovery.keep_tally()

    told = answered(shop.get(f"/v1/campaigns/{of.pk}/runs/{run.pk}"))
    latest = answered(shop.get(f"/v1/campaigns/{of.pk}"))["run"]

    assert (told["people"], told["handled"], told["counts"]["people"]) == (30, 30, 30)
    assert [one["variant"] for one in told["arms"]] == [HOLD_OUT, "A", "B"]
    in_time = {"per_second", "seconds_left"}
    assert {name: told[name] for name in told if name not in in_time} == {
        name: latest[name] for name in latest if name not in in_time
    }


def test_an_earlier_run_is_told_beside_a_later_one_with_what_was_expected_of_it_and_what_came(shop: Caller) -> None:
    of = mine()
    earlier = run_of(of, planned_for=FIRST, estimate=scene.ESTIMATE)
    later = run_of(of, planned_for=FIRST + DAY)
    arm = earlier.arms.get()
    turnout(arm, 10)
    reaction(arm, "clicked", 4)
    spending(arm, "1.250000")
    spending(arm, "0.05", channel="email")
    spending(arm, "0", currency="")

    told = answered(shop.get(f"/v1/campaigns/{of.pk}/runs/{earlier.pk}"))

    assert (told["id"], told["percent"], told["counts"]["sent"], told["arms"][0]["clicked"]) == (
        str(earlier.pk), 100, 10, 4,
    )  # fmt: skip
    assert (told["estimate"]["people"], told["cost"]) == (scene.ESTIMATE["people"], {"USD": "1.3"})
    other = answered(shop.get(f"/v1/campaigns/{of.pk}/runs/{later.pk}"))
    assert (other["estimate"], other["cost"], other["counts"]["sent"]) == (None, {}, 0)


def test_each_run_of_the_list_has_a_report_of_its_own(shop: Caller) -> None:
    of = mine()
    for number in range(3):
        turnout(run_of(of, planned_for=FIRST + number * DAY).arms.get(), 1 + number)

    page = answered(shop.get(f"/v1/campaigns/{of.pk}/runs"))
    reports = [answered(shop.get(f"/v1/campaigns/{of.pk}/report?run={run}")) for run in ids_of(page)]

    assert [one["total"]["sent"] for one in reports] == [3, 2, 1]
    assert [one["run"] for one in reports] == ids_of(page)


# --- what is done with one -----------------------------------------------------------------------------
def test_an_earlier_run_is_held_resumed_and_withdrawn_and_the_latest_stays_as_it_is(shop: Caller) -> None:
    crowd(5)
    of = mine()
    earlier, later = begun(of), begun(of, timezone.now() + timedelta(seconds=2))
    worked_off(timezone.now() + timedelta(seconds=3))
    path = f"/v1/campaigns/{of.pk}/runs/{earlier.pk}"

    held = answered(shop.post(f"{path}/pause", {}))
    assert (held["id"], held["state"]) == (str(earlier.pk), "paused")
    assert answered(shop.post(f"{path}/resume", {}))["state"] == "running"
    assert answered(shop.post(f"{path}/cancel", {})) == {"cancelled": 5, "too_late": 0}
    refused = shop.post(f"{path}/pause", {})

    assert (refused.status_code, "nothing left to pause" in refused.json()["detail"]) == (409, True)
    assert answered(shop.get(path))["state"] == "cancelled"
    assert answered(shop.get(f"/v1/campaigns/{of.pk}/runs/{later.pk}"))["state"] == "running"


def test_what_failed_in_an_earlier_run_is_tried_again(shop: Caller) -> None:
    crowd(2)
    of = mine()
    earlier = begun(of)
    begun(of, timezone.now() + timedelta(seconds=2))
    worked_off(timezone.now() + timedelta(seconds=3))
    for one in deliveries(earlier):
        Delivery.objects.filter(pk=one.pk).update(state="failed", reason="attempts_exhausted")
        DeadLetter.objects.create(
            delivery_id=one.pk, notification_id=one.notification_id, queue=one.queue, at=timezone.now()
        )

    answer = shop.post(f"/v1/campaigns/{of.pk}/runs/{earlier.pk}/retry", {})

    assert (answer.status_code, answer.json()) == (202, {"replayed": 2})


def test_the_experiment_of_an_earlier_run_is_decided_by_a_person(shop: Caller) -> None:
    crowd(40)
    of = mine("sale", "outlet", test_percent=50)
    earlier, later = begun(of), begun(of, timezone.now() + timedelta(seconds=2))
    path = f"/v1/campaigns/{of.pk}/runs/{earlier.pk}/choose"

    assert fields_named(shop.post(path, {"variant": "Z"})) == {"variant"}
    assert answered(shop.post(path, {"variant": "B"}))["winner"] == "B"
    later.refresh_from_db()
    assert later.winner == ""


ACTS = ("pause", "resume", "cancel", "retry", "choose")


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_with_a_run_that_is_not_there_or_is_of_another_campaign(shop: Caller, act: str) -> None:
    own, other, others = mine("own"), mine("other"), campaign("sale")
    run, of_others = run_of(other), run_of(others)

    for path in (f"{own.pk}/runs/{new_id()}", f"{own.pk}/runs/{run.pk}", f"{others.pk}/runs/{of_others.pk}"):
        assert shop.post(f"/v1/campaigns/{path}/{act}", {"variant": "A"}).status_code == 404, path


@pytest.mark.parametrize("act", ACTS)
def test_to_do_something_with_a_run_is_the_right_to_write_campaigns(act: str) -> None:
    reader = caller(scopes=[Scope.CAMPAIGNS_READ.value])

    assert reader.post(f"/v1/campaigns/{new_id()}/runs/{new_id()}/{act}", {}).status_code == 403


# --- whose they are ------------------------------------------------------------------------------------
def test_runs_of_others_and_of_the_other_mode_are_not_there(shop: Caller) -> None:
    tester = caller(mode=Mode.TEST, name="tester")
    others, tests, own = campaign("sale"), mine("tried", mode="test"), mine("own")
    of_tester = campaign("testers", mode="test", application=Application.objects.get(name="tester"))
    of_others, of_tests, of_own, of_testers = run_of(others), run_of(tests), run_of(own), run_of(of_tester)

    for path in (
        f"{others.pk}/runs", f"{others.pk}/runs/{of_others.pk}", f"{tests.pk}/runs", f"{tests.pk}/runs/{of_tests.pk}",
        f"{own.pk}/runs/{of_others.pk}", f"{own.pk}/runs/{of_tests.pk}", f"{own.pk}/runs/{new_id()}",
        f"{new_id()}/runs", f"{new_id()}/runs/{of_own.pk}",
    ):  # fmt: skip
        answer = shop.get(f"/v1/campaigns/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/docs/problems#not-found"), path
    assert shop.get(f"/v1/campaigns/{own.pk}/runs/{of_own.pk}").status_code == 200
    assert tester.get(f"/v1/campaigns/{of_tester.pk}/runs/{of_testers.pk}").status_code == 200
    assert ids_of(answered(tester.get(f"/v1/campaigns/{of_tester.pk}/runs"))) == [str(of_testers.pk)]
    assert tester.get(f"/v1/campaigns/{own.pk}/runs").status_code == 404


def test_to_read_runs_is_the_right_to_read_campaigns() -> None:
    reader, writer = caller(scopes=[Scope.CAMPAIGNS_READ.value]), caller(scopes=[Scope.CAMPAIGNS_WRITE.value])

    for path in (f"/v1/campaigns/{new_id()}/runs", f"/v1/campaigns/{new_id()}/runs/{new_id()}"):
        assert reader.get(path).status_code == 404
        assert writer.get(path).status_code == 403


def test_runs_are_read_and_nothing_else(shop: Caller) -> None:
    of = mine()
    run = run_of(of)

    for path in (f"/v1/campaigns/{of.pk}/runs", f"/v1/campaigns/{of.pk}/runs/{run.pk}"):
        for answer in (shop.post(path, {}), shop.put(path, {}), shop.delete(path)):
            assert answer.status_code == 405
