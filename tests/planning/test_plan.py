"""Who gets what, and who does not, and why."""

from datetime import timedelta

import pytest

from accounts.channels import Channel
from notifications.planning.plan import plan
from notifications.planning.values import Decision, Drop, Later, Policy, Send
from notifications.vocabulary import Queue, Reason
from tests.planning.examples import IPHONE, NEWS, NOON, TABLET, facts, person


def verdicts(*decisions: Decision) -> dict[Channel, Send | Drop | Later]:
    return {decision.candidate.channel: decision.verdict for decision in decisions}


def test_somebody_who_chose_nothing_gets_every_channel_and_every_device() -> None:
    decided = plan(facts(), NOON)

    queues = [target.queue for d in decided.decisions if isinstance(d.verdict, Send) for target in d.verdict.targets]
    assert queues == [Queue.IOS, Queue.ANDROID, Queue.SMS, Queue.EMAIL]
    assert (decided.planned, decided.suppressed) == (4, 0)


def test_every_person_and_channel_asked_for_stands_in_the_plan_once_in_the_order_asked() -> None:
    people = [person(ref=name) for name in ("a", "b", "c")]

    decided = plan(facts(*people, channels=(Channel.EMAIL, Channel.SMS)), NOON)

    assert [(d.candidate.person.ref, d.candidate.channel) for d in decided.decisions] == [
        ("a", "email"), ("a", "sms"), ("b", "email"), ("b", "sms"), ("c", "email"), ("c", "sms"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "opt_in", "critical", "reason"),
    [
        ({}, False, False, None),
        ({}, True, False, Reason.NOT_OPTED_IN),
        ({}, True, True, None),
        # the most specific choice wins, whichever way it goes
        ({(NEWS, Channel.SMS): False}, False, False, Reason.OPTED_OUT),
        ({(NEWS, Channel.SMS): True, (NEWS, None): False}, False, False, None),
        ({(NEWS, None): False, (None, Channel.SMS): True}, False, False, Reason.OPTED_OUT),
        ({(NEWS, None): True, (None, Channel.SMS): False}, False, False, None),
        ({(None, Channel.SMS): False, (None, None): True}, False, False, Reason.OPTED_OUT),
        ({(None, Channel.SMS): True, (None, None): False}, False, False, None),
        ({(None, None): False}, False, False, Reason.OPTED_OUT),
        ({(None, None): True}, True, False, None),
        # another channel's choice says nothing about this one
        ({(NEWS, Channel.EMAIL): False}, False, False, None),
        # security and legal messages ask for no consent
        ({(NEWS, Channel.SMS): False}, False, True, None),
        ({(None, None): False}, True, True, None),
    ],
)
def test_the_most_specific_choice_wins_over_the_category(
    choices: dict[object, bool],
    opt_in: bool,
    critical: bool,
    reason: Reason | None,
) -> None:
    asked = facts(
        person(choices=choices), channels=(Channel.SMS,), policy=Policy(NEWS, opt_in=opt_in, is_critical=critical)
    )

    verdict = verdicts(*plan(asked, NOON).decisions)[Channel.SMS]

    assert (verdict.reason if isinstance(verdict, Drop) else None) == reason


@pytest.mark.parametrize("critical", [False, True])
def test_nobody_sends_to_a_suppressed_address_not_even_critical_news(critical: bool) -> None:
    asked = facts(
        person(),
        suppressed=frozenset({(Channel.EMAIL, "jimin@example.com")}),
        policy=Policy(NEWS, opt_in=False, is_critical=critical),
    )

    found = verdicts(*plan(asked, NOON).decisions)

    assert found[Channel.EMAIL] == Drop(Reason.SUPPRESSED_ADDRESS)
    assert isinstance(found[Channel.SMS], Send)


def test_a_suppression_of_one_channel_leaves_the_same_address_alone_on_another() -> None:
    odd = person(email="+821012345678")

    found = verdicts(*plan(facts(odd, suppressed=frozenset({(Channel.SMS, "+821012345678")})), NOON).decisions)

    assert found[Channel.SMS] == Drop(Reason.SUPPRESSED_ADDRESS)
    assert isinstance(found[Channel.EMAIL], Send)


@pytest.mark.parametrize(
    ("send_in", "expires_in", "is_sent"),
    [
        (None, None, True),
        (None, timedelta(seconds=1), True),
        (None, timedelta(0), False),  # the moment of expiry is too late
        (timedelta(hours=1), timedelta(hours=2), True),
        (timedelta(hours=2), timedelta(hours=2), False),
        (timedelta(hours=-1), timedelta(seconds=1), True),  # a send_at that has passed means now
    ],
)
def test_what_would_come_too_late_is_not_sent(
    send_in: timedelta | None,
    expires_in: timedelta | None,
    is_sent: bool,
) -> None:
    asked = facts(
        send_at=NOON + send_in if send_in is not None else None,
        expires_at=NOON + expires_in if expires_in is not None else None,
    )

    assert all(isinstance(d.verdict, Send) is is_sent for d in plan(asked, NOON).decisions)


def test_a_later_send_at_holds_the_message_and_says_which_rule_did() -> None:
    verdict = plan(facts(send_at=NOON + timedelta(hours=3)), NOON).decisions[0].verdict

    assert isinstance(verdict, Send)
    assert verdict.hold is not None
    assert (verdict.hold.until, verdict.hold.rule) == (NOON + timedelta(hours=3), "send_at")


@pytest.mark.parametrize(
    ("lacking", "channel"),
    [({"devices": ()}, Channel.PUSH), ({"phone": ""}, Channel.SMS), ({"email": ""}, Channel.EMAIL)],
)
def test_a_person_without_an_address_on_a_channel_is_told_apart_from_one_who_refused(
    lacking: dict[str, object], channel: Channel
) -> None:
    found = verdicts(*plan(facts(person(**lacking)), NOON).decisions)

    assert isinstance(found[channel], Drop)
    assert found[channel].reason is Reason.NO_ADDRESS  # type: ignore[union-attr]
    assert sum(isinstance(verdict, Send) for verdict in found.values()) == 2


def test_a_channel_without_text_is_dropped_for_that_reason_before_any_other() -> None:
    refuses = person(choices={(None, None): False})

    found = verdicts(
        *plan(facts(refuses, locale_for=lambda channel, _: "ko" if channel is Channel.SMS else None), NOON).decisions
    )

    assert found[Channel.PUSH] == Drop(Reason.NO_CONTENT)
    assert isinstance(found[Channel.SMS], Drop)
    assert found[Channel.SMS].reason is Reason.OPTED_OUT  # type: ignore[union-attr]


def test_a_template_that_would_have_a_hole_is_not_sent_to_this_person() -> None:
    found = plan(facts(person(lacks="recipient.name"), person(ref="other")), NOON)

    assert {d.verdict for d in found.decisions if isinstance(d.verdict, Drop)} == {
        Drop(Reason.MISSING_DATA, "recipient.name")
    }
    assert found.planned == 4


def test_the_same_facts_and_time_give_the_same_plan() -> None:
    asked = facts(person(), person(ref="b", devices=(TABLET, IPHONE)))

    assert plan(asked, NOON) == plan(asked, NOON)
