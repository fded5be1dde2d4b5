"""Down to nothing and up again on both databases, with rows in every table that a case fills."""

from alembic import command
from sqlalchemy import inspect, text

from dataspace.db import migrate
from dataspace.db.migrate import _config, check_no_drift
from dataspace.db.tables import metadata
from dataspace.services import ledger
from tests.factories import Node


def filled(node: Node) -> dict[str, int]:
    """Rows by table, after a case with a charge, a release, an opt-out and a request for more budget."""
    node.release(node.charge(node.permit(), 5))
    node.opt_out()
    node.refused_budget_request()
    return rows(node)


def rows(node: Node) -> dict[str, int]:
    with node.engine.begin() as connection:
        return {
            name: connection.execute(text(f"select count(*) from {name}")).scalar_one()
            for name in inspect(connection).get_table_names()
        }


def downgrade(node: Node, to: str) -> None:
    with node.engine.begin() as connection:
        command.downgrade(_config(connection), to)


def test_down_to_nothing_and_up_again(node: Node) -> None:
    filled(node)
    downgrade(node, "base")
    assert inspect(node.engine).get_table_names() == ["alembic_version"]
    migrate(node.engine)
    check_no_drift(node.engine)
    assert set(rows(node)) == set(metadata.tables) | {"alembic_version"}


def test_one_step_down_and_up_keeps_the_books(node: Node) -> None:
    before = filled(node)
    downgrade(node, "0002")
    kept = rows(node)
    assert all(before[name] == number for name, number in kept.items())
    assert before.keys() - kept.keys() >= {"budget_requests", "budget_decisions", "audit_archives"}
    migrate(node.engine)
    check_no_drift(node.engine)
    assert ledger.verify(node.uow).sound
    node.charge(node.permit(), 7)
    assert ledger.verify(node.uow).sound
