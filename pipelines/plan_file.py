"""Reads an ingestion plan from TOML; every complaint names the file, the line, the key and the mend."""

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.schema import RESERVED, Bounds, CodedValue, Column, ColumnType, TableKind
from catalog.values import SLUG
from pipelines.errors import PlanError
from pipelines.keystore import DOMAIN
from pipelines.mapping import GENERALISATIONS, is_castable
from pipelines.plan import Check, ColumnPlan, LookupColumn, Plan, SourcePlan, TablePlan
from pipelines.plan_section import Section
from pipelines.pseudonyms import NORMALISATIONS
from pipelines.readers import READERS

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

ENGINE_SCHEMAS = frozenset({"main", "temp", "system", "memory", "pg_catalog", "information_schema"})
"""Names the query engine uses itself; a dataset's identifier becomes a schema name there."""


def load_plan(file: Path) -> Plan:
    """The checked plan in `file`; raises PlanError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8 text"
        raise PlanError(str(file), f"the plan cannot be read: {reason}.") from None
    return parse_plan(text, file)


def parse_plan(text: str, file: Path) -> Plan:
    """The plan in `text`; `file` is what complaints name and what relative locations start from."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as failure:
        line = re.search(r"line (\d+)", str(failure))
        raise PlanError(str(file), f"not TOML: {failure}.", line=int(line[1]) if line else None) from None
    root = Section(document, (), text, str(file))
    plan = _plan(root, file, _hash(document))
    _check_references(plan, root)
    return plan


def _hash(document: Mapping[str, Any]) -> str:
    # over the content, so that a comment or a space in the file does not make another plan; order counts
    return sha256(json.dumps(document, default=str, ensure_ascii=False).encode()).hexdigest()


def _plan(root: Section, file: Path, digest: str) -> Plan:
    dataset, source, pseudonyms = root.section("dataset"), root.section("source"), root.section("pseudonyms")
    threshold = root.section("quarantine", optional=True).share("threshold", Decimal(0))
    name = dataset.match("id", SLUG, "lower-case letters, digits, '-' and '_'")
    if name in ENGINE_SCHEMAS:
        dataset.fail("id", f"the identifier {name!r} is taken by the query engine.", "Choose another.")
    plan = Plan(
        file=file,
        hash=digest,
        dataset=name,
        title=dataset.text("title"),
        description=dataset.text("description", ""),
        holder=dataset.table("holder"),
        source=SourcePlan(
            format=source.choice("format", tuple(READERS)),
            location=source.text("location"),
            options=source.table("options"),
        ),
        domain=pseudonyms.match("domain", DOMAIN, "lower-case letters, digits and dashes"),
        normalise=pseudonyms.choices("normalise", tuple(NORMALISATIONS)),
        tables=tuple(_table(section, threshold) for section in root.sections("tables")),
        facts=root.table("catalogue"),
    )
    for section in (dataset, source, pseudonyms, root):
        section.finish()
    return plan


def _table(section: Section, threshold: Decimal) -> TablePlan:
    kind = TableKind(section.choice("kind", tuple(TableKind)))
    if not NAME.fullmatch(section.name):
        section.fail(None, "a table name is lower-case letters, digits and underscores, a letter first.")
    is_lookup = kind is TableKind.LOOKUP
    if is_lookup and section.has("person"):
        section.fail("person", "a lookup table is public and holds no person.", "Remove the key, or change the kind.")
    table = section.build(
        lambda: TablePlan(
            name=section.name,
            kind=kind,
            source=section.text("source", section.name),
            title=section.text("title", ""),
            description=section.text("description", ""),
            person=None if is_lookup else section.text("person"),
            identifiers=section.texts("identifiers"),
            rows_per_person=section.count("rows_per_person", 1),
            groups_per_person=section.count("groups_per_person", 1),
            dimensions=section.lists("dimensions"),
            threshold=section.share("threshold", threshold),
            columns=tuple(_column(c, kind) for c in section.sections("columns")),
            checks=tuple(_check(c) for c in section.items("checks")),
        )
    )
    section.build(table.table)
    _check_table(table, section)
    section.finish()
    return table


def _check_table(table: TablePlan, section: Section) -> None:
    direct = {name.lower() for name in (*table.identifiers, table.person or "")}
    for column in table.columns:
        if column.source.lower() in direct:
            section.at("columns", column.name).fail(
                "source", "this delivered column holds a direct identifier, which may not be stored.", "Remove it."
            )
    for check in table.checks:
        for name in check.columns:
            if name not in table.column:
                section.fail("checks", f"check {check.name!r} names column {name!r}, which this table has not.")


