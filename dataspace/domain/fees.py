"""Fees (Art. 62): schedules as versioned data, and the estimate that goes with an intended decision.

Amounts are whole euro cents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dataspace.domain.errors import InvalidApplication


class Activity(StrEnum):
    """What may be charged for (Art. 62(1) and (2))."""

    ASSESSMENT = "assessment"
    PREPARATION = "preparation"
    ENVIRONMENT = "environment"
    SUPPORT = "support"
    HOLDER_PREPARATION = "holder-preparation"


HOLDERS_PART = frozenset({Activity.HOLDER_PREPARATION})
"""What compensates a data holder for compiling and preparing data (Art. 62(2)); such a line names the holder."""


@dataclass(frozen=True)
class FeeSchedule:
    """One published version: the most that may be charged for each activity in one case, in euro cents."""

    version: str
    in_force_from: date
    most_cents: Mapping[Activity, int]


FEE_SCHEDULES = (
    FeeSchedule(
        "2026-1",
        date(2026, 1, 1),
        {
            Activity.ASSESSMENT: 500_000,
            Activity.PREPARATION: 1_000_000,
            Activity.ENVIRONMENT: 2_000_000,
            Activity.SUPPORT: 500_000,
            Activity.HOLDER_PREPARATION: 1_000_000,
        },
    ),
)
"""Oldest first. A new version is added, none is changed: an estimate names the one it was made under."""


def schedule_at(now: datetime) -> FeeSchedule:
    """The schedule in force; raises InvalidApplication before the first one."""
    in_force = [schedule for schedule in FEE_SCHEDULES if schedule.in_force_from <= now.date()]
    if not in_force:
        raise InvalidApplication("no fee schedule is in force yet; propose without a fee")
    return in_force[-1]


@dataclass(frozen=True)
class FeeLine:
    """One activity and its amount in euro cents; `holder` is whose compensation it is, empty for the access body's."""

    activity: Activity
    cents: int
    holder: str = ""

    def __post_init__(self) -> None:
        if self.cents < 0:
            raise InvalidApplication("a fee is not negative")
        if (self.activity in HOLDERS_PART) != bool(self.holder):
            raise InvalidApplication(
                f"fee for {self.activity}: name the data holder for {', '.join(sorted(HOLDERS_PART))}, and for no other"
            )


@dataclass(frozen=True)
class FeeEstimate:
    """What the applicant is told before the decision (Art. 62(5)). Without lines nothing is charged."""

    schedule: str = ""
    lines: tuple[FeeLine, ...] = ()

    @property
    def total_cents(self) -> int:
        return sum(line.cents for line in self.lines)

    @property
    def holders_cents(self) -> int:
        """The part that goes to data holders."""
        return sum(line.cents for line in self.lines if line.holder)


NO_FEE = FeeEstimate()


def estimate(lines: tuple[FeeLine, ...], holders: frozenset[str], now: datetime) -> FeeEstimate:
    """The estimate under the schedule in force.

    Raises InvalidApplication for an activity twice, an amount over the schedule's, or a holder of none of the data.
    """
    if not lines:
        return NO_FEE
    schedule = schedule_at(now)
    if len({(line.activity, line.holder) for line in lines}) < len(lines):
        raise InvalidApplication("an activity stands in the estimate once, for each holder")
    for line in lines:
        most = schedule.most_cents.get(line.activity, 0)
        if line.cents > most:
            raise InvalidApplication(
                f"fee for {line.activity}: {euro(line.cents)} is above the {euro(most)} of schedule {schedule.version}"
            )
        if line.holder and line.holder not in holders:
            raise InvalidApplication("a fee names a data holder who holds none of the data asked for")
    return FeeEstimate(schedule.version, lines)


def euro(cents: int) -> str:
    return f"EUR {cents // 100}.{cents % 100:02d}"
