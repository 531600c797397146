"""What is known of true rates, held against sums that are exact and against what must hold whatever the counts."""

import math
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.experiments.bayes import Tally, interval, standings


def beta_function(a: int, b: int) -> Fraction:
    return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))


def exact_chance(worse: Tally, better: Tally) -> float:
    """P(the rate of `better` is higher), by the sum of Evan Miller, "Formulas for Bayesian A/B Testing", equation 6."""
    a, b, c, d = worse.alpha, worse.beta, better.alpha, better.beta
    terms = (beta_function(a + i, b + d) / ((d + i) * beta_function(1 + i, d) * beta_function(a, b)) for i in range(c))
    return float(sum(terms, Fraction()))


def exact_loss(chosen: Tally, other: Tally) -> float:
    """The expected max(other - chosen, 0): E[y; y > x] - E[x; y > x], each a chance with one success more."""
    richer = Tally(other.letter, other.people + 1, other.successes + 1)
    poorer = Tally(chosen.letter, chosen.people + 1, chosen.successes + 1)
    return other.mean * exact_chance(chosen, richer) - chosen.mean * exact_chance(poorer, other)


tallies = st.integers(0, 60).flatmap(
    lambda people: st.builds(Tally, st.just("A"), st.just(people), st.integers(0, people))
)
#: People and successes as a campaign may have them, from none to millions.
any_counts = st.integers(0, 5_000_000).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people)))
several = st.lists(any_counts, min_size=1, max_size=6).map(
    lambda counts: [Tally(letter, *count) for letter, count in zip("ABCDEF", counts, strict=False)]
)


@given(tallies, tallies)
def test_the_better_of_two_is_told_as_exactly_as_by_the_sum(one: Tally, other: Tally) -> None:
    first, second = standings((one, other))

    assert second.best == pytest.approx(exact_chance(one, other), abs=1e-8)
    assert first.best + second.best == pytest.approx(1)


@given(tallies, tallies)
def test_what_a_choice_costs_is_told_as_exactly_as_by_the_sum(one: Tally, other: Tally) -> None:
    first, second = standings((one, other))

    assert first.loss == pytest.approx(exact_loss(one, other), abs=1e-8)
    assert second.loss == pytest.approx(exact_loss(other, one), abs=1e-8)


@pytest.mark.parametrize("arms", range(1, 7))
@pytest.mark.parametrize(("people", "successes"), [(0, 0), (1, 0), (100, 0), (100, 100), (5_000, 600), (10**6, 3)])
def test_those_who_did_alike_are_as_likely_the_best(arms: int, people: int, successes: int) -> None:
    found = standings([Tally(letter, people, successes) for letter in "ABCDEF"[:arms]])

    assert [stand.best for stand in found] == pytest.approx([1 / arms] * arms)
    assert max(stand.loss for stand in found) - min(stand.loss for stand in found) < 1e-12


@pytest.mark.parametrize("arms", [2, 3, 6])
def test_of_those_who_got_nothing_yet_the_best_is_the_highest_of_even_draws(arms: int) -> None:
    found = standings([Tally(letter, 0, 0) for letter in "ABCDEF"[:arms]])

    # the highest of n even draws is n / (n + 1) on average, and each is a half
    assert [stand.loss for stand in found] == pytest.approx([arms / (arms + 1) - 0.5] * arms)


@given(several)
@example([Tally("A", 43, 0), Tally("B", 49, 49)])
@settings(max_examples=50, deadline=None)
def test_chances_sum_to_one_and_nothing_costs_less_than_nothing(tallies: list[Tally]) -> None:
    found = standings(tallies)

    assert [stand.letter for stand in found] == [tally.letter for tally in tallies]
    assert math.fsum(stand.best for stand in found) == pytest.approx(1)
    assert all(0 <= stand.best <= 1 + 1e-12 and 0 <= stand.loss <= 1 for stand in found)
    highest = {round(stand.loss + tally.mean, 6) for stand, tally in zip(found, tallies, strict=True)}
    assert max(highest) - min(highest) < 2e-6, "what is chosen and what it costs make the same highest rate"


