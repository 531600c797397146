"""Reports by the API: the same figures as the pages, of the caller's own campaigns alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.channels import Mode
from accounts.ids import new_id
from accounts.models import Application
from campaigns.models import Campaign
from tests.builders import Caller, caller, fields_named
from tests.campaigns.reports import scene
from tests.campaigns.reports.written import hour, reaction, revenue, run_of, turnout
from tests.campaigns.stage import campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Caller:
    """A program of the application "shop"."""
    return caller(name="shop")


def mine(*templates: str, **values: Any) -> Campaign:
    return campaign(*templates, application=Application.objects.get(name="shop"), **values)


def answered(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_campaign_is_reported_with_its_variants_channels_runs_and_words(shop: Caller) -> None:
    of = scene.shown()
    Campaign.objects.update(application=Application.objects.get(name="shop"))
    run = of.runs.latest("planned_for")

    told = answered(shop.get(f"/v1/campaigns/{of.pk}/report?run={run.pk}"))

    assert (told["campaign"], told["run"], told["people"], told["held_out"]) == (
        str(of.pk),
        str(run.pk),
        110_000,
        10_000,
    )
    total = told["total"]
    assert (total["sent"], total["cost"], total["unpriced"]) == (89_800, {"USD": "91.35"}, 24)
    assert total["of_sent"]["delivered"] == 0.5
    assert total["suppressed_because"][0] == {
        "reason": "opted_out", "explanation": "The recipient opted out.", "count": 8_980,
    }  # fmt: skip
    assert [one["variant"] for one in told["variants"]] == ["A", "B"]
    assert told["variants"][1]["best"] > 0.999
    assert set(told["variants"][0]["of_reached"]["clicked"]) == {"rate", "low", "high"}
    assert [one["channel"] for one in told["channels"]] == ["push", "sms", "email"]
    assert told["verdict"][0].startswith("B is better than A")
    assert told["hold_out"]["held_out"] == 10_000
    assert told["estimate"]["people"] == 110_000
    assert [one["figures"]["sent"] for one in told["runs"]] == [89_800, 89_800]

    both = answered(shop.get(f"/v1/campaigns/{of.pk}/report"))
    assert (both["run"], both["total"]["sent"], both["estimate"], both["hold_out"]) == (None, 179_600, None, None)


def test_a_span_tells_what_the_applications_own_campaigns_sent(shop: Caller) -> None:
    arm = run_of(mine("sale")).arms.get()
    turnout(arm, 10)
    turnout(arm, 5, hour=hour(40))
    reaction(arm, "converted", 2)
    revenue(arm, "39000.50")
    turnout(run_of(campaign("welcome")).arms.get(), 100)
    assert arm.version_id is not None
    turnout(arm.version_id, 1000)

    for by, key, name in (("template", "sale", "Sale"), ("category", "news", "News"), ("channel", "email", "email")):
        told = answered(shop.get(f"/v1/reports?by={by}"))
        (line,) = told["lines"]
        assert (line["key"], line["name"]) == (key, name)
        assert line["figures"] == told["total"]
        assert (line["figures"]["sent"], line["figures"]["of_sent"]["converted"]) == (10, 0.2)
        assert line["figures"]["revenue"] == {"KRW": "39000.5"}

    today = datetime.now(UTC).date()
    long_ago = answered(shop.get(f"/v1/reports?since={today - timedelta(days=60)}&until={today - timedelta(days=30)}"))
    assert long_ago["total"]["sent"] == 5


@pytest.mark.parametrize("by", ["campaign", "template", "category", "channel"])
def test_a_span_says_that_what_was_asked_for_message_by_message_is_not_in_it(shop: Caller, by: str) -> None:
    arm = run_of(mine("sale")).arms.get()
    assert arm.version_id is not None
    turnout(arm, 10)
    turnout(arm.version_id, 1000)

    told = answered(shop.get(f"/v1/reports?by={by}"))

    assert (told["total"]["sent"], told["covers"]) == (10, "campaigns")
    assert "POST /v1/notifications is not in these figures" in told["explanation"]


def test_who_has_sent_nothing_is_told_nothing(shop: Caller) -> None:
    told = answered(shop.get("/v1/reports?by=template"))

    assert (told["lines"], told["total"]["sent"], told["total"]["of_sent"]["clicked"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=weather", "by"),
        ("since=yesterday", "since"),
        ("until=9999-12-31", "until"),
        ("until=0001-01-01", "until"),
        ("since=2026-05-02&until=2026-05-01", "since"),
        ("since=2020-01-01&until=2026-05-01", "since"),
        ("from=2026-05-01", "from"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(shop: Caller, query: str, field: str) -> None:
    assert fields_named(shop.get(f"/v1/reports?{query}")) == {field}


def test_reports_of_others_are_not_there(shop: Caller) -> None:
    others, tests = campaign("sale"), mine("welcome", mode="test")
    own = mine("other")

    assert shop.get(f"/v1/campaigns/{others.pk}/report").status_code == 404
    assert shop.get(f"/v1/campaigns/{tests.pk}/report").status_code == 404
    assert shop.get(f"/v1/campaigns/{uuid4()}/report").status_code == 404
    assert shop.get(f"/v1/campaigns/{own.pk}/report?run={new_id()}").status_code == 404
    assert shop.get(f"/v1/campaigns/{own.pk}/report?run=x").status_code == 422
    assert shop.get(f"/v1/campaigns/{own.pk}/report").status_code == 200


def test_a_key_of_the_sandbox_is_told_of_tests(shop: Caller) -> None:
    turnout(run_of(mine("sale")).arms.get(), 10)
    tester = caller(mode=Mode.TEST, name="tester")
    arm = run_of(campaign("welcome", mode="test", application=Application.objects.get(name="tester"))).arms.get()
    turnout(arm, 3)

    assert answered(tester.get("/v1/reports"))["total"]["sent"] == 3


def test_reports_need_the_right_to_read_campaigns() -> None:
    narrow = caller(scopes=["notifications:read"])

    assert narrow.get("/v1/reports").status_code == 403
    assert narrow.get(f"/v1/campaigns/{uuid4()}/report").status_code == 403
