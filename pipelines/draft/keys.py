"""Which columns are unique, which are found in another table, and how many rows persons have: counted over rows chosen
by the hash of the value that matters, so that memory stays bounded and each chosen value is seen with all its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.draft.measure import Look
from pipelines.mapping import Family, identifier

MOST_KEYS = 500_000
"""Distinct values held in memory, about."""

QUANTILE = 0.99
"""Share of persons whose rows a contribution bound keeps whole."""

ROUND = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class Key:
    """Delivered columns of a table and how each is read."""

    table: str
    columns: tuple[str, ...]
    families: tuple[Family, ...]
    rows: int

    @property
    def text(self) -> str:
        """SQL of the key as one text, NULL if a part is missing."""
        parts = [identifier(c, f) for c, f in zip(self.columns, self.families, strict=True)]
        return " || chr(31) || ".join(f"({part})" for part in parts)

    @property
    def chosen(self) -> str:
        """SQL that is true for the rows that are looked at."""
        return f"hash({self.text}) % {max(1, self.rows // MOST_KEYS)} = 0"


@dataclass(frozen=True)
class Crowding:
    """Rows, and groups of the columns most often grouped by, that nearly all persons stay below; round numbers."""

    rows: int
    groups: int


def is_unique(look: Look, key: Key, *, empty: float = 0) -> bool:
    """True if no two chosen rows share the key, and no more than the share `empty` of rows lack it."""
    filled, chosen, distinct = look.ask(
        key.table,
        key.columns,
        f"SELECT count(k), count(k) FILTER (c), count(DISTINCT h) FILTER (c AND k IS NOT NULL) FROM"
        f" (SELECT {key.text} AS k, hash({key.text}) AS h, {key.chosen} AS c FROM delivered)",
    )[0]
    return bool(filled) and filled >= key.rows * (1 - empty) and chosen == distinct


def share_found(look: Look, child: Key, parent: Key) -> float:
    """Share of the child's chosen rows with a key that is in the parent; 1 if the child has none."""
    most = max(child.rows, parent.rows)
    chosen = f"hash(k) % {max(1, most // MOST_KEYS)} = 0"
    look.ask(
        parent.table,
        parent.columns,
        "CREATE OR REPLACE TEMP TABLE parent_keys AS"
        f" SELECT DISTINCT k FROM (SELECT {parent.text} AS k FROM delivered) WHERE {chosen}",
    )
    found, all_ = look.ask(
        child.table,
        child.columns,
        "SELECT count(*) FILTER (k IN (SELECT k FROM parent_keys)), count(*) FROM"
        f" (SELECT {child.text} AS k FROM delivered) WHERE k IS NOT NULL AND {chosen}",
    )[0]
    look.small("DROP TABLE parent_keys")
    return float(found / all_) if all_ else 1.0


def crowding(look: Look, person: Key, groups: Mapping[str, Family]) -> Crowding:
    """Contribution bounds that suit nearly all persons; `groups` are columns that are likely to be grouped by."""
    per_person = "".join(f", count(DISTINCT {identifier(c, f)}) AS g{n}" for n, (c, f) in enumerate(groups.items()))
    most = f"greatest(1{''.join(f', g{n}' for n in range(len(groups)))})"
    rows, cells = look.ask(
        person.table,
        [*person.columns, *(c for c in groups if c not in person.columns)],
        f"SELECT coalesce(quantile_disc(n, {QUANTILE}), 1), coalesce(quantile_disc({most}, {QUANTILE}), 1) FROM"
        f" (SELECT count(*) AS n{per_person} FROM delivered WHERE {person.chosen} AND {person.text} IS NOT NULL"
        f" GROUP BY hash({person.text}))",
    )[0]
    return Crowding(rounded_up(rows), rounded_up(cells))


def rounded_up(number: int) -> int:
    """The next round number, so that nobody's own count shows."""
    return next((r for r in ROUND if r >= number), ROUND[-1])
