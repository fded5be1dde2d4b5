"""How wide the 95 % interval of a discrete Gaussian is, and which scale gives a wanted width.

Widths are in steps of the integer grid the noise lives on. Tails are OpenDP's exact discrete ones.
"""

from fractions import Fraction
from functools import lru_cache
from math import inf, nextafter, sqrt

ALPHA = 0.05
"""One minus the coverage of every interval of the node."""

Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

EXACT_BELOW = 1e4
"""Above this scale the discrete and the continuous Gaussian's tails agree to far less than one step."""


@lru_cache(maxsize=4096)
def half_width(scale: float) -> int:
    """Smallest whole h with P(|noise| > h) <= 0.05."""
    if scale <= 0:
        return 0
    if scale > EXACT_BELOW:
        return int(Z * scale) + 1
    import opendp.prelude as dp

    dp.enable_features("contrib")
    # OpenDP's accuracy is the a of P(|noise| >= a), so the noise stays within a - 1.
    return max(0, int(dp.discrete_gaussian_scale_to_accuracy(scale=float(scale), alpha=ALPHA)) - 1)


def scale_for(width: int) -> float:
    """Largest scale found by bisection whose half width is at most `width` steps (>= 0)."""
    low, high = 0.05, (width + 2) / 1.5
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if half_width(middle) <= width else (low, middle)
    return low


def rho_for(scale: float, l2_squared: Fraction) -> Fraction:
    """zCDP of the discrete Gaussian: sensitivity² / (2 scale²), exactly."""
    return l2_squared / (2 * Fraction(scale) ** 2)


def scale_of(rho: Fraction, l2_squared: Fraction) -> float:
    """A scale whose rho is at most `rho`: the formula's, with room for the rounding of OpenDP's own map."""
    if l2_squared == 0:
        return 0.0
    scale = sqrt(l2_squared / (2 * rho)) * (1 + 1e-9)
    while rho_for(scale, l2_squared) > rho:
        scale = nextafter(scale, inf)
    return scale
