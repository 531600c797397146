"""Experiments with known click rates, 1,000 times over.

The better variant is found as often as theory says, adaptive sending earns more clicks than a fixed split, and equal
variants are seldom told apart. The dice are seeded, so that each figure is the same each time; `-s` prints them, and
docs/explanations/experiments.md quotes them.
"""

import math
from collections.abc import Iterator
from random import Random
from statistics import fmean, stdev

import pytest

from campaigns.experiments.bayes import standings
from campaigns.experiments.finding import Finding, read
from campaigns.experiments.verdict import is_decided
from tests.campaigns.experiments.crowds import adaptive, error, fixed, leads, peeked, power, successes

REPETITIONS = 1_000


@pytest.fixture(scope="module")
def figures() -> Iterator[list[str]]:
    """What was found, as a table when all is done."""
    lines: list[str] = []
    yield lines
    print("", *sorted(lines), sep="\n")  # noqa: T201 - what -s is for


@pytest.mark.parametrize(
    ("worse", "better", "each"),
    [(0.10, 0.11, 2_000), (0.10, 0.12, 2_000), (0.05, 0.07, 1_000), (0.02, 0.03, 3_000), (0.30, 0.36, 1_000)],
)
def test_the_better_of_two_is_named_as_often_as_theory_says(
    worse: float, better: float, each: int, figures: list[str]
) -> None:
    dice, named = Random(2026), {"A": 0.0, "B": 0.0}
    for _ in range(REPETITIONS):
        reading = read(fixed((worse, better), each, dice), bound=0.95)
        if reading.finding is Finding.WON:
            named[reading.stands[0].letter] += 1 / REPETITIONS

    right, wrong = (power(*rates, each, bound=0.95) for rates in ((worse, better), (better, worse)))
    figures.append(
        f"{worse:.0%} and {better:.0%}, {each} each: the better is named {named['B']:.1%} (theory {right:.1%}), "
        f"the worse {named['A']:.1%} ({wrong:.1%})"
    )
    assert named["B"] == pytest.approx(right, abs=3 * error(right, REPETITIONS))
    assert named["A"] <= wrong + 3 * error(max(wrong, 0.001), REPETITIONS)


@pytest.mark.parametrize(
    ("rates", "each"),
    [((0.10, 0.11), 2_000), ((0.10, 0.10, 0.12), 1_000), ((0.10, 0.10, 0.10, 0.10, 0.10, 0.12), 1_000)],
)
def test_the_best_of_several_leads_as_often_as_theory_says(
    rates: tuple[float, ...], each: int, figures: list[str]
) -> None:
    dice, found = Random(2027), 0.0
    for _ in range(REPETITIONS):
        chances = [stand.best for stand in standings(fixed(rates, each, dice))]
        leading = [chance > max(chances) - 1e-9 for chance in chances]
        found += leading[-1] / sum(leading) / REPETITIONS  # those who did alike share the lead

    expected = leads(rates, each)
    figures.append(f"{len(rates)} variants, {each} each: the best leads {found:.1%} (theory {expected:.1%})")
    assert found == pytest.approx(expected, abs=3 * error(expected, REPETITIONS))


@pytest.mark.parametrize("rates", [(0.10, 0.12), (0.10, 0.10, 0.12), (0.10, 0.10, 0.10, 0.10, 0.10, 0.12)])
def test_adaptive_sending_earns_more_clicks_than_a_fixed_split(rates: tuple[float, ...], figures: list[str]) -> None:
    dice, batches, batch = Random(2028), 12, 1_000
    everybody = batches * batch
    gains, best_got_most = [], 0.0
    for _ in range(REPETITIONS):
        adapted, even = adaptive(rates, batches, batch, dice), fixed(rates, everybody // len(rates), dice)
        gains.append(sum(one.successes for one in adapted) - sum(one.successes for one in even))
        best_got_most += (adapted[-1].people == max(one.people for one in adapted)) / REPETITIONS

    gain, deviation = fmean(gains), stdev(gains) / math.sqrt(REPETITIONS)
    by_chance, at_most = everybody * fmean(rates), everybody * (max(rates) - fmean(rates))
    figures.append(
        f"{len(rates)} variants, {everybody} people, {batches} turns: {gain:.0f} ± {1.96 * deviation:.0f} clicks more, "
        f"{gain / by_chance:.1%}, {gain / at_most:.0%} of what can be gained; the best got most {best_got_most:.1%}"
    )
    assert gain - 3.3 * deviation > 0, "by chance that would be so once in 2,000 times"
    assert gain <= at_most


@pytest.mark.parametrize(
    ("arms", "bound", "most"), [(2, 0.95, 0.10), (3, 0.95, 0.10), (6, 0.95, 0.10), (2, 0.99, 0.02)]
)
def test_equal_variants_are_told_apart_no_more_often_than_the_bound_allows(
    arms: int, bound: float, most: float, figures: list[str]
) -> None:
    dice = Random(2029)

    found = sum(is_decided(fixed([0.10] * arms, 1_000, dice), bound) for _ in range(REPETITIONS)) / REPETITIONS

    figures.append(f"{arms} equal variants, bound {bound:.0%}: a winner is named {found:.1%}")
    assert found <= most + 3 * error(most, REPETITIONS)


def test_whoever_looks_ten_times_is_deceived_more_often_than_who_looks_once(figures: list[str]) -> None:
    dice, once, often = Random(2030), 0.0, 0.0
    for _ in range(REPETITIONS):
        *before, end = peeked((0.10, 0.10), 2_000, 10, dice)
        at_the_end = is_decided(end)
        once += at_the_end / REPETITIONS
        often += (at_the_end or any(map(is_decided, before))) / REPETITIONS

    figures.append(f"2 equal variants: a winner is named {once:.1%} at the end, {often:.1%} at one of 10 looks")
    assert once <= 0.10 + 3 * error(0.10, REPETITIONS)
    assert 2 * once < often < 0.5


def test_a_crowd_does_what_it_is_said_to() -> None:
    dice = Random(1)
    drawn = [successes(500, 0.1, dice) for _ in range(5_000)]

    assert fmean(drawn) == pytest.approx(50, abs=4 * math.sqrt(45 / 5_000))
    assert stdev(drawn) == pytest.approx(math.sqrt(45), rel=0.05)
    assert (successes(0, 0.1, dice), successes(10, 0, dice)) == (0, 0)
