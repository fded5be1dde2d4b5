"""Two hundred nodes killed at any moment while they answer: every charge has its place, every answer its charge.

The kills fall on one accounts database one after the other. Each life begins as a node does, by verifying its books,
and with the question that the life before did not finish, under the same idempotency key.
"""

import random
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from dataspace.domain.privacy import PICO
from dataspace.dp.accountant import budget_of
from dataspace.services import accounts, ledger
from tests.factories import Node
from tests.served import Lives, lives

KILLS = 100
"""On each of the two databases."""

LONGEST = 0.08
"""Seconds within which the next question is killed, about as long as one takes."""

PRICE = 10**6


@pytest.mark.slow
def test_killed_again_and_again(node: Node, tmp_path: Path) -> None:
    node.to_limit = budget_of
    permit = node.permit()
    token = accounts.issue_token(node.uow, node.clock, node.researcher, node.researcher.id).plaintext
    rho = f"{Decimal(PRICE) / PICO:f}"
    released: dict[int, str] = {}
    with lives(node.url, tmp_path, node.clock.now().isoformat(), permit.id, token, rho) as one:
        for answers, seconds in moments():
            follow(node, one, released, answers, seconds)
        # the last one finishes what the one before left
        follow(node, one, released, 1, 0)
    assert len(released) > KILLS // 2
    keys = charges(node)
    assert set(range(len(released))) == set(released)
    assert set(keys) >= {f"key-{n}" for n in released}
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert budget.spent.pico_rho == PRICE * len(keys)
    assert ledger.verify(node.uow).findings == ()


def moments() -> list[tuple[int, float]]:
    drawn = random.Random(7)  # noqa: S311 - the same in every run
    return [(drawn.randint(0, 2), LONGEST * drawn.random()) for _ in range(KILLS)]


def follow(node: Node, one: Lives, released: dict[int, str], answers: int, seconds: float) -> None:
    """One life, and what must hold after it whatever it was doing."""
    first = len(released)
    answered, code = one.live(first, answers, seconds)
    assert code == -signal.SIGKILL
    assert len(answered) >= answers
    assert [n for n, _ in answered] == list(range(first, first + len(answered)))
    released.update(answered)
    keys = charges(node)
    # at most the question under way was charged without an answer having left
    assert len(released) <= len(keys) <= len(released) + 1
    assert len(keys) == len(set(keys))
    stored = pairs(node)
    assert stored.keys() <= set(keys)
    assert {n: stored[f"key-{n}"] for n in released} == released


def charges(node: Node) -> list[str]:
    with node.engine.begin() as connection:
        return list(connection.execute(text("select idempotency_key from charges")).scalars())


def pairs(node: Node) -> dict[str, str]:
    """Release by the idempotency key of its charge; a release without a charge would be under no key."""
    query = "select c.idempotency_key, r.id from releases r left join charges c on c.id = r.charge"
    with node.engine.begin() as connection:
        return {str(key): release for key, release in connection.execute(text(query))}
