"""Reads the columns of an ingestion plan: type, values, bounds, and how a delivered value becomes the stored one."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from catalog.schema import RESERVED, Bounds, CodedValue, Column, ColumnType, TableKind
from pipelines import generalise
from pipelines.plan import Coarser, ColumnPlan, ForeignKey, LookupColumn
from pipelines.plan_section import Section

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

MOMENTS = (ColumnType.DATE, ColumnType.TIMESTAMP)


def column_plan(section: Section, kind: TableKind, shift_days: int) -> ColumnPlan:
    """One column; raises PlanError."""
    if not NAME.fullmatch(section.name) or section.name in RESERVED:
        section.fail(None, "a column name is lower-case letters, digits and underscores, and not a reserved word.")
    type_ = ColumnType(section.choice("type", tuple(ColumnType)))
    plan = ColumnPlan(
        column=_column(section, type_, kind),
        source=section.text("source", section.name),
        formats=section.texts("formats"),
        decimal_comma=section.flag("decimal_comma"),
        generalise=section.text("generalise", "") or None,
        coarser=_coarser(section, type_),
        shift=section.flag("shift"),
        free_text=section.text("free_text", ""),
        recode={str(k): str(v) for k, v in section.table("recode").items()},
        values_from=_lookup(section, "values_from"),
        references=_lookup(section, "references"),
        foreign_key=_foreign_key(section, kind),
    )
    _check(section, plan, kind, shift_days)
    section.finish()
    return widened(plan, shift_days) if plan.shift else plan


def widened(plan: ColumnPlan, days: int) -> ColumnPlan:
    """A shifted column: its public bounds leave room for the shift, the delivered dates are held to the plan's."""
    bounds = plan.column.bounds
    if bounds is None or not isinstance(bounds.low, date) or not isinstance(bounds.high, date):
        return plan
    room = Bounds(bounds.low - timedelta(days), bounds.high + timedelta(days))
    return replace(plan, column=replace(plan.column, bounds=room), delivered_bounds=bounds)


def _column(section: Section, type_: ColumnType, kind: TableKind) -> Column:
    return section.build(
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


def _check(section: Section, plan: ColumnPlan, kind: TableKind, shift_days: int) -> None:
    type_ = plan.column.type
    if plan.values_from and plan.column.values:
        section.fail("values_from", "the values are given twice.", "Keep either values or values_from.")
    if plan.generalise and not generalise.is_known(plan.generalise):
        section.fail(
            "generalise", f"{plan.generalise!r} is not known.", f"Choose one of {', '.join(generalise.NAMES)}."
        )
    if plan.generalise and generalise.generalisation(plan.generalise).makes is not type_:
        section.fail("generalise", f"{plan.generalise!r} does not make a column of type {type_}.")
    if plan.decimal_comma and type_ is not ColumnType.DECIMAL:
        section.fail("decimal_comma", f"a column of type {type_} has no decimals.", "Use the type decimal.")
    if plan.shift and (type_ not in MOMENTS or kind is TableKind.LOOKUP):
        section.fail("shift", "only dates and times of tables about persons are shifted.", "Remove the key.")
    if plan.shift and (plan.generalise or plan.coarser):
        section.fail("shift", "a shifted date that is made coarser shows by how much it moved.", "Keep one of the two.")
    if plan.shift and not shift_days:
        section.fail("shift", "the plan does not say how far.", "Add shift_days under [pseudonyms].")
    if type_ is ColumnType.TEXT and kind is not TableKind.LOOKUP and not plan.free_text.strip():
        section.fail(
            "type", "free text is kept in public lookup tables only.",
            "Use a code, leave the column out, or give the reason for keeping it under free_text.",
        )  # fmt: skip


def _coarser(section: Section, type_: ColumnType) -> Coarser | None:
    if not section.has("coarser"):
        return None
    if type_ is not ColumnType.CODE:
        section.fail("coarser", f"a column of type {type_} is not replaced by a lookup.", "Use the type code.")
    inner = section.section("coarser")
    found = Coarser(inner.text("table"), inner.text("code"), inner.text("into"), inner.texts("keep"))
    inner.finish()
    return found


def _foreign_key(section: Section, kind: TableKind) -> ForeignKey | None:
    if not section.has("foreign_key"):
        return None
    if kind is TableKind.LOOKUP:
        section.fail("foreign_key", "a lookup table holds no person's rows.", "Use references.")
    inner = section.section("foreign_key")
    found = ForeignKey(inner.text("table"), inner.text("column"))
    inner.finish()
    return found


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
    if type_ in MOMENTS:
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
