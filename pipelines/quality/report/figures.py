"""Figures as the report shows them: in the reader's notation, exact for the holder, rounded for the public."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.schema import Table, TableKind
from pipelines.published import Rounding, published_persons, published_rows, row_step
from pipelines.quality.dimensions import Share
from pipelines.quality.metrics import FEWEST_PERSONS
from pipelines.store.record import Snapshot

MONTHS = {
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),  # noqa: SIM905
}
NARROW = "\u202f"
"""No-break space within numbers and before the percent sign, in French."""

NOT_KNOWN = "–"


@dataclass(frozen=True)
class Figures:
    """`rounding` is None in the holder's report; `persons` is the number already published, which decides how fine
    shares may be."""

    language: str
    rounding: Rounding | None = None
    persons: int = 0

    @property
    def public(self) -> bool:
        return self.rounding is not None

    def fewest(self, figure: str) -> int:
        """From how many on something shows."""
        return self.rounding.fewest(figure, FEWEST_PERSONS) if self.rounding else FEWEST_PERSONS

    def size(self, snapshot: Snapshot, what: str) -> int:
        """The `persons` or `rows` of a snapshot; 0 where its record does not say."""
        if self.rounding is None:
            return int(snapshot.metrics.get(what, 0))
        published = published_rows if what == "rows" else published_persons
        return published(snapshot, self.rounding)

    def age(self, age: int) -> int:
        return age if self.rounding is None else int(self.rounding.to_step("typical age", Decimal(age), Decimal(5)))

    def rows(self, count: int, table: Table, figure: str) -> int:
        """Rows of a table; those of a lookup table are public."""
        if self.rounding is None or table.kind is TableKind.LOOKUP:
            return count
        return self.rounding.count(f"{figure} {table.name}", count, row_step(table))

    def share_value(self, share: Share, figure: str, *, exact: bool = False) -> float | None:
        """From 0 to 1, as fine as may be shown; `exact` for what describes nobody."""
        if share.value is None:
            return None
        if self.rounding is None or exact:
            return share.value
        return float(self.rounding.share(figure, Decimal(str(share.value)), self.persons))

    def percent(self, value: float | None) -> str:
        """With one decimal where that tells from 100 and from 0, without for the public."""
        if value is None:
            return NOT_KNOWN
        text = f"{100 * value:.0f}" if self.public else f"{100 * value:.1f}"
        # 99.97 is not 100, and what is nearly nothing is not nothing
        text = {"100.0": "100" if value == 1 else "99.9", "0.0": "0" if value == 0 else "0.1"}.get(text, text)
        return f"{text.replace('.', ',')}{NARROW}%" if self.language == "fr" else f"{text}%"

    def number(self, value: int) -> str:
        grouped = f"{value:,}"
        return grouped.replace(",", NARROW) if self.language == "fr" else grouped

    def decimal(self, value: Decimal | float, digits: int = 1) -> str:
        text = f"{value:,.{digits}f}"
        return text.replace(",", NARROW).replace(".", ",") if self.language == "fr" else text

    def edge(self, value: Decimal, whole: bool) -> str:
        """A border between two groups of numbers; without grouping below ten thousand, since it may be a year."""
        text = self.decimal(value, 0 if whole else 2)
        grouping = "," if self.language == "en" else NARROW
        return text if abs(value) >= 10_000 else text.replace(grouping, "")

    def day(self, day: date) -> str:
        name = MONTHS[self.language][day.month - 1]
        first = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{first} {name} {day.year}"

    def month(self, month: str) -> str:
        """Of "2019-03"."""
        year, number = month.split("-")
        return f"{MONTHS[self.language][int(number) - 1]} {year}"
