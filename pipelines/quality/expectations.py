"""Expectations about the stored rows, generated from the plan and checked by Great Expectations in a worker process.

They look at the finished files with another engine than the one that wrote them: a generated expectation that fails is
an error of the ingestion itself and stops the load. The holder's own checks stop it if the plan says so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from catalog.schema import PERSON_KEY, ROW_RANK, Column, ColumnType, Table, TableKind
from pipelines import sqltext as sql
from pipelines.errors import QualityFailed
from pipelines.plan import Check, TablePlan

LONGEST_SET = 1_000
"""Lists of values longer than this were checked row by row already and are not sent again."""

SECONDS = 3_600
"""How long the worker may take for one dataset."""


@dataclass(frozen=True)
class Expectation:
    """One expectation: the class of Great Expectations, its arguments, and whether its failure stops the load."""

    table: str
    name: str
    expect: str
    arguments: Mapping[str, Any]
    stop: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of it; `checked` and `failed` are row counts where the expectation has them."""

    expectation: Expectation
    success: bool
    checked: int | None
    failed: int | None


def suite(table: Table, plan: TablePlan, rows: int) -> list[Expectation]:
    """Expectations of one stored table."""
    made = [_make(table, "all rows are there", "ExpectTableRowCountToEqual", value=rows)]
    if table.kind is not TableKind.LOOKUP:
        made.append(_make(table, "every row has a person", "ExpectColumnValuesToNotBeNull", column=PERSON_KEY))
        made.append(_ranks(table))
    for column in table.columns:
        made += _of_column(table, column)
    return made + [_of_check(table, check) for check in plan.checks]


def _ranks(table: Table) -> Expectation:
    if table.kind is TableKind.PERSONS:
        return _make(table, "one row for each person", "ExpectColumnValuesToBeUnique", column=PERSON_KEY)
    columns = [PERSON_KEY, ROW_RANK]
    return _make(table, "row ranks are unique", "ExpectCompoundColumnsToBeUnique", column_list=columns)


def _of_column(table: Table, column: Column) -> list[Expectation]:
    made = []
    if column.required:
        made.append(_make(table, f"{column.name} is filled", "ExpectColumnValuesToNotBeNull", column=column.name))
    if column.values is not None and 0 < len(column.values) <= LONGEST_SET:
        codes = [v.code for v in column.values]
        name = f"{column.name} is in its list of values"
        made.append(_make(table, name, "ExpectColumnValuesToBeInSet", column=column.name, value_set=codes))
    if column.bounds is not None and column.type is ColumnType.DATE:
        low, high = str(column.bounds.low), str(column.bounds.high)
        name = f"{column.name} is within its bounds"
        made.append(
            _make(table, name, "ExpectColumnValuesToBeBetween", column=column.name, min_value=low, max_value=high)
        )
    return made


def _of_check(table: Table, check: Check) -> Expectation:
    if check.kind == "order":
        first, after = check.columns
        arguments = {"column_A": after, "column_B": first, "or_equal": True}
        expect = "ExpectColumnPairValuesAToBeGreaterThanB"
        arguments["ignore_row_if"] = "either_value_is_missing"
    elif check.kind == "complete":
        expect, arguments = "ExpectColumnValuesToNotBeNull", {"column": check.columns[0]}
        arguments["mostly"] = float(check.at_least)
    elif len(check.columns) == 1:
        expect, arguments = "ExpectColumnValuesToBeUnique", {"column": check.columns[0]}
    else:
        expect, arguments = "ExpectCompoundColumnsToBeUnique", {"column_list": list(check.columns)}
    return Expectation(table.name, check.name, expect, arguments, check.stop)


def _make(table: Table, name: str, expect: str, **arguments: Any) -> Expectation:
    return Expectation(table.name, name, expect, arguments)


class Validator:
    """The worker process: started early, asked once, always ended."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pipelines.quality.gx_worker"]
        # the worker must find this very package, wherever the caller runs
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )

    def __enter__(self) -> "Validator":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def validate(
        self, expectations: Iterable[Expectation], files: Mapping[str, list[Path]], workspace: Path
    ) -> list[Outcome]:
        """Outcomes in order; `files` are each table's stored files. Raises QualityFailed if one must not fail."""
        wanted = [e for e in expectations if files.get(e.table)]
        database = workspace / "views.duckdb"
        _make_views(database, files)
        job = {"database": str(database), "memory": "1GB", "tables": _by_table(wanted)}
        try:
            answer, _ = self._process.communicate(json.dumps(job), timeout=SECONDS)
            found = json.loads(answer)
        except (subprocess.TimeoutExpired, ValueError, BrokenPipeError):
            raise QualityFailed("The expectations could not be checked: the worker gave no answer.") from None
        outcomes = [_outcome(e, f) for e, f in zip(wanted, found, strict=True)]
        _check(outcomes)
        return outcomes


def _by_table(wanted: list[Expectation]) -> list[dict[str, Any]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    for e in wanted:
        tables.setdefault(e.table, []).append({"expect": e.expect, "arguments": dict(e.arguments)})
    return [{"table": table, "expectations": listed} for table, listed in tables.items()]


def _outcome(expectation: Expectation, found: dict[str, Any]) -> Outcome:
    if not found["computed"]:
        raise QualityFailed(f"The expectation {expectation.name!r} of table {expectation.table} could not be computed.")
    return Outcome(expectation, found["success"], found["checked"], found["failed"])


def _check(outcomes: list[Outcome]) -> None:
    failed = [o.expectation for o in outcomes if o.expectation.stop and not o.success]
    if failed:
        listed = "; ".join(f"{e.table}: {e.name}" for e in failed[:5])
        raise QualityFailed(f"The delivery was stopped: {len(failed)} expectations that must hold do not ({listed}).")


def _make_views(database: Path, files: Mapping[str, list[Path]]) -> None:
    with duckdb.connect(str(database)) as connection:
        for table, stored in files.items():
            if stored:
                connection.execute(
                    f"CREATE VIEW {sql.name(table)} AS SELECT * FROM"
                    f" read_parquet({sql.paths(stored)}, hive_partitioning = false)"
                )
