"""Which snapshots the accounts database still needs: current, named by a standing permit, or measured by a release."""

from dataclasses import replace
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Organisation, Role
from dataspace.domain.errors import NotFound, NotPermitted
from dataspace.services import permits
from dataspace.services.datasets import snapshots_in_use
from tests.factories import Node, make_node


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = make_node(tmp_path)
    node.dataset()
    return node


def in_use(node: Node, dataset: str = "registry") -> set[str]:
    return set(snapshots_in_use(node.uow, node.clock, SYSTEM, dataset))


def test_the_current_snapshot_is_in_use_and_others_are_not(node: Node) -> None:
    node.snapshot("s2")
    node.snapshot("s3")
    assert in_use(node) == {"s3"}
    assert set(snapshots_in_use(node.uow, node.clock, node.holder, "registry")) == {"s3"}


def test_a_permit_keeps_its_snapshot_until_it_expires(node: Node) -> None:
    node.permit(form=node.form(days=30))
    node.snapshot("s2")
    assert in_use(node) == {"s1", "s2"}
    node.clock.forward(days=29)
    assert in_use(node) == {"s1", "s2"}
    node.clock.forward(days=1)
    assert in_use(node) == {"s2"}


def test_a_permit_that_has_not_begun_or_is_suspended_keeps_its_snapshot(node: Node) -> None:
    form = node.form()
    later = replace(form.period, start=form.period.start + (form.period.end - form.period.start) / 2)
    node.permit(form=replace(form, period=later))
    suspended = node.permit()
    permits.suspend_permit(node.uow, node.clock, node.decision_maker, suspended.id, reasons="a question")
    node.snapshot("s2")
    assert in_use(node) == {"s1", "s2"}


def test_a_revoked_permit_keeps_nothing_but_what_it_measured(node: Node) -> None:
    first = node.permit()
    node.snapshot("s2")
    second = node.permit()
    node.snapshot("s3")
    node.release(node.charge(second, 10))
    assert in_use(node) == {"s1", "s2", "s3"}
    for permit in (first, second):
        permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="withdrawn")
    # the releases of the factory are measured on s1
    assert in_use(node) == {"s1", "s3"}


def test_other_datasets_do_not_matter(node: Node) -> None:
    node.dataset("other")
    node.permit("other")
    node.snapshot("s2", "other")
    node.snapshot("s2")
    assert in_use(node) == {"s2"}
    assert in_use(node, "other") == {"s1", "s2"}


def test_only_the_holder_and_operators_may_ask(node: Node) -> None:
    stranger = node.person("Sam", Organisation("Other Hospital"), Role.DATA_HOLDER)
    for actor in (stranger, node.researcher, node.decision_maker):
        with pytest.raises(NotPermitted):
            snapshots_in_use(node.uow, node.clock, actor, "registry")
    with pytest.raises(NotFound):
        in_use(node, "nothing")
