"""Which channel a message takes, where it does not take all that reach the person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.channels import Channel
from accounts.policies import Reach, Routing
from notifications.planning.plan import plan
from notifications.planning.values import DeviceFact, Drop, Itinerary, Later, Policy, Send
from notifications.vocabulary import Queue, Reason
from tests.planning.examples import IPHONE, NEWS, NOON, TABLET, facts, person

PUSH, SMS, EMAIL = Channel.PUSH, Channel.SMS, Channel.EMAIL
YESTERDAY, LAST_YEAR = NOON - timedelta(days=1), NOON - timedelta(days=365)


def phone(seen: Any) -> DeviceFact:
    return DeviceFact(IPHONE.id, Queue.IOS, seen)


def decided(itinerary: Itinerary, **who: Any) -> dict[Channel, Send | Drop | Later]:
    policy = Policy(NEWS, opt_in=False, is_critical=False, itinerary=itinerary)
    decisions = plan(facts(person(**who), policy=policy), NOON).decisions
    return {one.candidate.channel: one.verdict for one in decisions}


def taken(itinerary: Itinerary, **who: Any) -> list[Channel]:
    return [channel for channel, verdict in decided(itinerary, **who).items() if isinstance(verdict, Send)]


@pytest.mark.parametrize(
    ("order", "who", "channel"),
    [
        ((PUSH, SMS, EMAIL), {}, PUSH),
        ((EMAIL, PUSH, SMS), {}, EMAIL),
        ((PUSH, SMS, EMAIL), {"devices": ()}, SMS),  # whoever has no device gets a text message
        ((PUSH, SMS, EMAIL), {"devices": (), "phone": ""}, EMAIL),
        ((PUSH, SMS), {"choices": {(None, PUSH): False}}, SMS),  # nor does one who wants no pushes
        ((SMS,), {"phone": ""}, PUSH),  # what the order leaves out comes last
    ],
)
def test_the_first_that_reaches_the_person_is_taken(order: Any, who: dict[str, Any], channel: Channel) -> None:
    assert taken(Itinerary(routing=Routing.FIRST, order=order), **who) == [channel]


@pytest.mark.parametrize(
    ("who", "channel"),
    [
        ({"devices": (phone(YESTERDAY),)}, PUSH),  # a push instead of a text message
        ({"devices": (phone(LAST_YEAR),)}, EMAIL),  # nobody may look at that phone any more
        ({"devices": (phone(LAST_YEAR), DeviceFact(TABLET.id, Queue.ANDROID, YESTERDAY))}, PUSH),
        ({"devices": (phone(LAST_YEAR),), "email": ""}, SMS),
        ({"devices": (phone(LAST_YEAR),), "email": "", "phone": ""}, PUSH),  # better than nothing
        ({"devices": ()}, EMAIL),
    ],
)
def test_the_cheapest_is_taken_and_a_push_only_where_somebody_looks(who: dict[str, Any], channel: Channel) -> None:
    cheapest = Itinerary(routing=Routing.CHEAPEST, order=(PUSH, SMS, EMAIL), seen_within=timedelta(days=30))

    assert taken(cheapest, **who) == [channel]


def test_the_others_say_by_which_it_goes() -> None:
    verdicts = decided(Itinerary(routing=Routing.FIRST), phone="")

    assert verdicts[EMAIL] == Drop(Reason.ROUTED, "goes by push instead")
    assert verdicts[SMS] == Drop(Reason.NO_ADDRESS), "what could not be sent anyway keeps its own reason"


@pytest.mark.parametrize(("reach", "queues"), [(Reach.ALL, ["ios", "android"]), (Reach.LATEST, ["android"])])
def test_a_push_goes_to_all_devices_or_to_the_one_that_was_seen_last(reach: Reach, queues: list[str]) -> None:
    devices = (phone(LAST_YEAR), DeviceFact(TABLET.id, Queue.ANDROID, YESTERDAY))

    sent = decided(Itinerary(reach=reach), devices=devices)[PUSH]

    assert isinstance(sent, Send)
    assert [target.queue for target in sent.targets] == queues


itineraries = st.builds(
    Itinerary,
    routing=st.sampled_from([Routing.ALL, Routing.FIRST, Routing.CHEAPEST]),
    order=st.permutations(list(Channel)).flatmap(lambda all_: st.integers(1, 3).map(lambda n: tuple(all_[:n]))),
    reach=st.sampled_from(Reach),
)
people = st.builds(
    person,
    email=st.sampled_from(["", "jimin@example.com"]),
    phone=st.sampled_from(["", "+821012345678"]),
    devices=st.sampled_from([(), (phone(YESTERDAY),), (phone(LAST_YEAR), TABLET)]),
    choices=st.dictionaries(st.tuples(st.sampled_from([None, NEWS]), st.sampled_from([None, *Channel])), st.booleans()),
)


@given(itineraries, st.lists(people, min_size=1, max_size=3))
def test_every_person_and_channel_stands_in_the_plan_once_and_who_is_reached_at_all_is_reached(
    itinerary: Itinerary, everybody: list[Any]
) -> None:
    named = [replace_ref(one, str(place)) for place, one in enumerate(everybody)]
    policy = Policy(NEWS, opt_in=False, is_critical=False, itinerary=itinerary)
    asked = facts(*named, policy=policy)
    everywhere = plan(replace(asked, policy=replace(policy, itinerary=Itinerary())), NOON)

    decisions = plan(asked, NOON).decisions

    assert [(d.candidate.person.ref, d.candidate.channel) for d in decisions] == [
        (one.ref, channel) for one in named for channel in Channel
    ]
    for one in named:
        sends = [d for d in decisions if d.candidate.person is one and isinstance(d.verdict, Send)]
        could = [d for d in everywhere.decisions if d.candidate.person is one and isinstance(d.verdict, Send)]
        assert bool(sends) == bool(could)
        assert itinerary.routing is Routing.ALL or len(sends) <= 1


def replace_ref(one: Any, ref: str) -> Any:
    return person(ref=ref, email=one.email, phone=one.phone, devices=one.devices, choices=one.choices)
