"""Reads an ingestion plan from TOML; every complaint names the file, the line, the key and the mend."""

import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.schema import TableKind
from catalog.values import SLUG
from pipelines.errors import PlanError
from pipelines.keystore import DOMAIN, REGISTER_DOMAIN
from pipelines.plan import ForeignKey, LookupColumn, Plan, SourcePlan, TablePlan
from pipelines.plan_checks import check_fits, check_targets, parse_check
from pipelines.plan_columns import NAME, column_plan
from pipelines.plan_section import Section
from pipelines.pseudonyms import NORMALISATIONS
from pipelines.readers import READERS

MOST_SHIFT = 3_650
"""Days a date may be shifted by, at most."""

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
    domain = pseudonyms.match("domain", DOMAIN, "lower-case letters, digits and dashes")
    if domain == REGISTER_DOMAIN:
        pseudonyms.fail("domain", f"the domain {domain!r} is the opt-out register's own.", "Choose another.")
    shift_days = pseudonyms.count("shift_days", 0)
    if not 0 <= shift_days <= MOST_SHIFT:
        pseudonyms.fail("shift_days", f"is a number of days from 0 to {MOST_SHIFT}.")
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
        domain=domain,
        normalise=pseudonyms.choices("normalise", tuple(NORMALISATIONS)),
        tables=tuple(_table(section, threshold, shift_days) for section in root.sections("tables")),
        shift_days=shift_days,
        facts=root.table("catalogue"),
    )
    for section in (dataset, source, pseudonyms, root):
        section.finish()
    return plan


def _table(section: Section, threshold: Decimal, shift_days: int) -> TablePlan:
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
            columns=tuple(column_plan(c, kind, shift_days) for c in section.sections("columns")),
            checks=tuple(parse_check(c) for c in section.items("checks")),
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
        check_fits(check, table, section)


def _check_references(plan: Plan, root: Section) -> None:
    persons = list(plan.of_kind(TableKind.PERSONS))
    if len(persons) > 1:
        root.fail("tables", f"{len(persons)} tables have the kind persons; a dataset has at most one.")
    for table in plan.tables:
        for column in table.columns:
            section = root.at("tables", table.name, "columns", column.name)
            if column.lookup:
                _check_lookup(plan, column.lookup.table, _names(column.lookup), section)
            if column.coarser:
                _check_lookup(plan, column.coarser.table, (column.coarser.code, column.coarser.into), section)
            if column.foreign_key:
                _check_foreign_key(plan, column.foreign_key, section)
    check_targets(plan, root)


def _names(lookup: LookupColumn) -> tuple[str, ...]:
    return (lookup.code, *((lookup.label,) if lookup.label else ()), *lookup.where)


def _check_lookup(plan: Plan, table: str, names: tuple[str, ...], section: Section) -> None:
    target = plan.table.get(table)
    if target is None or target.kind is not TableKind.LOOKUP:
        section.fail(None, f"refers to {table!r}, which is no lookup table of this plan.")
    for name in names:
        if name not in target.column:
            section.fail(None, f"refers to column {name!r}, which lookup table {table!r} has not.")


def _check_foreign_key(plan: Plan, key: ForeignKey, section: Section) -> None:
    target = plan.table.get(key.table)
    if target is None or target.kind is TableKind.LOOKUP:
        section.fail("foreign_key", f"refers to {key.table!r}, which is no table about persons of this plan.")
    if key.column not in target.column:
        section.fail("foreign_key", f"refers to column {key.column!r}, which table {key.table!r} has not.")
