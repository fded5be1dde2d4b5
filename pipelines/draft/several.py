"""The tables of a delivery together: who the persons are, which table has them, how tables point at each other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from pipelines.draft import names
from pipelines.draft.columns import BROKEN
from pipelines.draft.form import DraftColumn, DraftTable, LeftOut
from pipelines.draft.keys import is_unique, share_found
from pipelines.draft.links import find_links
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look
from pipelines.draft.people import Whose, whose
from pipelines.draft.tables import Around, draft_table, kind_of

KNOWN_PERSONS = 0.9
"""Share of rows of every other table whose persons a table must know to be the table of persons."""

KNOWN_AT_LEAST = 0.1
"""The same for a table whose name says that it has the persons."""

THRESHOLDS = tuple(Decimal(t) for t in ("0.001", "0.01", "0.05", "0.1", "0.2", "0.5", "0.9"))
"""Shares of rows that may be set aside, rounded so that no count shows."""


@dataclass(frozen=True)
class Several:
    """The tables, whose rows they have, and which of them is the table of persons."""

    look: Look
    tables: Sequence[Looked]
    about: Mapping[str, Whose]
    persons: Looked | None = None

    def person(self, table: Looked) -> str | None:
        return self.about[table.name].person

    def share_known(self, table: Looked, persons: Looked) -> float:
        """Share of a table's rows whose persons the other one has."""
        child, parent = self.person(table), self.person(persons)
        return share_found(self.look, table.key(child), persons.key(parent)) if child and parent else 1.0

    def threshold(self, table: Looked) -> Decimal:
        """Share of rows that will be set aside, rounded up: nobody knows whose they are, or a cell is odd or broken."""
        odd = sum(reading.odd for reading in table.readings.values())
        broken = sum(f.broken for f in table.facts.values() if f.broken <= BROKEN * f.rows)
        lost = (broken + odd) / max(1, table.rows)
        person = self.person(table)
        if person is not None and table.rows:
            known = self.share_known(table, self.persons) if self.persons and self.persons is not table else 1.0
            lost += 1 - known * table.facts[person].filled / table.rows
        return next((t for t in THRESHOLDS if lost <= t), Decimal(1)) if lost > 0 else Decimal(0)


def see_together(look: Look, tables: Sequence[Looked], public: Collection[str]) -> Several:
    """Whose rows the tables have, by what can be seen."""
    seen = Several(look, tables, whose(look, tables, public))
    return replace(seen, persons=_table_of_persons(seen))


def _table_of_persons(seen: Several) -> Looked | None:
    """The table that has every person once: one whose name says so, else one that knows the others' persons."""
    having = [t for t in seen.tables if seen.person(t)]
    unique = [t for t in having if is_unique(seen.look, t.key(seen.person(t) or ""))]
    unique.sort(key=lambda t: (not names.names_persons(t.name), -t.rows))
    return next((t for t in unique if _knows(seen, t, [o for o in having if o is not t])), None)


def _knows(seen: Several, persons: Looked, others: Sequence[Looked]) -> bool:
    wanted = KNOWN_AT_LEAST if names.names_persons(persons.name) else KNOWN_PERSONS
    return all(seen.share_known(other, persons) >= wanted for other in others)


def draft_tables(seen: Several) -> list[DraftTable | LeftOut]:
    """All tables, each with its links to the others."""
    stored = names.stored_names(tuple(t.name for t in seen.tables), "table")
    links = find_links(seen.look, seen.tables, seen.about, stored)
    made = []
    for table in seen.tables:
        around = Around(
            stored=stored,
            whose=seen.about[table.name],
            kind=kind_of(seen.about[table.name], table is seen.persons),
            links=[link for link in links if link.table == table.name],
            pointed_at=frozenset(link.target_column for link in links if link.target == table.name),
            threshold=seen.threshold(table),
        )
        made.append(draft_table(seen.look, table, around))
    return _without_lost_lookups(made)


def _without_lost_lookups(made: list[DraftTable | LeftOut]) -> list[DraftTable | LeftOut]:
    """The tables, without references to columns that were left out of their lookup tables."""
    kept = {(t.plan.name, c.plan.name) for t in made if isinstance(t, DraftTable) for c in t.columns}
    return [
        replace(t, columns=tuple(_mended(c, kept) for c in t.columns)) if isinstance(t, DraftTable) else t for t in made
    ]


def _mended(column: DraftColumn, kept: set[tuple[str, str]]) -> DraftColumn:
    plan, lookup = column.plan, column.plan.lookup
    if lookup is None:
        return column
    if (lookup.table, lookup.code) not in kept:
        return replace(column, plan=replace(plan, values_from=None, references=None))
    if lookup.label is None or (lookup.table, lookup.label) in kept:
        return column
    bare = replace(lookup, label=None)
    if plan.values_from:
        return replace(column, plan=replace(plan, values_from=bare))
    return replace(column, plan=replace(plan, references=bare))
