"""What is expected of a campaign equals what comes of it, where everybody is asked about; else it is near."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.channels import Channel, Mode
from accounts.models import Cap, Category, Preference, Recipient
from campaigns import estimating
from campaigns.estimates import Cost, Suppressed
from campaigns.estimating import CannotEstimate, estimate
from campaigns.models import Campaign, Run
from campaigns.vocabulary import HOLD_OUT
from config.demo import cast
from notifications import charging, recovery, tariffs
from notifications.ledger import spending, turnouts
from notifications.models import Delivery, Notification, SmsPrice
from notifications.routes import routes
from notifications.vocabulary import Lane, Reason
from templates_app import catalogue
from templates_app.content import RawContent
from tests.builders import published
from tests.campaigns.stage import begun, campaign, crowd, worked_off
from tests.notifications.road import dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

#: In Korean one part for most people, two for those with a long name; in English one.
TEXT: RawContent = {
    "sms": {
        "ko": {"body": "{{ recipient.name }}님, 세일이 시작했어요. 안녕히 계세요."},
        "en": {"body": "Sale, {{ recipient.name }}!"},
    },
    "email": {"ko": {"subject": "세일", "html": "<p>세일</p>"}},
}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    for forget in (charging.forget, tariffs.forget):
        forget()
    yield
    for forget in (charging.forget, tariffs.forget):
        forget()


def at_present(seconds: float = 1) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def planned_for(run: Run) -> Counter[tuple[str, str]]:
    """Deliveries of a run by channel, and by the reason for which they are not sent."""
    ids = run.arms.exclude(notification_id=None).values_list("notification_id", flat=True)
    return Counter(Delivery.objects.filter(notification_id__in=list(ids)).values_list("channel", "reason"))


def as_planned(campaign: Campaign) -> Counter[tuple[str, str]]:
    """The same, as it is expected."""
    expected = estimate(campaign, at_present())
    assert expected.is_exact
    assert expected.error_percent == 0.0
    return Counter(
        {(channel.value, ""): number for channel, number in expected.planned.items()}
        | {(one.channel.value, one.reason.value): one.people for one in expected.suppressed}
    )


def mixed_crowd() -> list[Recipient]:
    """People with an address or without one, some of whom opted out."""
    people = crowd(30)
    Recipient.objects.filter(pk__in=[one.pk for one in people[:7]]).update(email="")
    return people


# --- exact where everybody is asked ----------------------------------------------------------------
def test_what_is_expected_is_what_is_planned() -> None:
    people = mixed_crowd()
    made = campaign(channels=["email", "push"])
    category = made.variants.get().template.category
    Preference.objects.bulk_create(
        [Preference(recipient=one, category=category, channel="email", allowed=False) for one in people[5:10]]
    )

    expected = as_planned(made)
    run = begun(made)
    worked_off()

    assert expected == planned_for(run)
    assert expected["email", "opted_out"] == 5
    assert expected["push", "no_address"] == 30


def test_variants_and_the_hold_out_are_those_of_the_run() -> None:
    crowd(200)
    made = campaign("sale", "sale-b", holdout_percent=20)
    made.variants.filter(letter="B").update(weight=3)

    expected = estimate(made, at_present())
    run = begun(made)
    worked_off()

    people = dict(run.arms.values_list("letter", "people"))
    assert expected.held_out == people[HOLD_OUT] > 0
    assert {one.letter: one.people for one in expected.variants} == {"A": people["A"], "B": people["B"]}
    assert [one.planned for one in expected.variants] == [people["A"], people["B"]]
    assert expected.reached == people["A"] + people["B"]


def test_caps_are_asked_and_not_used_up() -> None:
    crowd(5)
    made = campaign()
    Cap.objects.create(category=Category.objects.get(), most=1, hours=24)

    first, second = as_planned(made), as_planned(made)
    run = begun(made)
    worked_off()

    assert first == second == planned_for(run) == {("email", ""): 5}
    assert as_planned(made) == {("email", "capped"): 5}


def test_nothing_is_written() -> None:
    crowd(3)
    estimate(campaign(), at_present())
    assert not Notification.objects.exists()
    assert not Delivery.objects.exists()


def test_an_empty_segment_comes_to_nothing() -> None:
    found = estimate(campaign(), at_present())
    assert (found.people, found.reached, found.planned, found.costs) == (0, 0, {}, [])


# --- what it costs ---------------------------------------------------------------------------------
@pytest.fixture
def outside(trusted_sandbox: Running) -> Iterator[Running]:
    """Providers, of whom Twilio has prices."""
    cast._accounts(trusted_sandbox.state)
    routes.forget()
    today = timezone.now().date()
    for destination, amount, currency in (("KR", "0.05", "USD"), ("US", "0.02", "EUR")):
        SmsPrice.objects.create(
            provider="twilio", destination=destination, per_segment=amount, currency=currency, valid_from=today
        )
    yield trusted_sandbox
    routes.forget()


def callers() -> None:
    """People with phones: Koreans with names of many lengths, Americans, and a Briton, for whom no price is known."""
    for number in range(12):
        name = "지" * (8 * number)
        Recipient.objects.create(
            external_id=f"kr-{number}", phone=f"+82101000{number:04}", locale="ko", attributes={"name": name}
        )
    for number in range(5):
        Recipient.objects.create(
            external_id=f"us-{number}", phone=f"+1202555{number:04}", locale="en", attributes={"name": "Ann"}
        )
    Recipient.objects.create(external_id="gb", phone="+447400123456", locale="en", attributes={"name": "Bob"})


def texting(**values: Any) -> Campaign:
    made = campaign(channels=["sms"], **values)
    made.variants.update(template=published("text", TEXT).template)
    return made


def test_text_messages_cost_what_was_expected(outside: Running) -> None:
    callers()
    made = texting()

    expected = estimate(made, at_present())
    run = begun(made)
    worked_off()
    dispatched(Lane.SMS_BULK, at_present(2))
    recovery.keep_tally()

    part = run.arms.get().id
    assert [(one.state, one.count) for one in turnouts.of_parts([part])] == [("sent", 18)]
    paid = [
        Cost(one.channel, one.currency, one.messages, one.segments, one.amount) for one in spending.of_parts([part])
    ]
    assert list(expected.costs) == paid
    assert {one.currency: one.messages for one in paid} == {"": 1, "EUR": 5, "USD": 12}
    assert next(one.segments for one in paid if one.currency == "USD") > 12


def test_a_test_campaign_costs_nothing(outside: Running) -> None:
    callers()
    assert estimate(texting(mode=Mode.TEST.value), at_present()).costs == []


def test_emails_cost_what_the_settings_say(outside: Running, settings: Settings) -> None:
    settings.EMAIL_PRICE, settings.PRICE_CURRENCY = Decimal("0.001"), "EUR"
    crowd(4)
    assert estimate(campaign(), at_present()).costs == [Cost(Channel.EMAIL, "EUR", 4, 4, Decimal("0.004"))]


# --- near where a sample is ------------------------------------------------------------------------
def test_of_many_a_sample_is_asked_and_scaled_up(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.EMAIL_PRICE = Decimal("0.01")
    monkeypatch.setattr(estimating, "SAMPLE", 400)
    people = crowd(3_000)
    Recipient.objects.filter(pk__in=[one.pk for one in people[::3]]).update(email="")

    found = estimate(campaign(), at_present())

    # a tenth more than are wanted are drawn, give or take twenty
    assert 300 < found.sampled <= 400
    assert (found.people, found.is_exact) == (3_000, False)
    assert 0 < found.error_percent < 10
    (planned,) = found.planned.values()
    # four times the error that is told: once in 10^14 runs
    assert abs(planned - 2_000) < 2_000 * 4 / 1.96 * found.error_percent / 100
    assert found.suppressed == [Suppressed(Channel.EMAIL, Reason.NO_ADDRESS, 3_000 - planned)]
    (cost,) = found.costs
    assert cost.messages == planned
    assert float(cost.amount) == pytest.approx(planned * 0.01, rel=0.001)
    assert cost.error_percent == found.error_percent


# --- what cannot be --------------------------------------------------------------------------------
def test_without_a_variant_or_a_published_version_nothing_can_be_said() -> None:
    made = campaign()
    made.variants.get().template.versions.all().delete()
    catalogue.forget()
    with pytest.raises(CannotEstimate, match="No version of sale is published"):
        estimate(made, at_present())
    made.variants.all().delete()
    with pytest.raises(CannotEstimate, match="choose a template"):
        estimate(made, at_present())


def test_it_is_kept_as_json() -> None:
    crowd(2)
    people = estimate(campaign(channels=["email", "push"]), at_present()).as_json()
    assert people["planned"] == {"email": 2}
    assert people["suppressed"] == [
        {
            "channel": "push",
            "reason": "no_address",
            "text": "The recipient has no address for this channel.",
            "people": 2,
        }
    ]
