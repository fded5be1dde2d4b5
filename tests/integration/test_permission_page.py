"""The printed page of permissions agrees with the services: every state, person and action, done and taken back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from dataspace.db import SqlUnitOfWork
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.applications import ApplicationForm, Period
from dataspace.domain.complaints import Complainant, ComplaintState, Subject
from dataspace.domain.errors import DataspaceError, NotFound, NotPermitted, WrongState
from dataspace.domain.findings import FindingState
from dataspace.domain.permission_sheets import sheets
from dataspace.domain.permit_changes import ChangeKind, Wanted
from dataspace.domain.permits import DataPermit
from dataspace.domain.redaction import Ground, Part
from dataspace.domain.results import ResultKind
from dataspace.pseudonyms import wrapping_of
from dataspace.services import (
    applications,
    budget_requests,
    complaints,
    decisions,
    documents,
    findings,
    permit_life,
    permits,
    register,
    results,
)  # fmt: skip
from dataspace.signing import SigningKeys
from tests.factories import Node, make_node
from tests.permission_tables import printed
from tests.public_records import NO_HOLIDAYS

CELLS, _ = printed((Path(__file__).parents[2] / "deploy" / "permissions.md").read_text())
REFUSALS = (NotFound, NotPermitted, WrongState)
SECRET = {"part": Part.TITLE, "ground": Ground.SECURITY, "reason": "a site"}


class Undone(SqlUnitOfWork):
    """A unit of work that takes everything back instead of keeping it."""

    def commit(self) -> None:
        self.__exit__(None, None, None)


@dataclass
class Scene:
    """A node, its people by the names of the page, and the signing keys."""

    node: Node
    people: dict[str, Actor]
    keys: SigningKeys

    @property
    def undone(self) -> Undone:
        return Undone(self.node.engine)

    def form(self, days: int = 365, **changed: object) -> ApplicationForm:
        """The colleague is named, the applicant is not."""
        form = self.node.form(epsilon="0.1", days=days)
        return replace(form, persons=frozenset({self.people["named"].id}), **changed)  # type: ignore[arg-type]

    def permit(self, days: int = 365) -> DataPermit:
        return self.node.permit(form=self.form(days))

    def may(self, act: Callable[[Actor], object]) -> set[str]:
        """Who is not refused; any other error is one of the test."""
        allowed = set()
        for name, person in self.people.items():
            try:
                act(person)
            except REFUSALS:
                continue
            allowed.add(name)
        return allowed


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    node = make_node(tmp_path)
    node.dataset()
    people = {
        "applicant": node.researcher,
        "named": node.colleague,
        "assessor": node.assessor,
        "decision-maker": node.decision_maker,
        "citizen-desk": node.desk,
        "data-holder": node.holder,
        "operator": node.person("Otto Operator", Organisation("The node"), Role.OPERATOR),
        "preparer": node.person("Petra Preparer", Organisation("The node"), Role.HDAB_DATA_PREPARER),
        "stranger": node.person("Stan Stranger", Organisation("Elsewhere"), Role.APPLICANT, Role.DATA_HOLDER),
    }
    yield Scene(node, people, SigningKeys(tmp_path / "keys" / "signing", wrapping_of(tmp_path / "keys")))
    node.engine.dispose()


def compare(title: str, found: dict[tuple[str, str], set[str]]) -> None:
    """Every cell of the table, both ways. `everybody` is more than the people of the scene."""
    said = {cell: who for cell, who in CELLS[title].items() if who != {"everybody"}}
    assert found == said
    assert any(found.values())


def permits_in_every_state(scene: Scene) -> dict[str, DataPermit]:
    node = scene.node
    later = Period(node.clock.now() + timedelta(days=100), node.clock.now() + timedelta(days=300))
    made = {
        "pending": node.permit(form=scene.form(period=later)),
        "active": scene.permit(),
        "suspended": scene.permit(),
        "revoked": scene.permit(),
        "expired": scene.permit(days=1),
    }
    permits.suspend_permit(node.uow, node.clock, node.decision_maker, made["suspended"].id, reasons="audit")
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, made["revoked"].id, reasons="breach")
    node.clock.forward(days=2)
    return made


def test_changes_of_a_permit(scene: Scene) -> None:
    node = scene.node
    clock, user, wanted = node.clock, node.researcher, Wanted(conditions=("Cite us.",))

    def asked() -> str:
        permit = scene.permit()
        return permit_life.ask_change(
            node.uow, clock, user, permit.id, ChangeKind.AMENDMENT, wanted, reasons="a new question"
        ).id

    def proposed(*, favourable: bool) -> str:
        change = asked()
        permit_life.propose_change(node.uow, clock, node.assessor, change, favourable=favourable, reasons="so it is")
        return change

    def decided(*, favourable: bool) -> str:
        change = proposed(favourable=favourable)
        permit_life.decide_change(node.uow, clock, node.decision_maker, change, reasons="adopted")
        return change

    gone = asked()
    permit_life.withdraw_change(node.uow, clock, user, gone)
    yes, no = proposed(favourable=True), proposed(favourable=False)
    rest = {
        "asked": asked(),
        "withdrawn": gone,
        "approved": decided(favourable=True),
        "rejected": decided(favourable=False),
    }
    acts: dict[str, Callable[[Actor, str], object]] = {
        "propose": lambda by, change: permit_life.propose_change(
            scene.undone, clock, by, change, favourable=True, reasons="so it is"
        ),
        "send-back": lambda by, change: permit_life.send_back_change(scene.undone, clock, by, change, reasons="why"),
        "approve": lambda by, change: permit_life.decide_change(scene.undone, clock, by, change, reasons="adopted"),
        "reject": lambda by, change: permit_life.decide_change(scene.undone, clock, by, change, reasons="adopted"),
        "withdraw": lambda by, change: permit_life.withdraw_change(scene.undone, clock, by, change),
    }
    found = {}
    for action, state in product(acts, ["asked", "proposed", "approved", "rejected", "withdrawn"]):
        change = rest.get(state) or (no if action == "reject" else yes)
        found[action, state] = scene.may(lambda by, act=acts[action], change=change: act(by, change))  # type: ignore[misc]
    compare("Changes of a permit", found)


def test_documents(scene: Scene) -> None:
    node, keys, issuer = scene.node, scene.keys, "https://node.example.eu"
    held = permits_in_every_state(scene)
    documents.permit_document(node.uow, node.clock, node.researcher, held["active"].id, keys, issuer)
    acts: dict[str, Callable[[Actor, str], object]] = {
        "read-permit-document": lambda by, permit: documents.permit_document(
            scene.undone, node.clock, by, permit, keys, issuer
        ),
        "read-visa": lambda by, permit: documents.visas(scene.undone, node.clock, by, permit, keys, issuer),
    }
    compare(
        "Documents",
        {
            (action, state): scene.may(lambda by, act=act, permit=permit: act(by, permit.id))  # type: ignore[misc]
            for (action, act), (state, permit) in product(acts.items(), held.items())
        },
    )
    # without asking who
    assert documents.permit_status(node.uow, node.clock, keys, issuer, [])


def test_requests_for_more_budget(scene: Scene) -> None:
    node = scene.node
    held = permits_in_every_state(scene)

    def ask(by: Actor, permit: DataPermit, uow: SqlUnitOfWork) -> str:
        return budget_requests.ask_for_budget(
            uow, node.clock, by, permit.id, budget_requests.MoreRho(Fraction(1, 1000)),
            reasons="a second year", to_limit=node.to_limit, to_epsilon=lambda _, guarantee: guarantee.epsilon * 2,
        ).id  # fmt: skip

    found = {("ask", s): scene.may(lambda by, p=p: ask(by, p, scene.undone)) for s, p in held.items()}  # type: ignore[misc]
    now = node.clock.now()
    # asked for while that was still possible
    node.clock.time = min(permit.valid_from for permit in held.values())
    waiting = {state: ask(node.researcher, held[state], node.uow) for state in held if state != "revoked"}
    other = scene.permit()
    waiting["revoked"] = ask(node.researcher, other, node.uow)
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, other.id, reasons="breach")
    node.clock.time = now
    acts: dict[str, Callable[[Actor, str], object]] = {
        "grant": lambda by, r: budget_requests.grant_budget(scene.undone, node.clock, by, r, reasons="needed"),
        "refuse": lambda by, r: budget_requests.refuse_budget(scene.undone, node.clock, by, r, reasons="enough"),
    }
    for (action, act), (state, request) in product(acts.items(), waiting.items()):
        found[action, state] = scene.may(lambda by, act=act, request=request: act(by, request))  # type: ignore[misc]
    for state, permit in (held | {"revoked": other}).items():
        found["view", state] = scene.may(
            lambda by, p=permit: budget_requests.list_requests(node.uow, node.clock, by, p.id)  # type: ignore[misc]
        )
    compare("Requests for more budget", found)


def test_the_public_register(scene: Scene) -> None:
    node = scene.node
    decider = node.decision_maker
    refused = node.propose_refusal(node.under_assessment(scene.form()))
    withdrawn = node.submitted(scene.form())
    granted = node.proposed(scene.form())
    cases = {
        "received": node.submitted(scene.form()).id,
        "under-assessment": node.under_assessment(scene.form()).id,
        "permit": granted.id,
        "refused": refused.id,
        "withdrawn": withdrawn.id,
    }
    parts = {
        stage: register.declare_confidential(node.uow, node.clock, decider, case, **SECRET).id  # type: ignore[arg-type]
        for stage, case in cases.items()
    }
    permits.refuse_application(node.uow, node.clock, decider, refused.id, reasons="no")
    permits.grant_permit(node.uow, node.clock, decider, granted.id, to_limit=node.to_limit)
    applications.withdraw_application(node.uow, node.clock, node.researcher, withdrawn.id)
    much_later = node.clock.now() + timedelta(days=3000)
    acts: dict[str, Callable[[Actor, str], object]] = {
        "declare-confidential": lambda by, stage: register.declare_confidential(
            scene.undone,
            node.clock,
            by,
            cases[stage],
            **SECRET,  # type: ignore[arg-type]
        ),
        "lift-confidential": lambda by, stage: register.lift_confidential(
            scene.undone, node.clock, by, parts[stage], reason="known anyway"
        ),
        "publish-decision": lambda by, stage: register.publish_decision(scene.undone, node.clock, by, cases[stage]),
        "register-result": lambda by, stage: results.register_result(
            scene.undone, node.clock, by, cases[stage], kind=ResultKind.PAPER, title="T", link="10.1/x", lay_summary="S"
        ),
        "extend-publication": lambda by, stage: results.extend_publication(
            scene.undone, node.clock, by, NO_HOLIDAYS, cases[stage], until=much_later, reason="review"
        ),
    }
    compare(
        "The public register",
        {
            (action, stage): scene.may(lambda by, act=act, stage=stage: act(by, stage))  # type: ignore[misc]
            for (action, act), stage in product(acts.items(), cases)
        },
    )
    # without asking who
    for stage, case in cases.items():
        assert register.get_entry(node.uow, node.clock, NO_HOLIDAYS, case).entry.stage == stage


def test_significant_findings(scene: Scene) -> None:
    node, permit = scene.node, scene.permit()

    def found_in(*states: FindingState) -> str:
        reported = findings.report_finding(
            node.uow, node.clock, node.colleague, permit.id, dataset="registry", pseudonym="ab12cd34", text="a lesion"
        ).finding.id
        for state, by in zip(states, (node.assessor, node.holder), strict=False):
            findings.move_finding(node.uow, node.clock, by, reported, state)
        return reported

    told = [FindingState.PERSON_TOLD, FindingState.CLINICIAN_TOLD, FindingState.NOT_TO_BE_TOLD]
    known = {"reported": found_in(), "forwarded": found_in(FindingState.FORWARDED)}
    known |= {state.value: found_in(FindingState.FORWARDED, state) for state in told}
    acts = {"forward": [FindingState.FORWARDED], "note-who-was-told": told}
    cells = {}
    for (action, states), (state, finding) in product(acts.items(), known.items()):
        moved = [
            scene.may(
                lambda by, f=finding, to=to: findings.move_finding(scene.undone, node.clock, by, f, to)  # type: ignore[misc]
            )
            for to in states
        ]
        assert all(who == moved[0] for who in moved)
        cells[action, state] = moved[0]
    compare("Significant findings", cells)


def test_complaints(scene: Scene) -> None:
    node = scene.node

    def filed(state: ComplaintState | None = None, subject: Subject = Subject.PERMIT) -> str:
        receipt = complaints.file_complaint(
            node.uow, node.clock, subject=subject, complainants=[Complainant("Wanda Weber")], text="no", contact="w"
        ).receipt
        if state is not None:
            complaints.move_complaint(node.uow, node.clock, node.decision_maker, receipt, state, "so it is")
        return receipt

    decided = [ComplaintState.UPHELD, ComplaintState.PARTLY_UPHELD, ComplaintState.REJECTED]
    known = {"received": filed(), "forwarded": filed(subject=Subject.OPT_OUT)}
    known |= {state.value: filed(state) for state in (ComplaintState.UNDER_EXAMINATION, *decided)}
    acts = {"examine": [ComplaintState.UNDER_EXAMINATION], "decide": decided}
    cells = {}
    for (action, states), (state, receipt) in product(acts.items(), known.items()):
        moved = [
            scene.may(
                lambda by, r=receipt, to=to: complaints.move_complaint(  # type: ignore[misc]
                    scene.undone, node.clock, by, r, to, "so it is"
                )
            )
            for to in states
        ]
        assert all(who == moved[0] for who in moved)
        cells[action, state] = moved[0]
    compare("Complaints", cells)


def test_signs_of_closeness_stand_where_the_services_ask_for_it(scene: Scene) -> None:
    """Of two officials one declared an interest: refused where the page has the sign, and not elsewhere."""
    node = scene.node
    clock = node.clock
    authority = node.assessor.organisation
    close = node.person("Clara Close", authority, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    free = node.person("Frida Free", authority, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    submitted, proposed = node.submitted(scene.form()), node.proposed(scene.form())
    refused, held, suspended = node.to_be_refused(scene.form()), scene.permit(), scene.permit()
    permits.suspend_permit(node.uow, clock, node.decision_maker, suspended.id, reasons="audit")
    asked, favoured = (
        permit_life.ask_change(
            node.uow, clock, node.researcher, permit.id, ChangeKind.AMENDMENT, Wanted(conditions=("Cite us.",)),
            reasons="a new question",
        ).id
        for permit in (held, suspended)
    )  # fmt: skip
    permit_life.propose_change(node.uow, clock, node.assessor, favoured, favourable=True, reasons="so it is")
    for case in (submitted.id, proposed.id, refused.id, held.application, suspended.application):
        decisions.declare_interest(node.uow, clock, close, case, interest="a friend applied")
    acts: dict[str, Callable[[Actor], object]] = {
        "start-assessment": lambda by: applications.start_assessment(scene.undone, clock, by, submitted.id),
        "view-assessment": lambda by: decisions.get_case_file(node.uow, by, submitted.id),
        "send-back": lambda by: decisions.send_back(scene.undone, clock, by, proposed.id, reasons="why"),
        "grant": lambda by: permits.grant_permit(scene.undone, clock, by, proposed.id, to_limit=node.to_limit),
        "refuse": lambda by: permits.refuse_application(scene.undone, clock, by, refused.id, reasons="no"),
        "suspend": lambda by: permits.suspend_permit(scene.undone, clock, by, held.id, reasons="audit"),
        "resume": lambda by: permits.resume_permit(scene.undone, clock, by, suspended.id, reasons="passed"),
        "revoke": lambda by: permits.revoke_permit(scene.undone, clock, by, held.id, reasons="breach"),
        "propose-change": lambda by: permit_life.propose_change(
            scene.undone, clock, by, asked, favourable=True, reasons="so it is"
        ),
        "decide-change": lambda by: permit_life.decide_change(scene.undone, clock, by, favoured, reasons="adopted"),
    }
    marks = {action: mark for sheet in sheets()[:2] for action, mark in sheet.marks.items()}
    for action, act in acts.items():
        act(free)
        if "³" in marks.get(action, ""):
            with pytest.raises(NotPermitted, match="you declared an interest"):
                act(close)
        else:
            act(close)


def test_what_was_tried_was_taken_back(scene: Scene) -> None:
    case = scene.node.submitted(scene.form())
    applications.withdraw_application(scene.undone, scene.node.clock, scene.node.researcher, case.id)
    assert applications.get_application(scene.node.uow, scene.node.researcher, case.id).state == "submitted"
    with pytest.raises(DataspaceError):
        applications.withdraw_application(scene.undone, scene.node.clock, scene.node.assessor, case.id)
