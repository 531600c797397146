"""What an experiment says: when a winner is named, when none is, and in which words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.experiments.bayes import Tally, standings
from campaigns.experiments.finding import LEAST_PEOPLE, Finding
from campaigns.experiments.uplift import uplift
from campaigns.experiments.verdict import is_decided, verdict
from campaigns.vocabulary import HOLD_OUT, Goal

any_counts = st.integers(0, 200_000).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people)))


def tallies(**counts: tuple[int, int]) -> list[Tally]:
    return [Tally(HOLD_OUT if letter == "out" else letter, *count) for letter, count in counts.items()]


def test_a_winner_is_told_with_its_figures() -> None:
    found = verdict(tallies(A=(4_000, 404), B=(4_000, 462)), Goal.CLICK)

    assert (found.finding, found.winner, found.leader) == (Finding.WON, "B", "B")
    assert found.probability == pytest.approx(0.982, abs=0.001)
    assert found.sentences == (
        (
            "B is better than A with 98 %: 11.6 % of those who got B clicked, 10.1 % of A "
            "(the true rate of B lies between 10.6 % and 12.6 % with 95 %)."
        ),
    )


def test_the_best_of_three_is_compared_with_the_second() -> None:
    found = verdict(tallies(C=(5_000, 600), A=(5_000, 505), B=(5_000, 700)), Goal.CONVERSION)

    assert found.sentences == (
        (
            "B is the best of A, B and C with 99.8 %: 14.0 % of those who got B converted, 12.0 % of C "
            "(the true rate of B lies between 13.1 % and 15.0 % with 95 %)."
        ),
    )


def test_a_winner_by_very_little_is_told_to_matter_little() -> None:
    found = verdict(tallies(A=(3_000_000, 300_000), B=(3_000_000, 301_500)), Goal.CLICK)

    assert found.winner == "B"
    assert found.sentences[1] == "It matters little: to choose A would cost 0.05 percentage points."


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"A": (99, 1), "B": (5_000, 900)}, "Too early to tell: A has 99 of the 100 people that each variant needs."),
        (
            {"A": (0, 0), "B": (40, 9), "C": (100, 2)},
            "Too early to tell: A has 0 and B has 40 of the 100 people that each variant needs.",
        ),
        ({"A": (3_000, 300), "B": (3_000, 330)}, "Too early to tell: B leads with 89 %, and 95 % are needed."),
    ],
)
def test_too_early_to_tell(counts: dict[str, tuple[int, int]], words: str) -> None:
    found = verdict(tallies(**counts), Goal.CLICK)

    assert (found.finding, found.winner) == (Finding.EARLY, None)
    assert found.sentences[0] == words


def test_no_winner_is_named_before_each_variant_has_enough_people() -> None:
    few, enough = LEAST_PEOPLE - 1, LEAST_PEOPLE

    assert verdict(tallies(A=(few, 0), B=(enough, 60)), Goal.CLICK).probability > 0.999999
    assert not is_decided(tallies(A=(few, 0), B=(enough, 60)))
    assert is_decided(tallies(A=(enough, 0), B=(enough, 60)))


def test_no_difference_worth_mentioning() -> None:
    found = verdict(tallies(A=(100_000, 10_000), B=(100_000, 10_010)), Goal.CLICK)

    assert (found.finding, found.winner) == (Finding.ALIKE, None)
    assert found.sentences == (
        "No difference worth mentioning between A and B: to choose the wrong one costs 0.06 percentage points.",
        (
            "So far clicked: 10.0 % of A (9.8 % to 10.2 %) and 10.0 % of B (9.8 % to 10.2 %); "
            "in brackets, where the true rate lies with 95 %."
        ),
    )


def test_whoever_is_behind_two_that_are_alike_is_told_too() -> None:
    found = verdict(tallies(A=(100_000, 10_000), B=(100_000, 10_010), C=(30_000, 2_000)), Goal.CLICK)

    assert found.finding is Finding.ALIKE
    assert found.sentences[1] == "C is behind."


def test_one_that_leads_by_much_is_not_called_alike_although_choosing_it_costs_little() -> None:
    counted = tallies(A=(900, 90), B=(900, 108))

    assert standings(counted)[1].loss < 0.001
    assert verdict(counted, Goal.CLICK).finding is Finding.EARLY


def test_at_low_rates_a_tenth_of_a_percentage_point_is_worth_mentioning() -> None:
    counted = tallies(A=(6_000, 12), B=(6_000, 16))

    assert max(stand.loss for stand in standings(counted)) < 0.001
    assert verdict(counted, Goal.CONVERSION).finding is Finding.EARLY


def test_one_variant_alone_is_compared_with_nothing() -> None:
    found = verdict(tallies(A=(5_000, 500)), Goal.CLICK)

    assert (found.finding, found.winner, found.leader) == (Finding.ALONE, None, "A")
    assert found.sentences == (
        "10.0 % of those who got A clicked (the true rate of A lies between 9.2 % and 10.9 % with 95 %).",
        "There is nothing to compare it with.",
    )


def test_conversions_are_compared_with_those_held_out() -> None:
    found = verdict(tallies(A=(5_000, 50), B=(5_000, 51), out=(3_000, 10)), Goal.CONVERSION)

    assert found.leader == "B", "whoever is held out is no variant"
    assert found.sentences[-1] == (
        "1.0 % of those who got a message converted, 0.33 % of those held out: 0.68 percentage points more "
        "(the true difference lies between +0.35 and +0.94 with 95 %); the message helps with more than 99.9 %."
    )


def test_a_message_that_does_harm_is_told_too() -> None:
    found = verdict(tallies(A=(5_000, 50), out=(5_000, 100)), Goal.CONVERSION)

    assert "1.00 percentage points less" in found.sentences[-1]
    assert found.sentences[-1].endswith("the message helps with 0 %.")


def test_a_hold_out_that_is_small_says_nothing_yet() -> None:
    found = verdict(tallies(A=(12_000, 50), B=(3_000, 51), out=(99, 1)), Goal.CONVERSION)

    assert found.sentences[-1] == (
        "Too early to tell what the messages bring: 15,000 people got one and 99 are held out, "
        "and 100 of each are needed."
    )


def test_clicks_are_not_compared_with_those_who_had_nothing_to_click_on() -> None:
    with_hold_out = verdict(tallies(A=(5_000, 500), B=(5_000, 600), out=(3_000, 0)), Goal.CLICK)

    assert with_hold_out == verdict(tallies(A=(5_000, 500), B=(5_000, 600)), Goal.CLICK)


@given(any_counts, any_counts)
@settings(max_examples=50, deadline=None)
def test_an_uplift_lies_in_its_interval(got: tuple[int, int], held_out: tuple[int, int]) -> None:
    found = uplift([Tally("A", *got)], Tally(HOLD_OUT, *held_out))

    assert found.low <= found.difference <= found.high


@given(st.lists(any_counts, min_size=1, max_size=6), st.sampled_from(Goal), st.floats(0.51, 0.999))
@settings(max_examples=100, deadline=None)
def test_whatever_was_counted_there_is_a_verdict(counts: list[tuple[int, int]], goal: Goal, bound: float) -> None:
    counted = [Tally(letter, *count) for letter, count in zip("-ABCDE", counts, strict=False)]
    if len(counted) == 1:
        counted = [Tally("A", *counts[0])]

    found = verdict(counted, goal, bound)

    assert (found.winner is not None) == is_decided(counted, bound) == (found.finding is Finding.WON)
    assert found.sentences
    assert found.winner in (None, found.leader)
    assert found.winner is None or found.probability >= bound


@pytest.mark.parametrize(
    ("counts", "bound", "words"),
    [
        ({}, 0.95, "at least one variant"),
        ({"out": (100, 1)}, 0.95, "at least one variant"),
        ({"A": (1, 1)}, 0.5, "above 0.5 and below 1, not 0.5"),
        ({"A": (1, 1)}, 1.0, "above 0.5 and below 1, not 1.0"),
    ],
)
def test_what_cannot_be_judged_is_refused(counts: dict[str, tuple[int, int]], bound: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        verdict(tallies(**counts), Goal.CLICK, bound)


def test_two_tallies_of_one_variant_are_refused() -> None:
    with pytest.raises(ValueError, match="each variant has one tally: A, A, B"):
        is_decided([Tally("A", 1, 1), Tally("B", 1, 1), Tally("A", 2, 1)])
