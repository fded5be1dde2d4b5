"""The noise that is drawn has the scale that was planned: neither smaller (privacy) nor larger (accuracy).

Each check has a false-alarm rate of about one in a million, and a noise 10 % off would fail it.
"""

from decimal import Decimal
from fractions import Fraction
from math import comb, exp, sqrt

import pytest

from dataspace.domain.privacy import PrivacyLoss
from dataspace.dp.accountant import epsilon_of
from dataspace.dp.accuracy import half_width, rho_for, scale_of
from dataspace.dp.noise import NoiseTooSmall, OpenDPNoise, threshold_for

DRAWS = 20_000

FIVE_SIGMA = 5.0


def draws(scale: float, count: int = DRAWS) -> list[int]:
    rho = rho_for(scale, Fraction(1)) * (1 + Fraction(1, 10**8))
    return OpenDPNoise().gaussian([0] * count, scale, Fraction(1), rho)


@pytest.mark.parametrize("scale", [1.0, 4.5, 1000.0])
def test_variance_is_the_planned_one_on_both_sides(scale: float) -> None:
    noise = draws(scale)
    variance = sum(n * n for n in noise) / len(noise)
    # a Gaussian's squared draws have variance 2 scale^4
    tolerance = FIVE_SIGMA * sqrt(2 / DRAWS)
    assert 1 - tolerance < variance / scale**2 < 1 + tolerance
    assert tolerance < 0.1
    assert abs(sum(noise) / len(noise)) < FIVE_SIGMA * scale / sqrt(DRAWS)


@pytest.mark.parametrize("wrong", [0.9, 1.1])
def test_a_scale_ten_percent_off_would_fail(wrong: float) -> None:
    noise = draws(100.0 * wrong)
    variance = sum(n * n for n in noise) / len(noise)
    assert abs(variance / 100.0**2 - 1) > FIVE_SIGMA * sqrt(2 / DRAWS)


@pytest.mark.parametrize("scale", [0.8, 3.0, 50.0])
def test_half_width_holds_19_of_20_draws(scale: float) -> None:
    width = half_width(scale)
    inside = sum(abs(n) <= width for n in draws(scale)) / DRAWS
    slack = FIVE_SIGMA * sqrt(0.05 * 0.95 / DRAWS)
    assert inside > 0.95 - slack
    # and it is the narrowest whole width that does
    narrower = sum(abs(n) <= width - 1 for n in draws(scale)) / DRAWS
    assert narrower < 0.95 + slack


@pytest.mark.parametrize("rho", [Fraction(1, 1000), Fraction(1, 10), Fraction(4)])
@pytest.mark.parametrize("square", [Fraction(1), Fraction(2), Fraction(3 * 7200**2)])
def test_scale_follows_the_formula_and_the_map_agrees(rho: Fraction, square: Fraction) -> None:
    scale = scale_of(rho, square)
    assert scale == pytest.approx(sqrt(square / (2 * rho)), rel=1e-8)
    assert rho_for(scale, square) <= rho
    OpenDPNoise().gaussian([0], scale, square, rho)


def test_noise_that_costs_more_than_its_share_is_refused() -> None:
    with pytest.raises(NoiseTooSmall):
        OpenDPNoise().gaussian([0], 0.99 * scale_of(Fraction(1, 10), Fraction(1)), Fraction(1), Fraction(1, 10))
    with pytest.raises(NoiseTooSmall):
        OpenDPNoise().threshold({0: 9}, 4.0, 10, 1, Fraction(1), Fraction(1, 10**9))


@pytest.mark.parametrize("rho", [Fraction(1, 2), Fraction(2)])
def test_epsilon_of_a_count_is_not_above_the_claim(rho: Fraction) -> None:
    """Black box: how often a noisy count with and one without a person are at least t, for all t.

    Claimed is what the accountant says. A violation is P > exp(epsilon) Q + delta beyond five standard errors of both
    rates. Noise of half the scale is caught.
    """
    delta = Decimal("0.05")
    claim = float(epsilon_of(PrivacyLoss.at_least(rho), delta))
    honest = scale_of(rho, Fraction(1))
    assert not _breaks(draws(honest, 2 * DRAWS), claim, float(delta))
    assert _breaks(draws(honest / 2, 2 * DRAWS), claim, float(delta))


def _breaks(noise: list[int], epsilon: float, delta: float) -> bool:
    half = len(noise) // 2
    present, absent = [n + 1 for n in noise[:half]], noise[half:]
    for least in range(-8, 9):
        p, q = (sum(n >= least for n in side) / half for side in (present, absent))
        error = sqrt((p * (1 - p) + exp(2 * epsilon) * max(q * (1 - q), 1 / half)) / half)
        if p > exp(epsilon) * q + delta + FIVE_SIGMA * error:
            return True
    return False


@pytest.mark.parametrize("groups", [1, 3])
def test_a_lone_person_passes_the_threshold_at_most_delta_often(groups: int) -> None:
    """Delta is taken large enough to be seen; all of a person's groups count together."""
    delta, scale = Fraction(1, 50), 3.0
    threshold = threshold_for(scale, groups, delta)
    rho = rho_for(scale, Fraction(groups)) * (1 + Fraction(1, 10**8))
    runs = 10_000
    lone = dict.fromkeys(range(groups), 1)
    seen = sum(bool(OpenDPNoise().threshold(lone, scale, threshold, groups, rho, delta)) for _ in range(runs))
    assert seen / runs < float(delta) + FIVE_SIGMA * sqrt(float(delta) / runs)
    # not wastefully high either: two lower would break the promise
    below = threshold - 2
    assert _tail(scale, below - 1, groups) > float(delta)


def _tail(scale: float, above: int, groups: int) -> float:
    weights = {n: exp(-n * n / (2 * scale**2)) for n in range(-200, 201)}
    alone = sum(w for n, w in weights.items() if n >= above) / sum(weights.values())
    return sum(comb(groups, k) * alone**k * (1 - alone) ** (groups - k) for k in range(1, groups + 1))
