"""User actions from sign-in to the public register, on a real database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Organisation, Role
from dataspace.domain.applications import ApplicationForm, ApplicationState
from dataspace.domain.errors import (
    InvalidApplication,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    WrongState,
)
from dataspace.domain.events import EventKind
from dataspace.domain.permits import PermitState
from dataspace.domain.privacy import Guarantee
from dataspace.domain.scopes import Scope
from dataspace.services import accounts, applications, datasets, ledger, permits
from tests.factories import HOSPITAL, Node, make_schema, to_limit


def test_a_token_signs_its_person_in_until_it_expires(node: Node) -> None:
    token = accounts.issue_token(node.uow, node.clock, node.researcher, node.researcher.id, valid_for=timedelta(days=1))
    assert accounts.identify_token(node.uow, node.clock, token.plaintext).actor == node.researcher
    node.clock.forward(days=1)
    with pytest.raises(NotAuthenticated, match="unknown, expired or revoked"):
        accounts.identify_token(node.uow, node.clock, token.plaintext)


def test_a_token_is_nowhere_in_clear(node: Node, tmp_path: Path) -> None:
    token = accounts.issue_token(node.uow, node.clock, node.researcher, node.researcher.id)
    assert token.plaintext.startswith("ehds_")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.plaintext.encode() not in stored
    assert token.plaintext.removeprefix("ehds_").encode() not in stored
    assert token.plaintext not in repr(token)


def test_a_revoked_token_ends_at_once(node: Node) -> None:
    token = accounts.issue_token(node.uow, node.clock, SYSTEM, node.researcher.id)
    with pytest.raises(NotPermitted):
        accounts.revoke_token(node.uow, node.clock, node.colleague, token.plaintext)
    accounts.revoke_token(node.uow, node.clock, node.researcher, token.plaintext)
    with pytest.raises(NotAuthenticated):
        accounts.identify_token(node.uow, node.clock, token.plaintext)


@pytest.mark.parametrize("bad", ["", "ehds_", "ehds_guess", "' or 1=1 --"])
def test_other_texts_sign_nobody_in(node: Node, bad: str) -> None:
    with pytest.raises(NotAuthenticated):
        accounts.identify_token(node.uow, node.clock, bad)


def test_nobody_issues_tokens_for_others_but_an_operator(node: Node) -> None:
    with pytest.raises(NotPermitted, match="operator"):
        accounts.issue_token(node.uow, node.clock, node.colleague, node.researcher.id)
    with pytest.raises(NotFound):
        accounts.issue_token(node.uow, node.clock, SYSTEM, "prs_nobody")
    with pytest.raises(InvalidInput, match="at most a year"):
        accounts.issue_token(node.uow, node.clock, SYSTEM, node.researcher.id, valid_for=timedelta(days=400))


def test_only_an_operator_registers_persons(node: Node) -> None:
    with pytest.raises(NotPermitted):
        accounts.register_person(
            node.uow, node.clock, node.holder, name="x", organisation=HOSPITAL, roles=frozenset({Role.OPERATOR})
        )
    with pytest.raises(InvalidInput, match="legal form"):
        node.person("x", Organisation(HOSPITAL.name, public_body=True), Role.DATA_HOLDER)


def test_publishing_moves_the_current_snapshot_and_keeps_the_old_dictionary(node: Node) -> None:
    assert node.snapshot("s2").current == "s2"
    node.clock.forward(days=1)
    again = node.snapshot("s2")
    assert again == datasets.get_dataset(node.uow, "registry")
    assert again.published_at != node.clock.now()
    assert datasets.get_schema(node.uow, "registry", "s1") == make_schema()
    assert datasets.get_schema(node.uow, "registry") == make_schema()
    with pytest.raises(NotFound):
        datasets.get_schema(node.uow, "registry", "s3")


def test_a_published_dictionary_does_not_change(node: Node) -> None:
    schema = replace(make_schema(), tables=make_schema().tables[:1])
    with pytest.raises(WrongState, match="another data dictionary"):
        datasets.publish_snapshot(node.uow, node.clock, node.holder, schema=schema, snapshot="s1")


def test_a_holder_publishes_only_their_own_datasets(node: Node) -> None:
    stranger = node.person("Sam", Organisation("Other Hospital"), Role.DATA_HOLDER)
    for actor in (stranger, node.researcher):
        with pytest.raises(NotPermitted):
            datasets.publish_snapshot(node.uow, node.clock, actor, schema=make_schema(), snapshot="s9")
    preparer = node.person("Petra", node.assessor.organisation, Role.HDAB_DATA_PREPARER)
    for number, actor in enumerate((SYSTEM, preparer)):
        published = datasets.publish_snapshot(node.uow, node.clock, actor, schema=make_schema(), snapshot=f"s1{number}")
        assert published.current == f"s1{number}"


def test_a_dataset_has_a_registered_holder(node: Node) -> None:
    capacity = Guarantee(Decimal(1), Decimal("0.00001"))
    with pytest.raises(InvalidInput, match="Nobody is not registered"):
        datasets.register_dataset(
            node.uow,
            node.clock,
            SYSTEM,
            dataset="x",
            title="X",
            capacity=capacity,
            to_limit=to_limit,
            holder="Nobody",
        )


def test_the_capacity_of_a_dataset_is_set_once(node: Node) -> None:
    with pytest.raises(WrongState, match="registered already"):
        node.dataset(epsilon="20")
    with pytest.raises(NotFound):
        datasets.publish_snapshot(node.uow, node.clock, node.holder, schema=make_schema("new"), snapshot="s1")


def test_a_draft_is_edited_by_version_and_submitted_when_complete(node: Node) -> None:
    draft = node.draft(ApplicationForm(title="only a title"))
    with pytest.raises(InvalidApplication, match="not complete"):
        applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
    edited = applications.edit_application(node.uow, node.clock, node.researcher, draft.id, node.form(), version=1)
    with pytest.raises(WrongState, match="changed by someone else"):
        applications.edit_application(node.uow, node.clock, node.researcher, draft.id, node.form(), version=1)
    assert applications.get_application(node.uow, node.researcher, draft.id) == edited
    submitted = applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
    assert submitted.submitted_at == node.clock.now()
    with pytest.raises(WrongState, match="to submit it must be draft"):
        applications.submit_application(node.uow, node.clock, node.researcher, draft.id)


def test_an_application_names_data_and_persons_that_exist(node: Node) -> None:
    with pytest.raises(InvalidApplication, match=r"do not exist: registry\.death"):
        node.submitted(replace(node.form(), scope=Scope.of(("registry", "death", "*"))))
    with pytest.raises(InvalidApplication, match="not registered"):
        node.submitted(replace(node.form(), persons=frozenset({"prs_nobody"})))


def test_cases_of_others_do_not_exist(node: Node) -> None:
    draft, permit = node.draft(), node.permit()
    for actor in (node.colleague, node.assessor, node.holder):
        with pytest.raises(NotFound):
            applications.get_application(node.uow, actor, draft.id)
    with pytest.raises(NotFound):
        permits.get_permit(node.uow, node.clock, node.colleague, permit.id)
    with pytest.raises(NotFound):
        ledger.get_budget(node.uow, node.clock, node.colleague, permit.id)
    assert applications.list_applications(node.uow, node.colleague) == []
    assert permits.list_my_permits(node.uow, node.colleague) == []
    assert permits.list_permits(node.uow, node.clock, node.assessor) == [permit]


def test_a_permit_is_what_was_applied_for_on_the_snapshot_of_its_day(node: Node) -> None:
    permit = node.permit(epsilon="2")
    node.snapshot("s2")
    stored = permits.get_permit(node.uow, node.clock, node.researcher, permit.id)
    assert stored == permit
    assert (stored.snapshots, stored.limit) == ({"registry": "s1"}, to_limit(stored.guarantee))
    assert stored.guarantee == Guarantee(Decimal(2), Decimal("0.000001"))
    assert permits.list_my_permits(node.uow, node.researcher) == [permit]


def test_a_late_decision_starts_the_permit_on_its_own_day(node: Node) -> None:
    application = node.proposed()
    node.clock.forward(days=30)
    permit = permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)
    assert permit.valid_from == node.clock.now()
    assert application.form.period is not None
    assert permit.valid_until == application.form.period.end


def test_too_late_a_decision_grants_nothing(node: Node) -> None:
    application = node.proposed()
    node.clock.forward(days=400)
    with pytest.raises(WrongState, match="is over"):
        permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)


def test_a_refusal_has_reasons(node: Node) -> None:
    application = node.to_be_refused()
    with pytest.raises(InvalidInput, match="reasons"):
        permits.refuse_application(node.uow, node.clock, node.decision_maker, application.id, reasons=" ")
    refused = permits.refuse_application(
        node.uow, node.clock, node.decision_maker, application.id, reasons="not necessary for the purpose"
    )
    assert refused.state is ApplicationState.REFUSED
    with pytest.raises(WrongState):
        permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)


def test_the_assessor_cannot_be_the_decision_maker(node: Node) -> None:
    both = node.person("Bo", node.assessor.organisation, Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER)
    application = applications.start_assessment(node.uow, node.clock, both, node.submitted().id)
    with pytest.raises(NotPermitted, match="two-person"):
        permits.grant_permit(node.uow, node.clock, both, application.id, to_limit=to_limit)


def test_suspension_stops_and_resumption_starts(node: Node) -> None:
    permit = node.permit()
    suspended = permits.suspend_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="audit")
    assert suspended.state(node.clock.now()) is PermitState.SUSPENDED
    permits.resume_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="audit passed")
    node.charge(permit, 5)
    with pytest.raises(NotPermitted):
        permits.revoke_permit(node.uow, node.clock, node.researcher, permit.id, reasons="mine")


def test_every_change_is_in_the_audit_trail(node: Node) -> None:
    permit = node.permit()
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    with node.uow.reading() as uow:
        case = [entry.event.kind for entry in uow.audit.entries(permit.application)]
        decision = [(entry.event.kind, entry.event.actor) for entry in uow.audit.entries(permit.id)]
    assert case == [
        EventKind.APPLICATION_FILED,
        EventKind.APPLICATION_SUBMITTED,
        EventKind.ASSESSMENT_STARTED,
        EventKind.CRITERIA_ASSESSED,
        EventKind.DECISION_PROPOSED,
        EventKind.APPLICATION_GRANTED,
    ]
    assert decision == [
        (EventKind.PERMIT_ISSUED, node.decision_maker.id),
        (EventKind.DATA_ORDERED, node.decision_maker.id),
        (EventKind.PERMIT_REVOKED, node.decision_maker.id),
        (EventKind.BUDGET_RETURNED, node.decision_maker.id),
    ]
    assert ledger.verify(node.uow).sound


def test_numbers_run_on_within_a_year(node: Node) -> None:
    assert [node.draft().number for _ in range(2)] == ["DAA-2026-0001", "DAA-2026-0002"]
    node.clock.forward(days=60)
    assert node.draft().number == "DAA-2027-0001"
