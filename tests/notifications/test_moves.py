"""Every function of the ledger, on a delivery in every state: it moves only as the table of moves allows."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

import notifications.ledger
from notifications.ledger import overdue, receipts, sweep
from notifications.ledger.batches import enqueue
from notifications.ledger.cancel import cancel
from notifications.ledger.claim import Claim, Claimed, claim
from notifications.ledger.record import Letter, Result, record
from notifications.ledger.release import release
from notifications.ledger.replay import Choice, replay
from notifications.models import Batch, DeadLetter, Delivery
from notifications.planning.retry import Step
from notifications.providers.contract import Receipt
from notifications.vocabulary import MOVES, WAITING, DeliveryState, Queue, Reason, ReceiptKind
from tests.notifications import watched_moves
from tests.notifications.logbook import LEASE, NOW, SMS, appended, header

pytestmark = pytest.mark.django_db

S = DeliveryState
LATER = NOW + timedelta(hours=2)
END = NOW + timedelta(hours=1)
NEEDS_REASON = {S.FAILED, S.EXPIRED, S.CANCELLED, S.SUPPRESSED, S.UNCERTAIN}


@dataclass(frozen=True)
class Scene:
    """One delivery that was claimed once, and is now in some state, with all that any verb could want of it."""

    delivery: Delivery
    held: Claim

    @property
    def one(self) -> Claimed:
        return self.held.deliveries[0]


def scene(state: DeliveryState, *, in_doubt: str) -> Scene:
    """Its batch waits, it has a dead letter, and its notification is expired at `LATER`."""
    appended(1, head=header(in_doubt=in_doubt, expires_at=END))
    held = claim(SMS, at=NOW, lease_for=LEASE)
    assert held is not None
    reason = Reason.NO_ANSWER if state in NEEDS_REASON else ""
    Delivery.objects.update(state=state, reason=reason)
    delivery = Delivery.objects.get()
    DeadLetter.objects.create(
        delivery_id=delivery.id, notification_id=delivery.notification_id, queue=Queue.SMS, at=NOW
    )
    watched_moves.forget()
    return Scene(delivery, held)


def _wait_again(on: Scene) -> None:
    Batch.objects.all().delete()
    enqueue([((SMS, NOW), on.delivery.id)])


def _claim(on: Scene) -> None:
    _wait_again(on)
    claim(SMS, at=LATER, lease_for=LEASE)


def _expire(on: Scene) -> None:
    _wait_again(on)
    overdue.expire(LATER)


def _record(step: Step) -> Callable[[Scene], None]:
    def run(on: Scene) -> None:
        letter = Letter(on.one.notification_id, on.one.queue)
        DeadLetter.objects.all().delete()
        record([Result(on.one.id, on.one.attempt, step, NOW, letter=letter)], on.held.lease.lane)

    return run


def _receipt(kind: ReceiptKind) -> Callable[[Scene], None]:
    def run(on: Scene) -> None:
        receipts.keep([Receipt(on.delivery.id, kind, NOW, event_ref="r")], "twilio-live", NOW)
        receipts.apply(LATER)

    return run


STEPS = {
    "sent": Step(S.SENT),
    "failed": Step(S.FAILED, Reason.ADDRESS_DEAD),
    "exhausted": Step(S.FAILED, Reason.ATTEMPTS_EXHAUSTED),
    "retrying": Step(S.RETRYING, Reason.THROTTLED, LATER),
    "uncertain": Step(S.UNCERTAIN, Reason.NO_ANSWER),
    "expired": Step(S.EXPIRED, Reason.EXPIRED),
    "suppressed": Step(S.SUPPRESSED, Reason.OPTED_OUT),
}

#: Everything in the ledger that changes a state.
VERBS: Mapping[str, Callable[[Scene], object]] = {
    "claim": _claim,
    "release": lambda on: release(on.held.deliveries, on.held.lease, NOW),
    "cancel": lambda on: cancel(on.delivery.notification_id, NOW),
    "expire": _expire,
    "reclaim": lambda on: sweep.reclaim(LATER),
    "replay": lambda on: replay(Choice(), NOW),
    **{f"record {name}": _record(step) for name, step in STEPS.items()},
    **{f"receipt {kind}": _receipt(kind) for kind in ReceiptKind},
}


@pytest.fixture(autouse=True)
def _watched(db: None) -> None:
    watched_moves.watch()


def made(verb: str, state: DeliveryState, *, in_doubt: str = "hold") -> set[tuple[DeliveryState, DeliveryState]]:
    """The moves that a verb makes of a delivery in a state."""
    Delivery.objects.all().delete()
    Batch.objects.all().delete()
    DeadLetter.objects.all().delete()
    VERBS[verb](scene(state, in_doubt=in_doubt))
    return {(move.before, move.after) for move in watched_moves.moves()}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_moves_a_delivery_only_as_the_table_allows(verb: str) -> None:
    for state, in_doubt in product(S, ("hold", "resend")):
        illegal = {move for move in made(verb, state, in_doubt=in_doubt) if move[1] not in MOVES[move[0]]}
        assert illegal == set(), f"{verb} of a delivery that is {state}"


def test_every_move_of_the_table_is_made_by_somebody() -> None:
    found = {
        move
        for verb, state, in_doubt in product(VERBS, S, ("hold", "resend"))
        for move in made(verb, state, in_doubt=in_doubt)
    }

    assert {(before, after) for before, following in MOVES.items() for after in following} - found == set()


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("state", S)
def test_an_attempt_that_is_over_records_nothing(name: str, state: DeliveryState) -> None:
    on = scene(state, in_doubt="hold")
    Delivery.objects.update(attempt=2)
    watched_moves.forget()

    _record(STEPS[name])(on)

    assert watched_moves.moves() == []


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        ("claim", WAITING),
        ("cancel", WAITING),
        ("expire", WAITING),
        ("release", {S.SENDING}),
        ("record sent", {S.SENDING}),
        ("record retrying", {S.SENDING}),
        ("reclaim", {S.SENDING}),
        ("replay", {S.FAILED}),
        ("receipt delivered", {S.SENT, S.UNCERTAIN, S.FAILED, S.EXPIRED}),
        ("receipt bounced", {S.SENT, S.UNCERTAIN}),
        ("receipt opened", {S.UNCERTAIN}),
    ],
)
def test_a_verb_moves_what_it_is_for_and_nothing_else(verb: str, states: set[DeliveryState]) -> None:
    assert {state for state in S if made(verb, state)} == set(states)


def test_every_statement_that_sets_a_state_names_the_state_before_it() -> None:
    folder = Path(inspect.getfile(notifications.ledger)).parent
    statements = [
        (file.name, statement)
        for file in folder.glob("*.py")
        for statement in re.findall(r'"{1,3}[^"]*?UPDATE notifications_delivery\b[^"]*"', file.read_text())
    ]
    setting = [(name, text) for name, text in statements if re.search(r"SET state = ", text)]

    assert len(setting) >= 11
    assert [name for name, text in setting if not re.search(r"WHERE.*\bstate (=|IN)", text, re.DOTALL)] == []
