"""Estimates with 95 % intervals from noisy numbers. Post-processing: nothing here sees data or costs anything.

Intervals are for the exact bounded answer; what bounding itself changes is in the notes, not in the interval.
"""

from math import sqrt

from dataspace.domain.releases import Estimate
from dataspace.dp.accuracy import Z, half_width

UNKNOWN = Estimate(None, None, None)

LEAST_ROWS = Z
"""A ratio is given only if its noisy denominator is above this many standard deviations of its noise: from there on the
noise alone does not explain it (and Fieller's interval is bounded)."""


def counted(noisy: float, scale: float, unit: float = 1.0, *, floor: bool = True) -> Estimate:
    """A count or sum; with `floor` the interval's ends are raised to zero, the estimate stays as it came."""
    width = half_width(scale)
    low, high = noisy - width, noisy + width
    if floor:
        low, high = max(0.0, low), max(0.0, high)
    return Estimate(noisy * unit, low * unit, high * unit, scale * unit)


def ratio(above: float, above_scale: float, below: float, below_scale: float) -> Estimate:
    """above / below with the interval of Fieller (1954): all ratios that the two noises do not rule out.

    No estimate where the denominator is lost in its noise. `scale` is the standard deviation to first order.
    """
    tail, head = Z * above_scale, Z * below_scale
    if below <= max(0.0, LEAST_ROWS * below_scale):
        return UNKNOWN
    value = above / below
    scale = sqrt(above_scale**2 + (value * below_scale) ** 2) / below
    spread = float(below) ** 2 - head**2
    # the roots of (above - x below)² = tail² + x² head²
    middle = above * float(below) / spread
    reach = sqrt(max(0.0, middle**2 - (float(above) ** 2 - tail**2) / spread))
    return Estimate(value, middle - reach, middle + reach, scale)


def within(estimate: Estimate, low: float | None, high: float | None) -> Estimate:
    """The estimate cut to a range that is known from outside; an end that is not known becomes the range's."""
    if estimate.value is None:
        return Estimate(None, low, high)
    return Estimate(
        _cut(estimate.value, low, high),
        low if estimate.low is None else _cut(estimate.low, low, high),
        high if estimate.high is None else _cut(estimate.high, low, high),
        estimate.scale,
    )


def moved(estimate: Estimate, centre: float, unit: float) -> Estimate:
    """centre + unit x estimate."""
    value, low, high = (None if n is None else centre + unit * n for n in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, low, high, None if estimate.scale is None else estimate.scale * unit)


def variance(
    count: tuple[float, float], total: tuple[float, float], squares: tuple[float, float], centre: float, most: float
) -> Estimate:
    """Sample variance from (noisy number, scale) of n, sum and sum of (square - centre); at most `most`.

    The interval is to first order in the noise, where the count is at least ten times its noise; else it is [0, most].
    """
    (n, n_scale), (s, s_scale), (q, q_scale) = count, total, squares
    if n <= max(1.0, LEAST_ROWS * n_scale):
        return Estimate(None, 0.0, most)
    mean, bessel = s / n, n / (n - 1)
    value = bessel * (q / n + centre - mean**2)
    by_n = (2 * mean**2 - q / n) / n
    scale = bessel * sqrt((by_n * n_scale) ** 2 + (2 * mean / n * s_scale) ** 2 + (q_scale / n) ** 2)
    if n < 10 * n_scale:
        return Estimate(_cut(value, 0.0, most), 0.0, most, scale)
    # what the mean's own error adds is of second order and always lowers the variance
    reach = Z * scale + (Z * s_scale / n) ** 2
    return within(Estimate(value, value - reach, value + reach, scale), 0.0, most)


def most_variance(low: int, high: int) -> float:
    """The largest sample variance of values in [low, high]: two rows, one at either end."""
    return (high - low) ** 2 / 2


def root(estimate: Estimate) -> Estimate:
    """Square root of an estimate that is not negative."""
    value, low, high = (None if n is None else sqrt(n) for n in (estimate.value, estimate.low, estimate.high))
    scale = estimate.scale / (2 * value) if value and estimate.scale is not None else None
    return Estimate(value, low, high, scale)


def _cut(number: float, low: float | None, high: float | None) -> float:
    if low is not None and number < low:
        return low
    return high if high is not None and number > high else number
