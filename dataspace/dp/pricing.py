"""What each channel costs: a price shared out by weight, or the price that a wanted accuracy has."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from dataspace.domain.errors import InvalidPrice
from dataspace.domain.privacy import (
    ATTO,
    PICO,
    ByAccuracy,
    ByEpsilon,
    ByRho,
    ContributionBounds,
    Guarantee,
    Price,
    PrivacyLoss,
)
from dataspace.domain.queries import Aggregate, AggregateKind
from dataspace.dp.accountant import rho_of_epsilon, threshold_delta
from dataspace.dp.accuracy import rho_for, scale_for, scale_of
from dataspace.dp.measures import Need

LEAST, MOST = Decimal("0.001"), Decimal(20)
"""Epsilon of one query."""

_SLACK = 1 + Fraction(1, 10**8)
"""Room for the rounding of OpenDP's own map."""

_WITH_WIDTH = (AggregateKind.PERSONS, AggregateKind.ROWS, AggregateKind.SUM)


@dataclass(frozen=True)
class Priced:
    """Share of rho and noise scale of each channel, and the whole charge."""

    rhos: tuple[Fraction, ...]
    scales: tuple[float, ...]
    loss: PrivacyLoss


def price_channels(
    needs: tuple[Need, ...],
    aggregates: tuple[Aggregate, ...],
    bounds: ContributionBounds,
    price: Price,
    guarantee: Guarantee,
    unknown_keys: bool,
) -> Priced:
    """Raises InvalidPrice, naming what would work."""
    delta = _delta(guarantee) if unknown_keys else Fraction(0)
    squares = [need.l2_squared(bounds) for need in needs]
    if not isinstance(price, ByAccuracy):
        return _shared(needs, squares, _rho(price, guarantee), delta)
    scales = _scales_for(price.half_width, needs, aggregates)
    rhos = [rho_for(scale, square) * _SLACK for scale, square in zip(scales, squares, strict=True)]
    # what nobody asked for has no unit to be accurate in: it is bought for the price of the dearest that was asked for
    dearest = max(rho for need, rho in zip(needs, rhos, strict=True) if not need.added)
    for place, need in enumerate(needs):
        if need.added:
            rhos[place], scales[place] = dearest, scale_of(dearest, squares[place])
    _check_buyable(sum(rhos, Fraction(0)), price.half_width, guarantee)
    return Priced(tuple(rhos), tuple(scales), PrivacyLoss.at_least(sum(rhos, Fraction(0)), delta))


def price_vectors(
    squares: tuple[Fraction, ...], weights: tuple[Fraction, ...], price: Price, guarantee: Guarantee
) -> Priced:
    """Prices of vectors with these squared sensitivities, for an analysis; raises InvalidPrice."""
    if isinstance(price, ByAccuracy):
        raise InvalidPrice(
            "How accurate an analysis gets depends on the answer, so it cannot be bought by accuracy. Ask by epsilon."
        )
    return _split(weights, squares, _rho(price, guarantee), Fraction(0))


def _shared(needs: tuple[Need, ...], squares: list[Fraction], rho: Fraction, delta: Fraction) -> Priced:
    return _split(tuple(need.weight for need in needs), squares, rho, delta)


def _split(weights: tuple[Fraction, ...], squares: Sequence[Fraction], rho: Fraction, delta: Fraction) -> Priced:
    whole = sum(weights, Fraction(0))
    rhos = tuple(rho * weight / whole for weight in weights)
    scales = tuple(scale_of(share, square) for share, square in zip(rhos, squares, strict=True))
    return Priced(rhos, scales, PrivacyLoss.at_least(rho, delta))


def _rho(price: ByEpsilon | ByRho, guarantee: Guarantee) -> Fraction:
    if isinstance(price, ByEpsilon):
        if not (price.epsilon.is_finite() and LEAST <= price.epsilon <= MOST):
            raise InvalidPrice(f"A query's epsilon is from {LEAST} to {MOST}. Ask for an epsilon in this range.")
        return rho_of_epsilon(Guarantee(price.epsilon, guarantee.delta))
    least, most = _limits(guarantee)
    if not least <= price.rho <= most:
        raise InvalidPrice(
            f"A query's rho is from {float(least):.3g} to {float(most):.3g} here (epsilon {LEAST} to {MOST})."
        )
    return Fraction(floor(price.rho * PICO), PICO)


def _limits(guarantee: Guarantee) -> tuple[Fraction, Fraction]:
    """Smallest and largest rho of one query."""
    least, most = (rho_of_epsilon(Guarantee(epsilon, guarantee.delta)) for epsilon in (LEAST, MOST))
    return max(least, Fraction(1, PICO)), most


def _delta(guarantee: Guarantee) -> Fraction:
    delta = threshold_delta(guarantee)
    if delta * ATTO < 1000:
        raise InvalidPrice(
            "The permit's delta is too small to find groups that are not listed beforehand. "
            "Name the groups in the query, or group by a column with a code list."
        )
    return Fraction(floor(delta * ATTO), ATTO)


def _scales_for(wanted: Decimal, needs: tuple[Need, ...], aggregates: tuple[Aggregate, ...]) -> list[float]:
    """The largest scale of each channel that keeps every interval within the wanted half width."""
    if not (wanted.is_finite() and wanted > 0):
        raise InvalidPrice("An accuracy is a half width above zero, in the unit of the answer.")
    odd = next((a for a in aggregates if a.kind not in _WITH_WIDTH), None)
    if odd is not None:
        raise InvalidPrice(
            f"How accurate {odd.kind} {odd.name!r} gets depends on the answer, so it cannot be bought by accuracy. "
            "Ask by epsilon, or by accuracy for counts and sums alone."
        )
    return [_scale_within(wanted, need.stream.grid.step if need.stream else Fraction(1)) for need in needs]


def _scale_within(wanted: Decimal, step: Fraction) -> float:
    width = floor(Fraction(wanted) / step)
    if width > 2**62:
        raise InvalidPrice("An accuracy this loose tells nothing. Ask for a narrower one.")
    return scale_for(width)


def _check_buyable(rho: Fraction, wanted: Decimal, guarantee: Guarantee) -> None:
    least, most = _limits(guarantee)
    if least <= rho <= most:
        return
    # the width goes with one over the square root of rho; a little is left for widths being whole steps
    limit, room, word = (most, 1.05, "wider") if rho > most else (least, 0.95, "narrower")
    nearest = float(wanted) * (float(rho) / float(limit)) ** 0.5 * room
    raise InvalidPrice(f"±{wanted} cannot be bought in one query. Ask for ±{nearest:.3g} or {word}.")
