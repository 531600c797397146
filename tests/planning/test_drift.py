"""Weights fall at once for a reason, and come back slowly."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.planning.drift import BOUNDS, LEAST, Sample, bound_of, drifted, resting

FINE = Sample(good=200, bad=0, times=Counter({bound_of(0.1): 200}))
counts = st.integers(min_value=0, max_value=500)
samples = st.builds(
    Sample, counts, counts, st.dictionaries(st.integers(0, len(BOUNDS) - 1), st.integers(1, 300), max_size=6)
)
factors = st.floats(min_value=LEAST, max_value=1.0)


def failing(bad: int, of: int) -> Sample:
    return Sample(of - bad, bad, Counter({bound_of(0.1): of}))


def slow(seconds: float, answers: int = 100) -> Sample:
    return Sample(answers, 0, Counter({bound_of(seconds): answers}))


@pytest.mark.parametrize(
    ("sample", "factor"),
    [
        (failing(0, 200), 1.0),
        (failing(4, 200), 1.0),  # two in a hundred are usual
        (failing(2, 20), 1.0),  # two failures are no pattern
        (failing(5, 9), 1.0),  # nor do nine answers say much
        (failing(10, 100), 0.65),
        (failing(20, 100), 0.4),
        (failing(50, 100), 0.05),
        (failing(100, 100), 0.05),
        (Sample(), 1.0),
    ],
)
def test_the_more_answers_fail_the_less_is_left(sample: Sample, factor: float) -> None:
    assert drifted(1.0, sample, [FINE], 1).factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("took", "theirs", "is_slow"),
    [
        (2.0, 0.1, True),
        (0.9, 0.2, True),
        (0.2, 0.02, False),  # ten times as long, and nobody notices
        (0.4, 0.2, False),
        (5.0, 5.0, False),  # all are slow: there is nowhere better
    ],
)
def test_an_account_is_slow_beside_its_peers_only(took: float, theirs: float, *, is_slow: bool) -> None:
    assert (drifted(1.0, slow(took), [slow(theirs)], 1).factor < 1.0) == is_slow


def test_without_peers_to_compare_nobody_is_slow() -> None:
    assert drifted(1.0, slow(9.0), [], 1).factor == 1.0
    assert drifted(1.0, slow(9.0), [slow(0.1, answers=5)], 1).factor == 1.0


def test_the_reason_has_the_figures() -> None:
    assert drifted(1.0, failing(20, 100), [FINE], 1).why == "20 of 100 answers in 30 s were failures"
    assert drifted(1.0, slow(2.0), [slow(0.2)], 1).why == (
        "95 % of its answers took up to 2.9 s, of a peer's up to 0.26 s"
    )
    both = Sample(50, 50, Counter({bound_of(2.0): 100}))
    assert drifted(1.0, both, [slow(0.2)], 1).why.count(" and ") == 1


def test_it_falls_at_once_and_returns_by_a_tenth_each_period() -> None:
    fallen = drifted(1.0, failing(100, 100), [FINE], 1)
    assert fallen.factor == LEAST

    path = [fallen.factor]
    while path[-1] < 1.0:
        path.append(drifted(path[-1], FINE, [FINE], 1).factor)

    assert path == pytest.approx([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0])


def test_it_rises_no_higher_than_its_answers_allow() -> None:
    assert drifted(0.05, failing(20, 100), [FINE], 100).factor == pytest.approx(0.4)


def test_after_a_long_silence_nothing_is_held_against_it() -> None:
    assert drifted(0.05, Sample(), [], 1000) == drifted(0.9, Sample(), [], 1)
    assert "nothing speaks against it" in drifted(0.05, Sample(), [], 1000).why


def test_after_an_open_breaker_it_begins_with_little() -> None:
    assert resting(1.0).factor == LEAST
    assert "breaker" in resting(1.0).why


@given(factors, samples, st.lists(samples, max_size=3), st.floats(min_value=-5, max_value=1000))
def test_it_stays_between_a_trickle_and_all_and_never_leaps_up(
    factor: float, sample: Sample, peers: list[Sample], periods: float
) -> None:
    after = drifted(factor, sample, peers, periods).factor

    assert LEAST <= after <= 1.0
    assert after <= factor + 0.1 * max(0.0, periods) + 0.005, "to the hundredth"


@given(factors, st.integers(10, 300), st.integers(0, 300))
def test_more_failures_never_leave_more(factor: float, answers: int, bad: int) -> None:
    bad = min(bad, answers - 1)
    fewer, more = failing(bad, answers), failing(bad + 1, answers)

    assert drifted(factor, more, [], 0).factor <= drifted(factor, fewer, [], 0).factor


@given(st.floats(min_value=0, max_value=100))
def test_every_time_has_its_bound(seconds: float) -> None:
    place = bound_of(seconds)

    assert seconds <= BOUNDS[place] or place == len(BOUNDS) - 1
    assert place == 0 or seconds > BOUNDS[place - 1]
