"""Generalisations: coarser stored values made of finer delivered ones, declared in the plan by name.

Each is a function of the row alone. A rule that looked at how many persons share a value would let one person change
what is stored of others, so rare codes are replaced by their parents by a public list (`ColumnPlan.coarser`), never by
counting.
"""

import re
from dataclasses import dataclass

from catalog.schema import ColumnType


@dataclass(frozen=True)
class Generalisation:
    """What it reads, what it makes; `sql` has `{}` for the value that was read."""

    reads: ColumnType
    makes: ColumnType
    sql: str


_DEPARTEMENT = (
    "CASE WHEN NOT regexp_full_match({}, '[0-9]{4,5}|2[AB][0-9]{3}') THEN NULL"
    " WHEN left(lpad({}, 5, '0'), 2) IN ('97', '98') THEN left({}, 3)"
    " WHEN left(lpad({}, 5, '0'), 3) IN ('200', '201') THEN '2A'"
    " WHEN left(lpad({}, 5, '0'), 2) = '20' THEN '2B'"
    " ELSE left(lpad({}, 5, '0'), 2) END"
)
"""A French postcode's département: overseas ones have three digits, Corsica's 20 is divided in 2A and 2B."""

NAMED = {
    "year": Generalisation(ColumnType.DATE, ColumnType.INTEGER, "CAST(year({}) AS BIGINT)"),
    "quarter": Generalisation(ColumnType.DATE, ColumnType.DATE, "CAST(date_trunc('quarter', {}) AS DATE)"),
    "month": Generalisation(ColumnType.DATE, ColumnType.DATE, "CAST(date_trunc('month', {}) AS DATE)"),
    "decade": Generalisation(ColumnType.DATE, ColumnType.INTEGER, "CAST(year({}) // 10 * 10 AS BIGINT)"),
    "department-fr": Generalisation(ColumnType.CODE, ColumnType.CODE, _DEPARTEMENT),
}

_FIRST = re.compile(r"first-([1-9])")

NAMES = (*NAMED, "first-1 to first-9")
"""What a plan may write under `generalise`."""


def is_known(name: str) -> bool:
    return name in NAMED or _FIRST.fullmatch(name) is not None


def generalisation(name: str) -> Generalisation:
    """The generalisation of this name; `first-3` keeps the first three characters of a code."""
    first = _FIRST.fullmatch(name)
    if first:
        return Generalisation(ColumnType.CODE, ColumnType.CODE, f"left({{}}, {first[1]})")
    return NAMED[name]
