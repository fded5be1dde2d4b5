"""Walks through the services that tests on both databases share."""

from datetime import timedelta

from dataspace.domain.assessments import Criterion, Verdict
from dataspace.domain.fees import Activity, FeeLine
from dataspace.domain.permit_changes import ChangeKind, PermitChange, Wanted
from dataspace.domain.permits import DataPermit
from dataspace.domain.proposals import Outcome, Step, Terms
from dataspace.services import decisions, permit_life, permits
from tests.factories import HOSPITAL, Node, to_limit

FEE = (FeeLine(Activity.ASSESSMENT, 30_000), FeeLine(Activity.HOLDER_PREPARATION, 12_050, HOSPITAL.name))
PART = Terms(struck_columns=frozenset({("registry", "person", "birth_year")}), min_cell=5, conditions=("Cite us.",))


def grant(node: Node, application_id: str) -> DataPermit:
    return permits.grant_permit(node.uow, node.clock, node.decision_maker, application_id, to_limit=to_limit)


def granted_in_part(node: Node) -> DataPermit:
    """Sent back once, proposed in part with a fee, offered, accepted, issued."""
    case = node.assessed()
    propose = {"outcome": Outcome.GRANT, "reasons": "all met"}
    decisions.propose(node.uow, node.clock, node.assessor, case.id, **propose)  # type: ignore[arg-type]
    decisions.send_back(node.uow, node.clock, node.decision_maker, case.id, reasons="the year of birth is not needed")
    narrower = {Criterion.NECESSITY: (Verdict.MET, "without the year of birth")}
    decisions.record_findings(node.uow, node.clock, node.assessor, case.id, narrower)
    decisions.propose(
        node.uow, node.clock, node.assessor, case.id,
        outcome=Outcome.GRANT_IN_PART, reasons="without the year of birth", terms=PART, fee=FEE,
    )  # fmt: skip
    decisions.offer(node.uow, node.clock, node.decision_maker, case.id)
    decisions.accept_offer(node.uow, node.clock, node.researcher, case.id)
    return grant(node, case.id)


def changed(node: Node, permit: DataPermit, kind: ChangeKind, wanted: Wanted) -> PermitChange:
    """Asked for, proposed, and decided by another person."""
    asked = permit_life.ask_change(
        node.uow, node.clock, node.researcher, permit.id, kind, wanted, reasons="a new question"
    )
    permit_life.propose_change(node.uow, node.clock, node.assessor, asked.id, favourable=True, reasons="it is needed")
    return permit_life.decide_change(node.uow, node.clock, node.decision_maker, asked.id, reasons="adopted")


def whole_life(node: Node) -> None:
    """From application to revocation, with an amendment and an extension between."""
    permit = granted_in_part(node)
    file = decisions.get_case_file(node.uow, node.decision_maker, permit.application)
    assert [step.step for step in file.steps] == [
        Step.TAKEN_UP, Step.PROPOSED, Step.SENT_BACK, Step.PROPOSED, Step.OFFERED, Step.ACCEPTED,
    ]  # fmt: skip
    assert ("registry", "person", "birth_year") not in permit.columns
    assert (permit.min_cell, permit.conditions, permit.particulars.fee_cents) == (5, ("Cite us.",), 42_050)
    assert permit.particulars.sources == (HOSPITAL.name,)
    year = frozenset({("registry", "person", "birth_year")})
    changed(node, permit, ChangeKind.AMENDMENT, Wanted(columns=year, persons=frozenset({node.colleague.id})))
    later = permit.valid_until + timedelta(days=365)
    changed(node, permit, ChangeKind.EXTENSION, Wanted(valid_until=later))
    now = permits.get_permit(node.uow, node.clock, node.colleague, permit.id)
    assert now.columns == permit.columns | year
    assert (now.persons, now.valid_until) == (frozenset({node.researcher.id, node.colleague.id}), later)
    assert (now.version, now.extended, now.limit) == (3, True, permit.limit)
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    versions = [v.permit for v in permit_life.list_versions(node.uow, node.clock, node.researcher, permit.id)]
    assert versions[0] == permit
    assert versions[2] == now
    assert versions[3].revoked_at is not None
    assert [v.version for v in versions] == [1, 2, 3, 4]
