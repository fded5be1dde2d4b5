"""Columns that may not be stored because of what their values look like, whatever they are called."""

from collections.abc import Mapping, Sequence

from catalog.schema import ColumnType
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look, text_of
from pipelines.quality.looks import LOOKS_LIKE, looks_like

DISTINCT = 200_000
"""Distinct values looked at for numbers whose check digits may fit by accident."""

SHORTEST_NUMBER = 9
"""Digits from which on a whole number may be a telephone or national number."""


def looking_like(look: Look, table: Looked, columns: Sequence[str]) -> dict[str, str]:
    """What the values of a column look like, by column; patterns are searched for in every row."""
    wanted = [c for c in columns if _is_open(table, c)]
    if not wanted:
        return {}
    found = _patterns(look, table, wanted)
    for column in wanted:
        if column not in found and (said := _numbers(look, table, column)):
            found[column] = said
    return found


def _is_open(table: Looked, column: str) -> bool:
    facts, type_ = table.facts[column], table.readings[column].type
    return bool(facts.filled) and (
        type_ is ColumnType.CODE or (type_ is ColumnType.INTEGER and facts.longest >= SHORTEST_NUMBER)
    )


def _patterns(look: Look, table: Looked, columns: Sequence[str]) -> dict[str, str]:
    texts = {c: text_of(c, table.families[c]) for c in columns}
    asked = ", ".join(
        f"count(*) FILTER (regexp_matches({t}, ${n}))" for t in texts.values() for n in range(1, len(LOOKS_LIKE) + 1)
    )
    row = look.ask(table.name, columns, f"SELECT {asked} FROM delivered", list(LOOKS_LIKE.values()))[0]
    counts: Mapping[str, Sequence[int]] = {
        c: row[n * len(LOOKS_LIKE) : (n + 1) * len(LOOKS_LIKE)] for n, c in enumerate(columns)
    }
    return {
        c: said
        for c, found in counts.items()
        if (said := next((s for s, count in zip(LOOKS_LIKE, found, strict=True) if count), None))
    }


def _numbers(look: Look, table: Looked, column: str) -> str | None:
    """National and telephone numbers without any sign, among some distinct values."""
    facts, text = table.facts[column], text_of(column, table.families[column])
    if facts.longest < SHORTEST_NUMBER:
        return None
    every = max(1, facts.distinct // DISTINCT)
    look.ask(
        table.name,
        [column],
        f"CREATE OR REPLACE TEMP TABLE looked_values AS SELECT DISTINCT {text} AS v FROM delivered"
        f" WHERE hash({text}) % {every} = 0",
    )
    found = looks_like(look.connection, "looked_values")
    look.small("DROP TABLE looked_values")
    return found[0] if found else None
