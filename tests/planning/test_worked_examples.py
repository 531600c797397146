"""The rules by example, in plain words: what becomes of one message to one person. For admins to read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.channels import Channel
from accounts.policies import Reach, Routing
from notifications.planning.plan import plan
from notifications.planning.values import DeviceFact, Drop, Itinerary, Later, Policy, QuietHours, Send
from notifications.vocabulary import Queue
from tests.planning.examples import IPHONE, NEWS, TABLET, facts, person

PUSH, SMS, EMAIL = Channel.PUSH, Channel.SMS, Channel.EMAIL
NIGHT, NAP = QuietHours(time(21), time(8)), QuietHours(time(13), time(14))
LATE = QuietHours(time(23), time(10))
SEOUL = ZoneInfo("Asia/Seoul")
#: The day of every example: a Monday in March.
DAY = "2026-03-02"


@dataclass(frozen=True)
class Case:
    """`by`: channels asked for; `rules`: the category's; `who`: what the person has, or chose."""

    says: str
    outcome: str
    by: tuple[Channel, ...] = (SMS,)
    at: str = "12:00"
    rules: dict[str, Any] = field(default_factory=dict)
    who: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def no(*, category: bool = False, channel: Channel | None = None) -> dict[str, Any]:
    return {"choices": {(NEWS if category else None, channel): False}}


def yes(*, category: bool = False, channel: Channel | None = None) -> dict[str, Any]:
    return {"choices": {(NEWS if category else None, channel): True}}


def hour(text: str, day: str = DAY) -> datetime:
    return datetime.fromisoformat(f"{day}T{text}:00").replace(tzinfo=SEOUL).astimezone(UTC)


def phones(*days_ago: int) -> dict[str, Any]:
    kinds = (IPHONE, TABLET)
    seen = [hour("12:00") - timedelta(days=days) for days in days_ago]
    return {"devices": tuple(DeviceFact(kind.id, kind.queue, at) for kind, at in zip(kinds, seen, strict=False))}


def one(routing: Routing, *order: Channel, **more: Any) -> dict[str, Any]:
    return {"itinerary": Itinerary(routing=routing, order=order or (PUSH, SMS, EMAIL), **more)}


OPT_IN, CRITICAL = {"opt_in": True}, {"is_critical": True}
SMS_SUPPRESSED = {"suppressed": frozenset({(SMS, "+821012345678")})}
TOMORROW = "2026-03-03"
FIRST, CHEAPEST = one(Routing.FIRST), one(Routing.CHEAPEST)

