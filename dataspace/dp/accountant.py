"""Conversions between (epsilon, delta) and approximate zCDP, always rounded against the spender.

A permit's delta is split once, by public constants: `CONVERSION_SHARE` of it pays for turning rho into epsilon, the
rest for group keys found by partition selection, each query of that kind taking `THRESHOLD_SHARE` of it.
"""

from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import inf, log, nextafter, sqrt
from typing import Any

from dataspace.domain.privacy import PICO, Guarantee, PrivacyLoss

CONVERSION_SHARE = Fraction(9, 10)
"""Part of a permit's delta that the conversion from rho to epsilon uses."""

THRESHOLD_SHARE = Fraction(1, 1000)
"""Part of a permit's delta that one query with unknown group keys is charged: a permit affords a hundred of them."""


def budget_of(guarantee: Guarantee) -> PrivacyLoss:
    """The largest loss that keeps everything released under a permit within its (epsilon, delta)."""
    rho = rho_of_epsilon(guarantee)
    return PrivacyLoss.at_most(rho, (1 - CONVERSION_SHARE) * Fraction(guarantee.delta))


def threshold_delta(guarantee: Guarantee) -> Fraction:
    """What one query with unknown group keys is charged in delta; public, the same for every such query."""
    return THRESHOLD_SHARE * Fraction(guarantee.delta)


def rho_of_epsilon(guarantee: Guarantee) -> Fraction:
    """Largest rho, in whole pico-rho, whose conversion at the conversion's share of delta stays within epsilon."""
    return Fraction(_largest_pico(float(guarantee.epsilon), _down(CONVERSION_SHARE * Fraction(guarantee.delta))), PICO)


def epsilon_of(loss: PrivacyLoss, delta: Decimal) -> Decimal:
    """Epsilon of a loss at the permit's `delta`, to four significant digits, rounded up; for showing, not for deciding.

    The same share of delta is used as in `budget_of`, so that a permit spent to the end shows the epsilon granted.
    Raises ValueError if the loss's own delta leaves nothing for the conversion, or if the loss is too large for it.
    """
    left = Fraction(delta) - loss.delta
    if left <= 0:
        raise ValueError("the loss uses up the whole delta")
    if loss.pico_rho == 0:
        return Decimal(0)
    share = min(left, CONVERSION_SHARE * Fraction(delta))
    epsilon = _epsilon(loss.pico_rho, _down(share))
    if epsilon == inf:
        raise ValueError("no epsilon can be told of so large a loss")
    return Context(prec=4, rounding=ROUND_CEILING).plus(Decimal(epsilon))


@lru_cache(maxsize=1024)
def _largest_pico(epsilon: float, delta: float) -> int:
    """Search on whole pico-rho; the conversion is monotone, and costs about a millisecond.

    Starts from the closed form of Bun and Steinke, epsilon = rho + 2 sqrt(rho ln(1/delta)), which is never too large.
    """
    width = log(1 / delta)
    low = max(0, int((sqrt(width + epsilon) - sqrt(width)) ** 2 * PICO) - 1)
    low = low if _epsilon(low, delta) <= epsilon else 0
    high = max(2, 2 * low)
    while _epsilon(high, delta) <= epsilon:
        high *= 2
    while high - low > 1:
        for probe in _probes(low, high, epsilon, delta):
            if low < probe < high:
                low, high = (probe, high) if _epsilon(probe, delta) <= epsilon else (low, probe)
    return low


def _probes(low: int, high: int, epsilon: float, delta: float) -> tuple[int, int, int]:
    """Either side of where a straight line crosses epsilon, and the middle."""
    below, above = _epsilon(low, delta), _epsilon(high, delta)
    crossing = low + int((high - low) * (epsilon - below) / (above - below)) if above > below else low
    margin = max(1, (high - low) >> 10)
    return crossing - margin, crossing + margin, (low + high) // 2


@lru_cache(maxsize=4096)
def _epsilon(pico_rho: int, delta: float) -> float:
    """OpenDP's conversion. A unit-scale Gaussian at distance d has rho d²/2, so d = sqrt(2 rho), rounded up.

    No loss has no epsilon, which OpenDP would divide by; infinite for a loss so large that its arithmetic overflows.
    """
    from opendp.mod import OpenDPException

    if pico_rho == 0:
        return 0.0
    distance = nextafter(sqrt(2 * pico_rho / PICO), inf)
    try:
        return float(_converter().map(distance).epsilon(delta))
    except OpenDPException as error:
        if "Overflow" not in str(error):
            raise
        return inf


@cache
def _converter() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    unit = dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T=float), scale=1.0)
    return dp.c.make_zCDP_to_approxDP(unit)


def _down(number: Fraction) -> float:
    """Largest float not above the number."""
    nearest = float(number)
    return nearest if Fraction(nearest) <= number else nextafter(nearest, 0.0)
