"""The exclusion list (Art. 63(3)): persons who may for some years neither apply, nor be named, nor ask."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dataspace.domain.errors import InvalidInput, NotPermitted
from dataspace.domain.reasons import check_reasons

LONGEST_YEARS = 5


@dataclass(frozen=True)
class Exclusion:
    """One decision against one person. It ends by itself at `until`, in UTC with zone."""

    id: str
    person: str
    starts: datetime
    until: datetime
    reasons: str
    decided_by: str

    def __post_init__(self) -> None:
        check_reasons(self.reasons)
        if self.until.tzinfo is None or not self.starts < self.until <= years_after(self.starts, LONGEST_YEARS):
            raise InvalidInput(f"an exclusion lasts more than nothing and at most {LONGEST_YEARS} years (Art. 63(3))")

    def in_force(self, now: datetime) -> bool:
        return self.starts <= now < self.until


def years_after(time: datetime, years: int) -> datetime:
    """The same day of the year, 28 February for a 29th that is not there."""
    try:
        return time.replace(year=time.year + years)
    except ValueError:
        return time.replace(year=time.year + years, day=28)


def check_not_excluded(exclusions: Iterable[Exclusion], now: datetime) -> None:
    """Raises NotPermitted if one of them, all of the person who acts, is in force."""
    ends = [exclusion.until for exclusion in exclusions if exclusion.in_force(now)]
    if ends:
        raise NotPermitted(
            f"you are excluded from access until {max(ends):%Y-%m-%d %H:%M} UTC (Art. 63(3)): until then you can"
            " neither apply, nor be named, nor ask"
        )
