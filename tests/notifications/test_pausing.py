"""While a notification is paused nothing of it leaves, and afterwards all of it does, once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from notifications.ledger import pausing
from notifications.ledger.cancel import cancel
from notifications.models import Delivery, DeliveryEvent
from notifications.vocabulary import Lane
from tests.api.shop import shop
from tests.notifications.road import accepted, dispatched, now
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def moment(seconds: float) -> datetime:
    """So long after everything was accepted."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def told(count: int) -> UUID:
    numbers = [{"phone": f"+82103{number:07}"} for number in range(count)]
    return accepted("sms", by=shop(), recipients=numbers)[0].notification_id


def states(notification_id: UUID) -> set[tuple[str, str, int]]:
    return set(Delivery.objects.of(notification_id).values_list("state", "reason", "failures"))


def accepted_by_the_provider(providers: Running) -> tuple[int, int]:
    tally = providers.admin("GET", "counts").json()["providers"].get("twilio", {"accepted": 0, "accepted_again": 0})
    return tally["accepted"], tally["accepted_again"]


def test_nothing_of_a_paused_notification_leaves(providers: Running) -> None:
    paused = told(3)
    pausing.pause([paused], moment(0))

    dispatched(Lane.SMS, moment(1))
    dispatched(Lane.SMS_RETRY, moment(20))

    assert states(paused) == {("retrying", "paused", 0)}
    assert accepted_by_the_provider(providers) == (0, 0)
    assert not DeliveryEvent.objects.exists(), "a look at what is paused is no news"


def test_what_was_resumed_leaves_at_once_and_once(providers: Running) -> None:
    paused = told(3)
    pausing.pause([paused], moment(-3600))
    dispatched(Lane.SMS, moment(1))

    lanes = pausing.resume([paused], moment(2))
    assert lanes == {Lane.SMS_RETRY}
    for later in (2, 3, 200):
        dispatched(Lane.SMS, moment(later))
        dispatched(Lane.SMS_RETRY, moment(later))

    assert states(paused) == {("sent", "", 0)}
    assert accepted_by_the_provider(providers) == (3, 0)


def test_what_is_paused_holds_up_nobody_in_its_lane(providers: Running) -> None:
    paused, other = told(3), told(2)
    pausing.pause([paused], moment(0))

    dispatched(Lane.SMS, moment(1))

    assert states(other) == {("sent", "", 0)}
    assert states(paused) == {("retrying", "paused", 0)}


def test_the_resumption_of_one_leaves_another_paused(providers: Running) -> None:
    one, other = told(2), told(2)
    pausing.pause([one, other], moment(0))
    dispatched(Lane.SMS, moment(1))

    pausing.resume([one], moment(2))
    dispatched(Lane.SMS_RETRY, moment(3))

    assert states(one) == {("sent", "", 0)}
    assert states(other) == {("retrying", "paused", 0)}


def test_what_is_cancelled_while_it_is_paused_stays_so(providers: Running) -> None:
    paused = told(2)
    pausing.pause([paused], moment(0))
    dispatched(Lane.SMS, moment(1))
    cancel(paused, moment(2))

    pausing.resume([paused], moment(3))
    dispatched(Lane.SMS, moment(200))
    dispatched(Lane.SMS_RETRY, moment(200))

    assert states(paused) == {("cancelled", "cancelled", 0)}
    assert accepted_by_the_provider(providers) == (0, 0)


def test_what_comes_to_be_too_late_while_it_is_paused_expires(providers: Running) -> None:
    (delivery,) = accepted("sms", by=shop(), recipients=[{"phone": "+821030000000"}], expires_at=moment(60).isoformat())
    pausing.pause([delivery.notification_id], moment(0))

    dispatched(Lane.SMS, moment(61))

    assert now(delivery).state == "expired"


@pytest.mark.parametrize(("paused_for", "again_in"), [(0, 15), (40, 15), (120, 30), (480, 120), (86_400, 120)])
def test_the_longer_a_pause_lasts_the_more_rarely_it_is_looked_at(
    providers: Running, paused_for: float, again_in: float
) -> None:
    paused, at = told(1), moment(1)
    pausing.pause([paused], at - timedelta(seconds=paused_for))

    dispatched(Lane.SMS, at)

    due_at = Delivery.objects.of(paused).get().due_at
    assert due_at == at + timedelta(seconds=again_in)
