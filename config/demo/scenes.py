"""What the demo plays, scene by scene: requests as a product team makes them, and what must come of each."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.demo.story import ARRIVED, Caller, Ending, settled


@dataclass(frozen=True, slots=True)
class Scene:
    """`headline`: what is to be seen. `deliveries`: how many come of the requests, which are made one by one.

    `flaw` says what is not as `headline` promises; it is empty where all is.
    """

    headline: str
    requests: Sequence[Mapping[str, Any]]
    deliveries: int
    flaw: Callable[[Sequence[Ending]], str]


@dataclass(frozen=True, slots=True)
class Played:
    """A scene, and how it ended."""

    scene: Scene
    endings: Sequence[Ending]

    @property
    def flaw(self) -> str:
        """What went wrong; empty where nothing did."""
        astray = [f"{_named(one)}, taken by providers {one.arrived} times" for one in self.endings if not one.is_right]
        return self.scene.flaw(self.endings) or "; ".join(astray)


def played(caller: Caller, accepted: Callable[[str], int]) -> Iterator[Played]:
    """Every scene, as soon as it is over. `accepted` tells how often providers took a delivery.

    The others begin when the first is over: by then all workers are warm, and nothing of theirs waits for that.
    """
    first, *others = SCENES
    yield _watched(first, _asked(first, caller), caller, accepted)
    for scene, notifications in [(scene, _asked(scene, caller)) for scene in others]:
        yield _watched(scene, notifications, caller, accepted)


def _asked(scene: Scene, caller: Caller) -> Sequence[str]:
    return [caller.ask("/v1/notifications", request)["id"] for request in scene.requests]


def _watched(scene: Scene, notifications: Sequence[str], caller: Caller, accepted: Callable[[str], int]) -> Played:
    told = settled(caller, notifications, scene.deliveries)
    return Played(scene, [Ending(delivery, accepted(delivery["id"])) for delivery in told])


# --- what must come of them ---------------------------------------------------------------------------
#: Queue by queue how much must have reached a provider. Android: by FCM, and by JPush and Pushy, for somebody in China.
EXPECTED: Final = {"ios": 1, "android": 3, "web": 1, "sms": 2, "email": 2}


def everywhere(endings: Sequence[Ending]) -> str:
    """Every queue has what it is to have."""
    found = Counter(one.where for one in endings if one.delivery["state"] in ARRIVED)
    return "" if found == EXPECTED else f"{dict(found)} arrived, {EXPECTED} should have"


def opted_out(endings: Sequence[Ending]) -> str:
    """Nothing was sent, by any channel, because the person said no."""
    return _unlike(endings, [("push", "suppressed"), ("sms", "suppressed"), ("email", "suppressed")]) or next(
        (f"{_named(one)} for another reason" for one in endings if one.delivery["reason"] != "opted_out"), ""
    )


def held(endings: Sequence[Ending]) -> str:
    """It waits for the end of the night."""
    return _unlike(endings, [("sms", "scheduled")]) or (
        "" if "quiet hours" in endings[0].told("held") else f"{_named(endings[0])} for another reason"
    )


def capped(endings: Sequence[Ending]) -> str:
    """The first one went, the second was one too many."""
    return _unlike(endings, [("sms", "delivered"), ("sms", "suppressed")]) or (
        "" if endings[1].delivery["reason"] == "capped" else f"{_named(endings[1])} for another reason"
    )


def escalated(endings: Sequence[Ending]) -> str:
    """The push was taken and not heard of again, so a text message followed."""
    return _unlike(endings, [("ios", "sent"), ("sms", "delivered")]) or (
        "" if all(one.told("escalated") for one in endings) else "nothing tells why the text message followed"
    )


def _unlike(endings: Sequence[Ending], meant: Sequence[tuple[str, str]]) -> str:
    """What is other than meant: place and state of each delivery, in the order in which they were planned."""
    if [(one.where, one.delivery["state"]) for one in endings] == list(meant):
        return ""
    found = ", ".join(_named(one) for one in endings) or "there is nothing"
    return f"{found}; it should be " + ", ".join(f"{where} {state}" for where, state in meant)


def _named(ending: Ending) -> str:
    because = f", {ending.delivery['reason']}" if ending.delivery["reason"] else ""
    return f"{ending.where} {ending.delivery['state']} ({ending.delivery['recipient']}{because})"


SCENES: Final = (
    Scene(
        "One call reaches people by every channel they have",
        [
            {
                "template": "restock",
                "recipients": ["jimin", "wei"],
                "data": {"user_name": "지민", "product_name": "겨울 신발"},
                "urgency": "critical",
            }
        ],
        sum(EXPECTED.values()),
        everywhere,
    ),
    Scene(
        "Suppressed by an opt-out: minsu wants no restock alerts",
        [
            {
                "template": "restock",
                "recipients": ["minsu"],
                "data": {"user_name": "민수", "product_name": "겨울 신발"},
            }
        ],
        3,
        opted_out,
    ),
    Scene(
        "Held by quiet hours: it is night where nara is",
        [{"template": "offer", "recipients": ["nara"]}],
        1,
        held,
    ),
    Scene(
        "Capped: one pick in 24 hours is enough, and this is yuna's second",
        [
            {"template": "weekly-pick", "recipients": ["yuna"], "data": {"product_name": name}}
            for name in ("신발", "모자")
        ],
        2,
        capped,
    ),
    Scene(
        "Escalated from push to SMS: nothing was heard of haneul's push",
        [{"template": "parcel", "recipients": ["haneul"]}],
        2,
        escalated,
    ),
)
