"""How much of a Beta distribution lies below a value, held against sums and closed forms that need no such function."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.experiments.beta import cdf, log_density, quantile


def by_the_binomial_sum(x: float, a: int, b: int) -> float:
    """I_x(a, b) for whole a and b: at least a successes in a + b - 1 tries (DLMF 8.17.5), each term from its neighbour.

    The terms begin at the likeliest count with 1, and are divided by their sum at the end.
    """
    tries, odds = a + b - 1, x / (1 - x)
    middle = min(int((tries + 1) * x), tries)
    terms = {middle: 1.0}
    term = 1.0
    for count in range(middle, tries):
        term *= (tries - count) / (count + 1) * odds
        if term < 1e-25:
            break
        terms[count + 1] = term
    term = 1.0
    for count in range(middle, 0, -1):
        term *= count / ((tries - count + 1) * odds)
        if term < 1e-25:
            break
        terms[count - 1] = term
    return math.fsum(term for count, term in terms.items() if count >= a) / math.fsum(terms.values())


@pytest.mark.parametrize(
    ("part", "a", "b", "value"),
    [  # mpmath 1.4.1, thirty digits, by bisection of its betainc
        (0.025, 1, 1, 0.025),
        (0.025, 1, 101, 0.0002506399507392),
        (0.025, 101, 1, 0.96413537961),
        (0.025, 4, 98, 0.01089448371681),
        (0.025, 11, 91, 0.0556372238353),
        (0.025, 2, 2, 0.09429932405025),
        (0.025, 13, 5, 0.5010067267954),
        (0.025, 621, 4381, 0.1151565078856),
        (0.975, 1, 1, 0.975),
        (0.975, 1, 101, 0.03586462039),
        (0.975, 101, 1, 0.9997493600493),
        (0.975, 4, 98, 0.08435689827612),
        (0.975, 11, 91, 0.1745528260771),
        (0.975, 2, 2, 0.9057006759498),
        (0.975, 13, 5, 0.8968644856297),
        (0.975, 621, 4381, 0.1334288297067),
    ],
)
def test_quantiles_are_those_of_thirty_digits(part: float, a: int, b: int, value: float) -> None:
    assert quantile(part, a, b) == pytest.approx(value, rel=1e-10)


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.001, 0.999))
def test_what_lies_below_is_the_binomial_sum(a: int, b: int, x: float) -> None:
    assert cdf(x, a, b) == pytest.approx(by_the_binomial_sum(x, a, b), abs=1e-12)


@pytest.mark.parametrize(("people", "successes"), [(10**6, 100_000), (10**6, 500_000), (10**6, 37), (10**8, 10**7)])
@pytest.mark.parametrize("deviations", [-5.0, -1.96, -0.1, 0.0, 0.1, 1.96, 5.0])
def test_huge_counts_change_nothing(people: int, successes: int, deviations: float) -> None:
    a, b = successes + 1, people - successes + 1
    mean = a / (a + b)
    x = mean + deviations * math.sqrt(mean * (1 - mean) / (a + b))

    assert cdf(x, a, b) == pytest.approx(by_the_binomial_sum(x, a, b), abs=1e-6)


@given(st.integers(1, 10**7), st.floats(1e-9, 1 - 1e-9))
def test_one_sided_cases_have_closed_forms(b: int, part: float) -> None:
    assert quantile(part, 1, b) == pytest.approx(-math.expm1(math.log1p(-part) / b), rel=1e-7)
    assert quantile(part, b, 1) == pytest.approx(part ** (1 / b), rel=1e-7)


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.0001, 0.9999))
def test_a_quantile_has_its_part_below_it(people: int, rate: float, part: float) -> None:
    successes = round(people * rate)
    a, b = successes + 1, people - successes + 1

    assert cdf(quantile(part, a, b), a, b) == pytest.approx(part, abs=1e-7)


def test_nothing_lies_below_0_and_everything_below_1() -> None:
    assert (cdf(-0.1, 3, 4), cdf(0, 3, 4), cdf(1, 3, 4), cdf(1.1, 3, 4)) == (0, 0, 1, 1)


def test_a_density_at_the_edges_is_what_it_is() -> None:
    assert log_density(0, 1, 5) == pytest.approx(math.log(5))
    assert log_density(1, 5, 1) == pytest.approx(math.log(5))
    assert log_density(0, 2, 5) == log_density(1, 5, 2) == -math.inf


def test_what_is_no_part_and_no_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, not 1"):
        quantile(1, 2, 3)
    with pytest.raises(ValueError, match="above 0, not 0 and 3"):
        cdf(0.5, 0, 3)
