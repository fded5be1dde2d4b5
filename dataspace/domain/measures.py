"""Measures of non-compliance (Art. 63), published with their reasons (Art. 57(1)(j)(iv))."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.calendars import moved
from dataspace.domain.clock_rules import BY_NAME
from dataspace.domain.clocks import ClockName
from dataspace.domain.errors import InvalidInput

LONGEST_EXCLUSION = BY_NAME[ClockName.EXCLUSION].length


class MeasureKind(StrEnum):
    WARNING = "warning"
    SUSPENSION = "suspension"
    REVOCATION = "revocation"
    EXCLUSION = "exclusion"


@dataclass(frozen=True)
class Measure:
    """Against an organisation, a data user or a data holder; `until` is the end of an exclusion, else None."""

    id: str
    number: str
    kind: MeasureKind
    organisation: str
    permit_number: str
    reasons: str
    decided_by: str
    decided_at: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if not self.reasons.strip():
            raise InvalidInput("give the reasons of the measure; they are published (Art. 57(1)(j)(iv))")
        if (self.kind is MeasureKind.EXCLUSION) != (self.until is not None):
            raise InvalidInput("an exclusion, and nothing else, says until when")
        if self.until is not None:
            if self.until <= self.decided_at:
                raise InvalidInput("an exclusion ends after it began")
            if self.until.date() > moved(self.decided_at.date(), LONGEST_EXCLUSION):
                raise InvalidInput("an exclusion lasts at most five years (Art. 63(3))")
        if self.kind in (MeasureKind.SUSPENSION, MeasureKind.REVOCATION) and not self.permit_number:
            raise InvalidInput(f"name the permit that the {self.kind} is of")
