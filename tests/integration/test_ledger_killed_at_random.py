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

LONGEST = 0.15
"""Seconds of the longest life, from when its books were verified on."""

PRICE = 10**6


@pytest.mark.slow
def test_killed_again_and_again(node: Node, tmp_path: Path) -> None:
    node.to_limit = budget_of
    permit = node.permit()
    token = accounts.issue_token(node.uow, node.clock, node.researcher, node.researcher.id).plaintext
    rho = f"{Decimal(PRICE) / PICO:f}"
    released: dict[int, str] = {}
    with lives(node.url, tmp_path, node.clock.now().isoformat(), permit.id, token, rho) as one:
        for seconds in moments():
            follow(node, one, released, seconds)
        # the last life is long enough to finish what the one before left
        follow(node, one, released, 3.0)
    assert len(released) > 1
    keys = charges(node)
    assert set(range(len(released))) == set(released)
    assert set(keys) >= {f"key-{n}" for n in released}
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert budget.spent.pico_rho == PRICE * len(keys)
    assert ledger.verify(node.uow).findings == ()


def moments() -> list[float]:
    drawn = random.Random(7)  # noqa: S311 - the same moments in every run
    return [LONGEST * drawn.random() for _ in range(KILLS)]


def follow(node: Node, one: Lives, released: dict[int, str], seconds: float) -> None:
    """One life, and what must hold after it whatever it was doing."""
    first = len(released)
    answered, code = one.live(first, seconds)
    assert code == -signal.SIGKILL
    assert [n for n, _, _ in answered] == list(range(first, first + len(answered)))
    released.update({n: release for n, release, _ in answered})
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
