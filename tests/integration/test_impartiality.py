"""Separation of duties wherever a case is touched, not by its decision alone (Art. 55(3)); the excluded (63(3))."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dataspace.domain.actors import SYSTEM, Actor, Role
from dataspace.domain.budget_requests import BudgetRequest
from dataspace.domain.clock_states import Counting
from dataspace.domain.complaints import Complainant, ComplaintState, Subject
from dataspace.domain.errors import InvalidApplication, NotPermitted
from dataspace.domain.permit_changes import ChangeKind, Wanted
from dataspace.domain.permits import DataPermit
from dataspace.domain.redaction import Ground, Part
from dataspace.domain.reminders import Targets
from dataspace.domain.results import ResultKind
from dataspace.domain.tabulations import NODE_USER
from dataspace.national_days import national_calendar
from dataspace.services import (
    applications,
    budget_requests,
    clocks,
    complaints,
    decisions,
    documents,
    exclusions,
    forms,
    permit_life,
    permits,
    persons,
    register,
    results,
)
from tests.api_node import make_api_node
from tests.factories import HOSPITAL, Node, make_node, to_limit
from tests.journeys import changed

OFFICIAL = (Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
COUNTING = Counting(national_calendar("FR", "Europe/Paris"))
WITHHELD: Any = {"part": Part.REASONS, "ground": Ground.TRADE_SECRET, "reason": "r"}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = make_node(tmp_path)
    made.dataset()
    return made


def asked_for_budget(node: Node, permit: DataPermit) -> BudgetRequest:
    return budget_requests.ask_for_budget(
        node.uow, node.clock, node.researcher, permit.id, budget_requests.MoreRho(Fraction(1, 1000)),
        reasons="a second year", to_limit=to_limit, to_epsilon=lambda _, guarantee: guarantee.epsilon,
    )  # fmt: skip


def promoted(node: Node, person: Actor) -> Actor:
    return persons.change_roles(node.uow, node.clock, SYSTEM, person.id, give=frozenset(OFFICIAL))


def test_more_budget_is_not_granted_by_who_is_too_close(node: Node) -> None:
    permit = node.permit()
    request = asked_for_budget(node, permit)
    holders = node.person("Henri Hospital", HOSPITAL, *OFFICIAL)
    recused = node.person("Rene Recused", node.assessor.organisation, *OFFICIAL)
    case = node.submitted()
    decisions.declare_interest(node.uow, node.clock, recused, case.id, interest="a friend")
    for by in (holders, promoted(node, node.assessor)):
        with pytest.raises(NotPermitted, match="another"):
            budget_requests.grant_budget(node.uow, node.clock, by, request.id, reasons="yes")
    granted = budget_requests.grant_budget(node.uow, node.clock, recused, request.id, reasons="yes")
    assert granted.decision is not None, "an interest in another case keeps nobody out of this one"


def test_nobody_gives_themselves_access_by_an_amendment(node: Node) -> None:
    permit = node.permit()
    wanted = Wanted(persons=frozenset({node.assessor.id, node.decision_maker.id}))
    asked = permit_life.ask_change(
        node.uow, node.clock, node.researcher, permit.id, ChangeKind.AMENDMENT, wanted, reasons="they help"
    )
    with pytest.raises(NotPermitted, match="give you access"):
        permit_life.propose_change(node.uow, node.clock, node.assessor, asked.id, favourable=True, reasons="yes")
    other = node.person("Olga Other", node.assessor.organisation, Role.HDAB_ASSESSOR)
    permit_life.propose_change(node.uow, node.clock, other, asked.id, favourable=True, reasons="yes")
    with pytest.raises(NotPermitted, match="give you access"):
        permit_life.decide_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="yes")


@pytest.mark.parametrize("who", [NODE_USER.id, "prs_nobody", "deactivated"])
def test_the_node_the_unknown_and_the_deactivated_are_not_named(node: Node, who: str) -> None:
    if who == "deactivated":
        who = node.colleague.id
        persons.deactivate_person(node.uow, node.clock, SYSTEM, who)
    form = replace(node.form(), persons=frozenset({node.researcher.id, who}))
    draft = applications.file_application(node.uow, node.clock, node.researcher, form)
    with pytest.raises(InvalidApplication, match=r"are not registered|are deactivated|the node itself"):
        applications.submit_application(node.uow, node.clock, node.researcher, draft.id)


def test_the_excluded_get_no_visa_no_budget_and_no_grant(tmp_path: Path) -> None:
    api = make_api_node(tmp_path)
    node, until = api.people, api.people.clock.now() + timedelta(days=30)
    waiting = node.proposed()
    exclusions.exclude_person(
        node.uow, node.clock, node.decision_maker, node.researcher.id, until=until, reasons="misuse"
    )
    with pytest.raises(NotPermitted, match="excluded"):
        documents.visas(node.uow, node.clock, node.researcher, api.permit.id, api.node.signatures, "https://node")
    with pytest.raises(NotPermitted, match="excluded"):
        asked_for_budget(node, api.permit)
    with pytest.raises(InvalidApplication, match="excluded"):
        permits.grant_permit(node.uow, node.clock, node.decision_maker, waiting.id, to_limit=to_limit)


def test_who_is_kept_out_of_a_case_neither_returns_nor_withholds_nor_extends(node: Node) -> None:
    case = node.submitted()
    holders = node.person("Henri Hospital", HOSPITAL, *OFFICIAL)
    with pytest.raises(NotPermitted, match="your organisation holds"):
        forms.return_application(node.uow, node.clock, holders, case.id, missing={"title": "shorter"})
    with pytest.raises(NotPermitted, match="your organisation holds"):
        register.declare_confidential(node.uow, node.clock, holders, case.id, **WITHHELD)
    applications.start_assessment(node.uow, node.clock, node.assessor, case.id)
    with pytest.raises(NotPermitted, match="your organisation holds"):
        clocks.extend_clock(
            node.uow, node.clock, holders, COUNTING, Targets("https://node.example.eu"),
            subject=case.id, name="permit-decision", reason="slow",
        )  # fmt: skip


def test_an_official_does_nothing_towards_the_public_in_a_case_of_their_own(node: Node) -> None:
    permit = node.permit()
    own = promoted(node, node.researcher)
    case = applications.get_application(node.uow, node.decision_maker, permit.application)
    part = register.declare_confidential(node.uow, node.clock, node.decision_maker, case.id, **WITHHELD)
    filed = complaints.file_complaint(
        node.uow, node.clock, subject=Subject.OTHER, complainants=[Complainant("Wanda", False)], text="t", contact="",
        case=case.number,
    )  # fmt: skip
    far = node.clock.now() + timedelta(days=3000)
    acts = (
        lambda: register.publish_decision(node.uow, node.clock, own, case.number),
        lambda: register.lift_confidential(node.uow, node.clock, own, part.id, reason="r"),
        lambda: complaints.move_complaint(
            node.uow, node.clock, own, filed.receipt, ComplaintState.UNDER_EXAMINATION, "we look at it"
        ),
        lambda: results.extend_publication(
            node.uow, node.clock, own, COUNTING.calendar, case.number, until=far, reason="slow"
        ),
    )
    for act in acts:
        with pytest.raises(NotPermitted, match="you are a party"):
            act()


def test_results_are_registered_by_the_permits_present_persons(node: Node) -> None:
    both = replace(node.form(), persons=frozenset({node.researcher.id, node.colleague.id}))
    permit = node.permit(form=both)
    added = node.person("Nina New", node.researcher.organisation, Role.APPLICANT)
    wanted = Wanted(persons=frozenset({added.id}), persons_leaving=frozenset({node.colleague.id}))
    changed(node, permit, ChangeKind.AMENDMENT, wanted)
    case = applications.get_application(node.uow, node.decision_maker, permit.application)
    paper: Any = {"kind": ResultKind.PAPER, "title": "T", "link": "https://example.org/t", "lay_summary": "s"}
    with pytest.raises(NotPermitted):
        results.register_result(node.uow, node.clock, node.colleague, case.number, **paper)
    assert results.register_result(node.uow, node.clock, added, case.number, **paper).title == "T"
