"""Kaplan-Meier survival from one noisy vector: events and censorings in each time bin, and who is left at the horizon.

A person adds one to one number, so the L2 sensitivity is one. Numbers at risk are sums over the later bins. Post-
processing: the curve and the numbers at risk are made monotone by isotonic regression (Barlow et al. 1972).

Intervals are on the logarithm of survival, by the delta method: Greenwood's (1926) variance for sampling plus the noise
carried through every at-risk number it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import numpy as np

from catalog.schema import Scalar
from dataspace.domain.releases import Estimate
from dataspace.dp.accuracy import Z, half_width
from dataspace.dp.analyses.method import MOST_NUMBERS, Flags, Floats, Ints, Line, Noisy, Part, complete
from dataspace.dp.intervals import counted

LOST = 4.0
"""The curve ends where the number at risk is below this many standard deviations of its noise."""


@dataclass(frozen=True)
class Survival:
    """Time bins ((j - 1) step, j step] for j from 1 to `bins`; an event at time 0 is in the first.

    As in the product-limit estimate, who is censored in a bin was at risk in it. Times after the last bin are censored
    at the horizon.
    """

    step: Decimal
    bins: int
    counts_persons: ClassVar[bool] = True

    @property
    def parts(self) -> tuple[Part, ...]:
        return (Part(2 * self.bins + 1, 1, Fraction(1)),)

    @property
    def notes(self) -> tuple[str, ...]:
        end = self.step * self.bins
        return (
            f"Times are clamped to 0 to {end:f}, in {self.bins} bins of {self.step:f}; who is left then is censored.",
            "Survival and numbers at risk are made monotone after the noise; the interval of survival covers sampling "
            "and noise, those of counts the noise alone.",
        )

    @property
    def most_numbers(self) -> int:
        return MOST_NUMBERS

    def expected(self, scales: Sequence[float], /) -> tuple[float | None, ...]:
        return None, None, float(half_width(scales[0]))

    def whole(self, values: Floats) -> tuple[Ints, Flags]:
        """The number in the vector that a row of (time, event) counts in."""
        time, event = values[:, 0], values[:, 1]
        keep = complete(values)
        steps = np.clip(np.where(keep, time, 0.0) / float(self.step), 0.0, self.bins + 1.0)
        nearest = np.rint(steps)
        # 0.7 / 0.1 is a hair below 7, 1.1 / 0.1 a hair above 11
        bins = np.where(np.abs(steps - nearest) < 1e-9, nearest, np.ceil(steps)).astype(np.int64)
        place = np.maximum(bins, 1) - 1 + np.where(event == 1.0, 0, self.bins)
        return np.where(bins > self.bins, 2 * self.bins, place)[:, None], keep

    def sums(self, rows: Ints) -> list[Ints]:
        return [np.bincount(rows[:, 0], minlength=2 * self.bins + 1).astype(np.int64)]

    def lines(self, noisy: Sequence[Noisy]) -> list[Line]:
        numbers, scale, bins = noisy[0].floats, noisy[0].scale, self.bins
        events, leaving = numbers[:bins], numbers[:bins] + numbers[bins : 2 * bins]
        at_risk = np.cumsum(leaving[::-1])[::-1] + numbers[-1]
        curve = _curve(events, at_risk, scale)
        shown = np.maximum(decreasing(at_risk), 0.0)
        terms = 2 * (bins - np.arange(bins)) + 1
        return [
            Line(
                (self._time(j),),
                (
                    curve[j],
                    _at_risk(float(shown[j]), float(at_risk[j]), scale * float(np.sqrt(terms[j]))),
                    counted(int(events[j]), scale),
                ),
                persons=float(shown[j]),
            )
            for j in range(bins)
        ]

    def _time(self, position: int) -> Scalar:
        """End of a bin."""
        time = self.step * (position + 1)
        return int(time) if time == time.to_integral_value() else time.normalize()


def _curve(events: Floats, at_risk: Floats, scale: float) -> list[Estimate]:
    """Survival at the end of each bin, as long as the number at risk is known."""
    bins = events.size
    deviations = scale * np.sqrt(2 * (bins - np.arange(bins)) + 1)
    known = (at_risk > LOST * deviations) & (at_risk > np.maximum(events, 0.0) + LOST * scale) & (at_risk >= 0.5)
    last = bins if known.all() else int(np.argmin(known))
    finished = last < bins and scale == 0 and at_risk[last] == events[last] > 0
    deaths, risk = events[:last], at_risk[:last]
    logs = np.cumsum(np.log1p(-deaths / risk))
    spread = np.sqrt(np.maximum(_variance(deaths, risk, bins, scale), 0.0))
    middle = np.clip(decreasing(np.exp(logs)), 0.0, 1.0)
    low, high = (np.clip(np.exp(logs + sign * Z * spread), 0.0, 1.0) for sign in (-1, 1))
    found = [
        Estimate(float(m), min(float(a), float(m)), max(float(b), float(m)))
        for m, a, b in zip(middle, low, high, strict=True)
    ]
    # survival can only fall, so the last upper end still holds where nothing else is known
    ceiling = 0.0 if finished else float(high.min(initial=1.0))
    return found + [Estimate(0.0 if finished else None, 0.0, ceiling)] * (bins - last)


def _variance(deaths: Floats, risk: Floats, bins: int, scale: float) -> Floats:
    """Variance of the logarithm of survival after each bin.

    With g(k) the sum of d / (n (n - d)) up to bin k, the derivative by the censored of bin i is g(min(i, k)), and by
    the events of bin i it is g(i) - 1 / (n - d) if i <= k: each person is at risk in every bin up to their own.
    """
    last = deaths.size
    alive = risk - deaths
    carried = np.cumsum(deaths / (risk * alive))
    sampling = np.maximum.accumulate(np.maximum(np.cumsum(np.maximum(deaths, 0.0) / (risk * alive)), 0.0))
    within = np.cumsum((carried - 1 / alive) ** 2 + carried**2)
    later = 2 * (bins - np.arange(1, last + 1)) + 1
    return sampling + scale**2 * (within + later * carried**2)


def _at_risk(shown: float, noisy: float, deviation: float) -> Estimate:
    low, high = max(0.0, noisy - Z * deviation), max(0.0, noisy + Z * deviation)
    return Estimate(shown, min(low, shown), max(high, shown), deviation)


def decreasing(values: Floats) -> Floats:
    """The nearest sequence, in squares, that never rises: pool adjacent violators."""
    levels: list[float] = []
    sizes: list[int] = []
    for value in values:
        level, size = float(value), 1
        while levels and levels[-1] < level:
            before = sizes.pop()
            level = (level * size + levels.pop() * before) / (size + before)
            size += before
        levels.append(level)
        sizes.append(size)
    return np.repeat(np.array(levels, dtype=np.float64), sizes)
