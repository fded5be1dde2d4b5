"""The OMOP common data model as a whole: recognised by its tables, drafted from `omop.toml`.

Without a delivery this gives the plans under deploy/plans; with one, `omop_fit` takes back what it does not hold.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from catalog.schema import Bounds, CodedValue, Column, ColumnType, TableKind
from pipelines.draft.form import CHECK, About, Draft, DraftColumn, DraftTable, LeftOut
from pipelines.plan import Check, ColumnPlan, LookupColumn, SourcePlan, TablePlan

VERSIONS = ("5.3", "5.4")
KNOWN: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("omop.toml").read_text(encoding="utf-8"), parse_float=Decimal
)
TABLES: dict[str, Any] = KNOWN["tables"]

SIGNS = frozenset(
    {"person", "observation_period", "condition_occurrence", "drug_exposure", "concept", "visit_occurrence"}
)
"""Tables of which a delivery of this model has most."""

DAYS = Bounds(date(1900, 1, 1), date(2099, 12, 31))
"""Bounds of every date of an event: nobody's own."""


def is_omop(tables: Collection[str]) -> bool:
    """True if the names of the tables are those of the model."""
    return len(SIGNS & {t.lower() for t in tables}) >= len(SIGNS) - 2 and "person" in {t.lower() for t in tables}


def version_of(said: str, columns: Collection[str]) -> str:
    """The model's version: as `cdm_source` says, else told by the columns of `visit_occurrence`."""
    found = next((v for v in VERSIONS if v in said), None)
    return found or ("5.4" if "admitted_from_concept_id" in {c.lower() for c in columns} else "5.3")


def is_in(entry: Mapping[str, Any], version: str) -> bool:
    """True if a table or column is part of a version."""
    return bool(entry.get("since", VERSIONS[0]) <= version <= entry.get("until", VERSIONS[-1]))


@cache
def tables_in(version: str) -> tuple[str, ...]:
    """Tables of a version, as `omop.toml` orders them."""
    return tuple(name for name, entry in TABLES.items() if is_in(entry, version))


def omop_draft(version: str, about: About, source: SourcePlan) -> Draft:
    """The plan of a whole database of a version, without looking at any."""
    made = [omop_table(name, version) for name in tables_in(version)]
    return Draft(
        about=about,
        source=source,
        tables=tuple(m for m in made if isinstance(m, DraftTable)),
        left_out=tuple(m for m in made if isinstance(m, LeftOut)),
        description=f"A database in the OMOP common data model, version {version}.",
        remarks=REMARKS,
        head=HEAD,
    )


HEAD = (
    "A plan for a database in the OMOP common data model. Take out the tables that you do not deliver, say where the "
    'delivery lies, and decide what is marked "check:". `dataspace dataset draft` writes one that fits a delivery. '
    "A plan is public: no value that few persons share may be written into it."
)

REMARKS = (
    "persons are numbered by person_id; if two holders are to link, deliver an identifier that both have instead.",
)


def omop_table(name: str, version: str, source: str | None = None) -> DraftTable | LeftOut:
    """A table of the model, under its delivered name `source`; or why none of it is read."""
    entry = TABLES[name]
    if "left_out" in entry:
        return LeftOut(source or name, entry["left_out"])
    columns = {c: e for c, e in entry["columns"].items() if is_in(e, version)}
    kind = TableKind(entry["kind"])
    reasons: Mapping[str, str] = KNOWN["reasons"]
    outs = {c: e["out"] for c, e in columns.items() if "out" in e}
    kept = tuple(_column(c, e, kind) for c, e in columns.items() if "out" not in e)
    plan = TablePlan(
        name=name, kind=kind, source=source or name, columns=(), title=entry["title"],
        description=entry.get("description", ""), person=entry.get("person"),
        identifiers=tuple(c for c, why in outs.items() if why == "identifier"),
        rows_per_person=entry.get("rows_per_person", 1), groups_per_person=entry.get("groups_per_person", 1),
        checks=tuple(_checks(columns) if kind is TableKind.EVENTS else ()),
    )  # fmt: skip
    left_out = tuple(LeftOut(c, reasons[why]) for c, why in outs.items() if why != "identifier")
    remarks = () if kind is not TableKind.EVENTS else (f"{CHECK}contribution bounds that suit most databases.",)
    return DraftTable(plan, kept, remarks, left_out)


def _column(name: str, entry: Mapping[str, Any], kind: TableKind) -> DraftColumn:
    type_ = ColumnType(entry["type"])
    remarks = [f"{CHECK}bounds = [lowest, highest]"] if _lacks_bounds(type_, entry, kind) else []
    table, _, code = entry.get("references", "").partition(".")
    is_checked = bool(entry.get("checked"))
    if table and not is_checked and table != "concept" and kind is not TableKind.LOOKUP:
        remarks.append(f'points at: foreign_key = {{ table = "{table}", column = "{code}" }}')
    listed = KNOWN["values"].get(name) if kind is TableKind.PERSONS else None
    column = Column(
        name=name, type=type_, title=entry["title"], required=entry.get("required", False),
        code_system="OMOP" if table == "concept" or name == "concept_id" else None,
        values=tuple(CodedValue(int(c), label) for c, label in listed.items()) if listed else None,
        bounds=_bounds(type_, entry, kind), step=Decimal(entry.get("step", 1)), unit=entry.get("unit"),
    )  # fmt: skip
    references = LookupColumn(table, code) if is_checked else None
    return DraftColumn(ColumnPlan(column, name, references=references), tuple(remarks))


def _lacks_bounds(type_: ColumnType, entry: Mapping[str, Any], kind: TableKind) -> bool:
    return type_ is ColumnType.DECIMAL and "bounds" not in entry and kind is not TableKind.LOOKUP


def _bounds(type_: ColumnType, entry: Mapping[str, Any], kind: TableKind) -> Bounds | None:
    if kind is TableKind.LOOKUP:
        return None
    if "bounds" in entry:
        low, high = entry["bounds"]
        return Bounds(Decimal(low), Decimal(high))
    return DAYS if type_ is ColumnType.DATE else None


def _checks(columns: Mapping[str, Any]) -> Iterator[Check]:
    for start in columns:
        end = start.replace("start_date", "end_date")
        if start.endswith("start_date") and end in columns and "out" not in columns[end]:
            yield Check(f"{end} is not before {start}", "order", (start, end))
