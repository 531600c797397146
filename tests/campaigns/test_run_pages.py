"""The pages of runs: watched, held, ended and decided by people who may; and what the lists and home tell of them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns.models import Chunk, Run
from campaigns.vocabulary import RunState
from tests.builders import administrator, application, shown
from tests.campaigns.pages import member, page
from tests.campaigns.stage import begun, campaign, counted, sampled

pytestmark = pytest.mark.django_db


def watched(**values: Any) -> Run:
    """A run with figures: B does better."""
    made = campaign("sale", "sale-warm", name="Summer sale", holdout_percent=10, **values)
    run = begun(made, timezone.now() - timedelta(minutes=5))
    sampled(run)
    Run.objects.filter(pk=run.pk).update(people=11_000)
    for letter, clicked in (("A", 300), ("B", 455)):
        run.arms.filter(letter=letter).update(people=4_500)
        counted(run, letter, sent=3_900, delivered=400, failed=40, suppressed=160, clicked=clicked)
    run.refresh_from_db()
    return run


def test_the_page_of_a_run_tells_how_far_it_is_and_who_leads() -> None:
    run = watched()

    told = re.sub(r"<[^>]+>", " ", unescape(shown(administrator().get(page("run", "change", run.pk)))))
    words = re.sub(r"\s+", " ", told)

    assert "9,000 of 11,000" in words
    assert "B is better than A with more than 99.9 %" in words
    assert "B sale-warm 4,500 4,340 160 4,300 99.1 % 400 9.3 % 40 0.9 % 0 455 10.6 % 0" in words
    assert "hold-out nothing, to be compared with 0" in words


def test_all_times_of_a_page_are_of_the_clock_of_the_campaign() -> None:
    made = campaign(name="Sale", zone="Asia/Kolkata")
    at = datetime(2026, 11, 29, 9, 45, 39, tzinfo=UTC)
    run = begun(made, at)
    sampled(run)
    Run.objects.update(state="finished", finished_at=at + timedelta(minutes=5))
    browser = administrator()

    for told in (
        shown(browser.get(page("run", "change", run.pk))),
        shown(browser.get(page("campaign", "report", made.pk))),
        shown(browser.get(page("campaign", "change", made.pk))),
    ):
        assert "2026-11-29 15:15" in told
        assert "Asia/Kolkata" in told
        assert "09:45" not in told
    told = shown(browser.get(page("run", "change", run.pk)))
    assert "Sale of 2026-11-29 15:15" in told
    assert "15:15:39" in told, "when it began"
    assert "15:20:39" in told, "when it ended"


def test_the_page_refreshes_itself_until_the_run_is_over() -> None:
    run, browser = watched(), administrator()

    going = browser.get(page("run", "live", run.pk)).json()
    Run.objects.filter(pk=run.pk).update(state=RunState.FINISHED, finished_at=timezone.now())
    over = browser.get(page("run", "live", run.pk)).json()

    assert (going["is_over"], over["is_over"]) == (False, True)
    assert 'role="progressbar"' in going["html"]
    assert "Pause" in going["buttons"]
    assert "Pause" not in over["buttons"]
    assert "data-over" in shown(browser.get(page("run", "change", run.pk)))


def test_it_takes_as_many_statements_whatever_the_size_of_the_run() -> None:
    run, browser = watched(), administrator()
    browser.get(page("run", "live", run.pk))

    def statements(name: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert browser.get(page("run", name, run.pk)).status_code == 200
        return len(found)

    few = statements("live"), statements("change")
    Chunk.objects.bulk_create(
        Chunk(run=run, after_id=f"00000000-0000-0000-0000-{one:012}", recipient_ids=[run.pk] * 50) for one in range(200)
    )
    many = statements("live"), statements("change")

    assert few == many
    assert max(many) <= 15


def test_a_run_is_paused_goes_on_and_is_cancelled() -> None:
    run, browser = watched(), administrator()
    states = []
    for step in ("pause", "resume", "cancel"):
        browser.post(page("run", step, run.pk))
        run.refresh_from_db()
        states.append(run.state)

    assert states == ["paused", "starting", "cancelled"]
    told = AuditEntry.objects.filter(model="campaigns.run").order_by("id").values_list("detail", flat=True)
    assert [one.split(":")[0] for one in told] == ["Paused", "Resumed", "Cancelled"]


def test_cancelling_says_what_has_left_and_who_is_left_out() -> None:
    told = shown(administrator().get(page("run", "cancel", watched().pk)))

    assert "8,600 messages have left already" in told
    assert "2,000 people who are not planned yet" in told
    assert '<button type="submit" class="bongsu-button bongsu-risky">Cancel the run' in told


def test_a_person_decides_for_those_who_wait() -> None:
    run, browser = watched(test_percent=20), administrator()
    Run.objects.filter(pk=run.pk).update(state=RunState.DECIDING, tested_at=timezone.now())

    assert "people wait for the better variant" in shown(browser.get(page("run", "change", run.pk)))
    choose = reverse("admin:campaigns_run_choose", args=[run.pk, "B"])
    assert "B (sale-warm) goes to the 2,000 people" in shown(browser.get(choose))
    browser.post(choose)
    unknown = browser.post(reverse("admin:campaigns_run_choose", args=[run.pk, "Z"]), follow=True)

    run.refresh_from_db()
    assert (run.winner, run.state) == ("B", "running")
    assert "There is no variant" in shown(unknown)


@pytest.mark.parametrize("step", ["pause", "resume", "cancel", "retry"])
def test_marketers_steer_runs_and_support_does_not(step: str) -> None:
    run = watched()

    assert member("Support").post(page("run", step, run.pk)).status_code == 403
    assert member("Marketer").post(page("run", step, run.pk)).status_code == 302
    assert member("Approver").get(page("run", "change", run.pk)).status_code == 200


def test_a_run_that_was_skipped_or_failed_says_why() -> None:
    made = campaign("sale")
    skipped = Run.objects.create(
        campaign=made, planned_for=datetime(2026, 1, 1, tzinfo=UTC), state=RunState.SKIPPED,
        note="It was 26 hours late.", finished_at=timezone.now(),
    )  # fmt: skip

    browser = administrator()
    assert "It was 26 hours late." in shown(browser.get(page("run", "change", skipped.pk)))
    assert "It was 26 hours late." in shown(browser.get(reverse("admin:campaigns_run_changelist")))
    assert "It was 26 hours late." in shown(browser.get(page("campaign", "change", made.pk)))


def test_there_is_no_page_of_a_run_that_is_not_there() -> None:
    browser = administrator()

    assert browser.get("/admin/campaigns/run/x/change/").status_code == 404
    assert browser.get(page("run", "change", application().pk)).status_code == 404


# --- lists and home ------------------------------------------------------------------------------------
def test_the_list_tells_of_each_campaign_with_the_same_few_statements() -> None:
    browser = administrator()

    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            answer = browser.get(reverse("admin:campaigns_campaign_changelist"))
        assert "Under way" in shown(answer)
        return len(found)

    begun(campaign("sale", name="One"))
    statements()
    one = statements()
    for name in ("Two", "Three"):
        begun(campaign(f"sale-{name.lower()}", name=name))

    assert statements() == one


def test_home_tells_of_the_runs_under_way_and_of_what_is_next() -> None:
    run = watched()
    campaign("next", name="Next sale", next_at=timezone.now() + timedelta(hours=3, minutes=1))

    told = unescape(shown(administrator().get(reverse("admin:index"))))

    assert f'href="{page("run", "change", run.pk)}">Summer sale</a>' in told
    assert "81 % of 11,000" in told
    assert re.search(r"Next sale</a> in 3 h 1 min", told)


def test_home_tells_nothing_of_campaigns_to_whoever_may_not_see_them() -> None:
    watched()

    assert "Summer sale" not in shown(member("Template editor").get(reverse("admin:index")))
