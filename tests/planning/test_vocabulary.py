"""The words fit together."""

from notifications.vocabulary import (
    CHANNEL_OF,
    MOVES,
    REASON_TEXT,
    WAITING,
    DeliveryState,
    EventKind,
    Lane,
    Queue,
    Reason,
    ReceiptKind,
    Urgency,
)


def test_every_queue_has_a_lane_for_each_urgency_and_one_for_retries() -> None:
    lanes = {Lane.for_urgency(queue, urgency) for queue in Queue for urgency in Urgency}
    assert lanes | {lane.retry for lane in lanes} == set(Lane)
    assert all(lane.retry.queue is lane.queue for lane in Lane)


def test_every_state_says_where_it_can_go_and_every_reason_what_it_means() -> None:
    assert set(MOVES) == set(DeliveryState)
    assert set(REASON_TEXT) == set(Reason)
    assert set(CHANNEL_OF) == set(Queue)


def test_a_worker_can_claim_from_every_waiting_state_and_from_no_other() -> None:
    assert {state for state, following in MOVES.items() if DeliveryState.SENDING in following} == WAITING


def test_every_state_but_the_first_can_be_reached() -> None:
    reached = {following for moves in MOVES.values() for following in moves}
    first = {DeliveryState.SCHEDULED, DeliveryState.QUEUED, DeliveryState.SUPPRESSED}
    assert reached | first == set(DeliveryState)


def test_a_receipt_and_an_outcome_can_be_told_as_an_event() -> None:
    # what is given back unsent came to nothing that could be told
    told = MOVES[DeliveryState.SENDING] - WAITING | {DeliveryState.RETRYING}
    assert {kind.value for kind in ReceiptKind} | {state.value for state in told} <= {kind.value for kind in EventKind}