def _column(section: Section, kind: TableKind) -> ColumnPlan:
    if not NAME.fullmatch(section.name) or section.name in RESERVED:
        section.fail(None, "a column name is lower-case letters, digits and underscores, and not a reserved word.")
    type_ = ColumnType(section.choice("type", tuple(ColumnType)))
    if type_ is ColumnType.TEXT and kind is not TableKind.LOOKUP:
        section.fail("type", "free text is kept in public lookup tables only.", "Use a code, or leave the column out.")
    column = section.build(
        lambda: Column(
            name=section.name,
            type=type_,
            title=section.text("title", ""),
            description=section.text("description", ""),
            required=section.flag("required"),
            code_system=section.text("code_system", "") or None,
            values=_values(section, type_),
            bounds=_bounds(section, type_),
            step=section.number("step", Decimal(1)),
            unit=section.text("unit", "") or None,
            # one row for each person: every column of such a table is person-level by itself
            person_level=section.flag("person_level") or kind is TableKind.PERSONS,
        )
    )
    plan = ColumnPlan(
        column=column,
        source=section.text("source", section.name),
        formats=section.texts("formats"),
        generalise=section.choice("generalise", tuple(GENERALISATIONS), None),
        recode={str(k): str(v) for k, v in section.table("recode").items()},
        values_from=_lookup(section, "values_from"),
        references=_lookup(section, "references"),
    )
    if plan.values_from and column.values:
        section.fail("values_from", "the values are given twice.", "Keep either values or values_from.")
    if plan.generalise and not is_castable(plan.generalise, type_):
        section.fail("generalise", f"{plan.generalise!r} does not make a column of type {type_}.")
    section.finish()
    return plan


def _values(section: Section, type_: ColumnType) -> tuple[CodedValue, ...] | None:
    table = section.table("values")
    if not table:
        return None
    if type_ not in (ColumnType.CODE, ColumnType.INTEGER):
        section.fail("values", f"a column of type {type_} has no coded values.", "Use the type code or integer.")
    try:
        return tuple(
            CodedValue(int(code) if type_ is ColumnType.INTEGER else code, str(label)) for code, label in table.items()
        )
    except ValueError:
        section.fail("values", "the codes of an integer column are whole numbers.")


def _bounds(section: Section, type_: ColumnType) -> Bounds | None:
    if not section.has("bounds"):
        return None
    low, high = section.pair("bounds")
    if type_ in (ColumnType.DATE, ColumnType.TIMESTAMP):
        if not (isinstance(low, date) and isinstance(high, date)):
            section.fail("bounds", f"bounds of a column of type {type_} are two dates.")
        first, last = low, high
        return section.build(lambda: Bounds(first, last))
    if not type_.is_number:
        section.fail("bounds", f"a column of type {type_} has no bounds.")
    if not all(isinstance(bound, int | Decimal) and Decimal(bound).is_finite() for bound in (low, high)):
        section.fail("bounds", f"bounds of a column of type {type_} are two numbers.")
    return section.build(lambda: Bounds(Decimal(low), Decimal(high)))


def _lookup(section: Section, key: str) -> LookupColumn | None:
    if not section.has(key):
        return None
    inner = section.section(key)
    where = {
        name: tuple(value) if isinstance(value, list) else (value,) for name, value in inner.table("where").items()
    }
    lookup = LookupColumn(inner.text("table"), inner.text("code"), inner.text("label", "") or None, where)
    inner.finish()
    return lookup


def _check(section: Section) -> Check:
    kinds = ("order", "unique", "complete")
    kind = next((k for k in kinds if section.has(k)), None)
    if kind is None:
        section.fail(None, f"a check has one of the keys {', '.join(kinds)}.")
    columns = section.texts(kind)
    if kind == "order" and len(columns) != 2:
        section.fail("order", "names two columns: the one that comes first, the one that comes after.")
    check = Check(
        name=section.text("name"),
        kind=kind,
        columns=columns,
        at_least=section.share("at_least", Decimal(1)),
        stop=section.choice("on_failure", ("note", "stop"), "note") == "stop",
    )
    section.finish()
    return check


def _check_references(plan: Plan, root: Section) -> None:
    persons = list(plan.of_kind(TableKind.PERSONS))
    if len(persons) > 1:
        root.fail("tables", f"{len(persons)} tables have the kind persons; a dataset has at most one.")
    for table in plan.tables:
        for column in table.columns:
            if column.lookup:
                _check_lookup(plan, column.lookup, root.at("tables", table.name, "columns", column.name))


def _check_lookup(plan: Plan, lookup: LookupColumn, section: Section) -> None:
    target = plan.table.get(lookup.table)
    if target is None or target.kind is not TableKind.LOOKUP:
        section.fail(None, f"refers to {lookup.table!r}, which is no lookup table of this plan.")
    for name in (lookup.code, lookup.label, *lookup.where):
        if name is not None and name not in target.column:
            section.fail(None, f"refers to column {name!r}, which lookup table {lookup.table!r} has not.")
