"""From submission to decision and through a permit's life, over the services."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.applications import ApplicationState
from dataspace.domain.assessments import Criterion, Verdict
from dataspace.domain.errors import DataspaceError, InvalidApplication, NotFound, NotPermitted, WrongState
from dataspace.domain.events import EventKind
from dataspace.domain.exclusions import Exclusion
from dataspace.domain.ledger import Charge
from dataspace.domain.permit_changes import ChangeKind, ChangeState, Wanted
from dataspace.domain.privacy import Guarantee
from dataspace.domain.proposals import Outcome, Step, Terms
from dataspace.domain.purposes import Purpose
from dataspace.domain.tabulations import NODE_USER, Tabulation, TabulationPlan
from dataspace.services import accounts, applications, decisions, exclusions, ledger, permit_life, permits, persons
from tests.factories import HOSPITAL, Node, make_node, to_limit
from tests.fakes import REGISTRY_KEY
from tests.journeys import FEE, PART, changed, grant, granted_in_part, whole_life

PLAN = TabulationPlan((Tabulation("by-sex", "SELECT sex, COUNT(*) AS n FROM person GROUP BY sex", Decimal("0.1")),))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = make_node(tmp_path)
    made.dataset()
    return made


def kinds(node: Node, subject: str) -> list[EventKind]:
    with node.uow.reading() as uow:
        return [entry.event.kind for entry in uow.audit.entries(subject)]


def offered(node: Node) -> str:
    case = node.proposed(outcome=Outcome.GRANT_IN_PART, terms=PART, fee=FEE)
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    return case.id


def test_the_whole_life_of_a_permit(node: Node) -> None:
    whole_life(node)
    assert ledger.verify(node.uow).sound


def test_granted_in_full_at_once_without_a_fee(node: Node) -> None:
    case = node.proposed()
    with pytest.raises(WrongState, match="nothing to accept"):
        decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    permit = grant(node, case.id)
    assert len(permit.columns) == 6
    assert permit.particulars.fee_cents == 0
    with pytest.raises(WrongState, match="is granted"):
        grant(node, case.id)


def test_every_term_of_a_grant_in_part_is_in_the_permit(node: Node) -> None:
    form = replace(
        node.form(), purposes=frozenset(Purpose), persons=frozenset({node.researcher.id, node.colleague.id}),
        acting_for="the ministry",
    )  # fmt: skip
    until = node.clock.now() + timedelta(days=10)
    terms = Terms(
        struck_persons=frozenset({node.researcher.id}),
        purposes=frozenset({Purpose.RESEARCH}),
        guarantee=Guarantee(Decimal("0.5"), Decimal("0.0000001")),
        valid_until=until,
        aggregates=frozenset({"persons", "mean"}),
        population="registry.person WHERE birth_year < 2008",
        opt_out_exception="no other way",
        principal_investigator=node.colleague.id,
    )
    permit = grant(node, node.proposed(form, outcome=Outcome.GRANT_IN_PART, terms=terms).id)
    assert permit.persons == {node.colleague.id}
    assert (permit.purposes, permit.guarantee, permit.valid_until) == (terms.purposes, terms.guarantee, until)
    assert permit.limit == to_limit(Guarantee(Decimal("0.5"), Decimal("0.0000001")))
    assert (permit.aggregates, permit.population) == (terms.aggregates, "registry.person WHERE birth_year < 2008")
    assert (permit.opt_out_exception, permit.particulars.principal_investigator) == ("no other way", node.colleague.id)
    with node.uow.reading() as uow:
        assert uow.permits.get(permit.id) == permit


def test_a_dataset_that_is_struck_out_costs_no_capacity(node: Node) -> None:
    node.dataset("second")
    struck = frozenset({("second", "person", "*"), ("second", "visit", "*")})
    form = node.form("registry", "second")
    permit = grant(node, node.proposed(form, outcome=Outcome.GRANT_IN_PART, terms=Terms(struck_columns=struck)).id)
    assert permit.datasets == ("registry",)
    with node.uow.reading() as uow:
        assert uow.ledger.allotment("second").allocated.pico_rho == 0


def test_refused_with_the_criteria_that_fail(node: Node) -> None:
    case = node.to_be_refused()
    with pytest.raises(WrongState, match="refuse; send it back"):
        grant(node, case.id)
    refused = permits.refuse_application(node.uow, node.clock, node.decision_maker, case.id, reasons="too much")
    assert refused.state is ApplicationState.REFUSED
    with node.uow.reading() as uow:
        event = [entry.event for entry in uow.audit.entries(case.id)][-1]
    assert event.details["criteria"] == "1b"
    assert decisions.get_offer(node.uow, node.researcher, case.id).criteria == (Criterion.NECESSITY,)


def test_what_is_proposed_to_be_granted_is_not_refused_by_one_person(node: Node) -> None:
    case = node.proposed()
    with pytest.raises(WrongState, match="grant; send it back"):
        permits.refuse_application(node.uow, node.clock, node.decision_maker, case.id, reasons="no")


def test_findings_change_until_they_are_proposed_and_no_longer(node: Node) -> None:
    case = node.under_assessment()
    for verdict in (Verdict.NOT_MET, Verdict.MET):
        file = decisions.record_findings(
            node.uow, node.clock, node.assessor, case.id, {Criterion.PURPOSE: (verdict, "looked again")}
        )
    assert file.assessment[Criterion.PURPOSE].verdict is Verdict.MET
    with pytest.raises(InvalidApplication, match="missing"):
        decisions.propose(node.uow, node.clock, node.assessor, case.id, outcome=Outcome.GRANT, reasons="yes")
    proposed = node.proposed()
    with pytest.raises(WrongState, match="is proposed"):
        decisions.record_findings(
            node.uow, node.clock, node.assessor, proposed.id, {Criterion.PURPOSE: (Verdict.NOT_MET, "late")}
        )


def test_stale_versions_and_double_submits_change_nothing(node: Node) -> None:
    case = node.assessed()
    met = {Criterion.PURPOSE: (Verdict.MET, "again")}
    with pytest.raises(WrongState, match="read it again"):
        decisions.record_findings(node.uow, node.clock, node.assessor, case.id, met, version=case.version - 1)
    for _ in range(2):
        act = lambda: decisions.propose(  # noqa: E731
            node.uow, node.clock, node.assessor, case.id,
            outcome=Outcome.GRANT, reasons="yes", fee=FEE, version=case.version,
        )  # fmt: skip
        if _ == 0:
            act()
    with pytest.raises(WrongState, match="is proposed"):
        act()
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    accepted = decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    before = kinds(node, case.id)
    with pytest.raises(WrongState, match="is accepted"):
        decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    with pytest.raises(WrongState, match="read it again"):
        permits.grant_permit(
            node.uow, node.clock, node.decision_maker, case.id, to_limit=to_limit, version=accepted.version - 1
        )
    assert kinds(node, case.id) == before


def test_a_fee_is_accepted_before_the_permit_is_issued(node: Node) -> None:
    case = node.proposed(fee=FEE)
    with pytest.raises(NotFound, match="no offer"):
        decisions.get_offer(node.uow, node.researcher, case.id)
    with pytest.raises(WrongState, match=r"Art\. 62\(5\)"):
        grant(node, case.id)
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    assert decisions.get_offer(node.uow, node.researcher, case.id).fee.total_cents == 42_050
    with pytest.raises(WrongState):
        grant(node, case.id)
    for stranger in (node.colleague, node.assessor):
        with pytest.raises((NotFound, NotPermitted)):
            decisions.accept_offer(node.uow, node.clock, stranger, case.id)
    decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    with pytest.raises(WrongState, match="as it is"):
        permits.grant_permit(
            node.uow, node.clock, node.decision_maker, case.id, to_limit=to_limit, conditions=("one more",)
        )
    assert grant(node, case.id).particulars.fee_cents == 42_050


def test_a_declined_fee_issues_nothing_and_goes_back(node: Node) -> None:
    case = offered(node)
    back = decisions.decline_offer(node.uow, node.clock, node.researcher, case, reasons="too dear")
    assert back.state is ApplicationState.UNDER_ASSESSMENT
    with pytest.raises(WrongState):
        grant(node, case)
    decisions.propose(node.uow, node.clock, node.assessor, case, outcome=Outcome.GRANT, reasons="waived")
    assert grant(node, case).particulars.fee_cents == 0
    steps = decisions.get_case_file(node.uow, node.assessor, case).steps
    assert [(s.step, s.reasons) for s in steps if s.step is Step.DECLINED] == [(Step.DECLINED, "too dear")]


def test_a_case_can_be_withdrawn_while_it_is_offered(node: Node) -> None:
    case = offered(node)
    assert applications.withdraw_application(node.uow, node.clock, node.researcher, case).state == "withdrawn"
    with pytest.raises(WrongState):
        decisions.accept_offer(node.uow, node.clock, node.researcher, case)


def test_an_assessor_who_declares_an_interest_is_replaced(node: Node) -> None:
    case = node.proposed()
    after = decisions.declare_interest(node.uow, node.clock, node.assessor, case.id, interest="my sister applied")
    assert (after.state, after.assessor) == (ApplicationState.SUBMITTED, None)
    with pytest.raises(NotPermitted, match="declared an interest"):
        applications.start_assessment(node.uow, node.clock, node.assessor, case.id)
    other = node.person("Bo", node.assessor.organisation, Role.HDAB_ASSESSOR)
    applications.start_assessment(node.uow, node.clock, other, case.id)
    assert decisions.get_case_file(node.uow, other, case.id).assessment == {}
    assert EventKind.INTEREST_DECLARED in kinds(node, case.id)
    with node.uow.reading() as uow:
        assert "sister" not in str([entry.event.details for entry in uow.audit.entries(case.id)])


def test_a_decision_maker_who_declared_an_interest_decides_neither_on_the_case_nor_on_its_permit(node: Node) -> None:
    case = node.proposed()
    decisions.declare_interest(node.uow, node.clock, node.decision_maker, case.id, interest="a friend")
    decisions.declare_interest(node.uow, node.clock, node.decision_maker, case.id, interest="said twice")
    assert kinds(node, case.id).count(EventKind.INTEREST_DECLARED) == 1
    with pytest.raises(NotPermitted, match="declared an interest"):
        grant(node, case.id)
    other = node.person("Bo", node.assessor.organisation, Role.HDAB_DECISION_MAKER)
    permit = permits.grant_permit(node.uow, node.clock, other, case.id, to_limit=to_limit)
    with pytest.raises(NotPermitted, match="declared an interest"):
        permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="no")


def test_an_interest_found_after_the_grant_keeps_out_of_the_permit(node: Node) -> None:
    permit = node.permit()
    decisions.declare_interest(node.uow, node.clock, node.assessor, permit.application, interest="a new job")
    wanted = Wanted(conditions=())
    with pytest.raises(NotPermitted, match="declared an interest"):
        changed(node, permit, ChangeKind.AMENDMENT, wanted)


def test_the_holders_people_neither_assess_nor_decide(node: Node) -> None:
    at_holder = node.person("Hal", HOSPITAL, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    case = node.submitted()
    with pytest.raises(NotPermitted, match="your organisation holds data"):
        applications.start_assessment(node.uow, node.clock, at_holder, case.id)
    with pytest.raises(NotPermitted, match=r"Art\. 55\(3\)"):
        permits.grant_permit(node.uow, node.clock, at_holder, node.proposed().id, to_limit=to_limit)


def test_who_prepared_the_data_neither_assesses_nor_decides(node: Node) -> None:
    preparer = node.person("Pat", node.assessor.organisation, Role.OPERATOR)
    case = node.proposed()
    node.holder = preparer
    node.snapshot("s2")
    official = frozenset({Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER})
    preparer = persons.change_roles(
        node.uow, node.clock, SYSTEM, preparer.id, give=official, take=frozenset({Role.OPERATOR})
    )
    with pytest.raises(NotPermitted, match="registered or published"):
        permits.grant_permit(node.uow, node.clock, preparer, case.id, to_limit=to_limit)
    with pytest.raises(NotPermitted, match="registered or published"):
        applications.start_assessment(node.uow, node.clock, preparer, node.submitted().id)


def test_amended_by_two_persons_and_only_then(node: Node) -> None:
    permit = node.permit()
    wanted = Wanted(persons=frozenset({node.colleague.id}), conditions=("Less.",))
    ask = lambda: permit_life.ask_change(  # noqa: E731
        node.uow, node.clock, node.researcher, permit.id, ChangeKind.AMENDMENT, wanted, reasons="she joins"
    )
    asked = ask()
    with pytest.raises(WrongState, match="is open"):
        ask()
    with pytest.raises(WrongState, match="asked"):
        permit_life.decide_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="yes")
    both = node.person("Bo", node.assessor.organisation, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    for by in (node.researcher, node.colleague, node.decision_maker):
        with pytest.raises((NotFound, NotPermitted)):
            permit_life.propose_change(node.uow, node.clock, by, asked.id, favourable=True, reasons="yes")
    proposed = permit_life.propose_change(node.uow, node.clock, both, asked.id, favourable=True, reasons="yes")
    with pytest.raises(NotPermitted, match="two-person"):
        permit_life.decide_change(node.uow, node.clock, both, asked.id, reasons="yes")
    with pytest.raises(WrongState, match="read it again"):
        permit_life.decide_change(
            node.uow, node.clock, node.decision_maker, asked.id, reasons="yes", version=proposed.version - 1
        )
    permit_life.send_back_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="why?")
    permit_life.propose_change(node.uow, node.clock, both, asked.id, favourable=True, reasons="she does the analysis")
    decided = permit_life.decide_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="adopted")
    assert decided.state is ChangeState.APPROVED
    amended = permits.get_permit(node.uow, node.clock, node.colleague, permit.id)
    assert (amended.persons, amended.conditions) == (permit.persons | {node.colleague.id}, ("Less.",))
    assert EventKind.PERMIT_AMENDED in kinds(node, permit.id)


def test_a_rejected_or_withdrawn_change_leaves_the_permit(node: Node) -> None:
    permit = node.permit()
    wanted = Wanted(conditions=())
    ask = lambda: permit_life.ask_change(  # noqa: E731
        node.uow, node.clock, node.researcher, permit.id, ChangeKind.AMENDMENT, wanted, reasons="fewer"
    )
    first = ask()
    permit_life.propose_change(node.uow, node.clock, node.assessor, first.id, favourable=False, reasons="no")
    decided = permit_life.decide_change(node.uow, node.clock, node.decision_maker, first.id, reasons="not needed")
    assert decided.state is ChangeState.REJECTED
    assert permit_life.withdraw_change(node.uow, node.clock, node.researcher, ask().id).state is ChangeState.WITHDRAWN
    assert permits.get_permit(node.uow, node.clock, node.researcher, permit.id) == permit
    assert len(permit_life.list_changes(node.uow, node.clock, node.researcher, permit.id)) == 2


def test_extended_once_and_not_twice_and_not_too_late(node: Node) -> None:
    permit = node.permit()
    later = permit.valid_until + timedelta(days=365)
    changed(node, permit, ChangeKind.EXTENSION, Wanted(valid_until=later))
    again = Wanted(valid_until=later + timedelta(days=1))
    with pytest.raises(WrongState, match="extended already"):
        changed(node, permit, ChangeKind.EXTENSION, again)
    other = node.permit()
    node.clock.forward(days=340)
    with pytest.raises(WrongState, match="one month before"):
        changed(node, other, ChangeKind.EXTENSION, again)


def test_a_permit_that_ended_meanwhile_is_not_extended(node: Node) -> None:
    permit = node.permit()
    wanted = Wanted(valid_until=permit.valid_until + timedelta(days=365))
    asked = permit_life.ask_change(
        node.uow, node.clock, node.researcher, permit.id, ChangeKind.EXTENSION, wanted, reasons="more time"
    )
    permit_life.propose_change(node.uow, node.clock, node.assessor, asked.id, favourable=True, reasons="yes")
    node.clock.forward(days=366)
    with pytest.raises(WrongState, match="expired"):
        permit_life.decide_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="yes")
    assert permits.return_expired_budgets(node.uow, node.clock, node.decision_maker)


def test_who_opted_out_before_an_amendment_is_left_out_after_it(node: Node) -> None:
    permit = node.permit()
    node.clock.forward(hours=1)
    node.opt_out("P 7")
    node.clock.forward(hours=1)
    changed(node, permit, ChangeKind.AMENDMENT, Wanted(conditions=("Less.",)))
    amended = permits.get_permit(node.uow, node.clock, node.researcher, permit.id)
    with node.uow.reading() as uow:
        cohorts = [uow.opt_outs.opted_out(REGISTRY_KEY, p.granted_at).tolist() for p in (permit, amended)]
    assert cohorts == [[], [7]]


def test_revoked_in_flight_nothing_more_is_charged_and_the_rest_returns(node: Node) -> None:
    permit = granted_in_part(node)
    node.charge(permit, 1_000)
    order: Charge = node.order(permit, 5)
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    with pytest.raises(WrongState, match="revoked"), node.uow as uow:
        uow.ledger.charge(order, None)  # type: ignore[arg-type]
    budget = ledger.get_budget(node.uow, node.clock, node.researcher, permit.id)
    assert (budget.spent.pico_rho, budget.remaining.pico_rho) == (1_000, 0)
    with node.uow.reading() as uow:
        assert uow.ledger.allotment("registry").allocated.pico_rho == 1_000


def excluded(node: Node, days: int = 30) -> Exclusion:
    return exclusions.exclude_person(
        node.uow, node.clock, node.decision_maker, node.researcher.id,
        until=node.clock.now() + timedelta(days=days), reasons="re-identification",
    )  # fmt: skip


def test_an_excluded_person_neither_applies_nor_is_named_until_it_ends_by_itself(node: Node) -> None:
    permit, draft, taken, offer = node.permit(), node.draft(), node.proposed(), offered(node)
    excluded(node)
    wanted = Wanted(conditions=())
    tries: list[Callable[[], object]] = [
        node.draft,
        lambda: applications.submit_application(node.uow, node.clock, node.researcher, draft.id),
        lambda: applications.apply(node.uow, node.clock, node.researcher, node.form(), to_limit=to_limit),
        lambda: grant(node, taken.id),
        lambda: decisions.accept_offer(node.uow, node.clock, node.researcher, offer),
        lambda: permit_life.ask_change(
            node.uow, node.clock, node.researcher, permit.id, ChangeKind.AMENDMENT, wanted, reasons="x"
        ),
        lambda: applications.apply(node.uow, node.clock, node.colleague, node.form(), to_limit=to_limit),
    ]
    for act in tries:
        with pytest.raises(DataspaceError, match=r"Art\. 63\(3\)"):
            act()
    assert [entry.person for entry in exclusions.list_exclusions(node.uow, node.assessor)] == [node.researcher.id]
    node.clock.forward(days=30)
    assert grant(node, taken.id).persons == {node.researcher.id}


def test_only_a_decision_maker_excludes_and_nobody_themselves(node: Node) -> None:
    until = node.clock.now() + timedelta(days=1)
    for by in (node.researcher, node.assessor, node.holder, node.desk):
        with pytest.raises(NotPermitted):
            exclusions.exclude_person(node.uow, node.clock, by, node.colleague.id, until=until, reasons="x")
    with pytest.raises(NotPermitted, match="themselves"):
        exclusions.exclude_person(
            node.uow, node.clock, node.decision_maker, node.decision_maker.id, until=until, reasons="x"
        )
    with pytest.raises(NotPermitted):
        exclusions.list_exclusions(node.uow, node.researcher)


def test_a_statistical_answer_instead_has_the_applicants_consent_on_record(node: Node) -> None:
    case = node.proposed(outcome=Outcome.STATISTICAL_ANSWER, plan=PLAN)
    with pytest.raises(WrongState, match=r"68\(3\)"):
        grant(node, case.id)
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    approval = grant(node, case.id)
    assert approval.persons == {NODE_USER.id}
    steps = decisions.get_case_file(node.uow, node.assessor, case.id).steps
    assert [s.by for s in steps if s.step is Step.ACCEPTED] == [node.researcher.id]
    with pytest.raises(WrongState, match="approval"):
        changed(node, approval, ChangeKind.AMENDMENT, Wanted(persons=frozenset({node.researcher.id})))


def test_nobody_gets_a_token_of_the_node(node: Node) -> None:
    case = node.proposed(outcome=Outcome.STATISTICAL_ANSWER, plan=PLAN)
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    grant(node, case.id)
    operator = node.person("Olga", node.assessor.organisation, Role.OPERATOR)
    for by in (operator, NODE_USER):
        with pytest.raises(NotPermitted, match="as the node"):
            accounts.issue_token(node.uow, node.clock, by, NODE_USER.id)


@pytest.mark.parametrize("person", ["researcher", "colleague", "holder", "desk"])
def test_only_officials_read_a_case_file(node: Node, person: str) -> None:
    case = node.proposed()
    with pytest.raises((NotFound, NotPermitted)):
        decisions.get_case_file(node.uow, getattr(node, person), case.id)
