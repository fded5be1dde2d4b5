"""Everything of a query but the scan: HTTP, sign-in, parse, plan, durable charge, noise, stored release, answer.

A node on the embedded defaults serves a dataset of a few rows over loopback, without the release grid; the client sends
queries that are all different, so none is free. Printed in milliseconds, not as a ratio: there is nothing to compare it
with.
"""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import uvicorn

from dataspace import wire
from dataspace.bootstrap import Node, open_node
from dataspace.client import Dataspace
from dataspace.domain.actors import SYSTEM, Organisation, Role
from dataspace.domain.privacy import Guarantee
from dataspace.dp.bounding import warm
from dataspace.services import accounts, datasets
from dataspace.settings import Mode, Settings
from dataspace.web.app import create_app
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store

PLAN = """
[dataset]
id = "tiny"
title = "Tiny"

[dataset.holder]
name = "Holder"

[source]
format = "csv"
location = "."

[pseudonyms]
domain = "bench"

[tables.stay]
kind = "events"
person = "who"

[tables.stay.columns.region]
type = "code"
values = { A = "a", B = "b", C = "c" }

[tables.stay.columns.days]
type = "integer"
bounds = [0, 30]
"""


def measure_overhead(queries: int = 40) -> float:
    """Median milliseconds of one query, over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        node = _node(Path(folder))
        with _served(node) as url:
            permit, researcher = _permit(node, url)
            times = [_ask(researcher, permit, number) for number in range(queries + 5)]
    return median(times[5:]) * 1000


def _ask(researcher: Dataspace, permit: str, number: int) -> float:
    sql = f"SELECT region, COUNT(DISTINCT person) AS n, AVG(days) AS m FROM stay WHERE days > {number} GROUP BY region"
    start = perf_counter()
    researcher.query(sql, epsilon="0.01", permit=permit)
    return perf_counter() - start


def _node(folder: Path) -> Node:
    rows = "\n".join(f"person-{i % 50:04},{'ABC'[i % 3]},{i % 30}" for i in range(200))
    (folder / "stay.csv").write_text(f"who,region,days\n{rows}\n")
    (folder / "plan.toml").write_text(PLAN)
    settings = Settings(mode=Mode.DEMO, home=folder / "node", key_root=folder / "keys", release_grid_ms=0)
    node = open_node(settings)
    ingest(
        load_plan(folder / "plan.toml"), Store(settings.store), Keystore(settings.keys), source=folder, validate=False
    )
    return node


@contextmanager
def _served(node: Node) -> Iterator[str]:
    warm()
    server = uvicorn.Server(uvicorn.Config(create_app(node), port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _permit(node: Node, url: str) -> tuple[str, Dataspace]:
    holder = _person(node, Role.DATA_HOLDER, "Holder")
    datasets.register_dataset(
        node.unit_of_work(), node.clock, holder,
        dataset="tiny", title="Tiny", capacity=Guarantee(Decimal(20), Decimal("0.0001")), to_limit=node.limit_of,
    )  # fmt: skip
    record = node.store.current("tiny")
    datasets.publish_snapshot(node.unit_of_work(), node.clock, holder, schema=record.schema, snapshot=record.id)
    people = [_person(node, role, "Body") for role in (Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)]
    tokens = [_token(node, person.id) for person in (_person(node, Role.APPLICANT, "University"), *people)]
    researcher, assessor, decision_maker = (Dataspace(url, token) for token in tokens)
    now = datetime.now(UTC)
    case = researcher.apply(
        wire.ApplicationRequest(
            title="Overhead", purposes=["e"], columns=[("tiny", "stay", "*")], justification="x", lay_summary="x",
            legal_basis="e", requested=wire.Guarantee(epsilon=Decimal(10)), valid_from=now,
            valid_until=now + timedelta(days=1),
        )
    )  # fmt: skip
    file = assessor.case_file(assessor.assess(case.id).id)
    assessor.record_findings(case.id, dict.fromkeys(file.unassessed, ("met", "x")))
    assessor.propose(case.id, "grant", "x")
    return decision_maker.grant(case.id, wire.GrantRequest()).id, researcher


def _person(node: Node, role: Role, organisation: str):  # type: ignore[no-untyped-def]
    party = Organisation(organisation, public_body=organisation == "Body")
    return accounts.register_person(
        node.unit_of_work(), node.clock, SYSTEM, name=role, organisation=party, roles=frozenset({role})
    )


def _token(node: Node, person: str) -> str:
    return accounts.issue_token(node.unit_of_work(), node.clock, SYSTEM, person).plaintext


if __name__ == "__main__":
    print(f"{measure_overhead():.1f} ms")
