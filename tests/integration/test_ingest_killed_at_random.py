"""Two hundred ingestions killed at any moment: the current snapshot is always whole, nothing is lost or counted twice.

The kills fall on one store one after the other, so that runs also meet what killed runs left and go on from it. Every
run that gets through is followed by another delivery, replaced or added.
"""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from pipelines.addition import Mode
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.verify import verify
from tests.unit.pipelines.deliveries import PERSONS, PLAN, write_plan

ROOT = Path(__file__).parents[2]
KILLS = 200
LONGEST = 0.6
"""Seconds after which a run is left to end."""

CHILDREN = """
import os, signal, sys, time
from pathlib import Path
import pandas
from pipelines.addition import Mode
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store

for line in sys.stdin:
    folder, mode, seconds = line.split()
    child = os.fork()
    if child == 0:
        folder = Path(folder)
        ingest(load_plan(folder / "clinic.toml"), Store(folder / "store"), Keystore(folder / "keys"), mode=Mode(mode),
               validate=False, bucket_rows=200)
        os._exit(0)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.002)
    else:
        os.kill(child, signal.SIGKILL)
        done, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""

CSV_PLAN = PLAN.replace('format = "duckdb"\nlocation = "clinic.duckdb"', 'format = "csv"\nlocation = "delivery"')


def deliver(folder: Path, number: int) -> None:
    """Some hundred stays, different in each delivery; one of them is bad."""
    (folder / "delivery").mkdir(exist_ok=True)
    drawn = random.Random(number)  # noqa: S311
    days = [f"2020-{drawn.randint(1, 12):02d}-{drawn.randint(1, 28):02d}" for _ in range(400)]
    stays = [f"AB{drawn.randint(1, 4)},{day},CARD,{drawn.random():.2f},{n}" for n, day in enumerate(days)]
    texts = {
        "person": ["person_id,full_name,birth_date,sex", *(",".join(p) for p in PERSONS)],
        "stay": ["person_id,day,ward,cost,nights", *stays, f"AB1,x{number},CARD,1,1"],
        "ward": ["code,name,open", "CARD,Cardiology,yes", "NEUR,Neurology,yes"],
    }
    for name, lines in texts.items():
        (folder / "delivery" / f"{name}.csv").write_text("\n".join(lines) + "\n")


@contextmanager
def children() -> Iterator[tuple[IO[str], IO[str]]]:
    """Where runs are ordered, and where their ends are told."""
    started = subprocess.Popen(
        [sys.executable, "-c", CHILDREN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert started.stdin is not None
    assert started.stdout is not None
    try:
        yield started.stdin, started.stdout
    finally:
        started.kill()
        started.communicate()


@pytest.mark.slow
def test_two_hundred_kills(tmp_path: Path) -> None:
    store, keys, clean = Store(tmp_path / "store"), Keystore(tmp_path / "keys"), Store(tmp_path / "clean")
    plan = load_plan(write_plan(tmp_path, CSV_PLAN))
    drawn, number, mode = random.Random(2026), 0, Mode.REPLACE  # noqa: S311
    deliver(tmp_path, number)
    expected = ingest(plan, store, keys, validate=False, bucket_rows=200).snapshot.id
    assert ingest(plan, clean, keys, validate=False, bucket_rows=200).snapshot.id == expected
    killed = 0
    deliver(tmp_path, number := number + 1)
    with children() as (order, told):
        while killed < KILLS:
            seconds = LONGEST * drawn.random() ** 2
            order.write(f"{tmp_path} {mode.value} {seconds:.3f}\n")
            order.flush()
            code = int(told.readline())
            assert code in (0, -signal.SIGKILL)
            killed += code != 0
            after = store.current("clinic").id
            assert verify(store, "clinic", after) == []
            if after == expected:
                continue
            # the run got through, whether it was killed afterwards or not
            expected = ingest(plan, clean, keys, mode=mode, validate=False, bucket_rows=200).snapshot.id
            assert after == expected
            mode = Mode.APPEND if number % 3 else Mode.REPLACE
            deliver(tmp_path, number := number + 1)
    assert number > 5
    assert all(verify(store, "clinic", s.id) == [] for s in store.snapshots("clinic"))


def test_a_child_that_is_not_killed_ends_well(tmp_path: Path) -> None:
    deliver(tmp_path, 0)
    write_plan(tmp_path, CSV_PLAN)
    with children() as (order, told):
        order.write(f"{tmp_path} replace 60\n")
        order.flush()
        assert int(told.readline()) == 0
    assert Store(tmp_path / "store").current("clinic").table["stay"].quarantined == 1
    assert list((tmp_path / "store/clinic/_quarantine").iterdir())
