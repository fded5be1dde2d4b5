"""Ingestion against DuckDB's own COPY: the same CSV, sorted and written as Parquet, in one run on one machine.

    python deploy/bench/ingestion.py [--rows 10000000] [--rounds 3]
    python deploy/bench/ingestion.py --rows 100000000 --against 10000000     time and memory at two sizes, ours alone

Ours does all that an ingestion does: two readings, checks, keyed pseudonyms, the search for identifiers, ranks and two
contribution indexes, sorted and hashed files, quality metrics, Great Expectations, a Delta commit. Every measurement
is a process of its own; rounds alternate and medians are compared. Memory is the peak of the process plus that of the
largest process it started.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
LIMIT, MEMORY_LIMIT = 3.0, 2048.0
ROWS_PER_PERSON = 2.94

DELIVERY = """
COPY (
    WITH people AS (
        SELECT i,
            least(400, CAST(floor(1.35 * power((hash(i, 1) % 1000000 + 1) / 1000000.0, -0.6)) AS INTEGER)) AS stays,
            CAST(power(hash(i, 2) % 1000 / 1000.0, 1.5) * 13 AS INTEGER) % 13 AS home,
            DATE '1930-01-01' + CAST(hash(i, 3) % 30000 AS INTEGER) AS born,
            CASE WHEN hash(i, 4) % 2 = 0 THEN 'F' ELSE 'M' END AS sex
        FROM range({persons}) AS t(i))
    SELECT printf('PA%09d', hash(i, 9) % 1000000000) AS patient_id, born AS birth_date, sex,
        printf('R%02d', home) AS region,
        printf('D%03d', CAST(power(hash(i, n, 3) % 100000 / 100000.0, 3) * 200 AS INTEGER) % 200) AS diagnosis,
        DATE '2020-01-01' + CAST(hash(i, n, 4) % 1826 AS INTEGER) AS admitted,
        CAST(least(90, floor(-6 * ln((hash(i, n, 5) % 100000 + 1) / 100000.0))) AS BIGINT) AS days,
        CAST(hash(i, n, 6) % 2000000 AS DOUBLE) / 100 AS cost
    FROM (SELECT *, unnest(range(1, stays + 1)) AS n FROM people WHERE i % {parts} = {part}) ORDER BY hash(i, n, 7)
) TO '{file}' (HEADER {header}, DELIMITER ',')
"""
"""Rows of a person lie anywhere in their part, of which there is one for each ten million rows."""

REGIONS = ", ".join(f'R{n:02d} = "Region {n}"' for n in range(13))
PLAN = f"""
[dataset]
id = "stays"
title = "Hospital stays"

[dataset.holder]
name = "A hospital"

[source]
format = "csv"
location = "stays.csv"

[pseudonyms]
domain = "bench"

[quarantine]
threshold = 0.01

[tables.stays]
kind = "events"
person = "patient_id"
rows_per_person = 5
groups_per_person = 3
dimensions = [["region"], ["diagnosis"]]

[tables.stays.columns]
year_of_birth = {{ source = "birth_date", type = "integer", generalise = "year", bounds = [1900, 2030] }}
sex = {{ type = "code", values = {{ F = "Female", M = "Male" }}, person_level = true }}
region = {{ type = "code", values = {{ {REGIONS} }} }}
diagnosis = {{ type = "code" }}
admitted = {{ type = "date", required = true, bounds = [2015-01-01, 2026-12-31] }}
days = {{ type = "integer", bounds = [0, 365] }}
cost = {{ type = "decimal", step = 0.01, bounds = [0, 100000] }}
"""


def delivery(rows: int) -> Path:
    """The folder with the delivery and its plan, made unless it is there."""
    import duckdb

    folder = FOLDER / f"delivery-{rows}"
    if (folder / "complete").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "stays.toml").write_text(PLAN)
    parts = max(1, rows // 10_000_000)
    with duckdb.connect() as connection, (folder / "stays.csv").open("wb") as whole:
        connection.execute("SET threads = 2; SET memory_limit = '2GB'")
        for part in range(parts):
            file = folder / "part.csv"
            connection.execute(
                DELIVERY.format(
                    persons=round(rows / ROWS_PER_PERSON), parts=parts, part=part, file=file, header=part == 0
                )
            )
            with file.open("rb") as opened:
                shutil.copyfileobj(opened, whole, 1 << 24)
            file.unlink()
    (folder / "complete").touch()
    return folder


def copy(folder: Path) -> None:
    """DuckDB's own: as many threads, its usual memory."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        start = perf_counter()
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{folder}/stays.csv') ORDER BY patient_id) TO '{folder}/copy.parquet'"
        )
        _tell(perf_counter() - start)
    (folder / "copy.parquet").unlink()


def ingest(folder: Path) -> None:
    """Ours, everything on."""
    sys.path.insert(0, str(ROOT))
    from pipelines.ingest import ingest as bring_in
    from pipelines.keystore import Keystore
    from pipelines.plan_file import load_plan
    from pipelines.store.reader import Store

    shutil.rmtree(folder / "store", ignore_errors=True)
    start = perf_counter()
    bring_in(load_plan(folder / "stays.toml"), Store(folder / "store"), Keystore(folder / "keys"))
    _tell(perf_counter() - start)
    shutil.rmtree(folder / "store")


def warm(_: Path) -> None:
    """What the first start on a machine does once: compile the libraries."""
    import great_expectations  # noqa: F401

    print("{}")


def _tell(seconds: float) -> None:
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "MiB": sum(used) // 1024}))


def alone(what: str, rows: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--rows", str(rows), "--alone", what]
    # as on a usual machine: libraries are compiled once and not at every start
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(rows: int, rounds: int) -> list[dict[str, object]]:
    """Ratio of median times, and the peak memory of ours, as `make bench` lists its results."""
    alone("nothing", rows)
    pairs = [(alone("copy", rows), alone("ingest", rows)) for _ in range(rounds)]
    seconds = [median(m["seconds"] for m in side) for side in zip(*pairs, strict=True)]
    memory = max(ours["MiB"] for _, ours in pairs)
    name = f"{rows // 1_000_000} M rows of CSV to a snapshot"
    peak = f"{name}, peak memory"
    detail = f"{seconds[1]:.1f} s, COPY (SELECT … ORDER BY) {seconds[0]:.1f} s"
    return [
        {"name": name, "ratio": seconds[1] / seconds[0], "limit": LIMIT, "unit": "x DuckDB's COPY", "detail": detail},
        {
            "name": peak,
            "ratio": memory,
            "limit": MEMORY_LIMIT,
            "unit": "MiB",
            "detail": "all processes",
        },
    ]


def compare(rows: int, against: int) -> None:
    """Ours at two sizes."""
    for size in (against, rows):
        alone("nothing", size)
    small, large = alone("ingest", against), alone("ingest", rows)
    for size, found in ((against, small), (rows, large)):
        print(f"{size:,} rows: {found['seconds']:.1f} s, {found['MiB']} MiB")
    print(f"{large['seconds'] / small['seconds']:.1f} x the time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=int)
    parser.add_argument("--alone", choices=("copy", "ingest", "nothing"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        folder = delivery(options.rows)
        {"copy": copy, "ingest": ingest, "nothing": warm}[options.alone](folder)
    elif options.against:
        compare(options.rows, options.against)
    else:
        for result in measure(options.rows, options.rounds):
            print(
                f"{result['name']:<45} {result['ratio']:.2f} of {result['limit']} {result['unit']}  {result['detail']}"
            )


if __name__ == "__main__":
    main()
