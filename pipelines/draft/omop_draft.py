"""A delivery in the OMOP common data model: the model's plan fitted to it, and other tables of it by what is seen."""

from collections.abc import Mapping, Sequence

from catalog.schema import TableKind
from pipelines.draft.form import About, Draft, DraftTable, LeftOut
from pipelines.draft.identity import normalisation
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look
from pipelines.draft.omop import TABLES, omop_draft, omop_table, tables_in, version_of
from pipelines.draft.omop_fit import Fit, delivered_of, fitted
from pipelines.draft.people import Whose
from pipelines.draft.several import Several, draft_tables, see_together
from pipelines.plan import SourcePlan


def draft_model(
    look: Look, tables: Sequence[Looked], out: Sequence[LeftOut], about: About, source: SourcePlan
) -> Draft:
    """The draft; raises SourceError."""
    version = _version(tables)
    known = {t.name.lower(): t for t in tables if t.name.lower() in tables_in(version)}
    seen = Several(look, list(known.values()), {t.name: _whose(t) for t in known.values()}, known.get("person"))
    made = [_fitted(look, seen, known, name, version) for name in known]
    empty = [_empty(look, o, version) for o in out]
    others = [t for t in tables if t.name.lower() not in known]
    made += empty + (draft_tables(see_together(look, others, about.public)) if others else [])
    base = omop_draft(version, about, source)
    return Draft(
        about=about,
        source=source,
        tables=tuple(m for m in made if isinstance(m, DraftTable)),
        left_out=tuple(m for m in made if isinstance(m, LeftOut)),
        description=base.description,
        remarks=base.remarks,
        normalise=normalisation(look, [t.key(p) for t in known.values() if (p := seen.person(t))]),
    )


def _version(tables: Sequence[Looked]) -> str:
    """The version that the delivery says it is, or looks like."""
    by_name = {t.name.lower(): t for t in tables}
    said, visits = by_name.get("cdm_source"), by_name.get("visit_occurrence")
    column = next((c for c in said.facts if c.lower() == "cdm_version"), None) if said else None
    written = " ".join(said.facts[column].samples) if said and column else ""
    return version_of(written, visits.facts if visits else ())


def _whose(table: Looked) -> Whose:
    entry = TABLES[table.name.lower()]
    wanted = entry.get("person")
    return Whose(entry.get("kind") == TableKind.LOOKUP, next((c for c in table.facts if c.lower() == wanted), None))


def _fitted(look: Look, seen: Several, known: Mapping[str, Looked], name: str, version: str) -> DraftTable | LeftOut:
    table = known[name]
    made = omop_table(name, version, table.name)
    if isinstance(made, LeftOut):
        return made
    return fitted(look, made, Fit(table, known, seen.threshold(table)))


def _empty(look: Look, left: LeftOut, version: str) -> DraftTable | LeftOut:
    """A table of the model that was delivered without rows is kept: the next delivery may have some."""
    name = left.name.lower()
    if name not in tables_in(version) or not left.is_empty:
        return left
    made = omop_table(name, version, left.name)
    described = look.describe(left.name)
    if isinstance(made, LeftOut) or described.note:
        return made
    return delivered_of(made, {c.lower() for c in described.columns})
