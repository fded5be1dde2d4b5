"""How long the public pages take with many entries in the register: median and slowest of several rounds, in ms.

python deploy/bench/register.py [--entries 10000] [--rounds 15]
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from fastapi.testclient import TestClient  # noqa: E402

from dataspace.bootstrap import Node, open_node  # noqa: E402
from dataspace.domain.public_register import CaseKind, RegisterEntry, Stage  # noqa: E402
from dataspace.domain.purposes import Purpose  # noqa: E402
from dataspace.settings import Settings  # noqa: E402
from dataspace.web.app import create_app  # noqa: E402

WORDS = ["readmission", "stroke", "cancer", "vaccine", "winter", "hospital", "cohort", "elderly", "cost", "outcome"]
START = datetime(2024, 1, 1, tzinfo=UTC)
LIMIT_MS = 200


def entry(number: int) -> RegisterEntry:
    """One case of many; its texts are of the length of real ones."""
    chance = random.Random(number)  # noqa: S311 - not for secrets
    received, permit = START + timedelta(minutes=90 * number), chance.random() < 0.6
    issued = received + timedelta(days=60) if permit else None
    return RegisterEntry(
        number=f"DAA-{received.year}-{number:05d}", case=f"app_{number}", kind=CaseKind.APPLICATION,
        stage=Stage.PERMIT if permit else chance.choice([Stage.RECEIVED, Stage.REFUSED, Stage.WITHDRAWN]),
        applicant=f"University {number % 300}", public_body=number % 3 == 0,
        title=" ".join(chance.choices(WORDS, k=8)), lay_summary=" ".join(chance.choices(WORDS, k=120)),
        purposes=tuple(sorted(set(chance.choices(list(Purpose), k=2)))), datasets=(f"dataset{number % 40}",),
        received_at=received, updated_at=issued or received, decided_at=issued, reasons="as required " * 20,
        reasons_published_at=issued, permit_number=f"DP-{number:05d}" if permit else None, issued_at=issued,
        valid_from=issued, valid_until=issued + timedelta(days=400) if issued else None,
    )  # fmt: skip


def fill(node: Node, entries: int) -> None:
    with node.unit_of_work() as uow:
        for number in range(1, entries + 1):
            uow.public.register.put(entry(number))
        uow.commit()


def measure(ask: Callable[[], int], rounds: int) -> tuple[float, float]:
    """Median and slowest, in ms. Raises ValueError for an answer that is none."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        if ask() != 200:
            raise ValueError("the node did not answer")
        times.append((perf_counter() - start) * 1000)
    return median(times), max(times)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        node = open_node(Settings(home=Path(folder)))
        fill(node, asked.entries)
        client, middle = TestClient(create_app(node)), entry(asked.entries // 2).number
        paths = [
            "/", "/register", "/register?q=stroke+winter", "/register?q=nowhere", "/register?state=expired&purpose=e",
            "/register?dataset=dataset7", f"/register?after={entry(50).number}", f"/register/{middle}",
            "/register/feed.atom", "/api/v1/register?most=100", "/api/v1/register?q=cancer&state=active",
            f"/api/v1/register/{middle}", "/measures", "/activity-report",
            "/activity-report?from=2024-01-01&to=2026-01-01",
        ]  # fmt: skip
        slow = 0
        for path in paths:
            client.get(path)
            middle_ms, slowest = measure(lambda path=path: client.get(path).status_code, asked.rounds)  # type: ignore[misc]
            slow += middle_ms > LIMIT_MS
            print(f"{middle_ms:7.1f} {slowest:7.1f}  {path}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
