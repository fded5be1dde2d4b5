"""Privacy amounts as types with exact arithmetic.

Inside the node, privacy loss is zero-concentrated differential privacy (rho) plus a separately added delta for group
keys found by partition selection: approximate zCDP, which composes by adding both numbers (Bun and Steinke 2016).
People are granted and shown (epsilon, delta); `dataspace.dp.accountant` converts.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

PICO = 10**12
"""Quanta of rho in one: the ledger counts whole pico-rho."""

ATTO = 10**18
"""Quanta of delta in one: the ledger counts whole atto-delta."""


@dataclass(frozen=True)
class PrivacyLoss:
    """An amount of approximate zCDP in whole quanta, so that sums are exact and the database can add them."""

    pico_rho: int
    atto_delta: int = 0

    def __post_init__(self) -> None:
        if self.pico_rho < 0 or self.atto_delta < 0:
            raise ValueError("a privacy loss is not negative")

    @classmethod
    def at_least(cls, rho: Fraction, delta: Fraction = Fraction(0)) -> "PrivacyLoss":
        """The smallest loss not below the exact amounts: what a release is charged."""
        return cls(ceil(rho * PICO), ceil(delta * ATTO))

    @classmethod
    def at_most(cls, rho: Fraction, delta: Fraction = Fraction(0)) -> "PrivacyLoss":
        """The largest loss not above the exact amounts: what a budget allows."""
        return cls(floor(rho * PICO), floor(delta * ATTO))

    @property
    def rho(self) -> Fraction:
        return Fraction(self.pico_rho, PICO)

    @property
    def delta(self) -> Fraction:
        return Fraction(self.atto_delta, ATTO)

    def __add__(self, other: "PrivacyLoss") -> "PrivacyLoss":
        return PrivacyLoss(self.pico_rho + other.pico_rho, self.atto_delta + other.atto_delta)

    def __sub__(self, other: "PrivacyLoss") -> "PrivacyLoss":
        return PrivacyLoss(self.pico_rho - other.pico_rho, self.atto_delta - other.atto_delta)

    def fits_in(self, limit: "PrivacyLoss") -> bool:
        """True if neither amount is above the limit's."""
        return self.pico_rho <= limit.pico_rho and self.atto_delta <= limit.atto_delta

    def beyond(self, limit: "PrivacyLoss") -> "PrivacyLoss":
        """What is missing in `limit`, amount by amount."""
        return PrivacyLoss(max(0, self.pico_rho - limit.pico_rho), max(0, self.atto_delta - limit.atto_delta))


NOTHING = PrivacyLoss(0, 0)


@dataclass(frozen=True)
class Guarantee:
    """(epsilon, delta)-differential privacy: how a budget is granted and how spending is shown."""

    epsilon: Decimal
    delta: Decimal

    def __post_init__(self) -> None:
        if not (self.epsilon.is_finite() and 0 < self.epsilon <= 20):
            raise ValueError("epsilon must be above 0 and at most 20")
        if not (self.delta.is_finite() and 0 < self.delta <= Decimal("0.001")):
            raise ValueError("delta must be above 0 and at most 0.001")


@dataclass(frozen=True)
class ContributionBounds:
    """How much one person can weigh in one query: at most `groups` groups, at most `rows` rows in each."""

    groups: int
    rows: int

    def __post_init__(self) -> None:
        if not (1 <= self.groups <= 10_000 and 1 <= self.rows <= 10_000):
            raise ValueError("contribution bounds are whole numbers from 1 to 10,000")


@dataclass(frozen=True)
class ByEpsilon:
    """Pay so much that this query alone would be (epsilon, permit's delta)-differentially private."""

    epsilon: Decimal


@dataclass(frozen=True)
class ByRho:
    """Pay exactly this much zero-concentrated privacy loss."""

    rho: Fraction


@dataclass(frozen=True)
class ByAccuracy:
    """Pay what it takes for every 95 % interval of the aggregate to reach no further than `half_width` either side."""

    half_width: Decimal


Price = ByEpsilon | ByRho | ByAccuracy