CASES = [
    # --- addresses
    Case("Somebody with a phone number gets a text message", "sms sent"),
    Case("Somebody without a phone number gets none", "sms no_address", who={"phone": ""}),
    Case("Somebody without an email address gets no email", "email no_address", by=(EMAIL,), who={"email": ""}),
    Case("A push goes to every device", "push sent to ios, android", by=(PUSH,)),
    Case("Somebody without a device gets no push", "push no_address", by=(PUSH,), who={"devices": ()}),
    Case("A number that said STOP gets nothing", "sms suppressed_address", more=SMS_SUPPRESSED),
    Case("Nor does it get what is critical", "sms suppressed_address", rules=CRITICAL, more=SMS_SUPPRESSED),
    Case("That it said STOP to texts does not stop an email", "email sent", by=(EMAIL,), more=SMS_SUPPRESSED),
    Case(
        "Without channels named, all that there are are used",
        "push sent to ios, android; sms sent; email sent",
        by=tuple(Channel),
    ),
    # --- text and data
    Case("A template without text messages sends none", "sms no_content", more={"locale_for": lambda *_: None}),
    Case("What would read “Hello, !” is not sent", "sms missing_data", who={"lacks": "recipient.name"}),
    Case(
        "That a text is missing comes before what the person wants",
        "sms no_content",
        who=no(),
        more={"locale_for": lambda *_: None},
    ),
    # --- choices
    Case("Silence means yes in a category of news", "sms sent"),
    Case("Silence means no where people opt in", "sms not_opted_in", rules=OPT_IN),
    Case("Who opted in is written to", "sms sent", rules=OPT_IN, who=yes(category=True)),
    Case(
        "Who opted in on this channel is written to on it",
        "sms sent",
        rules=OPT_IN,
        who=yes(category=True, channel=SMS),
    ),
    Case("And on no other", "email not_opted_in", by=(EMAIL,), rules=OPT_IN, who=yes(category=True, channel=SMS)),
    Case("Who said no to everything gets nothing", "sms opted_out", who=no()),
    Case("Who said no to this category gets nothing of it", "sms opted_out", who=no(category=True)),
    Case("Who said no to texts gets no text", "sms opted_out", who=no(channel=SMS)),
    Case("Who said no to texts gets the email", "email sent", by=(EMAIL,), who=no(channel=SMS)),
    Case("Who said no to texts of this category gets none", "sms opted_out", who=no(category=True, channel=SMS)),
    Case(
        "Yes to this category beats no to everything",
        "sms sent",
        who={"choices": {(None, None): False, (NEWS, None): True}},
    ),
    Case(
        "Yes to its texts beats no to the category",
        "sms sent",
        who={"choices": {(NEWS, None): False, (NEWS, SMS): True}},
    ),
    Case(
        "No to the category beats yes to texts",
        "sms opted_out",
        who={"choices": {(NEWS, None): False, (None, SMS): True}},
    ),
    Case("Yes to everything is yes where people opt in", "sms sent", rules=OPT_IN, who=yes()),
    Case("A security alert asks nobody's leave", "sms sent", rules=CRITICAL, who=no()),
    Case("Nor does it ask for an opt-in", "sms sent", rules={**OPT_IN, **CRITICAL}),
    Case("What was chosen comes before where the address is", "sms opted_out", who={"phone": "", **no()}),
    # --- expiry
    Case("What is of use until one o'clock is sent at noon", "sms sent", more={"expires_at": hour("13:00")}),
    Case("What was of use until noon is not sent at noon", "sms expired", more={"expires_at": hour("12:00")}),
    Case(
        "What may leave only after it expires is not sent",
        "sms expired",
        more={"send_at": hour("15:00"), "expires_at": hour("14:00")},
    ),
    # --- a later moment
    Case(
        "What is asked for at three waits until three", "sms waits until 03-02 15:00", more={"send_at": hour("15:00")}
    ),
    Case("What was asked for at eleven leaves at noon", "sms sent", more={"send_at": hour("11:00")}),
    # --- quiet hours
    Case("Advertising at 20:59 is sent", "sms sent", at="20:59", rules={"quiet": NIGHT}),
    Case("Advertising at 21:00 waits until morning", "sms waits until 03-03 08:00", at="21:00", rules={"quiet": NIGHT}),
    Case(
        "Advertising at 23:00 in Seoul waits until 08:00",
        "sms waits until 03-03 08:00",
        at="23:00",
        rules={"quiet": NIGHT},
    ),
    Case(
        "At three in the morning it waits until eight",
        "sms waits until 03-02 08:00",
        at="03:00",
        rules={"quiet": NIGHT},
    ),
    Case("At eight it is sent", "sms sent", at="08:00", rules={"quiet": NIGHT}),
    Case("A security alert comes at night", "sms sent", at="23:00", rules={"quiet": NIGHT, **CRITICAL}),
    Case("A category without quiet hours sends at night", "sms sent", at="23:00"),
    Case(
        "A push waits as well",
        "push waits until 03-03 08:00 to ios, android",
        by=(PUSH,),
        at="23:00",
        rules={"quiet": NIGHT},
    ),
    Case(
        "It is noon in Seoul and night in New York",
        "sms waits until 03-02 22:00",
        rules={"quiet": NIGHT},
        who={"time_zone": "America/New_York"},
    ),
    Case(
        "Who is in Germany has the clock of Berlin",
        "sms waits until 03-02 16:00",
        rules={"quiet": NIGHT},
        who={"time_zone": "", "country": "DE"},
    ),
    Case(
        "Of whom nothing is known the clock is Seoul's",
        "sms waits until 03-03 08:00",
        at="23:00",
        rules={"quiet": NIGHT},
        who={"time_zone": "", "country": ""},
    ),
    Case("A nap of one's own counts", "sms waits until 03-02 14:00", at="13:30", who={"quiet": NAP}),
    Case(
        "Whoever sleeps until ten is not woken at eight",
        "sms waits until 03-03 10:00",
        at="23:30",
        rules={"quiet": NIGHT},
        who={"quiet": LATE},
    ),
    Case("One's own night does not stop a security alert", "sms sent", at="23:30", rules=CRITICAL, who={"quiet": LATE}),
    Case(
        "What is of no use in the morning is not sent",
        "sms expired",
        at="23:00",
        rules={"quiet": NIGHT},
        more={"expires_at": hour("07:00", TOMORROW)},
    ),
    Case(
        "What is asked for at midnight waits until morning",
        "sms waits until 03-03 08:00",
        rules={"quiet": NIGHT},
        more={"send_at": hour("00:00", TOMORROW)},
    ),
    Case("Who opted out does not wait for the morning", "sms opted_out", at="23:00", rules={"quiet": NIGHT}, who=no()),
    Case(
        "A number that said STOP does not wait either",
        "sms suppressed_address",
        at="23:00",
        rules={"quiet": NIGHT},
        more=SMS_SUPPRESSED,
    ),
    # --- one channel of several
    Case(
        "First: a push, and nothing else",
        "push sent to ios, android; sms routed; email routed",
        by=tuple(Channel),
        rules=FIRST,
    ),
    Case(
        "First: a text message where there is no device",
        "push no_address; sms sent; email routed",
        by=tuple(Channel),
        rules=FIRST,
        who={"devices": ()},
    ),
    Case(
        "First: an email where texts are not wanted either",
        "push no_address; sms opted_out; email sent",
        by=tuple(Channel),
        rules=FIRST,
        who={"devices": (), **no(channel=SMS)},
    ),
    Case(
        "First, in an order of one's own: email before push",
        "push routed; sms routed; email sent",
        by=tuple(Channel),
        rules=one(Routing.FIRST, EMAIL, PUSH),
    ),
    Case("First: of the channels asked for, not of all", "sms sent; email routed", by=(SMS, EMAIL), rules=FIRST),
    Case(
        "First: a push that waits until morning is still the one",
        "push waits until 03-03 08:00 to ios, android; sms routed",
        by=(PUSH, SMS),
        at="23:00",
        rules={**FIRST, "quiet": NIGHT},
    ),
    Case(
        "Cheapest: a push to a phone seen yesterday, no text",
        "push sent to ios; sms routed",
        by=(PUSH, SMS),
        rules=CHEAPEST,
        who=phones(1),
    ),
    Case(
        "Cheapest: an email where the phone was last seen in spring",
        "push routed; sms routed; email sent",
        by=tuple(Channel),
        rules=CHEAPEST,
        who=phones(200),
    ),
    Case(
        "Cheapest: a text message where there is no email",
        "push routed; sms sent; email no_address",
        by=tuple(Channel),
        rules=CHEAPEST,
        who={**phones(200), "email": ""},
    ),
    Case(
        "Cheapest: the old phone where there is nothing else",
        "push sent to ios; sms no_address",
        by=(PUSH, SMS),
        rules=CHEAPEST,
        who={**phones(200), "phone": ""},
    ),
    Case(
        "To the device seen last alone",
        "push sent to android",
        by=(PUSH,),
        rules=one(Routing.ALL, reach=Reach.LATEST),
        who=phones(9, 1),
    ),
    Case("To all devices unless something else is said", "push sent to ios, android", by=(PUSH,), who=phones(9, 1)),
    # --- one channel after the other
    Case(
        "Escalate: a push first, then a text message, then an email, ten minutes each",
        "push sent to ios, android; sms later, if nothing is heard of push by 12:10; "
        "email later, if nothing is heard of sms by 12:20",
        by=(PUSH, SMS, EMAIL),
        rules=one(Routing.ESCALATE),
    ),
    Case(
        "Escalate: who has no device is written to at once",
        "push no_address; sms sent; email later, if nothing is heard of sms by 12:10",
        by=(PUSH, SMS, EMAIL),
        rules=one(Routing.ESCALATE),
        who={"devices": ()},
    ),
    Case(
        "Escalate: what the order leaves out is not taken",
        "push sent to ios, android; sms later, if nothing is heard of push by 12:10; email routed",
        by=(PUSH, SMS, EMAIL),
        rules=one(Routing.ESCALATE, PUSH, SMS),
    ),
    Case(
        "Escalate: a push that waits for morning is not passed over; the text message waits for it",
        "push waits until 03-03 08:00 to ios, android; sms later, if nothing is heard of push by 08:10",
        by=(PUSH, SMS),
        at="22:00",
        rules={**one(Routing.ESCALATE), "quiet": NIGHT},
    ),
]