@given(several, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_variants_does_not_matter(tallies: list[Tally], dice: Random) -> None:
    before = {stand.letter: stand for stand in standings(tallies)}

    dice.shuffle(tallies)

    for stand in standings(tallies):
        assert stand.best == pytest.approx(before[stand.letter].best, abs=1e-12)


@given(st.lists(any_counts.filter(lambda counts: counts[0] > 0), min_size=2, max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_a_success_more_makes_it_likelier_to_be_the_best(counts: list[tuple[int, int]], data: st.DataObject) -> None:
    tallies = [Tally(letter, *count) for letter, count in zip("ABCDE", counts, strict=False)]
    which = data.draw(st.integers(0, len(tallies) - 1))
    one = tallies[which]
    more = [*tallies]
    more[which] = Tally(one.letter, one.people + 1, one.successes + 1)

    assert standings(more)[which].best >= standings(tallies)[which].best - 1e-7


@pytest.mark.parametrize(
    "counts",
    [
        [(900, 90), (800, 96), (1_000, 105)],
        [(10, 1), (5_000, 600), (300, 30), (40, 6)],
        [(0, 0), (200, 0), (200, 200), (50, 48), (1_000, 990), (30, 29)],
    ],
)
def test_dice_say_the_same(counts: list[tuple[int, int]]) -> None:
    tallies = [Tally(letter, *count) for letter, count in zip("ABCDEF", counts, strict=False)]
    dice, throws = Random(11), 40_000
    wins, highest = dict.fromkeys((tally.letter for tally in tallies), 0), 0.0
    for _ in range(throws):
        drawn = {tally.letter: dice.betavariate(tally.alpha, tally.beta) for tally in tallies}
        wins[max(drawn, key=lambda letter: drawn[letter])] += 1
        highest += max(drawn.values())

    for stand, tally in zip(standings(tallies), tallies, strict=True):
        assert stand.best == pytest.approx(wins[tally.letter] / throws, abs=4 * math.sqrt(0.25 / throws))
        assert stand.loss == pytest.approx(highest / throws - tally.mean, abs=0.002)


def test_a_million_people_tell_small_differences_apart() -> None:
    close = [Tally(letter, 1_000_000, 100_000 + 200 * place) for place, letter in enumerate("ABCDEF")]

    found = standings(close)

    assert all(lower.best < higher.best for lower, higher in pairwise(found))
    # the normal distribution says the same of two of them to the fourth digit
    apart = 200 / math.sqrt(2 * 100_000 * 0.9)
    assert standings(close[:2])[1].best == pytest.approx(0.5 * (1 + math.erf(apart / math.sqrt(2))), abs=2e-4)


def test_one_narrow_curve_among_wide_ones_is_not_stepped_over() -> None:
    known, unknown = Tally("A", 100_000_000, 90_000_000), Tally("B", 0, 0)

    found = standings((known, unknown))

    assert found[0].best == pytest.approx(known.mean, abs=1e-6)  # an even draw is below 0.9 nine times of ten
    assert found[0].loss == pytest.approx(0.1**2 / 2, abs=1e-6)


def test_nothing_compared_with_nothing_is_nothing() -> None:
    assert standings(()) == ()


@pytest.mark.parametrize(("people", "successes", "rate"), [(0, 0, 0.0), (200, 25, 0.125), (3, 3, 1.0)])
def test_a_rate_is_what_was_counted_and_the_mean_is_drawn_to_a_half(people: int, successes: int, rate: float) -> None:
    tally = Tally("A", people, successes)

    assert tally.rate == rate
    assert tally.mean == (successes + 1) / (people + 2)


@given(any_counts)
def test_an_interval_has_the_mean_inside_and_narrows_with_its_level(counts: tuple[int, int]) -> None:
    tally = Tally("A", *counts)
    wide, narrow = interval(tally), interval(tally, 0.5)

    assert 0 <= wide.low < narrow.low < narrow.high < wide.high <= 1
    assert wide.low < tally.mean < wide.high


def test_95_of_100_intervals_hold_the_true_rate_when_that_is_drawn_from_the_prior() -> None:
    dice, held = Random(5), 0
    for _ in range(2_000):
        rate = dice.random()
        found = interval(Tally("A", 50, sum(dice.random() < rate for _ in range(50))))
        held += found.low <= rate <= found.high

    assert held / 2_000 == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2_000))


@pytest.mark.parametrize(("people", "successes"), [(3, 4), (3, -1), (-1, 0)])
def test_more_successes_than_people_are_refused(people: int, successes: int) -> None:
    with pytest.raises(ValueError, match=f"variant B: successes are people, 0 to {people} of them, not {successes}"):
        Tally("B", people, successes)
