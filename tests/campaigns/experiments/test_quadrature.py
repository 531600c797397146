"""Integrals over one panel: exact for what eight values determine, and close for what is as smooth as a density."""

import math

import pytest

from campaigns.experiments.quadrature import NODES, WEIGHTS, running, whole


def test_the_nodes_and_weights_are_the_published_ones() -> None:
    # Abramowitz and Stegun, table 25.4, n = 8
    assert NODES[4:] == pytest.approx((0.183434642495650, 0.525532409916329, 0.796666477413627, 0.960289856497536))
    assert WEIGHTS[4:] == pytest.approx((0.362683783378362, 0.313706645877887, 0.222381034453374, 0.101228536290376))
    assert NODES[:4] == pytest.approx([-node for node in reversed(NODES[4:])])


@pytest.mark.parametrize("power", range(16))
def test_powers_up_to_the_fifteenth_are_integrated_exactly(power: int) -> None:
    expected = 2 / (power + 1) if power % 2 == 0 else 0

    assert whole([node**power for node in NODES]) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("power", range(8))
def test_powers_up_to_the_seventh_are_integrated_exactly_to_each_node(power: int) -> None:
    expected = [(node ** (power + 1) - (-1) ** (power + 1)) / (power + 1) for node in NODES]

    assert running([node**power for node in NODES]) == pytest.approx(expected, abs=1e-14)


def test_half_a_deviation_to_each_side_of_a_bell_is_known_to_eight_digits() -> None:
    bell = [math.exp(-((node / 2) ** 2) / 2) / math.sqrt(2 * math.pi) / 2 for node in NODES]

    assert whole(bell) == pytest.approx(math.erf(0.5 / math.sqrt(2)), abs=1e-12)
    lower = [(math.erf(node / 2 / math.sqrt(2)) + math.erf(0.5 / math.sqrt(2))) / 2 for node in NODES]
    assert running(bell) == pytest.approx(lower, abs=1e-8)
