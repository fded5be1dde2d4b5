"""Closed lists of values: those written in the plan, and those taken from the delivery's own lookup tables."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from catalog.schema import CodedValue, Column, ColumnType, DatasetSchema
from pipelines import sqltext as sql
from pipelines.errors import SourceError, without_engine_text
from pipelines.finish import FinishedTable
from pipelines.plan import ColumnPlan, LookupColumn, Plan, TablePlan
from pipelines.store.arrow import SQL_TYPES
from pipelines.workbench import Bench

MOST_VALUES = 10_000
"""Longest list of values of one column: as many groups as one query may have."""

Lookups = Mapping[str, FinishedTable]


def resolve_schema(plan: Plan, lookups: Lookups, bench: Bench) -> DatasetSchema:
    """The data dictionary with the lists that come from lookup tables filled in."""
    schema = plan.schema()
    tables = tuple(
        replace(
            table,
            columns=tuple(_resolved(plan.table[table.name].column[c.name], lookups, bench) for c in table.columns),
        )
        for table in schema
    )
    return replace(schema, tables=tables)


def _resolved(plan: ColumnPlan, lookups: Lookups, bench: Bench) -> Column:
    if plan.values_from is None:
        return plan.column
    found = _values(plan, plan.values_from, lookups, bench)
    return replace(plan.column, values=found)


def _values(plan: ColumnPlan, lookup: LookupColumn, lookups: Lookups, bench: Bench) -> tuple[CodedValue, ...]:
    label = sql.name(lookup.label or lookup.code)
    with without_engine_text(f"the values of column {plan.name!r} could not be read from their lookup table"):
        rows = bench.connection.execute(
            f"SELECT DISTINCT {_code(plan, lookup)}, coalesce(CAST({label} AS VARCHAR), '') {_from(lookup, lookups)}"
            f" ORDER BY ALL LIMIT {MOST_VALUES + 1}"
        ).fetchall()
    if len(rows) > MOST_VALUES:
        raise SourceError(
            f"Column {plan.name!r} takes its values from lookup table {lookup.table!r}, which has more than "
            f"{MOST_VALUES:,} of them. Narrow it with `where`, or use `references`, which keeps the list open."
        )
    codes = [code for code, _ in rows]
    if len(set(codes)) != len(codes):
        raise SourceError(
            f"Lookup table {lookup.table!r} has two labels for one code of column {plan.name!r}. "
            "Narrow it with `where`."
        )
    return tuple(CodedValue(code, written) for code, written in rows)


def make_domains(table: TablePlan, lookups: Lookups, bench: Bench) -> dict[str, str]:
    """What holds the allowed codes on the bench, by name of the columns that have a closed list.

    An enumerated type for codes, which a cast looks up; a table with column `code` for other types.
    """
    made = {}
    for column in table.columns:
        source = _domain(column, lookups)
        if source is None:
            continue
        name = sql.name(f"domain_{table.name}_{column.name}")
        codes = f"SELECT code FROM ({source}) WHERE code IS NOT NULL ORDER BY code"
        with without_engine_text(f"the values of column {column.name!r} could not be prepared"):
            if column.column.type is ColumnType.CODE:
                bench.connection.execute(f"DROP TYPE IF EXISTS {name}")
                bench.connection.execute(f"CREATE TYPE {name} AS ENUM ({codes})")
            else:
                bench.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {codes}")
        made[column.name] = name
    return made


def make_coarser(table: TablePlan, lookups: Lookups, bench: Bench) -> dict[str, str]:
    """Tables of codes and their coarser ones on the bench, by name of the columns that have such a list."""
    made = {}
    for column in table.columns:
        if column.coarser is None:
            continue
        found, name = column.coarser, f"coarser_{table.name}_{column.name}"
        source = _from(LookupColumn(found.table, found.code), lookups)
        with without_engine_text(f"the coarser codes of column {column.name!r} could not be prepared"):
            bench.connection.execute(
                f"CREATE OR REPLACE TABLE {sql.name(name)} AS SELECT CAST({sql.name(found.code)} AS VARCHAR) AS code,"
                f" min(CAST({sql.name(found.into)} AS VARCHAR)) AS coarse {source} GROUP BY code"
            )
        made[column.name] = sql.name(name)
    return made


def _domain(plan: ColumnPlan, lookups: Lookups) -> str | None:
    if plan.lookup:
        return f"SELECT DISTINCT {_code(plan, plan.lookup)} AS code {_from(plan.lookup, lookups)}"
    if plan.column.values is None:
        return None
    listed = ", ".join(f"({sql.literal(v.code)})" for v in plan.column.values)
    return f"SELECT code FROM (VALUES {listed}) AS listed(code)"


def _code(plan: ColumnPlan, lookup: LookupColumn) -> str:
    type_ = plan.column.type if plan.column.type is not ColumnType.TEXT else ColumnType.CODE
    return f"TRY_CAST({sql.name(lookup.code)} AS {SQL_TYPES[type_]})"


def _from(lookup: LookupColumn, lookups: Lookups) -> str:
    files: list[Path] = [f.path for f in lookups[lookup.table].files]
    if not files:
        raise SourceError(f"Lookup table {lookup.table!r} was delivered empty, and columns take their values from it.")
    conditions = [f"{sql.name(lookup.code)} IS NOT NULL"]
    for column, allowed in lookup.where.items():
        listed = ", ".join(sql.literal(Decimal(v) if isinstance(v, int) else v) for v in allowed)
        conditions.append(f"{sql.name(column)} IN ({listed})")
    return f"FROM {sql.parquet(files)} WHERE {' AND '.join(conditions)}"
