"""Cases that are remembered between requests are those that somebody reads who remembers nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dataspace.db import SqlUnitOfWork, open_engine
from dataspace.db.case_cache import cache_of
from dataspace.domain.actors import SYSTEM, Organisation, Role
from dataspace.domain.clock_memory import ClockMemory
from dataspace.domain.clock_states import OPEN, Case, ClockState, Counting, clocks_of
from dataspace.domain.organisations import OrganisationKind, OrganisationRecord
from dataspace.domain.permit_changes import ChangeKind, Wanted
from dataspace.domain.purposes import Purpose
from dataspace.domain.results import ResultKind
from dataspace.services import applications, clocks, organisations, permits, results, steps
from dataspace.services.clocks import Wanted as WantedClocks
from tests.factories import Node
from tests.journeys import changed, granted_in_part
from tests.public_records import NO_HOLIDAYS

COUNTING = Counting(NO_HOLIDAYS)


def remembered(node: Node) -> dict[str, Case]:
    with node.uow.reading() as uow:
        return {case.id: case for case in uow.clocks.all(node.clock.now())}


def read_anew(node: Node) -> dict[str, Case]:
    """By an engine that nobody has used yet."""
    engine = open_engine(node.engine.url.render_as_string(hide_password=False))
    try:
        with SqlUnitOfWork(engine).reading() as uow:
            return {case.id: case for case in uow.clocks.all(node.clock.now())}
    finally:
        engine.dispose()


def test_whatever_happens_cases_are_as_if_read_anew(node: Node) -> None:
    assert remembered(node) == read_anew(node)
    agency = node.person("Paul Public", Organisation("Agency"), Role.APPLICANT)
    form = replace(
        node.form(), persons=frozenset({agency.id}), purposes=frozenset({Purpose.STATISTICS}), acting_for="the ministry"
    )
    of_agency = applications.file_application(node.uow, node.clock, agency, form)
    applications.submit_application(node.uow, node.clock, agency, of_agency.id)
    first = granted_in_part(node)
    second = node.permit(form=node.form(days=30, epsilon="0.1"))
    public = OrganisationRecord("Agency", public_body=True, kind=OrganisationKind.USER_ORGANISATION)
    happenings: list[Callable[[], object]] = [
        node.submitted,
        lambda: organisations.save_organisation(node.uow, node.clock, SYSTEM, public),
        lambda: changed(
            node, first, ChangeKind.AMENDMENT, Wanted(persons=frozenset({node.colleague.id}))
        ),
        lambda: changed(
            node, first, ChangeKind.EXTENSION, Wanted(valid_until=first.valid_until + timedelta(days=100))
        ),
        lambda: steps.record_step(
            node.uow, node.clock, node.holder, COUNTING, subject=first.id, step="data-delivered", item="registry"
        ),
        lambda: node.clock.forward(days=31),
        lambda: results.register_result(
            node.uow, node.clock, node.researcher, second.number,
            kind=ResultKind.PAPER, title="T", link="10.1/x", lay_summary="S",
        ),
        lambda: permits.revoke_permit(node.uow, node.clock, node.decision_maker, first.id, reasons="breach"),
        lambda: node.dataset("another"),
    ]  # fmt: skip
    for happens in happenings:
        before = remembered(node)
        happens()
        now = remembered(node)
        assert now == read_anew(node)
        assert now != before
        # what is as it was stays the same object: nothing is derived from it again
        assert all(now[name] is case for name, case in before.items() if now[name] == case)


def test_a_clock_that_is_set_back_takes_an_expiry_back(node: Node) -> None:
    permit = node.permit(form=node.form(days=30))
    before = remembered(node)
    node.clock.forward(days=30)
    assert remembered(node)[permit.id] != before[permit.id]
    node.clock.forward(days=-1)
    assert remembered(node) == before == read_anew(node)


def test_a_failure_on_the_way_leaves_nothing_out(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.submitted()
    remembered(node)
    node.submitted()
    with monkeypatch.context() as patched:
        patched.setattr("dataspace.db.clocks.SqlClocks._around", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            remembered(node)
    assert cache_of(node.engine).cases == {}
    assert remembered(node) == read_anew(node)


def test_a_list_in_the_order_of_days_stays_in_order(node: Node) -> None:
    for days in (3, 1, 2):
        node.permit(form=node.form(days=400 * days, epsilon="0.1"))
        node.clock.forward(days=days)
        listed = clocks.list_clocks(node.uow, node.clock, node.assessor, COUNTING, WantedClocks())
        assert listed == sorted(listed, key=lambda c: (c.last_day, c.case.number, c.rule.name, c.item))
        assert {clock.case.id for clock in listed} <= remembered(node).keys() | {"node"}


def test_remembered_clocks_are_those_derived_anew(node: Node) -> None:
    memory, open_and_closed = ClockMemory(), frozenset(ClockState)
    for days in (0, 3, 0, 400, 0, 0):
        node.clock.forward(days=days)
        node.submitted()
        permits.revoke_permit(
            node.uow, node.clock, node.decision_maker, node.permit(epsilon="0.1").id, reasons="breach"
        )
        with node.uow.reading() as uow:
            cases = uow.clocks.all(node.clock.now())
        derived = [clock for case in cases for clock in clocks_of(case, COUNTING, node.clock.now())]
        for states in (OPEN, open_and_closed - OPEN, open_and_closed):
            found = memory.of_all(cases, COUNTING, node.clock.now(), states)
            assert found == sorted(found, key=lambda c: (c.last_day, c.case.number, c.rule.name, c.item))
            wanted = sorted((c for c in derived if c.state in states), key=lambda c: (c.case.id, c.rule.name, c.item))
            assert sorted(found, key=lambda c: (c.case.id, c.rule.name, c.item)) == wanted
    fewer = cases[:-1]
    assert cases[-1].id not in {c.case.id for c in memory.of_all(fewer, COUNTING, node.clock.now(), open_and_closed)}
