"""The opt-out register on PostgreSQL: the same answers, the same refusals, the same order of decisions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dataspace.db.migrate import check_no_drift
from dataspace.services import permits
from tests.databases import node_on
from tests.factories import Node
from tests.fakes import REGISTRY_KEY


@pytest.fixture(scope="module")
def node(postgres: str) -> Iterator[Node]:
    with node_on(postgres) as made:
        check_no_drift(made.engine)
        made.dataset()
        yield made


def test_a_permit_approved_after_an_opt_out_is_without_the_person(node: Node) -> None:
    before = node.permit()
    node.opt_out("P 7")
    meanwhile = node.permit()
    node.come_back("P 7")
    later = node.permit()
    with node.uow.reading() as uow:
        cohorts = [uow.opt_outs.opted_out(REGISTRY_KEY, p.granted_at).tolist() for p in (before, meanwhile, later)]
    assert cohorts == [[], [7], []]


@pytest.mark.parametrize("change", ["update opt_outs set at = at", "delete from opt_outs", "truncate opt_outs"])
def test_the_register_refuses_every_change(node: Node, change: str) -> None:
    node.opt_out("P 8")
    with pytest.raises(ProgrammingError, match="append-only"), node.engine.begin() as connection:
        connection.execute(text(change))


def test_decided_at_once_each_permit_still_has_one_cohort_for_ever(node: Node) -> None:
    cases = [node.proposed() for _ in range(4)]

    def decide(number: int) -> datetime | None:
        if number % 2:
            node.opt_out(f"P {number}")
            return None
        case, by = cases[number // 2], node.decision_maker
        granted = permits.grant_permit(node.uow, node.clock, by, case.id, to_limit=node.to_limit)
        with node.uow.reading() as uow:
            seen = uow.opt_outs.opted_out(REGISTRY_KEY, granted.granted_at).tolist()
        cohorts[granted.granted_at] = seen
        return granted.granted_at

    cohorts: dict[datetime, list[int]] = {}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decide, range(8)))
    with node.uow.reading() as uow:
        assert {at: uow.opt_outs.opted_out(REGISTRY_KEY, at).tolist() for at in cohorts} == cohorts
