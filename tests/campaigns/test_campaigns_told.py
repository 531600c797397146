"""What programs are told of campaigns: all that was written, where they stand, and all of them page by page."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.api.serializers import CampaignRequest
from campaigns.models import Campaign, Run
from campaigns.vocabulary import RunState
from tests.builders import Caller, caller, published
from tests.campaigns.asking import body, errors, written
from tests.campaigns.stage import SALE, crowd, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Caller:
    segment()
    published("sale", SALE)
    return caller()


ALL = body(
    variants=[{"template": "sale", "weight": 3}, {"template": "outlet", "weight": 1}],
    channels=["email", "push"], urgency="normal", data={"shop": {"name": "Bongsu"}}, schedule="interval",
    starts_wall="2030-01-01T09:00", crontab=None, every=2, every_unit="days", ends_wall="2031-01-01T09:00",
    zone="Europe/London", in_local_time=False, window_from="09:00:00", window_until="18:30:00",
    throttle_per_minute=100, late_hours=3, split="adaptive", goal="conversion", holdout_percent=10,
    test_percent=50, decide_after_hours=5, decide_by_hours=25, sure_percent=90,
)  # fmt: skip


def test_all_that_was_written_is_told_by_the_names_by_which_it_was_written(shop: Caller) -> None:
    published("outlet", SALE)
    assert set(ALL) == set(CampaignRequest().fields)

    told = shop.get(f"/v1/campaigns/{written(shop, **ALL)}").json()

    assert {name: told[name] for name in ALL} == ALL


@pytest.mark.parametrize(
    "changes", [{}, ALL, {"schedule": "crontab", "crontab": "0 9 * * *"}], ids=["few", "all", "some"]
)
def test_what_is_told_of_a_campaign_can_be_written_as_another(shop: Caller, changes: dict[str, Any]) -> None:
    published("outlet", SALE)
    told = shop.get(f"/v1/campaigns/{written(shop, **changes)}").json()
    said = {name: told[name] for name in ALL}

    again = shop.get(f"/v1/campaigns/{written(shop, **{**said, 'name': 'Summer'})}").json()

    assert {name: again[name] for name in ALL} == {**said, "name": "Summer"}


def test_a_campaign_that_has_ended_says_while_its_run_is_under_way(shop: Caller) -> None:
    crowd(3)
    campaign = written(shop)
    assert shop.get(f"/v1/campaigns/{campaign}").json()["under_way"] is False

    started = shop.post(f"/v1/campaigns/{campaign}/start", {}).json()
    [listed] = shop.get("/v1/campaigns").json()["results"]
    Run.objects.update(state=RunState.FINISHED)
    [later] = shop.get("/v1/campaigns").json()["results"]

    assert (started["state"], started["under_way"], started["run"]["state"]) == ("ended", True, "starting")
    assert (listed["state"], listed["under_way"]) == ("ended", True)
    assert (later["state"], later["under_way"]) == ("ended", False)


# --- the list ------------------------------------------------------------------------------------------
def test_campaigns_are_listed_the_newest_first_page_by_page_to_the_last(shop: Caller) -> None:
    ids = [written(shop, name=f"Spring {number}") for number in range(5)]

    first = shop.get("/v1/campaigns?page_size=2").json()
    second = shop.get(first["next"]).json()
    third = shop.get(second["next"]).json()

    pages = [[one["id"] for one in page["results"]] for page in (first, second, third)]
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert third["next"] is None
    assert shop.get(third["previous"]).json()["results"] == second["results"]


def test_campaigns_are_found_by_how_their_names_begin_and_by_their_state(shop: Caller) -> None:
    crowd(1)
    for name in ("Spring 1", "Spring 2", "100%", "100 days"):
        written(shop, name=name)
    shop.post(f"/v1/campaigns/{Campaign.objects.get(name='Spring 1').pk}/start", {})

    def names(query: str) -> list[str]:
        return [one["name"] for one in shop.get(f"/v1/campaigns?{query}").json()["results"]]

    assert names("name=Spring") == ["Spring 2", "Spring 1"]
    assert names("name=100%25") == ["100%"]
    assert names("state=ended") == ["Spring 1"]
    assert names("state=draft&name=Spring&page_size=1") == ["Spring 2"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=gone", "state"), ("page_size=0", "page_size"), ("named=Spring", "named"), ("name=a%00", "name")],
)
def test_what_cannot_be_asked_of_the_list_is_refused_by_its_name(shop: Caller, query: str, field: str) -> None:
    assert set(errors(shop.get(f"/v1/campaigns?{query}"))) == {field}


def test_a_page_of_many_campaigns_costs_as_many_statements_as_one_of_few(shop: Caller) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert shop.get("/v1/campaigns").status_code == 200
        return len(asked)

    written(shop)
    statements()  # the first also looks the key up
    few = statements()
    for number in range(10):
        written(shop, name=f"Spring {number}")
    assert statements() == few
