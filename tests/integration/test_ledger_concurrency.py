"""Many at once, and sudden death: the ledger never gives one quantum too many, and forgets none."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path

from dataspace.db import SqlUnitOfWork, open_engine
from dataspace.domain.errors import InsufficientBudget, WrongState
from dataspace.domain.ledger import Charge
from dataspace.domain.permits import DataPermit
from dataspace.services import ledger, permits
from tests.factories import Node, make_charge, make_release, renewed, to_limit

ROOT = Path(__file__).parents[2]
LIMIT = 10**12 // 10

CHARGER = """
import sys
from datetime import datetime, timezone
from dataspace.db import SqlUnitOfWork, open_engine
from dataspace.domain.errors import InsufficientBudget, WrongState
from dataspace.domain.ledger import Charge
from dataspace.domain.privacy import PrivacyLoss
from tests.factories import make_charge

url, permit, person, name, tries, pico_rho = sys.argv[1:]
engine = open_engine(url)
at = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
for n in range(int(tries)):
    key = f"{name}-{n}"
    order = Charge(f"chg-{key}", permit, person, PrivacyLoss(int(pico_rho)), "q", key, ("registry",), at)
    try:
        make_charge(SqlUnitOfWork(engine), order)
    except InsufficientBudget:
        continue
    print(key, flush=True)
"""


def charger(node: Node, permit: DataPermit, name: str, tries: int, pico_rho: int) -> subprocess.Popen[str]:
    """A process of its own that charges again and again, and prints the key of each charge once it is durable."""
    arguments = [node.url, permit.id, node.researcher.id, name, str(tries), str(pico_rho)]
    return subprocess.Popen(
        [sys.executable, "-c", CHARGER, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def won(node: Node, order: Charge) -> bool:
    try:
        make_charge(node.uow, order)
    except InsufficientBudget:
        return False
    return True


def test_threads_race_for_the_last_of_a_budget(node: Node) -> None:
    permit = node.permit()
    orders = [node.order(permit, LIMIT // 10) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        winners = sum(pool.map(lambda order: won(node, order), orders))
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert (winners, budget.charges, budget.remaining.pico_rho) == (10, 10, 0)
    assert ledger.verify(node.uow).sound


def test_processes_race_for_the_last_of_a_budget(node: Node) -> None:
    permit = node.permit()
    running = [charger(node, permit, name, tries=10, pico_rho=LIMIT // 10) for name in ("a", "b", "c")]
    winners = [key for process in running for key in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in running] == [0, 0, 0]
    with node.uow.reading() as uow:
        assert {charge.idempotency_key for charge in uow.ledger.charges(permit.id)} == set(winners)
    assert len(winners) == 10
    assert ledger.verify(node.uow).sound


def test_one_key_from_many_threads_is_one_charge_and_one_release(node: Node) -> None:
    permit = node.permit()
    order = node.order(permit, 30, key="mine")

    def ask(value: float) -> tuple[str, float | None]:
        charge = make_charge(node.uow, renewed(order))
        release = node.release(charge, make_release(charge, value=value))
        return charge.id, release.table.rows[0].estimates[0].value

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, map(float, range(16))))
    assert len(answers) == 1
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert (budget.spent.pico_rho, budget.charges, budget.releases) == (30, 1, 1)


def test_two_decisions_at_once_make_one_permit(node: Node) -> None:
    application = node.proposed()

    def grant(_: int) -> bool:
        try:
            permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(grant, range(4))) == 1
    assert ledger.get_allotment(node.uow, "registry").allocated.pico_rho == LIMIT
    assert ledger.verify(node.uow).sound


def test_grants_race_for_the_last_of_a_dataset(node: Node) -> None:
    applications = [node.proposed() for _ in range(14)]

    def grant(application_id: str) -> bool:
        try:
            permits.grant_permit(node.uow, node.clock, node.decision_maker, application_id, to_limit=to_limit)
        except InsufficientBudget:
            return False
        return True

    with ThreadPoolExecutor(7) as pool:
        assert sum(pool.map(grant, [application.id for application in applications])) == 10
    assert ledger.get_allotment(node.uow, "registry").free.pico_rho == 0
    assert ledger.verify(node.uow).sound


def test_grants_charges_and_revocations_at_once_never_wait_in_a_circle(node: Node) -> None:
    """Each thread has an engine of its own, as a process has: they meet in the database alone."""
    standing = [node.permit(epsilon="0.5") for _ in range(4)]
    cases = [node.proposed(node.form(epsilon="0.5")) for _ in range(4)]

    def act(node: Node, number: int) -> None:
        permit, kind = standing[number % 4], number // 4 % 5
        if kind == 0:
            case = cases[number % 4]
            permits.grant_permit(node.uow, node.clock, node.decision_maker, case.id, to_limit=to_limit)
        if kind in (1, 2):
            won(node, node.order(permit, LIMIT // 10 if kind == 1 else LIMIT))
        if kind == 3:
            node.draft()
        if kind == 4:
            permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")

    def alone(number: int) -> None:
        other = copy(node)
        other.engine = open_engine(node.url)
        try:
            act(other, number)
        except WrongState:
            assert number // 4 % 5 in (1, 2)
        finally:
            other.engine.dispose()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(alone, range(20)))
    assert ledger.verify(node.uow).sound


def test_revocation_in_flight_leaves_no_charge_after_it(node: Node) -> None:
    permit = node.permit()
    process = charger(node, permit, "a", tries=10_000, pico_rho=1)
    assert process.stdout is not None
    process.stdout.readline()
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    at_revocation = ledger.get_budget(node.uow, node.clock, node.decision_maker, permit.id)
    assert "was revoked; nothing was charged" in process.communicate(timeout=60)[1]
    assert ledger.get_budget(node.uow, node.clock, node.decision_maker, permit.id) == at_revocation
    assert at_revocation.remaining.pico_rho == 0
    assert ledger.verify(node.uow).sound


def test_killed_at_any_moment_what_was_acknowledged_stands_and_the_chain_verifies(node: Node) -> None:
    permit = node.permit()
    acknowledged: set[str] = set()
    for life in range(8):
        process = charger(node, permit, f"life{life}", tries=10_000, pico_rho=1)
        assert process.stdout is not None
        acknowledged.add(process.stdout.readline().strip())
        # Moments spread over a few commits, the same in every run.
        time.sleep(0.0037 * life)
        process.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
        process.communicate()
    engine = open_engine(node.url)
    with SqlUnitOfWork(engine).reading() as uow:
        stored = {charge.idempotency_key for charge in uow.ledger.charges(permit.id)}
        budget = uow.ledger.budget(permit.id)
    assert acknowledged <= stored
    # At most the charge that was under way in each life was written without being acknowledged.
    assert len(stored - acknowledged) <= 8
    assert budget.spent.pico_rho == len(stored)
    assert ledger.verify(SqlUnitOfWork(engine)).sound
