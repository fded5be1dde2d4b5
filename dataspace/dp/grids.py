"""Whole-number grids: where values live between the data and the noise, and how quantiles are binned."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from catalog.schema import Bounds
from dataspace.domain.errors import InvalidQuery

LARGEST = 2**31
"""No value on a grid, nor its distance from the centre, is larger: a sum over 2^31 rows stays inside 64 bits."""


@dataclass(frozen=True)
class Grid:
    """Values are whole multiples of `step` from `low` to `high`; totals are taken of (value - centre).

    The centre is public. Centring on the middle halves the sensitivity of a mean's numerator.
    """

    step: Fraction
    low: int
    high: int
    centre: int = 0

    @property
    def reach(self) -> int:
        """Largest distance of a value from the centre."""
        return max(abs(self.low - self.centre), abs(self.high - self.centre))

    @property
    def square_shift(self) -> int:
        """Bits dropped from a squared distance so that it stays below LARGEST."""
        return max(0, (self.reach**2).bit_length() - LARGEST.bit_length() + 1)

    @property
    def square_centre(self) -> int:
        return (self.reach**2 >> self.square_shift) // 2

    @property
    def square_reach(self) -> int:
        """Largest distance of a shifted square from its centre."""
        return (self.reach**2 >> self.square_shift) - self.square_centre

    def as_number(self, steps: float) -> float:
        return float(steps * float(self.step))


PRESENCE = Grid(Fraction(1), 0, 0)
"""For a count of values that are not NULL: only whether there is a value matters."""


def grid_of(bounds: Bounds | None, step: Decimal | Fraction, name: str, *, centred: bool) -> Grid:
    """The grid of an aggregate's value; coarser than `step` by powers of ten if the range needs it.

    Raises InvalidQuery if there are no public bounds on numbers.
    """
    if bounds is None or not isinstance(bounds.low, Decimal) or not isinstance(bounds.high, Decimal):
        raise InvalidQuery(
            f"{name} needs public bounds of its values, and the data dictionary gives none.",
            hint="Write CLAMP(value, low, high) with bounds known from outside the data.",
        )
    low, high, fine = Fraction(bounds.low), Fraction(bounds.high), Fraction(step)
    while max(abs(low), abs(high), high - low) / fine > LARGEST // 2:
        fine *= 10
    while ceil(low / fine) > floor(high / fine):
        fine /= 10
    first, last = ceil(low / fine), floor(high / fine)
    return Grid(fine, first, last, (first + last) // 2 if centred else 0)


@dataclass(frozen=True)
class Bins:
    """A histogram over a grid: `count` bins of `width` steps from the grid's low end, and sums over blocks of bins.

    `blocks` are the block sizes in bins, one level of the tree each, the first is 1 (the bins themselves).
    """

    width: int
    count: int
    blocks: tuple[int, ...]

    @property
    def nodes(self) -> int:
        return sum(-(-self.count // block) for block in self.blocks)


FLAT_UP_TO = 32
"""A plain histogram is at least as good as a tree up to this many bins."""

BRANCHING = 8


def bins_of(grid: Grid, most: int) -> Bins:
    """At most `most` bins over the grid, with a tree of sums above them where that pays."""
    points = grid.high - grid.low + 1
    width = -(-points // most)
    count = -(-points // width)
    blocks = [1]
    while count > FLAT_UP_TO and blocks[-1] * BRANCHING < count:
        blocks.append(blocks[-1] * BRANCHING)
    return Bins(width, count, tuple(blocks))
