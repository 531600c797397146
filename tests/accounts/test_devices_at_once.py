"""A token belongs to one person at a time, whoever registers, renews and retires it at the same moment."""

from functools import partial
from random import Random

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.devices import register, registration, renew, retire_many
from accounts.models import Device, Recipient
from tests.at_once import in_threads
from tests.builders import fcm_token, iphone, person

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_app_that_registers_twice_at_once_has_one_device() -> None:
    people = [person(f"p{number}") for number in range(4)]

    def registering(owner: Recipient) -> Device:
        with transaction.atomic():
            return register(owner, iphone(), timezone.now())[0]

    made = in_threads(*(partial(registering, owner) for owner in people))

    assert len({one.id for one in made}) == 1
    assert Device.objects.live().count() == 1


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_a_token_at_once_it_has_one_owner_and_nobody_fails(seed: int) -> None:
    people = [person(f"p{number}") for number in range(4)]

    def busy(owner: Recipient, dice: Random) -> None:
        for _ in range(25):
            if dice.random() < 0.4:
                live = Device.objects.live().values_list("id", flat=True)
                retire_many([(device_id, None, "Unregistered") for device_id in live], timezone.now())
            else:
                told, _ = register(owner, iphone(), timezone.now())
                assert told.recipient_id == owner.id

    in_threads(*[partial(busy, owner, Random(f"{seed} {place}")) for place, owner in enumerate(people)])

    register(people[0], iphone(), timezone.now())
    assert list(Device.objects.live().values_list("recipient__external_id", flat=True)) == ["p0"]


def test_of_two_who_renew_into_the_same_token_one_has_it() -> None:
    people = [person(f"p{number}") for number in range(4)]
    for number, owner in enumerate(people):
        register(owner, registration("android", fcm_token(f"old{number}")), timezone.now())
    new = registration("android", fcm_token("new"))

    def renewing(owner: Recipient, number: int) -> None:
        renew(owner, fcm_token(f"old{number}"), new, timezone.now())

    in_threads(*[partial(renewing, owner, number) for number, owner in enumerate(people)])

    assert list(Device.objects.live().values_list("token", flat=True)) == [fcm_token("new")]


def test_a_token_that_is_called_dead_while_it_moves_is_retired_or_stays_with_its_new_owner() -> None:
    before, after = person("before"), person("after")
    asked_at = timezone.now()
    device, _ = register(before, iphone(), asked_at)

    in_threads(
        partial(register, after, iphone(), timezone.now()),
        partial(retire_many, [(device.id, asked_at, "Unregistered")], timezone.now()),
    )

    assert list(Device.objects.live().values_list("recipient__external_id", flat=True)) == ["after"]
