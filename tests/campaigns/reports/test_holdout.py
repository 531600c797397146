"""What messages brought: everybody who was meant to get one, compared with everybody who was held out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Recipient
from campaigns import launching
from campaigns.models import Run
from campaigns.reports.holdout import Brought, brought
from campaigns.vocabulary import RunState
from tests.builders import application
from tests.campaigns.stage import begun, campaign, crowd, worked_off
from tracking.models import Conversion

pytestmark = pytest.mark.django_db


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(seconds=5, **span)


def converted(people: list[Recipient], times: int = 1, **values: Any) -> None:
    shop = application()
    Conversion.objects.bulk_create(
        Conversion(**{"application": shop, "ref": f"{one.pk}-{time}", "recipient": one, "at": later(), **values})
        for one in people
        for time in range(times)
    )


def divided(run: Run, people: list[Recipient]) -> tuple[list[Recipient], list[Recipient]]:
    """Those who are meant to get a message, and those who are held out."""
    design = launching.design(run)
    held = [one for one in people if design.is_held_out(one.pk)]
    return [one for one in people if one not in held], held


def found(run: Run, at: datetime | None = None) -> Brought:
    cache.clear()
    run = Run.objects.select_related("campaign").get(pk=run.pk)
    compared = brought(run, list(run.arms.all()), at or later(minutes=1))
    assert compared is not None
    return compared


def counts(one: Brought) -> tuple[tuple[int, int], tuple[int, int]]:
    """People and converters, of those who were meant to get something and of those held out."""
    return (one.found.reached.people, one.found.reached.successes), (one.held_out.people, one.held_out.successes)


def test_everybody_of_the_audience_who_did_it_counts_once_on_the_side_where_they_are() -> None:
    people = crowd(300)
    run = begun(campaign(holdout_percent=40))
    worked_off()
    strangers = crowd(20, prefix="late")
    meant, held = divided(run, people)
    assert min(len(meant), len(held)) > 90

    converted(meant[:30], times=2)
    converted(held[:5])
    converted(strangers)

    assert counts(found(run)) == ((len(meant), 30), (len(held), 5))


@pytest.mark.parametrize(
    "values",
    [
        {"at": timezone.now() - timedelta(hours=1)},
        {"at": timezone.now() + timedelta(days=8)},
        {"mode": "test"},
    ],
    ids=["before it began", "after the days within which a click counts", "of tests"],
)
def test_what_has_nothing_to_do_with_the_run_does_not_count(values: dict[str, Any]) -> None:
    people = crowd(50)
    run = begun(campaign(holdout_percent=40))
    worked_off()

    converted(people, **values)

    compared = found(run, later(days=30))
    assert (compared.found.reached.successes, compared.held_out.successes) == (0, 0)
    assert compared.until < later(days=7)


def test_who_waits_for_the_better_variant_counts_once_it_is_planned_for_them() -> None:
    people = crowd(200)
    run = begun(campaign("sale", "sale-2", holdout_percent=20, test_percent=50))
    worked_off()
    design = launching.design(run)
    converted(people)
    meant, held = divided(run, people)
    tested = [one for one in meant if design.is_tested(one.pk)]

    assert counts(found(run)) == ((len(tested), len(tested)), (len(held), len(held)))

    Run.objects.filter(pk=run.pk).update(winner="A", state=RunState.RUNNING)
    worked_off()
    assert counts(found(run)) == ((len(meant), len(meant)), (len(held), len(held)))


def test_nobody_is_compared_where_nobody_is_held_out() -> None:
    crowd(5)
    run = begun(campaign())
    worked_off()

    assert brought(Run.objects.get(pk=run.pk), list(run.arms.all()), later()) is None


def test_it_is_told_in_words() -> None:
    people = crowd(1200)
    run = begun(campaign(holdout_percent=50))
    worked_off()
    meant, held = divided(run, people)

    converted(meant[: len(meant) // 5])
    converted(held[: len(held) // 10])

    told = found(run).sentence
    assert "% of all who were meant to get a message converted" in told
    assert "percentage points more (the true difference lies between +" in told
    assert "The messages help with more than 99.9 %." in told


def test_with_few_people_it_is_too_early_to_tell() -> None:
    crowd(20)
    run = begun(campaign(holdout_percent=50))
    worked_off()

    assert found(run).sentence.startswith("Too early to tell what the messages bring: ")


def test_it_is_found_once_a_minute() -> None:
    people = crowd(50)
    run = begun(campaign(holdout_percent=40))
    worked_off()
    before = found(run)
    converted(people)

    assert brought(Run.objects.get(pk=run.pk), list(run.arms.all()), later(minutes=2)) == before
    assert found(run) != before
