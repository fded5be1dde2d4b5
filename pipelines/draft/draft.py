"""The straight line from files to a draft."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pipelines.draft import names
from pipelines.draft.columns import BROKEN
from pipelines.draft.delivery import Found, find
from pipelines.draft.form import About, Draft, DraftColumn, DraftTable, LeftOut
from pipelines.draft.identity import normalisation
from pipelines.draft.keys import is_unique, share_found
from pipelines.draft.links import find_links
from pipelines.draft.looked import Looked, look_at, null_word, read
from pipelines.draft.measure import Look
from pipelines.draft.people import Whose, whose
from pipelines.draft.schemas import TableSaid, schema_beside
from pipelines.draft.tables import Around, draft_table, kind_of
from pipelines.errors import SourceError
from pipelines.plan import SourcePlan
from pipelines.readers import open_source

KNOWN_PERSONS = Decimal("0.9")
"""Share of rows of every other table whose persons a table must know to be the table of persons."""

THRESHOLDS = tuple(Decimal(t) for t in ("0.001", "0.01", "0.05", "0.1", "0.2", "0.5", "0.9"))
"""Shares of rows that may be set aside, rounded so that no count shows."""


def make_draft(files: Sequence[Path], about: About, plan_folder: Path) -> Draft:
    """A draft of the delivery in `files` for a plan that will lie in `plan_folder`; raises SourceError."""
    found = find(files, plan_folder)
    with open_source(found.source.format, found.location, found.source.options) as source, Look(source) as look:
        looked = [look_at(look, t, _schema(found, t)) for t in source.tables() if found.has(t)]
        tables = [t for t in looked if isinstance(t, Looked)]
        out = [t for t in looked if isinstance(t, LeftOut)]
        if not tables:
            reasons = " ".join(f"{o.name}: {o.why}." for o in out) or "It has no table."
            raise SourceError(f"{found.location}: no table of it can be drafted. {reasons}")
        return _drafted(look, tables, out, about, found.source)


def _schema(found: Found, table: str) -> TableSaid | None:
    return schema_beside(found.location if found.location.is_dir() else found.location.parent, table)


def _drafted(look: Look, tables: Sequence[Looked], out: list[LeftOut], about: About, source: SourcePlan) -> Draft:
    null = null_word(tables) if source.format == "csv" else ""
    tables = [replace(t, readings=read(look, t, null)) for t in tables]
    about_whom = whose(look, tables, about.public)
    persons = _table_of_persons(look, tables, about_whom)
    stored = names.stored_names(tuple(t.name for t in tables), "table")
    links = find_links(look, tables, about_whom, stored)
    made = []
    for table in tables:
        around = Around(
            stored=stored,
            whose=about_whom[table.name],
            kind=kind_of(about_whom[table.name], table is persons),
            null=null,
            links=[link for link in links if link.table == table.name],
            pointed_at=frozenset(link.target_column for link in links if link.target == table.name),
            threshold=_threshold(look, table, about_whom, persons),
        )
        made.append(draft_table(look, table, around))
    options = {**source.options, **({"null": null} if null else {})}
    return Draft(
        about=about,
        source=replace(source, options=options),
        tables=_without_lost_lookups([m for m in made if isinstance(m, DraftTable)]),
        normalise=normalisation(look, [t.key(p) for t in tables if (p := about_whom[t.name].person)]),
        left_out=(*out, *(m for m in made if isinstance(m, LeftOut))),
    )


def _table_of_persons(look: Look, tables: Sequence[Looked], about_whom: Mapping[str, Whose]) -> Looked | None:
    """The table that has every person once: best one whose name says so, or that knows the others' persons."""
    with_person = [t for t in tables if about_whom[t.name].person]
    unique = [t for t in with_person if is_unique(look, t.key(about_whom[t.name].person or ""))]
    unique.sort(key=lambda t: (not names.names_persons(t.name), -t.rows))
    return next((t for t in unique if _knows_others(look, t, with_person, about_whom)), None)


def _knows_others(look: Look, persons: Looked, others: Sequence[Looked], about_whom: Mapping[str, Whose]) -> bool:
    wanted = Decimal("0.1") if names.names_persons(persons.name) else KNOWN_PERSONS
    return all(_share(look, other, persons, about_whom) >= wanted for other in others if other is not persons)


def _share(look: Look, table: Looked, persons: Looked, about_whom: Mapping[str, Whose]) -> float:
    child, parent = about_whom[table.name].person, about_whom[persons.name].person
    return share_found(look, table.key(child), persons.key(parent)) if child and parent else 1.0


def _threshold(look: Look, table: Looked, about_whom: Mapping[str, Whose], persons: Looked | None) -> Decimal:
    """Share of rows that will be set aside, since nobody knows whose they are or they hold line breaks, rounded up."""
    person = about_whom[table.name].person
    broken = sum(f.broken for f in table.facts.values() if f.broken <= BROKEN * f.rows)
    lost = broken / max(1, table.rows)
    if person is not None:
        facts = table.facts[person]
        known = _share(look, table, persons, about_whom) if persons and persons is not table else 1.0
        lost += 1 - known * facts.filled / max(1, facts.rows)
    return next((t for t in THRESHOLDS if lost <= t), Decimal(1)) if lost > 0 else Decimal(0)


def _without_lost_lookups(tables: list[DraftTable]) -> tuple[DraftTable, ...]:
    """The tables, without references to columns that were left out of their lookup tables."""
    kept = {(t.plan.name, c.plan.name) for t in tables for c in t.columns}
    return tuple(replace(t, columns=tuple(_mended(c, kept) for c in t.columns)) for t in tables)


def _mended(column: DraftColumn, kept: set[tuple[str, str]]) -> DraftColumn:
    lookup = column.plan.lookup
    if lookup is None:
        return column
    if (lookup.table, lookup.code) not in kept:
        return replace(column, plan=replace(column.plan, values_from=None, references=None))
    if lookup.label is None or (lookup.table, lookup.label) in kept:
        return column
    bare = replace(lookup, label=None)
    plan = column.plan
    if plan.values_from:
        return replace(column, plan=replace(plan, values_from=bare))
    return replace(column, plan=replace(plan, references=bare))