def told(case: Case) -> str:
    """What becomes of it, as the examples say it."""
    rules = {"opt_in": False, "is_critical": False, "name": "news", "quiet_spread": timedelta(0), **case.rules}
    someone = person(**{"time_zone": "Asia/Seoul", **case.who})
    decided = plan(facts(someone, channels=case.by, policy=Policy(NEWS, **rules), **case.more), hour(case.at))
    return "; ".join(f"{d.candidate.channel} {_outcome(d.verdict, d.candidate.channel)}" for d in decided.decisions)


def _outcome(verdict: Send | Drop | Later, channel: Channel) -> str:
    if isinstance(verdict, Later):
        return f"later, if nothing is heard of {verdict.after} by {verdict.until.astimezone(SEOUL):%H:%M}"
    if isinstance(verdict, Drop):
        return str(verdict.reason)
    queues = f" to {', '.join(Queue(target.queue) for target in verdict.targets)}" if channel is PUSH else ""
    if verdict.hold is None:
        return f"sent{queues}"
    return f"waits until {verdict.hold.until.astimezone(SEOUL):%m-%d %H:%M}{queues}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_becomes_of_a_message(case: Case) -> None:
    assert told(case) == case.outcome


def test_there_are_enough_examples_and_each_says_something_else() -> None:
    assert len({case.says for case in CASES}) == len(CASES) >= 60
