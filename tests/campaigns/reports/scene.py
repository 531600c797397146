"""A campaign that went out twice, with figures for everything that a report can show."""

from datetime import timedelta

from django.utils import timezone

from campaigns.models import Arm, Campaign, Run, Sample
from tests.campaigns.reports.written import hour, reaction, revenue, run_of, spending, turnout
from tests.campaigns.stage import campaign

#: As `campaigns.estimates` writes it.
ESTIMATE = {
    "people": 110_000, "planned": {"push": 40_500, "email": 50_000, "sms": 1_900}, "error_percent": 2.3,
    "costs": [
        {"channel": "sms", "currency": "USD", "amount": "88.2", "error_percent": 4.1},
        {"channel": "sms", "currency": "", "amount": "0", "error_percent": 0.0},
    ],
}  # fmt: skip


def shown() -> Campaign:
    """Two variants and a hold-out, by push, email and SMS; a week ago and now."""
    of = campaign("sale", "sale-again", name="Winter sale", holdout_percent=10, channels=["push", "email", "sms"])
    for days in (7, 0):
        begun = timezone.now() - timedelta(days=days, hours=5)
        run = run_of(of, people=100_000, planned_for=begun, estimate=ESTIMATE)
        Arm.objects.create(run=run, letter="-", people=10_000)
        for place, arm in enumerate(run.arms.exclude(letter="-").order_by("letter")):
            _went_out(arm, days, 1 + place / 5)
        _sampled(run)
    return of


def _went_out(arm: Arm, days: int, better: float) -> None:
    for channel, sent in (("push", 20_000), ("email", 24_000), ("sms", 900)):
        at = {"channel": channel, "hour": hour(days)}
        turnout(arm, sent // 2, state="delivered", **at)
        turnout(arm, sent // 2, **at)
        turnout(arm, sent // 40, state="failed", reason="bounced" if channel == "email" else "undelivered", **at)
        turnout(arm, sent // 10, state="suppressed", reason="opted_out", **at)
        turnout(arm, sent // 25, state="suppressed", reason="no_address", **at)
        for later in range(5):
            then = {"channel": channel, "hour": hour(days) + timedelta(hours=later)}
            part = better * sent / (later + 2)
            for kind, of_sent in (
                ("opened", 0.2), ("machine_opened", 0.05), ("clicked", 0.04), ("converted", 0.008),
                ("unsubscribed", 0.001), ("complained", 0.0002),
            ):  # fmt: skip
                reaction(arm, kind, int(part * of_sent), **then)
            revenue(arm, str(int(part * 0.008) * 39_000), channel=channel, hour=then["hour"])
    spending(arm, "45.675", messages=900, hour=hour(days))
    spending(arm, "0", "", messages=12, hour=hour(days))


def _sampled(run: Run) -> None:
    assert run.started_at is not None
    for second in range(0, 300, 5):
        sent = second * 300
        counts = {"planned": sent + 2_000, "sent": sent, "delivered": sent // 2, "failed": sent // 40}
        Sample.objects.create(run=run, at=run.started_at + timedelta(seconds=second), counts=counts)
