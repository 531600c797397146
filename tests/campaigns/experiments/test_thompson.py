"""Adaptive shares: as much as it is likely to be the best, and a little for everybody."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.experiments.bayes import Tally, standings
from campaigns.experiments.thompson import DRAWS, FLOOR, shares

counts = st.integers(0, 2_000_000).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people)))


@given(st.lists(counts, min_size=1, max_size=6), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_shares_sum_to_one_and_nobody_starves(counts: list[tuple[int, int]], seed: int) -> None:
    tallies = [Tally(letter, *count) for letter, count in zip("ABCDEF", counts, strict=False)]

    found = shares(tallies, Random(seed), draws=100)

    assert [share.letter for share in found] == [tally.letter for tally in tallies]
    assert math.fsum(share.weight for share in found) == pytest.approx(1)
    assert all(share.weight >= FLOOR for share in found)


def test_shares_follow_the_probability_of_being_best() -> None:
    tallies = [Tally("A", 2_000, 200), Tally("B", 2_000, 222), Tally("C", 500, 50)]

    found = shares(tallies, Random(3), draws=20_000)

    for share, stand in zip(found, standings(tallies), strict=True):
        assert share.weight == pytest.approx(FLOOR + (1 - 3 * FLOOR) * stand.best, abs=0.015)


def test_as_long_as_nothing_is_known_all_get_about_as_much() -> None:
    found = shares([Tally(letter, 0, 0) for letter in "ABCD"], Random(1))

    assert [share.weight for share in found] == pytest.approx([0.25] * 4, abs=4 * math.sqrt(0.25 * 0.75 / DRAWS))


def test_a_clear_loser_keeps_the_floor_and_no_more() -> None:
    found = shares([Tally("A", 10_000, 1_000), Tally("B", 10_000, 2_000)], Random(1), floor=0.05)

    assert [share.weight for share in found] == pytest.approx([0.05, 0.95])


def test_the_same_dice_make_the_same_shares() -> None:
    tallies = [Tally("A", 100, 10), Tally("B", 100, 12)]

    assert shares(tallies, Random(9)) == shares(tallies, Random(9))


@pytest.mark.parametrize(
    ("letters", "options", "words"),
    [
        ("", {}, "at least one variant"),
        ("AB", {"draws": 0}, "at least one draw, not 0"),
        ("ABC", {"floor": 0.4}, "3 variants cannot have at least 0.4 each"),
        ("AB", {"floor": -0.1}, "2 variants cannot have at least -0.1 each"),
    ],
)
def test_shares_that_cannot_be_are_refused(letters: str, options: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        shares([Tally(letter, 10, 1) for letter in letters], Random(1), **options)
