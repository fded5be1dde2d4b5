"""Expectations about the stored rows, checked by Great Expectations in a worker process (`pipelines.quality.suite`).

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

from catalog.schema import PERSON_KEY
from pipelines import sqltext as sql
from pipelines.engine import connect
from pipelines.errors import QualityFailed, without_engine_text

SECONDS = 3_600
"""How long the worker may take for one dataset."""


HOLDS = "holds"
"""Column of the view that an expectation with a condition is asked about."""


@dataclass(frozen=True)
class Expectation:
    """One expectation: the class of Great Expectations, its arguments, and whether its failure stops the load.

    With a `condition` (SQL over the stored row, called `here`), it is asked about a column HOLDS that says whether the
    condition is true, false or NULL. `kind` is the holder's check it comes from, "" for those generated.
    """

    table: str
    name: str
    expect: str
    arguments: Mapping[str, Any]
    stop: bool = True
    condition: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of it; `checked` and `failed` are row counts where the expectation has them."""

    expectation: Expectation
    success: bool
    checked: int | None
    failed: int | None


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
        with without_engine_text("the expectations could not be prepared", QualityFailed):
            _make_views(database, wanted, files)
        job = {
            "database": str(database),
            "memory": "1GB",
            "spill": str(workspace / "spill"),
            "views": [{"view": view, "expectations": listed} for view, listed in _by_view(wanted).items()],
        }
        try:
            answer, _ = self._process.communicate(json.dumps(job), timeout=SECONDS)
            found = json.loads(answer)
        except (subprocess.TimeoutExpired, ValueError, BrokenPipeError):
            raise QualityFailed("The expectations could not be checked: the worker gave no answer.") from None
        outcomes = [_outcome(e, found[str(n)]) for n, e in enumerate(wanted)]
        _check(outcomes)
        return outcomes


def _view(number: int, expectation: Expectation) -> str:
    """The view it is asked about; no stored table has a name that starts with an underscore."""
    return f"_holds_{number}" if expectation.condition else expectation.table


def _by_view(wanted: list[Expectation]) -> dict[str, list[dict[str, Any]]]:
    views: dict[str, list[dict[str, Any]]] = {}
    for number, e in enumerate(wanted):
        asked = views.setdefault(_view(number, e), [])
        question = {"expect": e.expect, "arguments": dict(e.arguments)}
        # Great Expectations keeps one of several equal expectations: a holder may well ask what the plan implies
        same = next((a for a in asked if all(a[part] == question[part] for part in question)), None)
        if same is None:
            asked.append(question | {"numbers": [number]})
        else:
            same["numbers"].append(number)
    return views


def _outcome(expectation: Expectation, found: dict[str, Any]) -> Outcome:
    # a condition of the holder's may fail to compute on some row; that is noted like any failure of their own checks
    if not found["computed"] and expectation.stop:
        raise QualityFailed(f"The expectation {expectation.name!r} of table {expectation.table} could not be computed.")
    return Outcome(expectation, found["computed"] and found["success"], found["checked"], found["failed"])


def _check(outcomes: list[Outcome]) -> None:
    failed = [o.expectation for o in outcomes if o.expectation.stop and not o.success]
    if failed:
        listed = "; ".join(f"{e.table}: {e.name}" for e in failed[:5])
        raise QualityFailed(f"The delivery was stopped: {len(failed)} expectations that must hold do not ({listed}).")


def _make_views(database: Path, wanted: list[Expectation], files: Mapping[str, list[Path]]) -> None:
    with connect("1GB", 2, database=database) as connection:
        for table, stored in files.items():
            if stored:
                rows = sql.parquet(_in_key_order(connection, stored))
                connection.execute(f"CREATE VIEW {sql.name(table)} AS SELECT * FROM {rows}")
        for number, e in enumerate(wanted):
            if e.condition:
                connection.execute(
                    f"CREATE VIEW {_view(number, e)} AS SELECT ({e.condition}) AS {HOLDS} FROM {sql.name(e.table)} here"
                )


def _in_key_order(connection: Any, files: list[Path]) -> list[Path]:
    """Files by their smallest person key, as Parquet's own statistics say, so that a table is one ascending stream."""
    smallest = connection.execute(
        "SELECT file_name, min(CAST(stats_min_value AS BIGINT))"
        f" FROM parquet_metadata({sql.paths(files)}) WHERE path_in_schema = '{PERSON_KEY}' GROUP BY 1"
    ).fetchall()
    keys = dict(smallest)
    return sorted(files, key=lambda file: keys.get(str(file), 0))
