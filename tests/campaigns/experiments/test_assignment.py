"""Who gets what: by shares that are met, each purpose by itself, and always the same."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.experiments.assignment import Design, Share, arm_of, place
from campaigns.vocabulary import HOLD_OUT

SALE, SPRING = UUID(int=7), UUID(int=8)
CROWD = [UUID(int=number) for number in range(100_000)]  # numbered ones, which a poor hash would not spread

ids = st.uuids()
weights = st.lists(st.integers(0, 1_000), min_size=1, max_size=6).filter(any)


def shares_of(weights: Sequence[float]) -> tuple[Share, ...]:
    return tuple(Share(letter, weight) for letter, weight in zip("ABCDEF", weights, strict=False))


def chi_square(found: Counter[str], expected: dict[str, float]) -> float:
    return sum((found[letter] - count) ** 2 / count for letter, count in expected.items())


#: What chi-square exceeds once in a million times, by degrees of freedom.
ONCE_IN_A_MILLION = {1: 23.93, 2: 27.63, 3: 30.66, 4: 33.38, 5: 35.89}


@pytest.mark.parametrize("weights", [[1, 1], [90, 10], [1, 1, 1], [50, 30, 15, 5], [3, 1, 4, 1, 5, 9]])
def test_shares_are_met(weights: list[float]) -> None:
    design = Design(SALE, shares_of(weights))

    found = Counter(design.variant_of(person) for person in CROWD)

    expected = {share.letter: len(CROWD) * share.weight / sum(weights) for share in design.shares}
    assert chi_square(found, expected) < ONCE_IN_A_MILLION[len(weights) - 1]


@given(ids)
@settings(max_examples=20)
def test_places_are_spread_evenly_in_whatever_experiment(experiment_id: UUID) -> None:
    found = Counter(str(int(place(experiment_id, person, "variant") * 6)) for person in CROWD[:5_000])

    assert chi_square(found, {str(part): 5_000 / 6 for part in range(6)}) < ONCE_IN_A_MILLION[5]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((SALE, "variant"), (SALE, "hold-out")),
        ((SALE, "hold-out"), (SALE, "test")),
        ((SALE, "variant"), (SPRING, "variant")),
    ],
)
def test_a_place_for_one_purpose_says_nothing_of_another(one: tuple[UUID, str], other: tuple[UUID, str]) -> None:
    cells: Counter[str] = Counter()
    for person in CROWD:
        first = place(one[0], person, one[1]) < 0.5
        second = place(other[0], person, other[1]) < 0.5
        cells[f"{first} {second}"] += 1

    assert chi_square(cells, dict.fromkeys(cells, len(CROWD) / 4)) < ONCE_IN_A_MILLION[3]


@given(ids, ids, st.sampled_from(["variant", "hold-out", "test", ""]))
def test_a_place_is_the_same_each_time_and_between_0_and_1(experiment_id: UUID, person: UUID, purpose: str) -> None:
    found = place(experiment_id, person, purpose)

    assert 0 <= found < 1
    assert place(UUID(str(experiment_id)), UUID(str(person)), purpose) == found


def test_places_do_not_change_from_one_release_to_the_next() -> None:
    assert [place(SALE, UUID(int=1), purpose) for purpose in ("variant", "hold-out", "test")] == [
        0.5116564439217115,
        0.09724924511129185,
        0.2593307013231956,
    ]


@given(ids, ids, weights, st.randoms())
def test_the_order_of_shares_does_not_matter(
    person: UUID, experiment_id: UUID, weights: list[int], dice: Random
) -> None:
    shares = list(shares_of(weights))
    at = place(experiment_id, person, "variant")
    expected = arm_of(at, shares)

    dice.shuffle(shares)

    assert arm_of(at, shares) == expected == Design(experiment_id, tuple(shares)).variant_of(person)


@given(st.floats(0, 1, exclude_max=True), weights)
def test_whoever_has_no_weight_gets_nobody(at: float, weights: list[int]) -> None:
    shares = shares_of(weights)

    assert arm_of(at, shares) in {share.letter for share in shares if share.weight > 0}


def test_a_hold_out_stays_the_same_people_when_weights_change() -> None:
    before = Design(SALE, shares_of([1, 1]), hold_out=0.1)
    after = Design(SALE, shares_of([1, 5, 2]), hold_out=0.1)

    held_out = {person for person in CROWD if before.arm_of(person) == HOLD_OUT}

    assert held_out == {person for person in CROWD if after.arm_of(person) == HOLD_OUT}
    assert len(held_out) == pytest.approx(len(CROWD) * 0.1, rel=0.05)


@given(ids, ids, st.floats(0, 1), st.floats(0, 1))
def test_a_portion_that_grows_keeps_whom_it_had(experiment_id: UUID, person: UUID, one: float, other: float) -> None:
    small = Design(experiment_id, shares_of([1, 1]), hold_out=min(one, other), test=min(one, other))
    large = Design(experiment_id, shares_of([1, 1]), hold_out=max(one, other), test=max(one, other))

    assert large.is_held_out(person) >= small.is_held_out(person)
    assert large.is_tested(person) >= small.is_tested(person)


def test_everybody_is_held_out_or_tested_or_waits_for_the_winner() -> None:
    design = Design(SALE, shares_of([1, 1]), hold_out=0.1, test=0.2)

    found = Counter(str(design.arm_of(person)) for person in CROWD)

    expected = {HOLD_OUT: 0.1, "A": 0.09, "B": 0.09, "None": 0.72}
    assert chi_square(found, {letter: len(CROWD) * part for letter, part in expected.items()}) < ONCE_IN_A_MILLION[3]


def test_without_a_hold_out_nobody_is_held_out_and_with_a_whole_test_nobody_waits() -> None:
    design = Design(SALE, shares_of([1, 1]))

    assert {design.arm_of(person) for person in CROWD[:1_000]} == {"A", "B"}
    assert Design(SALE, shares_of([1]), hold_out=1).arm_of(CROWD[0]) == HOLD_OUT
    assert Design(SALE, shares_of([1]), test=0).arm_of(CROWD[0]) is None


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Share("A", -1), "variant A: a weight is 0 or more, not -1"),
        (lambda: Share("A", float("nan")), "variant A: a weight is 0 or more, not nan"),
        (lambda: Design(SALE, ()), "needs a variant with a weight above 0"),
        (lambda: Design(SALE, (Share("A", 0),)), "needs a variant with a weight above 0"),
        (lambda: Design(SALE, (Share("A", 1), Share("A", 2))), "each variant has one share: A, A"),
        (lambda: Design(SALE, (Share("A", 1),), hold_out=1.1), "the hold-out is a portion from 0 to 1, not 1.1"),
        (lambda: Design(SALE, (Share("A", 1),), test=-0.1), "the test is a portion from 0 to 1, not -0.1"),
        (lambda: place(SALE, SPRING, "a purpose that is too long"), "16 bytes"),
    ],
)
def test_what_makes_no_sense_is_refused(build: object, words: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=words):
        build()
