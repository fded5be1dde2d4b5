"""A delivered table with its facts, and what its columns are read as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.draft.columns import Reading, reading
from pipelines.draft.dates import spellings
from pipelines.draft.form import LeftOut
from pipelines.draft.keys import Key
from pipelines.draft.measure import MISSING, ColumnFacts, Look, family_of, measure
from pipelines.draft.names import are_data
from pipelines.draft.schemas import TableSaid
from pipelines.errors import SourceError
from pipelines.mapping import Family


@dataclass(frozen=True)
class Looked:
    """One delivered table; `left_out` are columns that have no stored form at all."""

    name: str
    rows: int
    families: Mapping[str, Family]
    facts: Mapping[str, ColumnFacts]
    said: TableSaid
    readings: Mapping[str, Reading] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    def key(self, *columns: str) -> Key:
        return Key(self.name, columns, tuple(self.families[c] for c in columns), self.rows)


def look_at(look: Look, table: str, said: TableSaid | None) -> Looked | LeftOut:
    """Facts of a table, or why it cannot be drafted."""
    try:
        described = look.describe(table)
        if described.note:
            return LeftOut(table, described.note, is_empty=True)
        if are_data(tuple(described.columns)):
            return LeftOut(
                table, "its first line looks like data: it must name the columns, and a plan publishes names"
            )
        families = {c: f for c in described.columns if (f := family_of(look, table, c))}
        facts = measure(look, table, families)
    except SourceError as failure:
        return LeftOut(table, str(failure))
    rows = max((f.rows for f in facts.values()), default=0)
    nested = tuple(LeftOut(c, "its cells are not single values") for c in described.columns if c not in families)
    if not rows and said is None:
        return LeftOut(table, "delivered without rows, so nothing tells what its columns hold", is_empty=True)
    return Looked(table, rows, families, facts, said or TableSaid(), left_out=nested)


def null_word(tables: Sequence[Looked]) -> str:
    """The word that stands for a missing value: the one that most columns of numbers and dates need."""
    needing: dict[str, int] = {}
    for facts in (f for t in tables for f in t.facts.values()):
        for word in MISSING:
            left = facts.filled - facts.missing.get(word, 0)
            if facts.missing.get(word) and 0 < left == max(
                facts.whole, facts.number, facts.iso, facts.true + facts.false
            ):
                needing[word] = needing.get(word, 0) + 1
    return max(needing, key=lambda word: needing[word], default="")


def read(look: Look, table: Looked) -> dict[str, Reading]:
    """What each column of a table is read as."""
    spelt = spellings(look, table.name, table.facts)
    return {c: reading(f, spelt.get(c), table.said.field_of(c)) for c, f in table.facts.items()}
