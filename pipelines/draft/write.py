"""A draft as the text of a plan: TOML with remarks, the same text for the same draft."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.schema import Column, ColumnType, TableKind
from pipelines.draft.form import CHECK, Draft, DraftColumn, DraftTable, LeftOut, by_reason
from pipelines.plan import Check, LookupColumn

WIDTH = 118
BARE = re.compile(r"[A-Za-z0-9_-]+")

GUESSED = f"{CHECK}the encoding is a guess by the letters that are there. Are accents as they should be?"

ORDER = (TableKind.PERSONS, TableKind.EVENTS, TableKind.LOOKUP)


def written(draft: Draft) -> str:
    """The plan as text, which `pipelines.plan_file.load_plan` reads."""
    tables = sorted(draft.tables, key=lambda t: ORDER.index(t.plan.kind))
    ready = [t for t in tables if not t.no_person] or tables
    waiting = [_waiting(t) for t in tables if t not in ready]
    parts = [_comment(draft.head), _dataset(draft), *(_table(t) for t in ready), *waiting, _left_out(draft.left_out)]
    return "\n".join(part for part in parts if part)


def _waiting(table: DraftTable) -> str:
    """A table that cannot be loaded yet, as a comment: the others of the delivery can."""
    return "".join(f"# {line}".rstrip() + "\n" for line in _table(table).splitlines())


def _dataset(draft: Draft) -> str:
    about, source = draft.about, draft.source
    holder = [f"{_key(k)} = {literal(v)}" for k, v in about.holder.items()]
    lines = [
        "[dataset]",
        f"id = {literal(about.id)}",
        f"title = {literal(about.title)}",
        *([f"description = {literal(draft.description)}"] if draft.description else []),
        "",
        "[dataset.holder]",
        *holder,
        "",
        "[source]",
        f"format = {literal(source.format)}",
        f"location = {literal(source.location)}",
        *_remarks([GUESSED] if "encoding" in source.options else []),
        *([f"options = {literal(source.options)}"] if source.options else []),
        "",
        "[pseudonyms]",
        *_remarks([f"{CHECK}holders who share a domain share persons: datasets of one domain can be linked."]),
        f"domain = {literal(about.domain)}",
        *_remarks(draft.remarks),
        *([f"normalise = {literal(draft.normalise)}"] if draft.normalise else []),
        "",
        "[quarantine]",
        *_remarks(["share of rows of a table that may fail before the load stops"]),
        "threshold = 0",
        "",
    ]
    return "\n".join(lines)


def _table(table: DraftTable) -> str:
    plan = table.plan
    header = f"# --- {plan.name} "
    lines = [
        header + "-" * max(0, WIDTH - len(header)),
        "",
        f"[tables.{_key(plan.name)}]",
        *_remarks(table.remarks),
        f"kind = {literal(plan.kind.value)}",
        *([f"source = {literal(plan.source)}"] if plan.source != plan.name else []),
        *_said(plan.title, plan.description),
        *([f"person = {literal(plan.person)}"] if plan.person else []),
        *([f"identifiers = {literal(plan.identifiers)}"] if plan.identifiers else []),
        *([f"rows_per_person = {plan.rows_per_person}"] if plan.kind is TableKind.EVENTS else []),
        *([f"groups_per_person = {plan.groups_per_person}"] if plan.kind is TableKind.EVENTS else []),
        *([f"threshold = {literal(plan.threshold)}"] if plan.threshold else []),
        *_remarks(f"left out: {listed}: {why}" for listed, why in by_reason(table.left_out)),
        "",
        *(line for column in table.columns for line in _column(plan.name, column)),
        *(line for check in plan.checks for line in _check(plan.name, check)),
    ]
    return "\n".join(lines)


def _said(title: str, description: str) -> list[str]:
    made = [f"title = {literal(title)}"] if title else []
    return made + ([f"description = {literal(description)}"] if description else [])


def _column(table: str, drafted: DraftColumn) -> Iterator[str]:
    plan, column = drafted.plan, drafted.plan.column
    yield f"[tables.{_key(table)}.columns.{_key(column.name)}]"
    yield from _remarks(drafted.remarks)
    if plan.source != column.name:
        yield f"source = {literal(plan.source)}"
    yield f"type = {literal(column.type.value)}"
    if plan.formats:
        yield f"formats = {literal(plan.formats)}"
    if plan.decimal_comma:
        yield "decimal_comma = true"
    if plan.generalise:
        yield f"generalise = {literal(plan.generalise)}"
    yield from _said(column.title, column.description)
    yield from _domain(column)
    for key, lookup in (("values_from", plan.values_from), ("references", plan.references)):
        if lookup:
            yield f"{key} = {_lookup(lookup)}"
    yield ""


def _domain(column: Column) -> Iterator[str]:
    if column.required:
        yield "required = true"
    if column.code_system:
        yield f"code_system = {literal(column.code_system)}"
    if column.values is not None:
        yield f"values = {literal({str(v.code): v.label for v in column.values})}"
    if column.bounds:
        yield f"bounds = [{literal(column.bounds.low)}, {literal(column.bounds.high)}]"
    if column.type is ColumnType.DECIMAL:
        yield f"step = {literal(column.step)}"
    if column.unit:
        yield f"unit = {literal(column.unit)}"


def _lookup(lookup: LookupColumn) -> str:
    said: dict[str, Any] = {"table": lookup.table, "code": lookup.code}
    return literal(
        said | ({"label": lookup.label} if lookup.label else {}) | ({"where": lookup.where} if lookup.where else {})
    )


def _check(table: str, check: Check) -> Iterator[str]:
    yield f"[[tables.{_key(table)}.checks]]"
    yield f"name = {literal(check.name)}"
    yield f"{check.kind} = {literal(check.columns)}"
    yield ""


def _left_out(left: Iterable[LeftOut]) -> str:
    said = [f"{listed}: {why}" for listed, why in by_reason(left)]
    return "\n".join(["# Tables of the delivery that are left out:", *_remarks(said), ""]) if said else ""


def _remarks(remarks: Iterable[str]) -> list[str]:
    return [line for remark in remarks for line in _comment(one_line(remark)).splitlines()]


def _comment(text: str) -> str:
    lines = (
        textwrap.wrap(part, WIDTH - 2, break_long_words=False, break_on_hyphens=False) for part in text.splitlines()
    )
    return "".join(f"# {line}\n" for part in lines for line in part)


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which a comment cannot hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def literal(value: Any) -> str:
    """A TOML value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case Mapping():
            inside = ", ".join(f"{_key(str(k))} = {literal(v)}" for k, v in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(literal(v) for v in value)}]"
        case _:
            return str(value)


def _text(value: str) -> str:
    # a lone surrogate has no TOML form, and comes from no text that was decoded
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _text(name)
