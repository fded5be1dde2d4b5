"""How long every list page takes at a node with many cases: the first time, median, 95th percentile, slowest, in ms.

    python deploy/bench/lists.py [--cases 10000] [--rounds 40] [--only clocks] [--write]

Prints a table; `--write` puts it into `deploy/benchmarks.md`. Before each round somebody submits an application, so
that nothing is answered from an earlier round. Ends with 1 if a page's 95th percentile is over the limit.
"""

import argparse
import gc
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fastapi.testclient import TestClient  # noqa: E402
from many_cases import many_cases  # noqa: E402

from dataspace.bootstrap import open_node  # noqa: E402
from dataspace.db import SqlUnitOfWork  # noqa: E402
from dataspace.domain.actors import SYSTEM, Organisation, Role  # noqa: E402
from dataspace.services import accounts  # noqa: E402
from dataspace.settings import Settings  # noqa: E402
from dataspace.web.app import create_app  # noqa: E402
from tests.factories import Node  # noqa: E402

PAGE = ROOT / "deploy" / "benchmarks.md"
TABLE = re.compile(r"(<!-- lists: made by deploy/bench/lists.py -->\n).*?(<!-- end of lists -->)", re.DOTALL)
LIMIT_MS = 200

PAGES = {
    "": (
        "/", "/register", "/register?q=stroke+winter", "/register?q=nowhere", "/register?state=expired&purpose=e",
        "/register?dataset=registry", "/register?after={case}", "/register/feed.atom", "/register/{case}", "/measures",
        "/api/v1/register?most=100", "/api/v1/register?q=cancer&state=active", "/api/v1/register?q=nowhere",
        "/api/v1/measures", "/api/v1/datasets", "/api/v1/ledger/postings", "/api/v1/activity-report/editions",
    ),
    "official": (
        "/applications", "/applications?state=submitted", "/applications?after={case}", "/permits",
        "/permits?after={permit}", "/clocks", "/clocks?limit=1000", "/clocks?state=overdue", "/clocks?offset=5000",
        "/clocks?due_before=2026-12-24", "/budget-requests", "/complaints", "/findings", "/exclusions",
        "/decisions/unpublished", "/publication-duties", "/activity-facts", "/audit", "/audit?kind=permit-issued",
    ),
    "applicant": ("/applications", "/permits", "/clocks", "/findings"),
    "holder": ("/clocks", "/findings"),
    "operator": ("/persons", "/organisations", "/messages", "/audit"),
}  # fmt: skip
"""Who asks -> for which pages; those of people are of the API. `{case}` and `{permit}` are in the middle of all."""

REPORT = "/activity-report?from=2025-01-01&to=2027-01-01"
"""Computed, not listed: shown without a limit."""


@dataclass(frozen=True)
class Timed:
    """A page's times in ms; `first` is that of the first time in the process."""

    who: str
    path: str
    first: float
    times: list[float]

    @property
    def cells(self) -> tuple[float, float, float, float]:
        return self.first, median(self.times), quantiles(self.times, n=20, method="inclusive")[-1], max(self.times)

    @property
    def within(self) -> bool:
        return self.path == REPORT or self.cells[2] <= LIMIT_MS


@dataclass
class Asking:
    """The node's web application, and a token for each kind of person."""

    people: Node
    client: TestClient
    tokens: dict[str, dict[str, str]]

    def ms(self, who: str, path: str) -> float:
        """Time of one answer. Raises ValueError for one that is none."""
        start = perf_counter()
        answer = self.client.get(path, headers=self.tokens[who])
        taken = (perf_counter() - start) * 1000
        if answer.status_code != 200:
            raise ValueError(f"{path} was answered {answer.status_code} to {who or 'the public'}: {answer.text[:200]}")
        return taken


def open_many(folder: Path, cases: int) -> tuple[Asking, Callable[[str], str]]:
    """A node with so many cases, and what fills in the middle ones."""
    node = open_node(Settings(home=folder, public_url="http://testserver"))
    people = many_cases(folder, cases)
    operator = people.person("Otto Operator", Organisation("The node"), Role.OPERATOR)
    with people.uow.reading() as uow:
        case = uow.applications.all()[cases // 2]
        granted = uow.permits.all()
    who = {"official": people.decision_maker, "holder": people.holder, "operator": operator}
    with people.uow.reading() as uow:
        who["applicant"] = uow.accounts.get(granted[len(granted) // 2].holder)
    tokens = {
        name: {"Authorization": f"Bearer {accounts.issue_token(people.uow, people.clock, SYSTEM, person.id).plaintext}"}
        for name, person in who.items()
    }
    served = replace(node, clock=people.clock, unit_of_work=lambda: SqlUnitOfWork(people.engine))
    asking = Asking(people, TestClient(create_app(served)), tokens | {"": {}})
    return asking, lambda path: path.format(case=case.number, permit=granted[len(granted) // 2].number)


def measure(asking: Asking, who: str, path: str, rounds: int) -> Timed:
    """Times of a page, each after another application was submitted."""
    asking.people.submitted()
    first = asking.ms(who, path)
    times = []
    for _ in range(rounds):
        asking.people.submitted()
        gc.collect()
        times.append(asking.ms(who, path))
    return Timed(who, path, first, times)


def table(measured: list[Timed], cases: int, rounds: int) -> str:
    """The times as a page shows them."""
    lines = [
        f"Times in ms over HTTP at {cases:,} applications, {rounds} rounds each, something recorded before every one;",
        f"at most {LIMIT_MS} for the 95th percentile of a list.",
        "",
        "| who | page | first | median | 95 % | slowest | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in measured:
        numbers = " | ".join(f"{cell:.0f}" for cell in one.cells)
        mark = "computed" if one.path == REPORT else "met" if one.within else "**not met**"
        lines.append(f"| {one.who or 'public'} | `{one.path}` | {numbers} | {mark} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asking, filled = open_many(Path(folder), asked.cases)
        measured = []
        for who, paths in PAGES.items():
            for path in (*paths, REPORT) if not who else paths:
                if asked.only in path:
                    whole = filled(path if not who else f"/api/v1{path}")
                    measured.append(measure(asking, who, whole, asked.rounds))
                    one = measured[-1]
                    print(f"{'  '.join(f'{cell:7.1f}' for cell in one.cells)}  {who:<10} {whole}", flush=True)
    if asked.write:
        made = table(measured, asked.cases, asked.rounds)
        PAGE.write_text(TABLE.sub(lambda found: found[1] + made + found[2], PAGE.read_text()))
    return 0 if all(one.within for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
