"""Benchmarks as ratios: a bounded, noisy answer against DuckDB's unprotected one, same files, same run.

    python deploy/bench/bench.py [--rows 10000000] [--rounds 5] [--only "mean stay"]

Prints a table and writes `.bench/latest.json`: a list of {name, ratio, limit, unit, detail}. Both sides get two
threads; rounds alternate between them and medians are compared, so that a busy machine slows both. `detail` has the
ratio of processor time too, which a busy machine disturbs less.
"""

import argparse
import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import duckdb
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import generate  # noqa: E402
from ingestion import measure as ingest_measure  # noqa: E402
from overhead import measure_overhead  # noqa: E402
from questions import DICTIONARY, QUESTIONS, Question  # noqa: E402

from dataspace.domain.privacy import ByEpsilon, Guarantee  # noqa: E402
from dataspace.dp.bounding import aggregate, warm  # noqa: E402
from dataspace.dp.engine import measure  # noqa: E402
from dataspace.dp.noise import OpenDPNoise  # noqa: E402
from dataspace.dp.plan import MeasurementPlan, plan_query  # noqa: E402
from dataspace.sql import parse_query  # noqa: E402

PAGE = ROOT / "deploy" / "benchmarks.md"
LISTS = "\n## Lists\n"
"""Begins what `lists.py` writes."""
KEY = b"the benchmark's secret"
TABLES = ("stays", "patients")


class FolderRows:
    """The generated files, one bucket at a time, on a connection of two threads."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self.folder, self.buckets = folder, buckets
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 2; SET memory_limit = '1GB'")
        for bucket in range(buckets):
            self._show(f"bucket{bucket}", str(bucket))
        self._show("everything", "*")

    def _show(self, catalog: str, bucket: str) -> None:
        self.connection.execute(f"ATTACH ':memory:' AS {catalog}")
        self.connection.execute(f'CREATE SCHEMA {catalog}."hospital"')
        for table in TABLES:
            files = self.folder / table / f"person_bucket={bucket}" / "*.parquet"
            self.connection.execute(
                f'CREATE VIEW {catalog}."hospital"."{table}" AS '
                f"SELECT * FROM read_parquet('{files}', hive_partitioning = false)"
            )

    def scan(self, sql: str, bucket: int | None, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:  # noqa: ARG002
        return self._run(sql, "everything" if bucket is None else f"bucket{bucket}")

    def plain(self, sql: str) -> pa.Table:
        """A query over all buckets at once."""
        return self._run(sql, "everything")

    def _run(self, sql: str, catalog: str) -> pa.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(f"USE {catalog}")
            return cursor.sql(sql).to_arrow_table()


def main() -> None:
    options = _options()
    folder = ROOT / ".bench" / f"stays-{options.rows}-indexed"
    rows = FolderRows(folder, generate(folder, options.rows))
    warm()
    results, own = [], []
    for question in QUESTIONS:
        if options.only in question.name:
            result, milliseconds = compare(question, rows, options.rounds)
            results.append(result)
            own.append(milliseconds)
            print(_line(result), flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    ingestion = [] if options.only else ingest_measure(options.rows, rounds=3)
    results += [_own_time(own), _overhead(), *ingestion]
    print("\n".join(_line(result) for result in results[-2 - len(ingestion) :]))
    (ROOT / ".bench" / "latest.json").write_text(json.dumps(results, indent=2) + "\n")
    if not options.only:
        PAGE.write_text(_page(results, options.rows, memory) + _kept())
    print(f"peak memory {memory} MiB, with the unprotected queries in the same process")


def _overhead() -> dict[str, object]:
    """One query over HTTP on a few rows: everything but the scan."""
    milliseconds = measure_overhead()
    detail = "HTTP, parse, plan, durable charge, noise, store; no release grid"
    return {
        "name": "a query of few rows, over HTTP",
        "ratio": milliseconds,
        "limit": 30.0,
        "unit": "ms",
        "detail": detail,
    }


def _page(results: list[dict[str, object]], rows: int, memory: int) -> str:
    """The table as a page."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`: {rows:,} stays, two cores, Parquet on disk, both sides in one run, medians.",
        "A ratio is to the unprotected query in DuckDB on the same files; below 1, the private answer is faster.",
        "Ingestion is compared with DuckDB's own sorted copy of the same CSV to Parquet.",
        "",
        "| question | measured | at most | |",
        "| --- | --- | --- | --- |",
    ]
    for result in results:
        number, limit = float(str(result["ratio"])), float(str(result["limit"]))
        mark = "met" if number <= limit else "**not met**"
        lines.append(f"| {result['name']} | {number:.2f} {result['unit']} | {limit:.2f} | {mark} |")
    lines += ["", f"Peak memory of the process, unprotected queries included: {memory} MiB.", ""]
    return "\n".join(lines)


def _kept() -> str:
    """What another benchmark wrote on the page."""
    return "".join(PAGE.read_text().partition(LISTS)[1:])


def compare(question: Question, rows: FolderRows, rounds: int) -> tuple[dict[str, object], float]:
    """The ratio of median times over alternating rounds, after one round that warms the file cache.

    Second, the median milliseconds of everything of the engine but the scan.
    """
    plain, private, own, busy = [], [], [], []
    for _ in range(rounds + 1):
        start, begun = perf_counter(), process_time()
        rows.plain(question.plain)
        middle, halfway = perf_counter(), process_time()
        plan = _plan(question)
        planned = perf_counter()
        totals = aggregate(rows, plan, KEY)
        added = perf_counter()
        measure(plan, totals, OpenDPNoise())
        end = perf_counter()
        plain.append(middle - start)
        private.append(end - middle)
        busy.append((process_time() - halfway) / (halfway - begun))
        own.append(planned - middle + end - added)
    seconds = median(plain[1:]), median(private[1:])
    processor = f"processor time {median(busy[1:]):.2f} x"
    detail = f"{seconds[1] * 1000:.0f} ms, unprotected {seconds[0] * 1000:.0f} ms; {processor}"
    ratio = {"name": question.name, "ratio": seconds[1] / seconds[0], "limit": question.limit, "unit": "x plain DuckDB"}
    return {**ratio, "detail": detail}, median(own[1:]) * 1000


def _own_time(own: list[float]) -> dict[str, object]:
    """Plan and noise: the median over the questions."""
    return {"name": "plan and noise", "ratio": median(own), "limit": 30.0, "unit": "ms", "detail": "median question"}


def _plan(question: Question) -> MeasurementPlan:
    guarantee = Guarantee(Decimal(10), Decimal("1e-6"))
    query = parse_query(question.sql, DICTIONARY)
    if not question.indexed:
        query = replace(query, indexed=None)
    return plan_query(query, DICTIONARY, ByEpsilon(Decimal(1)), guarantee, question.bounds)


def _line(result: dict[str, object]) -> str:
    ratio, limit = float(str(result["ratio"])), float(str(result["limit"]))
    mark = "ok  " if ratio <= limit else "OVER"
    return f"{mark} {result['name']:<40} {ratio:7.2f} of {limit:5.2f} {result['unit']}   {result['detail']}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    return parser.parse_args()


if __name__ == "__main__":
    main()
