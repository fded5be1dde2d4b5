"""Noise on whole numbers. `OpenDPNoise` is the only kind a served node uses."""

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import inf, nextafter, sqrt
from typing import Any, ClassVar, Protocol

ROOM = 2**62
"""Totals are clamped to this before the noise: far beyond any, and clamping moves no two totals apart."""


class NoiseTooSmall(Exception):
    """OpenDP's privacy map says the noise would cost more than was charged; nothing is released."""


class Noise(Protocol):
    """Adds noise to a vector of totals, or to person counts of which only large ones may be seen."""

    for_tests: ClassVar[bool]
    """True for noise that protects nobody: a node in production refuses to start with it."""

    def gaussian(self, totals: Sequence[int], scale: float, l2_squared: Fraction, rho: Fraction, /) -> list[int]:
        """Totals plus discrete Gaussian noise; raises NoiseTooSmall if that costs more than `rho`."""
        ...

    def threshold(
        self, counts: Mapping[int, int], scale: float, threshold: int, groups: int, rho: Fraction, delta: Fraction, /
    ) -> dict[int, int]:
        """Noisy counts of at least `threshold`, of groups that exist; a person is in at most `groups` of them."""
        ...


class OpenDPNoise:
    """Discrete Gaussian noise from OpenDP's exact integer samplers."""

    for_tests: ClassVar[bool] = False

    def gaussian(self, totals: Sequence[int], scale: float, l2_squared: Fraction, rho: Fraction) -> list[int]:
        if l2_squared == 0:
            return [0 for _ in totals]
        measurement = _gaussian(scale)
        if Fraction(measurement.map(_root_above(l2_squared))) > rho:
            raise NoiseTooSmall
        return [int(n) for n in measurement([_clamped(total) for total in totals])]

    def threshold(
        self, counts: Mapping[int, int], scale: float, threshold: int, groups: int, rho: Fraction, delta: Fraction
    ) -> dict[int, int]:
        # OpenDP 0.16 counts only the tail beyond its threshold but keeps values equal to it (its issue 2922), so the
        # loss is taken at one less than the threshold that is applied
        cost, miss = _threshold(scale, threshold - 1).map(_distances(groups))
        if Fraction(cost) > rho or Fraction(miss) > delta:
            raise NoiseTooSmall
        present = {group: _clamped(count) for group, count in counts.items() if count > 0}
        return {int(group): int(count) for group, count in _threshold(scale, threshold)(present).items()}


class ZeroNoise:
    """No noise at all, to test the answer without the noise. Thresholds still apply."""

    for_tests: ClassVar[bool] = True

    def gaussian(self, totals: Sequence[int], _scale: float, _l2_squared: Fraction, _rho: Fraction, /) -> list[int]:
        return [int(total) for total in totals]

    def threshold(
        self, counts: Mapping[int, int], _scale: float, threshold: int, *_prices: int | Fraction
    ) -> dict[int, int]:
        return {group: count for group, count in counts.items() if count >= threshold}


class SeededNoise:
    """Rounded normal noise of the right scale from a seed, for tests that need the same numbers twice."""

    for_tests: ClassVar[bool] = True

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  tests only

    def gaussian(self, totals: Sequence[int], scale: float, _l2_squared: Fraction, _rho: Fraction, /) -> list[int]:
        return [int(total) + round(self._random.gauss(0, scale)) for total in totals]

    def threshold(
        self, counts: Mapping[int, int], scale: float, threshold: int, *_prices: int | Fraction
    ) -> dict[int, int]:
        present = [group for group, count in sorted(counts.items()) if count > 0]
        noisy = {group: counts[group] + round(self._random.gauss(0, scale)) for group in present}
        return {group: count for group, count in noisy.items() if count >= threshold}


@lru_cache(maxsize=256)
def threshold_for(scale: float, groups: int, delta: Fraction) -> int:
    """Smallest threshold to apply, such that a person's groups show up by chance with probability at most `delta`."""
    low, high = 0, 1
    while not _misses_within(scale, high, groups, delta):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _misses_within(scale, middle, groups, delta) else (middle, high)
    # one more than what satisfies the map, as OpenDPNoise.threshold says
    return high + 1


def _misses_within(scale: float, threshold: int, groups: int, delta: Fraction) -> bool:
    return Fraction(_threshold(scale, threshold).map(_distances(groups))[1]) <= delta


def _distances(groups: int) -> tuple[int, float, float]:
    """L0, L2 and Linf of one person's part of the person counts."""
    return groups, _root_above(Fraction(groups)), 1.0


def _root_above(square: Fraction) -> float:
    """A float not below the square root."""
    root = sqrt(square)
    while Fraction(root) ** 2 < square:
        root = nextafter(root, inf)
    return root


def _clamped(total: int) -> int:
    return max(-ROOM, min(ROOM, int(total)))


def _opendp() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp


@lru_cache(maxsize=256)
def _gaussian(scale: float) -> Any:
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
    return dp.m.make_gaussian(*space, scale=scale)


@lru_cache(maxsize=256)
def _threshold(scale: float, threshold: int) -> Any:
    dp = _opendp()
    domain = dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64"))
    metric = dp.l02inf_distance(dp.absolute_distance(T=float))
    return dp.m.make_gaussian_threshold(domain, metric, scale=scale, threshold=threshold)
