"""Charges, releases, allocations and returns on a real database."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from dataspace.db.append_only import unprotect
from dataspace.domain.errors import InsufficientBudget, InvalidInput, NotFound, OutOfScope, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.privacy import NOTHING, PrivacyLoss
from dataspace.services import ledger, permits
from tests.factories import Node, make_charge, make_release, renewed, to_limit

RHO = 10**12
# A permit of epsilon 1 has rho 0.1 in these tests, a dataset of epsilon 10 has rho 1.
LIMIT = RHO // 10


def remaining(node: Node, permit_id: str) -> int:
    return ledger.get_budget(node.uow, node.clock, node.researcher, permit_id).remaining.pico_rho


def test_a_charge_is_spent_counted_posted_and_audited(node: Node) -> None:
    permit = node.permit()
    charge = node.charge(permit, 30)
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert (budget.limit.pico_rho, budget.spent, budget.charges) == (LIMIT, PrivacyLoss(30), 1)
    with node.uow.reading() as uow:
        assert uow.ledger.charges(permit.id) == [charge]
        assert [e.event.kind for e in uow.audit.entries(permit.id)][-1] is EventKind.QUERY_CHARGED
    assert ledger.verify(node.uow).sound


def test_to_the_last_quantum_and_not_one_more(node: Node) -> None:
    permit = node.permit()
    node.charge(permit, LIMIT - 1)
    with pytest.raises(InsufficientBudget) as refused:
        node.charge(permit, 2)
    assert refused.value.missing == "rho 0.000000000001"
    node.charge(permit, 1)
    assert remaining(node, permit.id) == 0


def test_delta_is_a_limit_of_its_own(node: Node) -> None:
    permit = node.permit()
    order = replace(node.order(permit, 1), loss=PrivacyLoss(1, permit.limit.atto_delta + 1))
    with pytest.raises(InsufficientBudget, match=r"rho 0 and delta 0\.000000000000000001 missing"):
        make_charge(node.uow, order)


@pytest.mark.parametrize("loss", [PrivacyLoss(LIMIT * 6 // 10), PrivacyLoss(1, 6 * 10**11)])
def test_the_limit_is_over_all_datasets_together(node: Node, loss: PrivacyLoss) -> None:
    node.dataset("other")
    permit = node.permit("other", "registry")
    make_charge(node.uow, replace(node.order(permit, 1), loss=loss, datasets=("other",)))
    with pytest.raises(InsufficientBudget):
        make_charge(node.uow, replace(node.order(permit, 1), loss=loss, datasets=("registry",)))
    assert ledger.verify(node.uow).sound


def test_the_share_of_a_single_dataset_is_a_limit_of_its_own(node: Node) -> None:
    permit = node.permit()
    with node.engine.begin() as connection:
        connection.execute(text("update allocations set allocated_pico_rho = 10"))
    with pytest.raises(InsufficientBudget, match=r"DP-2026-0001 in dataset registry has rho 0\.00000000001 and delta"):
        node.charge(permit, 11)
    node.charge(permit, 10)


def test_the_capacity_for_delta_is_never_exceeded(node: Node) -> None:
    node.dataset("strict", epsilon="20", delta="0.0000015")
    node.permit("strict")
    with pytest.raises(InsufficientBudget, match=r"delta 0\.0000005 missing"):
        node.permit("strict")


def test_a_refusal_says_how_much_and_what_to_do(node: Node) -> None:
    permit = node.permit()
    with pytest.raises(InsufficientBudget) as refused:
        node.charge(permit, 12 * RHO // 100)
    assert refused.value.message == (
        "this query needs rho 0.12, permit DP-2026-0001 has rho 0.1 and delta 0.000001 left, rho 0.02 missing;"
        " ask at a lower cost, or ask the access body for more budget"
    )
    assert remaining(node, permit.id) == LIMIT


def test_the_same_key_is_charged_once(node: Node) -> None:
    permit = node.permit()
    order = node.order(permit, 30, key="mine")
    first = make_charge(node.uow, order)
    assert make_charge(node.uow, renewed(order)) == first
    assert remaining(node, permit.id) == LIMIT - 30


def test_the_same_key_finds_its_charge_when_nothing_is_left(node: Node) -> None:
    permit = node.permit()
    order = node.order(permit, LIMIT, key="mine")
    first = make_charge(node.uow, order)
    assert make_charge(node.uow, renewed(order)) == first


@pytest.mark.parametrize("other", [{"fingerprint": "x"}, {"loss": PrivacyLoss(31)}])
def test_a_key_is_for_one_question_at_one_price(node: Node, other: dict[str, object]) -> None:
    order = node.order(node.permit(), 30, key="mine")
    make_charge(node.uow, order)
    with pytest.raises(InvalidInput, match="use a new key"):
        make_charge(node.uow, replace(order, id="chg_other", **other))  # type: ignore[arg-type]


def test_keys_of_two_permits_are_two_keys(node: Node) -> None:
    one, two = node.permit(), node.permit()
    assert node.charge(one, 5, key="mine").id != node.charge(two, 5, key="mine").id


def test_a_dataset_outside_of_the_permit_has_no_budget(node: Node) -> None:
    node.dataset("other")
    order = replace(node.order(node.permit(), 5), datasets=("other", "registry"))
    with pytest.raises(OutOfScope, match="no budget in other"):
        make_charge(node.uow, order)


def test_an_unknown_permit_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound):
        make_charge(node.uow, replace(node.order(node.permit(), 5), permit_id="nope"))


def test_a_charge_of_nothing_is_a_defect(node: Node) -> None:
    with pytest.raises(ValueError, match="above zero"):
        node.charge(node.permit(), 0)


@pytest.mark.parametrize("ending", ["revoke", "suspend", "expire"])
def test_a_permit_not_in_force_is_not_charged_even_if_the_check_came_before(node: Node, ending: str) -> None:
    permit = node.permit()
    order = node.order(permit, 5)
    if ending == "revoke":
        permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    if ending == "suspend":
        permits.suspend_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="audit")
    if ending == "expire":
        order = replace(order, charged_at=permit.valid_until)
    with pytest.raises(WrongState, match="nothing was charged"):
        make_charge(node.uow, order)


def test_datasets_are_never_allocated_beyond_their_capacity(node: Node) -> None:
    for _ in range(10):
        node.permit()
    with pytest.raises(InsufficientBudget, match=r"registry has rho 0 left, rho 0\.1 and delta 0\.000001 missing"):
        node.permit()
    assert ledger.get_allotment(node.uow, "registry").free == NOTHING
    assert len(permits.list_my_permits(node.uow, node.researcher)) == 10
    assert ledger.verify(node.uow).sound


def test_a_refused_grant_leaves_the_application_undecided(node: Node) -> None:
    node.dataset("small", epsilon="0.5")
    application = node.proposed(node.form("registry", "small"))
    with pytest.raises(InsufficientBudget):
        permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)
    with node.uow.reading() as uow:
        assert uow.applications.get(application.id) == application
        assert uow.ledger.allotment("registry").allocated == NOTHING
        assert uow.permits.all() == []


def test_revocation_returns_what_is_unspent_and_keeps_what_is_spent(node: Node) -> None:
    node.dataset("other")
    permit = node.permit("other", "registry")
    make_charge(node.uow, replace(node.order(permit, 30), datasets=("other",)))
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    assert ledger.get_allotment(node.uow, "other").allocated == PrivacyLoss(30)
    assert ledger.get_allotment(node.uow, "registry").allocated == NOTHING
    assert remaining(node, permit.id) == 0
    assert ledger.verify(node.uow).sound


def test_expired_budgets_return_once(node: Node) -> None:
    permit = node.permit()
    node.charge(permit, 30)
    node.clock.forward(days=366)
    assert permits.return_expired_budgets(node.uow, node.clock, node.holder) == [permit]
    assert permits.return_expired_budgets(node.uow, node.clock, node.holder) == []
    assert ledger.get_allotment(node.uow, "registry").allocated == PrivacyLoss(30)
    assert ledger.verify(node.uow).sound


def test_one_charge_has_one_release(node: Node) -> None:
    charge = node.charge(node.permit(), 5)
    first = node.release(charge, make_release(charge, value=1.0))
    assert node.release(charge, make_release(charge, value=2.0)) == first
    statement = ledger.get_statement(node.uow, node.clock, node.researcher, charge.permit_id)
    assert [(line.charge, line.release) for line in statement] == [(charge, first)]


def test_a_release_must_be_what_was_paid_for(node: Node) -> None:
    permit = node.permit()
    charge = node.charge(permit, 5)
    for wrong in ({"fingerprint": "x"}, {"loss": PrivacyLoss(6)}, {"permit_id": "other"}):
        with pytest.raises(ValueError, match="not what the charge paid for"):
            node.release(charge, replace(make_release(charge), **wrong))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        node.release(replace(charge, id="nope"))


def test_the_best_stored_release_is_found_by_question_and_snapshots(node: Node) -> None:
    permit, other = node.permit(), node.permit()
    cheap, dear = (node.release(node.charge(permit, rho)) for rho in (5, 50))
    with node.uow.reading() as uow:
        assert uow.releases.find(permit.id, "q", {"registry": "s1"}) == dear
        assert uow.releases.find(permit.id, "q", {"registry": "s2"}) is None
        assert uow.releases.find(permit.id, "other", {"registry": "s1"}) is None
        assert uow.releases.find(other.id, "q", {"registry": "s1"}) is None
        assert {release.id for release in uow.releases.of_permit(permit.id)} == {cheap.id, dear.id}


def test_a_crash_between_charge_and_release_is_finished_by_the_same_key(node: Node) -> None:
    permit = node.permit()
    order = node.order(permit, 30, key="mine")
    charge = make_charge(node.uow, order)
    # The process dies here; another one starts on the same file and the data user sends the query again.
    node.engine.dispose()
    again = make_charge(node.uow, renewed(order))
    assert again == charge
    with node.uow.reading() as uow:
        assert uow.releases.of_charge(charge.id) is None
    release = node.release(again)
    assert remaining(node, permit.id) == LIMIT - 30
    with node.uow.reading() as uow:
        assert uow.releases.of_charge(charge.id) == release


def test_a_charge_without_commit_did_not_happen(node: Node) -> None:
    permit = node.permit()
    order = node.order(permit, 30)
    with node.uow as uow:
        uow.ledger.charge(order, AuditEvent(EventKind.QUERY_CHARGED, order.actor, permit.id, order.charged_at))
    assert remaining(node, permit.id) == LIMIT
    assert ledger.verify(node.uow).sound


def test_books_cooked_in_the_tables_are_found(node: Node) -> None:
    permit = node.permit()
    node.charge(permit, 30)
    with node.engine.begin() as connection:
        connection.execute(text("update permits set spent_pico_rho = 10"))
    findings = ledger.verify(node.uow).findings
    assert [f.text.split(":")[0] for f in findings] == [
        f"permit-available/{permit.id}",
        f"permit-spent/{permit.id}",
    ]


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("delete from charges", "was posted and is gone"),
        ("update charges set loss_pico_rho = 1", "is not what was posted for it"),
        ("update charges set datasets = '[]'", "is not what was posted for it"),
    ],
)
def test_charges_cooked_past_the_triggers_are_found(node: Node, statement: str, finding: str) -> None:
    node.charge(node.permit(), 30)
    with node.engine.begin() as connection:
        unprotect(connection, "charges")
        connection.execute(text(statement))
    assert [finding in f.text for f in ledger.verify(node.uow).findings] == [True]


@pytest.mark.parametrize(
    "statement", ["delete from releases", "update releases set body = replace(body, '0.51', '0.01')"]
)
def test_releases_cooked_past_the_triggers_are_found(node: Node, statement: str) -> None:
    release = node.release(node.charge(node.permit(), 30))
    assert ledger.verify(node.uow).sound
    with node.engine.begin() as connection:
        unprotect(connection, "releases")
        connection.execute(text(statement))
    assert [f.text for f in ledger.verify(node.uow).findings] == [
        f"release {release.id} is not what was stored under its charge"
    ]


@pytest.mark.parametrize("table", ["postings", "audit_events"])
def test_rows_changed_past_the_triggers_are_found(node: Node, table: str) -> None:
    node.charge(node.permit(), 30)
    with node.engine.begin() as connection:
        unprotect(connection, table)
        connection.execute(text(f"update {table} set at = '2020-01-01 00:00:00.000000' where seq = 2"))
    assert [finding.seq for finding in ledger.verify(node.uow).findings] == [2]


@pytest.mark.parametrize("table", ["postings", "audit_events"])
def test_rows_cut_off_at_the_end_are_found(node: Node, table: str) -> None:
    node.charge(node.permit(), 30)
    with node.engine.begin() as connection:
        unprotect(connection, table)
        connection.execute(text(f"delete from {table} where seq = (select max(seq) from {table})"))
    assert "recorded head" in ledger.verify(node.uow).findings[-1].text
