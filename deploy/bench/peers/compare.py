"""The same private question asked of SmartNoise SQL and PipelineDP: time and error against ours, in one run.

    python deploy/bench/peers/compare.py [--rows 1000000]

Patients by region and age, two groups a person, epsilon 1, delta 1e-6. The peers get an environment of their own in
`.bench/peers`; they need some 10 GB of memory at 10 million rows. Error: median over the groups of the relative error
against the exact count without any bound.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from bench import KEY, FolderRows  # noqa: E402
from generate import generate  # noqa: E402
from questions import BY_REGION_AND_AGE, DICTIONARY, PLAIN_BY_REGION_AND_AGE  # noqa: E402

from dataspace.domain.privacy import ByEpsilon, ContributionBounds, Guarantee  # noqa: E402
from dataspace.dp.bounding import aggregate, warm  # noqa: E402
from dataspace.dp.engine import measure  # noqa: E402
from dataspace.dp.noise import OpenDPNoise  # noqa: E402
from dataspace.dp.plan import plan_query  # noqa: E402
from dataspace.sql import parse_query  # noqa: E402

PACKAGES = ("pipeline-dp==0.3.1", "smartnoise-sql==1.0.10", "duckdb==2.0.0")
Counts = Mapping[tuple[str, int], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    folder = ROOT / ".bench" / f"stays-{rows}-indexed"
    opened = FolderRows(folder, generate(folder, rows))
    exact = {(r["region"], r["age"]): float(r["n"]) for r in opened.plain(_named()).to_pylist()}
    own = _own(opened)
    print(f"{'dataspace':<12} {own['seconds']:8.2f} s   error {_error(own['answer'], exact):.1%}", flush=True)
    python = _environment()
    files = json.dumps(sorted(str(path) for path in folder.glob("stays/*/*.parquet")))
    for name in ("pipelinedp", "smartnoise"):
        done = subprocess.run([python, HERE / f"{name}.py", files], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{name:<12} failed: {done.stderr.strip().splitlines()[-1:]}")
            continue
        peer = json.loads(done.stdout)
        counts = {(region, age): number for region, age, number in peer["answer"]}
        times = peer["seconds"] / own["seconds"]
        error = _error(counts, exact)
        print(
            f"{name:<12} {peer['seconds']:8.2f} s   error {error:.1%}   {times:.0f} x ours   {peer['MiB']} MiB",
            flush=True,
        )


def _named() -> str:
    return PLAIN_BY_REGION_AND_AGE.replace("count(DISTINCT person_key)", "count(DISTINCT person_key) AS n")


def _own(opened: FolderRows) -> dict:  # type: ignore[type-arg]
    warm()
    start = perf_counter()
    query = parse_query(BY_REGION_AND_AGE, DICTIONARY)
    guarantee = Guarantee(Decimal(10), Decimal("1e-6"))
    plan = plan_query(query, DICTIONARY, ByEpsilon(Decimal(1)), guarantee, ContributionBounds(2, 1))
    table = measure(plan, aggregate(opened, plan, KEY), OpenDPNoise())
    seconds = perf_counter() - start
    names = table.key_names.index("region"), table.key_names.index("age")
    answer = {(row.keys[names[0]], row.keys[names[1]]): row.estimates[0].value for row in table.rows}
    return {"seconds": seconds, "answer": answer}


def _error(counts: Counts, exact: Counts) -> float:
    return median(abs(counts.get(group, 0.0) - number) / number for group, number in exact.items())


def _environment() -> Path:
    folder = ROOT / ".bench" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *PACKAGES], check=True)
    return python


if __name__ == "__main__":
    main()
