"""A thousand questions at once to several servers, for the last of a budget: not one answer too many, none lost."""

import asyncio
from collections import Counter
from decimal import Decimal

import httpx2
import pytest
from sqlalchemy import text

from dataspace.domain.privacy import PICO
from dataspace.dp.accountant import budget_of
from dataspace.services import accounts, ledger
from tests.factories import Node
from tests.served import servers

QUESTIONS = 1000
AFFORDABLE = 37
PROCESSES = 3

Answer = tuple[str, int, str]
"""Idempotency key, status, and the release or the code of the problem."""


async def ask_all(addresses: list[str], permit: str, token: str, rho: str, keys: list[int]) -> list[Answer]:
    """Every question is another one, so that none is answered for nothing."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=240) as client:

        async def ask(n: int) -> Answer:
            sql = f"SELECT COUNT(DISTINCT person) AS n FROM person WHERE birth_year > {n}"
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"key-{n:08d}"}
            path = f"{addresses[n % len(addresses)]}/api/v1/permits/{permit}/queries"
            answer = await client.post(path, json={"sql": sql, "rho": rho}, headers=headers)
            body = answer.json()
            return f"key-{n:08d}", answer.status_code, body.get("release_id") or body["code"]

        return await asyncio.gather(*map(ask, keys))


@pytest.mark.slow
def test_a_thousand_at_once_for_the_last_of_a_budget(node: Node, tmp_path: object) -> None:
    node.to_limit = budget_of
    permit = node.permit()
    price = permit.limit.pico_rho * 2 // (2 * AFFORDABLE + 1)
    token = accounts.issue_token(node.uow, node.clock, node.researcher, node.researcher.id).plaintext
    rho = f"{Decimal(price) / PICO:f}"
    with servers(PROCESSES, node.url, tmp_path, node.clock.now().isoformat()) as addresses:
        answers = asyncio.run(ask_all(addresses, permit.id, token, rho, list(range(QUESTIONS))))
        assert Counter(status for _, status, _ in answers).keys() <= {200, 402, 503}
        with node.uow.reading() as uow:
            charged = {charge.idempotency_key for charge in uow.ledger.charges(permit.id)}
        # "busy" promises that nothing was charged; anything else would have been lost on the way
        assert {(code, key in charged) for key, status, code in answers if status == 503} <= {("busy", False)}
        busy = [int(key.removeprefix("key-")) for key, status, _ in answers if status == 503]
        answers += asyncio.run(ask_all(addresses, permit.id, token, rho, busy))
    released = {key: release for key, status, release in answers if status == 200}
    assert len(released) == len(set(released.values())) == AFFORDABLE
    assert {code for _, status, code in answers if status == 402} == {"insufficient-budget"}
    assert released.keys() == charged | released.keys()
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert (budget.charges, budget.releases, budget.spent.pico_rho) == (AFFORDABLE, AFFORDABLE, AFFORDABLE * price)
    with node.engine.begin() as connection:
        stored = connection.execute(text("select id from releases")).scalars().all()
    assert set(stored) == set(released.values())
    assert ledger.verify(node.uow).sound
