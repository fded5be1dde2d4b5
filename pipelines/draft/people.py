"""Whose rows they are: the person column of each table, which table has the persons, and which tables are public.

In doubt a table is about persons. Taking rows of persons for a public list would publish them, so a table is called
public only if the holder says so, or if it is plainly a code list or an aggregate over a full grid of its keys.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from catalog.schema import ColumnType
from pipelines import sqltext as sql
from pipelines.draft import names
from pipelines.draft.keys import Key, is_unique, share_found
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look

LONGEST_KEY = 5
"""Columns of the longest key of an aggregate."""

GRID_ROWS, GRID_SHARE, GRID_REPEATS = 100, 0.4, 5
"""An aggregate has so many rows, fills this share of the cells its keys make, and repeats each key so often."""

UNNAMED = 0.5
"""Share of rows of a code list that may have no code: lists end in empty lines, and have headings."""

LINKED = 0.99
"""Share of values found in another table's identifiers from which on a column is taken to hold the same."""


@dataclass(frozen=True)
class Whose:
    """`person` is a delivered column, None if public or not known; `why` is a remark about the choice."""

    is_public: bool
    person: str | None = None
    why: str = ""


def whose(look: Look, tables: Sequence[Looked], public: Collection[str]) -> dict[str, Whose]:
    """What each table's rows are about, by table."""
    named = {t.name.lower() for t in tables} & {p.lower() for p in public}
    strong = _strong({t.name: t for t in tables if t.name.lower() not in named})
    found: dict[str, Whose] = {}
    for table in tables:
        if table.name.lower() in named:
            found[table.name] = Whose(True)
        elif table.name in strong:
            found[table.name] = Whose(False, strong[table.name])
        else:
            found[table.name] = _public(look, table) or Whose(False)
    known = [t.key(found[t.name].person or "") for t in tables if found[t.name].person]
    for table in tables:
        if found[table.name] == Whose(False):
            found[table.name] = _weak(look, table, known)
    return found


def _strong(tables: Mapping[str, Looked]) -> dict[str, str]:
    """Columns whose names say that they identify persons; one that several tables share comes first."""
    ranks = {t: {c: r for c in tables[t].facts if (r := names.strong_rank(c, t)) is not None} for t in tables}
    shared = Counter(names.words_of(c) for columns in ranks.values() for c in columns)
    filled = {t: [c for c in ranks[t] if tables[t].facts[c].filled] for t in tables}
    return {
        t: min(columns, key=lambda c: (-shared[names.words_of(c)], ranks[t][c]))
        for t, columns in filled.items()
        if columns
    }


def _weak(look: Look, table: Looked, known: Sequence[Key]) -> Whose:
    """A column that may identify persons for want of a better one; among other tables, only if it has their persons."""
    ranked = sorted((r, c) for c in table.facts if (r := names.weak_rank(c)) is not None)
    for _, column in ranked:
        key, facts = table.key(column), table.facts[column]
        if facts.filled < facts.rows or table.readings[column].type not in (ColumnType.INTEGER, ColumnType.CODE):
            continue
        if known and not any(share_found(look, key, parent) >= LINKED for parent in known):
            continue
        if names.is_position(column):
            if is_unique(look, key):
                return Whose(False, column, f"{column} numbers the rows of the file: persons keep it only as long as "
                             "the file is delivered in this order. A lasting identifier is better.")  # fmt: skip
        elif facts.distinct * 50 >= facts.rows:
            return Whose(False, column, f"{column} is taken for the identifier of persons, for want of a better one.")
    return Whose(False)


def _public(look: Look, table: Looked) -> Whose | None:
    """Public, and why; None if it may be about persons."""
    if any((f := names.forbidden(c)) and f.is_identifier for c in table.facts):
        return None
    if table.said.is_code_list:
        return Whose(True, None, "its Table Schema says that it is a code list.")
    if names.names_persons(table.name) or any(names.is_position(c) for c in table.facts):
        return None
    signs = [c for c in table.facts if names.is_sign_of_person(c)]
    if not signs and _is_code_list(look, table):
        return Whose(True, None, "it looks like a public list: codes and what they mean.")
    if _is_grid(look, table):
        return Whose(True, None, "it looks like an aggregate: one row for each combination of its keys.")
    return None


def _is_code_list(look: Look, table: Looked) -> bool:
    labels = [c for c in table.facts if names.is_label(c) and table.readings[c].type is ColumnType.CODE]
    codes = [c for c in table.facts if names.is_code(c) and c not in labels]
    if not labels or not codes:
        return False
    return any(is_unique(look, table.key(*codes[:n]), empty=UNNAMED) for n in range(1, min(len(codes), 3) + 1))


def _is_grid(look: Look, table: Looked) -> bool:
    """True if the first columns are a key and nearly all of their combinations are there."""
    if table.rows < GRID_ROWS:
        return False
    keys: list[str] = []
    cells = 1
    for column, facts in table.facts.items():
        if not _may_be_key(table, column) or len(keys) == LONGEST_KEY:
            return False
        if facts.distinct > 1:
            keys.append(column)
            cells *= facts.distinct
        if cells >= table.rows * 0.9 and keys:
            break
    repeats = all(table.rows >= _repeats(table, k) * table.facts[k].distinct for k in keys)
    if len(keys) == 1:
        return _is_calendar(look, table, keys[0]) and is_unique(look, table.key(*keys))
    return len(keys) > 1 and repeats and table.rows >= GRID_SHARE * cells and is_unique(look, table.key(*keys))


def _repeats(table: Looked, column: str) -> float:
    """How often each value of a key is there at least; of days there are many, and estimates are a little off."""
    return 1.8 if table.readings[column].type is ColumnType.DATE else GRID_REPEATS


def _may_be_key(table: Looked, column: str) -> bool:
    kinds = (ColumnType.CODE, ColumnType.DATE, ColumnType.INTEGER)
    return table.readings[column].type in kinds and table.facts[column].filled == table.rows


def _is_calendar(look: Look, table: Looked, column: str) -> bool:
    """True if the column has one row for each day of a period."""
    read = table.readings[column]
    if read.type is not ColumnType.DATE or read.spelling is None or read.spelling.formats:
        return False
    days = look.ask(
        table.name,
        [column],
        f"SELECT date_diff('day', min(d), max(d)) + 1 FROM"
        f" (SELECT CAST(TRY_CAST({sql.name(column)} AS TIMESTAMP) AS DATE) AS d FROM delivered)",
    )[0][0]
    return bool(days) and table.rows >= 0.9 * int(days)
