"""What somebody did is told to them, and is nobody's once they are erased; the sums stay."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from accounts.channels import Mode
from accounts.models import Application, Recipient
from campaigns.models import Campaign, Chunk, Run, Segment, SegmentMember
from notifications import erasing, exporting
from notifications.clock import clock
from notifications.ledger import stripping
from notifications.models import Delivery
from tests.notifications.erased import later, tables_with
from tests.tracking.reacting import NOW, clicked, counts, earned, person_of, said, sent, told
from tracking import converting, folding
from tracking.converting import Teller, Told
from tracking.models import Conversion, Engagement

pytestmark = pytest.mark.django_db


def bought(who: Recipient, ref: str) -> None:
    one = Told(ref, "purchase", recipient=who.external_id, at=NOW)
    converting.tell([one], Teller(Application.objects.all()[0].pk, Mode.LIVE), NOW)


def two_who_did_things() -> tuple[Recipient, Recipient]:
    """Each clicked and bought; and each is on a list."""
    deliveries = sent(2)
    first, second = (person_of(one) for one in deliveries)
    segment = Segment.objects.create(name="list", kind="list")
    for delivery, who in zip(deliveries, (first, second), strict=True):
        clicked(delivery, NOW - timedelta(minutes=1))
        bought(who, f"order-of-{who.external_id}")
        SegmentMember.objects.create(segment=segment, recipient=who)
    return first, second


def erased(who: Recipient) -> None:
    erasing.erase(who, by="a test", clock=clock.now)
    erasing.carry_on(clock=later())


def test_who_is_erased_is_in_no_table_and_what_they_did_still_counts() -> None:
    who, other = two_who_did_things()
    assert {"tracking_engagement", "tracking_conversion", "campaigns_segmentmember"} <= tables_with(str(who.pk))
    before = counts()

    erased(who)

    assert tables_with(str(who.pk), who.external_id) == set()
    assert counts() == before == {"clicked": (2, 2), "converted": (2, 2)}
    assert [conversions for conversions, _ in earned().values()] == [2]
    assert set(Engagement.objects.values_list("recipient", flat=True)) == {None, other.pk}
    assert Conversion.objects.get(recipient=other.pk).ref == f"order-of-{other.external_id}"
    assert SegmentMember.objects.get().recipient_id == other.pk


def test_what_is_counted_while_they_are_being_erased_is_nobodys_in_the_end() -> None:
    [delivery] = sent()
    who = person_of(delivery)
    told(said(delivery, "clicked"), fold=False)
    erasing.erase(who, by="a test", clock=clock.now)
    # a worker that had read the delivery before
    Delivery.objects.update(recipient=who.pk)
    folding.fold(clock=lambda: NOW)
    assert Engagement.objects.get().recipient_id == who.pk

    erasing.carry_on(clock=later())

    assert tables_with(str(who.pk)) == set()


def test_however_much_somebody_did_it_is_erased_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripping, "TOGETHER", 2)
    deliveries = sent(5)
    Delivery.objects.update(recipient=deliveries[0].recipient_id)
    who = person_of(deliveries[0])
    for one in deliveries:
        clicked(one, NOW - timedelta(minutes=1))
        bought(who, f"order-{one.pk}")

    erased(who)

    assert tables_with(str(who.pk)) == set()
    assert Conversion.objects.count() == Engagement.objects.count() == 5


def test_an_export_tells_what_somebody_did_and_nothing_of_others() -> None:
    who, other = two_who_did_things()

    found = json.loads("".join(exporting.export(who, clock.now())))

    assert [len(found[name]) for name in ("engagements", "conversions", "segment_members")] == [1, 1, 1]
    assert found["conversions"][0]["ref"] == f"order-of-{who.external_id}"
    assert str(other.pk) not in json.dumps(found)


def frozen(*people: Recipient) -> Run:
    """A run for these, in chunks of two, of which the first is planned; in each phase."""
    segment = Segment.objects.create(name="all")
    application = Application.objects.create(name="shop")
    campaign = Campaign.objects.create(name="spring", application=application, segment=segment, schedule_kind="now")
    run = Run.objects.create(campaign=campaign, planned_for=NOW)
    ids = sorted(one.pk for one in people)
    for phase in (1, 2):
        after = UUID(int=0)
        for place in range(0, len(ids), 2):
            state = "open" if place else "planned"
            some = ids[place : place + 2]
            Chunk.objects.create(run=run, phase=phase, after_id=after, recipient_ids=some, state=state)
            after = some[-1]
    return run


@pytest.mark.parametrize("place", range(5))
def test_who_is_erased_leaves_every_frozen_audience_and_nobody_else_does(place: int) -> None:
    people = [Recipient.objects.create(external_id=f"p-{number}") for number in range(5)]
    frozen(*people)
    who = people[place]

    erased(who)

    left = [pk for chunk in Chunk.objects.order_by("phase", "after_id") for pk in chunk.recipient_ids]
    assert left == sorted(one.pk for one in people if one != who) * 2
    # where a chunk begins is a place between people, which leads to nobody
    assert not Chunk.objects.filter(recipient_ids__contains=[who.pk]).exists()
