"""The report of a campaign: every figure from the roll-ups, by variant and channel, of one run and of all."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.channels import Channel
from campaigns import controlling
from campaigns.models import Arm, Run
from campaigns.reports import gathering
from campaigns.reports.counting import Because, Counted
from campaigns.reports.gathering import CampaignReport
from tests.campaigns.reports.written import hour, reaction, revenue, run_of, spending, turnout
from tests.campaigns.stage import campaign

pytestmark = pytest.mark.django_db


def report(of: Any, run: Run | None = None) -> CampaignReport:
    return gathering.of_campaign(of, run.pk if run else None, timezone.now())


def arm(run: Run, letter: str = "A") -> Arm:
    return run.arms.get(letter=letter)


def test_every_figure_of_an_arm_is_that_of_the_roll_ups() -> None:
    of = campaign()
    mine = arm(run_of(of))
    for state, count in [("waiting", 1), ("sent", 20), ("delivered", 30), ("uncertain", 2)]:
        turnout(mine, count, state=state)
    for state, reason, count in [
        ("failed", "bounced", 4), ("expired", "expired", 5), ("cancelled", "cancelled", 6),
        ("suppressed", "opted_out", 8), ("suppressed", "capped", 7),
    ]:  # fmt: skip
        turnout(mine, count, state=state, reason=reason)
    for people, kind in enumerate(
        ["opened", "machine_opened", "clicked", "converted", "unsubscribed", "complained"], start=1
    ):
        reaction(mine, kind, people)
    revenue(mine, "39000")
    revenue(mine, "1000", hour=hour(1))
    revenue(mine, "5", "USD")
    revenue(mine, "0", "")
    spending(mine, "0.25")
    spending(mine, "0", "", messages=3)

    assert report(of).total == Counted(
        planned=68, waiting=1, sent=52, delivered=30, failed=15, suppressed=15, opened=1, machine_opened=2, clicked=3,
        converted=4, unsubscribed=5, complained=6, unpriced=3,
        suppressed_by={"opted_out": 8, "capped": 7}, failed_by={"bounced": 4, "expired": 5, "cancelled": 6},
        revenue={"KRW": Decimal(40000), "USD": Decimal(5)}, cost={"USD": Decimal("0.25")},
    )  # fmt: skip
    assert report(of).total.why_suppressed == [
        Because("opted_out", "The recipient opted out.", 8),
        Because("capped", "The recipient has had as many messages as the cap allows.", 7),
    ]


def test_rates_are_parts_of_what_was_sent() -> None:
    of = campaign()
    mine = arm(run_of(of))
    turnout(mine, 50, state="delivered")
    turnout(mine, 150, state="sent")
    turnout(mine, 100, state="failed", reason="bounced")
    reaction(mine, "clicked", 20)

    total = report(of).total

    assert (total.rate("delivered"), total.rate("clicked")) == (0.25, 0.1)
    assert Counted(planned=5).rate("clicked") is None


def test_figures_are_told_by_variant_and_by_channel() -> None:
    of = campaign("sale", "sale-2")
    run = run_of(of)
    turnout(arm(run, "A"), 1, channel="email")
    turnout(arm(run, "A"), 2, channel="push")
    turnout(arm(run, "B"), 4, channel="email")

    found = report(of)

    assert {one.letter: (one.template, one.counted.sent) for one in found.comparison.variants} == {
        "A": ("sale", 3), "B": ("sale-2", 4),
    }  # fmt: skip
    assert [(line.key, line.counted.sent) for line in found.channels] == [("push", 2), ("email", 5)]
    assert {(letter, channel.value): cell.sent for (letter, channel), cell in found.cells.items()} == {
        ("A", "email"): 1, ("A", "push"): 2, ("B", "email"): 4,
    }  # fmt: skip


def test_a_run_has_a_report_of_its_own_beside_that_of_all_runs() -> None:
    of = campaign()
    old, new = run_of(of, planned_for=timezone.now() - timedelta(days=7)), run_of(of)
    turnout(arm(old), 100)
    turnout(arm(new), 50)

    both, one = report(of), report(of, old)

    assert (both.run, both.total.sent, both.people) == (None, 150, 2000)
    assert (one.run, one.total.sent, one.people) == (old, 100, 1000)
    for found in (both, one):
        assert [(line.run, line.counted.sent) for line in found.runs] == [(new, 50), (old, 100)]
    assert both.comparison.sentences == (), "the people of several runs are the same"


def test_the_only_run_is_the_report() -> None:
    of = campaign()
    run = run_of(of)

    assert report(of).run == run


def test_a_run_of_another_campaign_has_no_report_here() -> None:
    mine, others = campaign("sale"), campaign("welcome")
    with pytest.raises(Run.DoesNotExist):
        report(mine, run_of(others))


def test_the_better_variant_is_named_in_words_with_intervals() -> None:
    of = campaign("sale", "sale-2")
    run = run_of(of, people=4000)
    for letter, clicks in [("A", 100), ("B", 160)]:
        turnout(arm(run, letter), 2000)
        reaction(arm(run, letter), "clicked", clicks)

    found = report(of).comparison

    a, b = found.variants
    assert (a.reached, a.parts["clicked"].rate, b.parts["clicked"].rate) == (2000, 0.05, 0.08)
    assert b.parts["clicked"].true.low < 0.08 < b.parts["clicked"].true.high
    assert (b.best or 0) > 0.999
    assert found.sentences[0].startswith("B is better than A with more than 99.9 %")


def test_before_anybody_is_reached_nothing_is_said() -> None:
    of = campaign("sale", "sale-2")
    run_of(of)

    found = report(of).comparison

    assert (found.sentences, [one.best for one in found.variants]) == ((), [None, None])


def test_a_campaign_that_never_ran_has_an_empty_report() -> None:
    found = report(campaign())

    assert (found.runs, found.total, found.comparison.variants) == ([], Counted(), [])


def test_a_report_takes_as_few_statements_for_many_hours_and_runs_as_for_few(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    of = campaign("sale", "sale-2")
    for back in range(20):
        run = run_of(of, planned_for=timezone.now() - timedelta(days=back))
        for mine in run.arms.all():
            turnout(mine, 10, hour=hour(back))
            reaction(mine, "clicked", 1, hour=hour(back))

    with django_assert_max_num_queries(6):
        assert report(of).total.sent == 400


def test_while_it_is_too_early_to_tell_nobody_is_told_a_probability() -> None:
    of = campaign("sale", "sale-2")
    run = run_of(of, people=184, state="running", finished_at=None)
    for letter, people, clicks in [("A", 80, 1), ("B", 92, 30)]:
        turnout(arm(run, letter), people)
        reaction(arm(run, letter), "clicked", clicks)

    found = report(of).comparison

    few = "A has 80 and B has 92 of the 100 people that each variant needs."
    assert (found.sentences, [one.best for one in found.variants]) == ((f"Too early to tell: {few}",), [None, None])

    Run.objects.update(state="finished")
    assert report(of).comparison.sentences == (f"Too few people to tell: {few}",)


def test_a_lead_that_was_never_sure_enough_is_told_when_all_is_over() -> None:
    of = campaign("sale", "sale-2")
    run = run_of(of, people=1000)
    for letter, clicks in [("A", 30), ("B", 40)]:
        turnout(arm(run, letter), 500)
        reaction(arm(run, letter), "clicked", clicks)

    found = report(of).comparison

    assert found.sentences[0].startswith("Too close to tell: B leads with 8")
    assert [one.best for one in found.variants] == [None, None]


def test_once_a_winner_went_to_the_rest_the_people_of_the_test_are_compared() -> None:
    of = campaign("sale", "sale-2")
    run = run_of(of, people=2000, state="deciding", test_percent=20, finished_at=None)
    for letter, clicks in [("A", 20), ("B", 60)]:
        Arm.objects.filter(run=run, letter=letter).update(people=200)
        turnout(arm(run, letter), 200)
        reaction(arm(run, letter), "clicked", clicks)

    controlling.choose(run.pk, "A", timezone.now())
    Arm.objects.filter(run=run, letter="A").update(people=1800)
    turnout(arm(run, "A"), 1600, channel="push")
    reaction(arm(run, "A"), "clicked", 1200, channel="push")
    found = report(of).comparison

    a, b = found.variants
    assert (a.reached, a.counted.clicked) == (1800, 1220), "the figures are of everybody"
    assert (a.parts["clicked"].rate, b.parts["clicked"].rate) == (0.1, 0.3)
    assert (b.best or 0) > 0.999
    assert found.sentences[0].startswith("B is better than A")
    assert found.sentences[-1] == (
        "Compared are the 400 people of the test, and what they did until A was chosen; "
        "whoever got A afterwards is not."
    )


def test_where_nobody_tells_what_arrives_nothing_is_told_of_it() -> None:
    of = campaign()
    mine = arm(run_of(of))
    turnout(mine, 100, channel="push")
    turnout(mine, 20, channel="email", state="sent")
    turnout(mine, 80, channel="email", state="delivered")

    found = report(of)

    push, email = (found.cells["A", channel] for channel in (Channel.PUSH, Channel.EMAIL))
    assert (push.number("delivered"), push.rate("delivered")) == (None, None)
    assert (email.number("delivered"), email.rate("delivered")) == (80, 0.8)
    assert (found.total.number("delivered"), found.total.rate("delivered")) == (80, 0.8)
    assert found.total.rate("opened") == 0


def test_a_text_message_of_which_nothing_was_heard_has_not_arrived() -> None:
    of = campaign()
    turnout(arm(run_of(of)), 100, channel="sms")

    assert report(of).total.rate("delivered") == 0


def test_pushes_of_which_an_app_tells_are_told() -> None:
    of = campaign()
    mine = arm(run_of(of))
    turnout(mine, 60, channel="push")
    turnout(mine, 40, channel="push", state="delivered")

    assert report(of).total.rate("delivered") == 0.4
