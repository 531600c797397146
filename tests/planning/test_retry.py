"""What follows from each class of outcome."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from notifications.planning.retry import Attempt, RetryPolicy, next_step
from notifications.providers import contract
from notifications.vocabulary import DeliveryState, Reason
from tests.planning.examples import NOON

POLICY = RetryPolicy(max_attempts=5)


def attempt(number: int = 1, *, expires_in: timedelta | None = None, resend: bool = True, dice: float = 0.5) -> Attempt:
    return Attempt(number, NOON, NOON + expires_in if expires_in else None, resend, dice)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (contract.Accepted("id"), DeliveryState.SENT, None),
        (contract.AddressDead("gone"), DeliveryState.FAILED, Reason.ADDRESS_DEAD),
        (contract.Forbidden("leads inside"), DeliveryState.FAILED, Reason.ADDRESS_FORBIDDEN),
        (contract.OptedOut("stop"), DeliveryState.FAILED, Reason.PROVIDER_OPT_OUT),
        (contract.ContentBad("too big"), DeliveryState.FAILED, Reason.CONTENT_REFUSED),
        (contract.CredentialBad("403"), DeliveryState.RETRYING, Reason.CREDENTIAL_REFUSED),
        (contract.NoFunds("402"), DeliveryState.RETRYING, Reason.NO_FUNDS),
        (contract.Throttled("429"), DeliveryState.RETRYING, Reason.THROTTLED),
        (contract.Transient("503"), DeliveryState.RETRYING, Reason.PROVIDER_UNAVAILABLE),
        (contract.Ambiguous("timeout"), DeliveryState.RETRYING, Reason.NO_ANSWER),
    ],
)
def test_every_outcome_has_one_consequence(
    outcome: contract.Outcome, state: DeliveryState, reason: Reason | None
) -> None:
    step = next_step(outcome, attempt(), POLICY)

    assert (step.state, step.reason) == (state, reason)


def test_a_category_that_holds_leaves_doubt_as_doubt() -> None:
    step = next_step(contract.Ambiguous("timeout"), attempt(resend=False), POLICY)

    assert (step.state, step.reason) == (DeliveryState.UNCERTAIN, Reason.NO_ANSWER)


def test_the_last_attempt_makes_a_dead_letter() -> None:
    assert next_step(contract.Transient("503"), attempt(4), POLICY).state is DeliveryState.RETRYING
    last = next_step(contract.Transient("503"), attempt(5), POLICY)
    assert (last.state, last.reason) == (DeliveryState.FAILED, Reason.ATTEMPTS_EXHAUSTED)


def test_a_retry_that_would_come_too_late_expires_at_once() -> None:
    step = next_step(contract.Transient("503", retry_after=60), attempt(expires_in=timedelta(seconds=30)), POLICY)

    assert step.state is DeliveryState.EXPIRED


@pytest.mark.parametrize(
    ("number", "dice", "seconds"),
    [
        (1, 0.0, 0),
        (1, 0.5, 2),  # half of 2 * 2**1
        (2, 0.5, 4),
        (3, 0.5, 8),
        (8, 0.5, 256),
        (9, 0.5, 450),  # half of the longest, a quarter of an hour
        (60, 0.999, 899.1),
    ],
)
def test_the_wait_doubles_with_each_failure_and_is_drawn_from_all_of_it(
    number: int, dice: float, seconds: float
) -> None:
    assert POLICY.wait(number, dice) == timedelta(seconds=seconds)


def test_retry_after_is_the_least_that_is_waited() -> None:
    step = next_step(contract.Throttled("429", retry_after=30), attempt(dice=0.0), POLICY)

    assert step.due_at == NOON + timedelta(seconds=30)


# --- another account ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "outcome",
    [
        contract.CredentialBad("403"),
        contract.NoFunds("402"),
        contract.Throttled("429", retry_after=600),
        contract.Transient("503", retry_after=600),
        contract.Ambiguous("timeout"),
    ],
)
def test_what_another_account_can_do_is_due_at_once(outcome: contract.Outcome) -> None:
    step = next_step(
        outcome, replace(attempt(dice=0.99), elsewhere=True, at=NOON + timedelta(milliseconds=499)), POLICY
    )

    assert step.state is DeliveryState.RETRYING
    assert step.due_at == NOON + timedelta(milliseconds=250), "together with others of the quarter second"


def test_doubt_stays_doubt_whoever_else_could_send_it() -> None:
    step = next_step(contract.Ambiguous("timeout"), replace(attempt(resend=False), elsewhere=True), POLICY)

    assert (step.state, step.due_at) == (DeliveryState.UNCERTAIN, None)


@pytest.mark.parametrize("outcome", [contract.AddressDead("x"), contract.OptedOut("x"), contract.ContentBad("x")])
def test_what_is_final_is_not_tried_elsewhere(outcome: contract.Outcome) -> None:
    assert next_step(outcome, replace(attempt(), elsewhere=True), POLICY).state is DeliveryState.FAILED


def test_an_attempt_elsewhere_counts_like_any_other() -> None:
    last = next_step(contract.Transient("503"), replace(attempt(5), elsewhere=True), POLICY)

    assert last.reason is Reason.ATTEMPTS_EXHAUSTED
