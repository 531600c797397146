"""Workers, receipts, operators and sweeps in any order: no illegal move, and never two outcomes of one attempt."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Recipient
from notifications.ledger import overdue, receipts, sweep
from notifications.ledger.append import Header
from notifications.ledger.cancel import cancel
from notifications.ledger.claim import Claim, claim
from notifications.ledger.record import Letter, Result, finish, record
from notifications.ledger.release import release
from notifications.ledger.replay import Choice, replay
from notifications.models import Batch, Delivery, DeliveryEvent, PendingReceipt
from notifications.planning.retry import Step
from notifications.providers.contract import Receipt
from notifications.vocabulary import MOVES, WAITING, DeliveryState, Lane, Reason, ReceiptKind
from tests.notifications import watched_moves
from tests.notifications.counting import counted, true
from tests.notifications.logbook import LEASE, NOW, appended, header

S = DeliveryState
#: Where nothing more can come.
ENDS = {state for state, following in MOVES.items() if not following}
OUTCOMES = {S.SENT, S.FAILED, S.EXPIRED, S.SUPPRESSED}
LANES = (Lane.SMS, Lane.SMS_RETRY)


class Ledger(RuleBasedStateMachine):
    """The log of a few notifications, and all who write to it. The whole of a run is rolled back in the end."""

    notifications: Bundle[Header] = Bundle("notifications")
    claims: Bundle[Claim] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        watched_moves.watch()
        self.at: datetime = NOW
        self.receipts = 0

    def teardown(self) -> None:
        """Whatever was done, all that became of it is counted."""
        try:
            assert counted() == true()
        finally:
            self._undo()

    def _undo(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize(target=claims, in_doubt=st.sampled_from(["resend", "hold"]))
    def begin(self, in_doubt: str) -> Claim | MultipleResults[Claim]:
        """Some deliveries, one of which expires, in the hands of a worker."""
        self.accept(2, in_doubt, None)
        self.accept(1, in_doubt, 5)
        return self.claim(Lane.SMS)

    # --- who writes ------------------------------------------------------------------------------------
    @rule(target=notifications, count=st.integers(1, 3), in_doubt=st.sampled_from(["resend", "hold"]),
          expires=st.none() | st.integers(1, 30))  # fmt: skip
    def accept(self, count: int, in_doubt: str, expires: int | None) -> Header:
        head = header(in_doubt=in_doubt, expires_at=self.at + timedelta(minutes=expires) if expires else None)
        appended(count, head=head, at=self.at)
        return head

    @rule(target=claims, lane=st.sampled_from(LANES))
    def claim(self, lane: Lane) -> Claim | MultipleResults[Claim]:
        return claim(lane, at=self.at, lease_for=LEASE, limit=3) or multiple()

    @rule(target=claims)
    def take_over(self) -> Claim | MultipleResults[Claim]:
        """A lease ran out, and others hold what its worker, who may yet wake up, held."""
        self.at += LEASE + timedelta(seconds=1)
        sweep.reclaim(self.at)
        return self.claim(Lane.SMS_RETRY)

    # how many steps are drawn must not depend on what was claimed, in which ids decide that differ from run to run
    @rule(held=claims, places=st.lists(st.integers(0, 6), min_size=6, max_size=6))
    def record(self, held: Claim, places: list[int]) -> None:
        """In time, late, or for the second time."""
        steps = self._steps()
        results = [
            Result(one.id, one.attempt, step, self.at, letter=Letter(one.notification_id, one.queue))
            for one, place in zip(held.deliveries, places, strict=False)
            if (step := steps[place])
        ]
        if results:
            with self._only_what_is_still_held(held):
                record(results, held.lease.lane)

    @rule(held=claims)
    def finish(self, held: Claim) -> None:
        """All of it was recorded; what was not is still its holder's."""
        if not Delivery.objects.filter(id__in=[one.id for one in held.deliveries], state=S.SENDING).exists():
            finish(held.lease)

    @rule(held=claims)
    def give_back(self, held: Claim) -> None:
        if held.deliveries:
            with self._only_what_is_still_held(held):
                release(held.deliveries, held.lease, self.at)
            finish(held.lease)

    @rule(data=st.data(), kind=st.sampled_from(ReceiptKind), repeated=st.booleans())
    def hear(self, data: st.DataObject, kind: ReceiptKind, repeated: bool) -> None:
        ids = list(Delivery.objects.order_by("id").values_list("id", flat=True))
        if ids:
            self.receipts += not repeated
            about = data.draw(st.sampled_from(ids))
            receipts.keep([Receipt(about, kind, self.at, event_ref=str(self.receipts))], "twilio-live", self.at)

    @rule()
    def apply_receipts(self) -> None:
        receipts.apply(self.at)

    @rule(head=notifications)
    def cancel(self, head: Header) -> None:
        cancel(head.id, self.at)

    @rule(seconds=st.sampled_from([1, 31, 90]))
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        sweep.reclaim(self.at)

    @rule()
    def expire(self) -> None:
        overdue.expire(self.at)

    @rule()
    def replay(self) -> None:
        replay(Choice(), self.at)

    @contextmanager
    def _only_what_is_still_held(self, held: Claim) -> Iterator[None]:
        """Moves nothing that others hold by now, or that is over."""
        own = {(one.id, one.attempt) for one in held.deliveries}
        ids = [one.id for one in held.deliveries]
        rows = Delivery.objects.filter(id__in=ids, state=S.SENDING).values_list("id", "attempt")
        still = {delivery_id for delivery_id, attempt in rows if (delivery_id, attempt) in own}
        before = len(watched_moves.moves())
        yield
        assert {move.delivery_id for move in watched_moves.moves()[before:]} <= still

    def _steps(self) -> list[Step | None]:
        later = self.at + timedelta(seconds=30)
        return [
            None, Step(S.SENT), Step(S.FAILED, Reason.ADDRESS_DEAD), Step(S.FAILED, Reason.ATTEMPTS_EXHAUSTED),
            Step(S.RETRYING, Reason.THROTTLED, later), Step(S.UNCERTAIN, Reason.NO_ANSWER),
            Step(S.EXPIRED, Reason.EXPIRED),
        ]  # fmt: skip

    # --- what holds at every moment --------------------------------------------------------------------
    @invariant()
    def no_move_is_illegal(self) -> None:
        assert [move for move in watched_moves.moves() if move.after not in MOVES[move.before]] == []

    @invariant()
    def an_attempt_has_one_outcome(self) -> None:
        """Whatever is recorded late, twice or by somebody who lost the lease."""
        left = Counter((move.delivery_id, move.attempt) for move in watched_moves.moves() if move.before is S.SENDING)
        assert [attempt for attempt, times in left.items() if times > 1] == []
        told = Counter(
            DeliveryEvent.objects.filter(kind__in=OUTCOMES, account="").values_list("delivery_id", "attempt")
        )
        assert [attempt for attempt, times in told.items() if times > 1] == []

    @invariant()
    def an_end_is_an_end(self) -> None:
        assert [move for move in watched_moves.moves() if move.before in ENDS] == []

    @invariant()
    def what_waits_stands_in_a_batch_and_what_is_sent_under_a_lease(self) -> None:
        waiting = set(Delivery.objects.filter(state__in=WAITING).values_list("id", flat=True))
        sending = set(Delivery.objects.filter(state=S.SENDING).values_list("id", flat=True))
        batches = list(Batch.objects.values_list("lease_id", "delivery_ids"))
        assert waiting <= {one for _, ids in batches for one in ids}
        assert sending <= {one for lease, ids in batches if lease for one in ids}

    @invariant()
    def what_is_not_sent_says_why(self) -> None:
        unsent = Delivery.objects.filter(state__in=[S.FAILED, S.EXPIRED, S.CANCELLED, S.UNCERTAIN])
        assert not unsent.filter(reason="").exists()


@pytest.mark.django_db
def test_whoever_comes_when_the_log_stays_sound() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis says nothing of it
        Ledger,
        settings=settings(
            max_examples=80,
            stateful_step_count=30,
            deadline=None,
            # ids differ from run to run, so a failure cannot be made smaller by trying again
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert not Recipient.objects.exists(), "every run was rolled back"
    assert not PendingReceipt.objects.exists()
