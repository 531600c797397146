"""Runs of campaigns as programs read them."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from accounts.strict import Strict
from campaigns.models import Run
from campaigns.progress import Counts, Progress
from campaigns.reports.cells import written
from notifications.api.paging import PageAnswer


class CountsAnswer(serializers.Serializer[Any]):
    """What became of deliveries. `planned` are all but the suppressed."""

    people = serializers.IntegerField()
    planned = serializers.IntegerField()
    waiting = serializers.IntegerField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField(allow_null=True, help_text="Null where nobody tells what arrived.")
    failed = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    complained = serializers.IntegerField()


class ArmAnswer(CountsAnswer):
    """What became of one variant; "-" are those who are held out."""

    variant = serializers.CharField()
    template = serializers.CharField(allow_blank=True)
    notification = serializers.UUIDField(allow_null=True)


class RunLineAnswer(serializers.Serializer[Any]):
    """One run of many, without how fast it is and without its variants."""

    id = serializers.UUIDField()
    planned_for = serializers.DateTimeField(help_text="The moment of the schedule that it is for.")
    state = serializers.CharField(
        help_text="starting, running, deciding, paused, finished, cancelled, skipped or failed; `note` says why."
    )
    note = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    winner = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField(help_text="The size of its audience, as far as it is written down.")
    counts = CountsAnswer()


class RunsAnswer(PageAnswer):
    """A page of the runs of a campaign."""

    results = RunLineAnswer(many=True)


class RunAnswer(RunLineAnswer):
    """One going-out of a campaign, how far it is, and what was expected of it."""

    handled = serializers.IntegerField(help_text="Of the people, those who are planned.")
    percent = serializers.FloatField()
    per_second = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)
    to_retry = serializers.IntegerField(
        help_text="Of those that failed and are to be tried again, how many are not queued yet."
    )
    arms = ArmAnswer(many=True)
    estimate = serializers.DictField(
        allow_null=True,
        help_text="What was expected before it started; null where nobody had asked. `people` is to be compared with "
        "`handled`, the sum of `planned` with `counts.planned`, and `costs` with `cost`.",
    )
    cost = serializers.DictField(child=serializers.CharField(), help_text="What it has cost so far, by currency.")


class WinnerRequest(Strict):
    """Which variant goes to those who wait."""

    variant = serializers.CharField(max_length=1)


class CancelledAnswer(serializers.Serializer[Any]):
    """How many deliveries were withdrawn, and for how many it was too late."""

    cancelled = serializers.IntegerField()
    too_late = serializers.IntegerField()


class RetriedAnswer(serializers.Serializer[Any]):
    """How many deliveries are tried again; where they are many, to queue them goes on after the answer."""

    replayed = serializers.IntegerField(
        help_text="Those that had failed by now, of which some may not be queued again yet: see the run's to_retry."
    )


def line(run: Run, counts: Counts | None) -> Mapping[str, Any]:
    """A run as `RunLineAnswer` shows it. One that never began has no counts."""
    return {
        "id": run.id,
        "planned_for": run.planned_for,
        "state": run.state,
        "note": run.note,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "winner": run.winner,
        "people": run.people,
        "counts": (counts or Counts()).as_answer(),
    }


def told(run: Run, progress: Progress) -> Mapping[str, Any]:
    """A run as `RunAnswer` shows it."""
    return {
        **line(run, progress.counts),
        "handled": progress.handled,
        "percent": progress.percent,
        "per_second": progress.per_second,
        "seconds_left": progress.seconds_left,
        "to_retry": run.to_retry,
        "arms": [
            {
                **progress.arms[arm.letter].as_answer(),
                "variant": arm.letter,
                "template": arm.template,
                "notification": arm.notification_id,
            }
            for arm in run.arms.order_by("letter")
        ],
        "estimate": run.estimate or None,
        "cost": {currency: written(amount) for currency, amount in sorted(progress.cost.items())},
    }


#: A page as the documentation shows it.
A_PAGE: Final = {
    "next": "https://bongsu.example.com/v1/campaigns/01a2…/runs?cursor=cD0yMDI2LTEx…",
    "previous": None,
    "results": [
        {
            "id": "01a208e0-03a1-747d-abf2-e668904a9a3e",
            "planned_for": "2026-11-29T00:00:00Z",
            "state": "finished",
            "note": "",
            "started_at": "2026-11-29T00:00:00.412Z",
            "finished_at": "2026-11-29T00:03:11.207Z",
            "winner": "B",
            "people": 110000,
            "counts": Counts(
                people=110000, planned=90200, sent=89800, delivered=44900, failed=400, suppressed=8980, clicked=4490
            ).as_answer(),
        },
    ],
}
