"""Facts of every column, over all rows, in memory that does not grow with them: aggregates over the reader's batches.

Nothing is spilled to disk, since delivered rows hold identifiers. Facts hold delivered values and stay inside this
package; what may be written of them is decided in `pipelines.draft.rare`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines import sqltext as sql
from pipelines.draft.names import KNOWN
from pipelines.engine import connect
from pipelines.errors import SourceError
from pipelines.mapping import FALSE, TRUE, Family, family, raw
from pipelines.readers import DeliveredTable, Source

MEMORY = "1GB"

CHUNK = 12
"""Columns asked about in one query: the engine needs more than twice the time for twice the aggregates."""

EXTREMES = 60
"""Smallest and largest texts of a column that are looked at one by one."""

HEAD = 80
"""Characters of a text that are looked at."""

MISSING: tuple[str, ...] = tuple(KNOWN["missing"]["words"])
"""Words that may stand for a missing value."""


ODD = 200
"""One cell in so many may be of another kind than the rest, and is set aside; of fewer cells none may."""


def nearly(cells: int, filled: int) -> bool:
    """True if `cells` of the `filled` ones are all but some odd ones."""
    return 0 < filled <= cells + filled // ODD


@dataclass(frozen=True)
class ColumnFacts:
    """Counts of cells by what they can be read as; `distinct` is an estimate.

    `comma` counts numbers with one comma in them, `thousands` those of them that may be thousands, `decimals` numbers
    by their digits after the point or comma, `missing` cells by the word in them; `samples` are some distinct texts
    from both ends of the alphabet.
    """

    name: str
    family: Family
    rows: int
    filled: int
    distinct: int
    whole: int
    padded: int
    number: int
    comma: int
    thousands: int
    true: int
    false: int
    iso: int
    longest: int
    spaced: int
    broken: int
    decimals: Mapping[int, int]
    missing: Mapping[str, int]
    samples: tuple[str, ...] = field(repr=False)

    @property
    def has_decimal_comma(self) -> bool:
        """True if cells are numbers, some with a decimal comma for certain: 1,234 alone may be a thousand."""
        return self.thousands < self.comma and nearly(self.comma + self.whole, self.filled) and not self.padded

    @property
    def number_sql(self) -> str:
        """SQL of the cell as a number, NULL if it is none."""
        text = text_of(self.name, self.family)
        pointed = f"replace({text}, ',', '.')" if self.has_decimal_comma else text
        return f"TRY_CAST({pointed} AS DOUBLE)"


class Look:
    """An open delivery and the engine that reads it; a context manager."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.connection = connect(MEMORY, 2, streaming=True)
        self._described: dict[str, DeliveredTable] = {}

    def __enter__(self) -> "Look":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def describe(self, table: str) -> DeliveredTable:
        if table not in self._described:
            self._described[table] = self.source.describe(table)
        return self._described[table]

    def ask(self, table: str, columns: Iterable[str], query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Rows of a query over relation `delivered`, which has the named columns of a delivered table."""
        with self.source.reading(f"delivered table {table!r} could not be looked at"):
            self.connection.register("delivered", self.source.batches(table, tuple(columns), numbered=False))
            try:
                return self.connection.execute(query, list(parameters)).fetchall()
            finally:
                self.connection.unregister("delivered")

    def small(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Rows of a query that needs no delivered table."""
        return self.connection.execute(query, list(parameters)).fetchall()


def family_of(look: Look, table: str, column: str) -> Family | None:
    """How a delivered column is read; None if it is nested or binary."""
    try:
        return family(look.describe(table).columns[column], column)
    except SourceError:
        return None


def text_of(column: str, family_: Family) -> str:
    """SQL of the cell as text, NULL where it is empty."""
    return f"CAST({raw(column, family_)} AS VARCHAR)"


def measure(look: Look, table: str, columns: Mapping[str, Family]) -> dict[str, ColumnFacts]:
    """Facts by column; raises SourceError."""
    names = list(columns)
    found = {}
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        texts = ", ".join(f"{text_of(c, columns[c])} AS t{n}" for n, c in enumerate(chunk))
        asked = ", ".join(_aggregates(f"t{n}") for n in range(len(chunk)))
        row = look.ask(table, chunk, f"SELECT {asked} FROM (SELECT {texts} FROM delivered)")[0]
        for n, name in enumerate(chunk):
            found[name] = _facts(name, columns[name], row[n * WIDTH : (n + 1) * WIDTH])
    return found


def _aggregates(t: str) -> str:
    """The aggregates of one column, in the order of the facts."""
    low = f"lower({t})"
    words = ", ".join(sql.text(word) for word in MISSING)
    digits = f"length(rtrim(split_part(replace({t}, ',', '.'), '.', 2), '0'))"
    comma = f"regexp_full_match({t}, '[+-]?[0-9]*,[0-9]+')"
    # a cast that fails is slow: CASE tries it only on what may succeed
    number = f"CASE WHEN left({t}, 1) <= '9' THEN isfinite(TRY_CAST({t} AS DOUBLE)) ELSE false END"
    day = f"CASE WHEN {t}[5] = '-' AND {t}[1] <= '9' THEN isfinite(TRY_CAST({t} AS TIMESTAMP)) ELSE false END"
    whole = f"regexp_full_match({t}, '[+-]?[0-9]+([.]0*)?')"
    counts = (
        f"CASE WHEN {whole} THEN TRY_CAST(split_part({t}, '.', 1) AS BIGINT) IS NOT NULL ELSE false END",
        f"regexp_full_match({t}, '0[0-9]+')",
        number,
        comma,
        f"regexp_full_match({t}, '[+-]?[1-9][0-9]{{0,2}},[0-9]{{3}}')",
        f"{low} IN ({TRUE})",
        f"{low} IN ({FALSE})",
        day,
    )
    asked = [
        "count(*)",
        f"count({t})",
        f"approx_count_distinct({t})",
        *(f"count(*) FILTER (coalesce({c}, false))" for c in counts),
        f"coalesce(max(length({t})), 0)",
        f"count(*) FILTER (contains({t}, ' '))",
        f"count(*) FILTER (regexp_matches({t}, '[\\x00-\\x1f\\x7f]'))",
        f"histogram(least({digits}, 12)) FILTER ({number} OR {comma})",
        f"histogram({t}) FILTER ({t} IN ({words}))",
        f"min(left({t}, {HEAD}), {EXTREMES})",
        f"max(left({t}, {HEAD}), {EXTREMES})",
    ]
    return ", ".join(asked)


WIDTH = 18
"""Aggregates of one column."""


def _facts(name: str, family_: Family, row: Sequence[Any]) -> ColumnFacts:
    *counts, decimals, missing, low, high = row
    samples = dict.fromkeys([*(low or ()), *(high or ())])
    made = (*counts, dict(decimals or {}), dict(missing or {}), tuple(samples))
    return ColumnFacts(name, family_, *made)


def one(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The only row of an answer."""
    (row,) = rows
    return row
