"""What may be said about a column in public: values and ranges that enough persons share.

A value is counted by the persons who have it: a mask of 64 bits gets the bit of each person's hash, so the number of
bits never exceeds the number of persons, and the count needs no memory that grows with them. Ranges are counted the
same way over classes: round numbers (1, 2, 5, 10, 20, 50, ...) and decades.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.draft.measure import Look

FEWEST = 10
"""Persons, and rows, that must share whatever is written into a plan."""

SETS = 24
"""Columns counted in one query."""


@dataclass(frozen=True)
class Group:
    """Rows with one value or class of a column; `mask` has the bits of their persons, None if every row is a person."""

    key: str
    rows: int
    mask: int | None


@dataclass(frozen=True)
class Range:
    """Lowest and highest class that enough persons reach; `is_whole` if no row lies beyond."""

    low: Decimal
    high: Decimal
    is_whole: bool


def count_groups(
    look: Look, table: str, columns: Iterable[str], keys: Mapping[str, str], person: str | None
) -> dict[str, list[Group]]:
    """Groups of each key, which is SQL over the delivered `columns`; `person` is SQL of the person identifier.

    NULL keys are no group. Callers give keys of few values only.
    """
    mask = f"bit_or(1::UBIGINT << (hash({person}) % 64)::UBIGINT) FILTER ({person} IS NOT NULL)" if person else "NULL"
    found: dict[str, list[Group]] = {name: [] for name in keys}
    wanted, names = tuple(columns), list(keys)
    for start in range(0, len(names), SETS):
        chunk = names[start : start + SETS]
        for position, key, rows, bits in look.ask(table, wanted, _query([keys[n] for n in chunk], mask)):
            if key is not None:
                found[chunk[position]].append(Group(key, rows, (bits or 0) if person else None))
    return found


def _query(keys: Sequence[str], mask: str) -> str:
    made = ", ".join(f"CAST({key} AS VARCHAR) AS _k{n}" for n, key in enumerate(keys))
    sets = ", ".join(f"(_k{n})" for n in range(len(keys)))
    # a row of one set has the flag 0 for the column of that set, and 1 for all others
    position = " ".join(f"WHEN GROUPING(_k{n}) = 0 THEN {n}" for n in range(len(keys)))
    value = " ".join(f"WHEN GROUPING(_k{n}) = 0 THEN _k{n}" for n in range(len(keys)))
    return (
        f"SELECT CASE {position} END, CASE {value} END, count(*), {mask}"
        f" FROM (SELECT *, {made} FROM delivered) GROUP BY GROUPING SETS ({sets}) ORDER BY 1, 2"
    )


def sharing(groups: Iterable[Group]) -> int:
    """Persons who have any of the values, at least."""
    bits, rows = 0, 0
    for group in groups:
        rows += group.rows
        bits |= 2**64 - 1 if group.mask is None else group.mask
    return min(rows, bits.bit_count())


def may_be_listed(groups: Collection[Group], most: int) -> bool:
    """True if the list of values is short and none of them is rare."""
    return 0 < len(groups) <= most and all(sharing([group]) >= FEWEST for group in groups)


def magnitude(number: str) -> str:
    """SQL of the class of a number: the round number nearest to it that is not nearer to zero, for example 5e2."""
    size = f"abs({number})"
    power = f"CAST(floor(log10({size})) AS INTEGER)"
    leading = f"round({size} / pow(10.0, {power}), 9)"
    digit = f"CASE WHEN {leading} <= 1 THEN 1 WHEN {leading} <= 2 THEN 2 WHEN {leading} <= 5 THEN 5 ELSE 10 END"
    sign = f"CASE WHEN {number} < 0 THEN '-' ELSE '' END"
    return (
        f"CASE WHEN NOT coalesce(isfinite({number}), false) THEN NULL WHEN {number} = 0 THEN '0'"
        f" ELSE concat({sign}, {digit}, 'e', {power}) END"
    )


def decade(day: str) -> str:
    """SQL of the first year of a date's decade."""
    return f"CAST(floor(year({day}) / 10) * 10 AS INTEGER)"


def shared_range(groups: Collection[Group]) -> Range | None:
    """The range of classes beyond which fewer than FEWEST persons lie; None if there are too few altogether."""
    ordered = sorted(groups, key=lambda g: Decimal(g.key))
    low, high = _reached(ordered), _reached(ordered[::-1])
    if low is None or high is None:
        return None
    ends = Decimal(ordered[0].key), Decimal(ordered[-1].key)
    return Range(low, high, is_whole=ends == (low, high))


def _reached(ordered: Sequence[Group]) -> Decimal | None:
    """The first class with which FEWEST persons are counted."""
    return next((Decimal(g.key) for n, g in enumerate(ordered, 1) if sharing(ordered[:n]) >= FEWEST), None)
