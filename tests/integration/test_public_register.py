"""The public register, results and their duty, findings, complaints, measures and the report, through the services."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dataspace.domain.activity import FactKind, Period
from dataspace.domain.actors import Actor, Role
from dataspace.domain.complaints import Complainant, ComplaintState, Subject
from dataspace.domain.errors import InvalidInput, NotFound, NotPermitted, OutOfScope, WrongState
from dataspace.domain.events import EventKind
from dataspace.domain.findings import FindingState
from dataspace.domain.measures import MeasureKind
from dataspace.domain.public_register import PublicState, Search
from dataspace.domain.purposes import Purpose
from dataspace.domain.redaction import Ground, Part
from dataspace.domain.results import Duty, ResultKind
from dataspace.services import activity, applications, complaints, findings, measures, permits, register, results
from dataspace.services.register import EntryView
from tests.factories import HOSPITAL, Node, make_node
from tests.public_records import NO_HOLIDAYS, confidential_permit, no_categories, number_of, record_everything


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = make_node(tmp_path)
    made.dataset()
    return made


def shown(node: Node, number: str) -> EntryView:
    return register.get_entry(node.uow, node.clock, NO_HOLIDAYS, number)


def found(node: Node, **asked: object) -> list[str]:
    views, _ = register.search_register(node.uow, node.clock, NO_HOLIDAYS, Search(**asked))  # type: ignore[arg-type]
    return [view.entry.number for view in views]


def test_an_application_is_public_on_receipt_and_a_draft_is_not(node: Node) -> None:
    draft = node.draft()
    assert found(node) == []
    applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
    view = shown(node, draft.number)
    assert (view.state, view.entry.applicant, view.entry.datasets) == (
        PublicState.RECEIVED, "University of Coimbra", ("registry",),
    )  # fmt: skip
    assert (view.entry.title, view.entry.purposes) == (draft.form.title, (Purpose.RESEARCH,))
    said = repr(view)
    assert node.researcher.name not in said
    assert node.researcher.id not in said
    assert draft.form.justification not in said
    applications.withdraw_application(node.uow, node.clock, node.researcher, draft.id)
    assert shown(node, draft.number).state is PublicState.WITHDRAWN


def test_a_refusal_is_public_with_its_reasons_and_the_day_by_which_it_had_to_be(node: Node) -> None:
    case = node.to_be_refused()
    reasons = f"not necessary, says {node.assessor.name}"
    permits.refuse_application(node.uow, node.clock, node.decision_maker, case.id, reasons=reasons)
    view = shown(node, case.number)
    assert (view.state, view.publish_by) == (PublicState.REFUSED, date(2027, 1, 4))
    assert view.entry.reasons == "not necessary, says [withheld: personal data]"


def test_a_permit_is_followed_through_its_states(node: Node) -> None:
    permit = node.permit()
    entry = shown(node, permit.number).entry
    assert (entry.issued_at, entry.valid_from, entry.valid_until) == (
        permit.granted_at, permit.valid_from, permit.valid_until,
    )  # fmt: skip
    permits.suspend_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="audit")
    assert (shown(node, permit.number).state, found(node, state=PublicState.ACTIVE)) == (PublicState.SUSPENDED, [])
    permits.resume_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="passed")
    assert found(node, state=PublicState.ACTIVE) == [entry.number]
    node.clock.forward(days=366)
    assert (shown(node, permit.number).state, found(node, state=PublicState.EXPIRED)) == (
        PublicState.EXPIRED, [entry.number],
    )  # fmt: skip


def test_a_change_that_is_rolled_back_is_not_public(node: Node) -> None:
    case = node.to_be_refused()
    with pytest.raises(NotPermitted):
        permits.refuse_application(node.uow, node.clock, node.assessor, case.id, reasons="no")
    assert shown(node, case.number).state is PublicState.UNDER_ASSESSMENT


def test_searching_and_paging(node: Node) -> None:
    numbers = []
    for title in ("Café in winter", "100% of births", "under_score"):
        node.clock.forward(hours=1)
        numbers.append(node.submitted(replace(node.form(), title=title)).number)
    first, second, third = numbers
    assert found(node) == [third, second, first]
    assert found(node, words="cafe WINTER") == [first]
    assert found(node, words="100%") == [second]
    assert found(node, words="r_s") == [third]
    assert found(node, words="nothing of the kind") == []
    assert found(node, dataset="registry", purpose=Purpose.RESEARCH) == [third, second, first]
    assert found(node, dataset="regist") == found(node, purpose=Purpose.CARE) == []
    assert found(node, most=2) == [third, second]
    assert found(node, most=2, after=second) == [first]
    with pytest.raises(NotFound):
        found(node, after="DAA-1999-0001")


def test_reasons_on_a_confidential_case_wait_for_the_access_body(node: Node) -> None:
    permit = confidential_permit(node, "zirconium lattice")
    number = number_of(node, permit)
    assert shown(node, number).entry.reasons_published_at is None
    waiting = register.list_unpublished(node.uow, node.clock, node.decision_maker, NO_HOLIDAYS)
    assert [(view.entry.number, late) for view, late in waiting] == [(number, False)]
    node.clock.forward(days=60)
    waiting = register.list_unpublished(node.uow, node.clock, node.decision_maker, NO_HOLIDAYS)
    assert [late for _, late in waiting] == [True]
    with pytest.raises(NotPermitted):
        register.publish_decision(node.uow, node.clock, node.researcher, number)
    published = register.publish_decision(node.uow, node.clock, node.decision_maker, number)
    assert published.reasons_published_at == node.clock.now()
    assert register.list_unpublished(node.uow, node.clock, node.decision_maker, NO_HOLIDAYS) == []
    with pytest.raises(WrongState, match="was published"):
        register.publish_decision(node.uow, node.clock, node.decision_maker, number)


def test_who_may_name_a_part_confidential_and_who_lifts_it(node: Node) -> None:
    case = node.submitted()
    given = {"part": Part.TITLE, "ground": Ground.SECURITY, "reason": "a site"}
    with pytest.raises(NotPermitted):
        register.declare_confidential(node.uow, node.clock, node.colleague, case.id, **given)  # type: ignore[arg-type]
    part = register.declare_confidential(node.uow, node.clock, node.researcher, case.id, **given)  # type: ignore[arg-type]
    assert shown(node, case.number).entry.title == "[withheld: security]"
    assert found(node, words="readmissions") == []
    with pytest.raises(NotFound):
        register.list_confidential(node.uow, node.colleague, case.id)
    with pytest.raises(NotPermitted):
        register.lift_confidential(node.uow, node.clock, node.researcher, part.id, reason="not needed")
    register.lift_confidential(node.uow, node.clock, node.assessor, part.id, reason="known anyway")
    assert shown(node, case.number).entry.title == case.form.title
    assert len(register.list_confidential(node.uow, node.researcher, case.id)) == 2
    node.propose_refusal(applications.start_assessment(node.uow, node.clock, node.assessor, case.id))
    permits.refuse_application(node.uow, node.clock, node.decision_maker, case.id, reasons="no")
    with pytest.raises(WrongState, match="decided"):
        register.declare_confidential(node.uow, node.clock, node.researcher, case.id, **given)  # type: ignore[arg-type]


def test_a_register_that_was_not_there_is_caught_up(node: Node) -> None:
    case = node.submitted()
    with node.engine.begin() as connection:
        connection.execute(text("delete from register_entries"))
    assert register.catch_up(node.uow, node.clock) == 1
    assert register.catch_up(node.uow, node.clock) == 0
    assert shown(node, case.number).entry.title == case.form.title


def test_the_mandatory_columns_are_refused_empty_by_the_database(node: Node) -> None:
    node.permit()
    for column in ("applicant", "purposes", "title", "lay_summary"):
        with pytest.raises(IntegrityError, match="ck_register_entries_mandatory"), node.engine.begin() as connection:
            connection.execute(text(f"update register_entries set {column} = ''"))
    with pytest.raises(IntegrityError, match="ck_register_entries_mandatory"), node.engine.begin() as connection:
        connection.execute(text("update register_entries set valid_until = null"))


def publish(node: Node, number: str, **changed: object) -> str:
    given = {"kind": ResultKind.PAPER, "title": "T", "link": "10.1/x", "lay_summary": "S"} | changed
    return results.register_result(node.uow, node.clock, node.researcher, number, **given).id  # type: ignore[arg-type]


def more_time(node: Node, by: Actor, number: str, until: datetime) -> None:
    results.extend_publication(node.uow, node.clock, by, NO_HOLIDAYS, number, until=until, reason="review")


def test_results_are_due_extended_and_met(node: Node) -> None:
    permit = node.permit()
    number = number_of(node, permit)
    assert results.list_duties(node.uow, node.clock, node.decision_maker, NO_HOLIDAYS) == []
    node.clock.forward(days=366)
    due = date(2029, 5, 23)
    assert (shown(node, number).duty, shown(node, number).due) == (Duty.DUE, due)
    with pytest.raises(InvalidInput, match="later day"):
        more_time(node, node.decision_maker, number, node.clock.now())
    until = node.clock.now() + timedelta(days=900)
    with pytest.raises(NotPermitted):
        more_time(node, node.researcher, number, until)
    more_time(node, node.decision_maker, number, until)
    node.clock.forward(days=600)
    assert shown(node, number).duty is Duty.EXTENDED
    node.clock.forward(days=301)
    listed = results.list_duties(node.uow, node.clock, node.decision_maker, NO_HOLIDAYS)
    assert [state for _, state, _ in listed] == [Duty.OVERDUE]
    first = publish(node, number)
    publish(node, number, title="T, corrected", supersedes=first)
    view = shown(node, number)
    assert (view.duty, [result.title for result in view.results]) == (Duty.MET, ["T, corrected"])
    with pytest.raises(WrongState):
        more_time(node, node.decision_maker, number, until)


def test_duties_and_unpublished_decisions_come_a_page_at_a_time(node: Node) -> None:
    permits_, withheld = [], []
    for hours in (0, 0, 5):
        node.clock.forward(hours=hours)
        permits_.append(node.permit(form=node.form(days=30, epsilon="0.1")))
        withheld.append(confidential_permit(node, f"zirconium lattice {hours}"))
    node.clock.forward(days=400)
    by, numbers = node.decision_maker, [number_of(node, permit) for permit in permits_]

    def owing(**page: object) -> list[str]:
        listed = results.list_duties(node.uow, node.clock, by, NO_HOLIDAYS, **page)  # type: ignore[arg-type]
        return [entry.number for entry, _, _ in listed]

    def waiting(**page: object) -> list[str]:
        listed = register.list_unpublished(node.uow, node.clock, by, NO_HOLIDAYS, **page)  # type: ignore[arg-type]
        return [view.entry.number for view, _ in listed]

    everything = sorted(numbers + [number_of(node, permit) for permit in withheld])
    for listing, whole in ((owing, everything), (waiting, [n for n in everything if n not in numbers])):
        assert listing() == whole
        assert listing(most=2) == whole[:2]
        assert listing(most=2, after=whole[1]) == whole[2:4]
        assert listing(after=whole[-1]) == []
        with pytest.raises(NotFound):
            listing(after="DAA-1999-0001")


def test_results_are_the_users_own_and_of_a_permit(node: Node) -> None:
    waiting, permit = node.submitted(), node.permit()
    with pytest.raises(WrongState, match="no permit"):
        publish(node, waiting.number)
    for stranger in (node.colleague, node.decision_maker):
        with pytest.raises(NotPermitted):
            results.register_result(
                node.uow, node.clock, stranger, permit.number,
                kind=ResultKind.PAPER, title="T", link="10.1/x", lay_summary="S",
            )  # fmt: skip
    with pytest.raises(InvalidInput, match="same case"):
        publish(node, permit.number, supersedes="res_other")


def test_a_finding_goes_from_user_to_access_body_to_holder_and_nobody_else_sees_it(node: Node) -> None:
    permit = node.permit()
    stranger = node.person("Olga Other", HOSPITAL, Role.APPLICANT)
    given = {"dataset": "registry", "pseudonym": "ab12cd34", "text": "a growing lesion of 12 mm"}
    with pytest.raises(NotFound):
        findings.report_finding(node.uow, node.clock, node.colleague, permit.id, **given)
    with pytest.raises(OutOfScope):
        findings.report_finding(node.uow, node.clock, node.researcher, permit.id, **given | {"dataset": "other"})
    with pytest.raises(InvalidInput, match="e-mail"):
        findings.report_finding(node.uow, node.clock, node.researcher, permit.id, **given | {"text": "a@b.org"})
    finding = findings.report_finding(node.uow, node.clock, node.researcher, permit.id, **given).finding.id

    def sees(*persons: object) -> list[bool]:
        return [bool(findings.list_findings(node.uow, person)) for person in persons]  # type: ignore[arg-type]

    everyone = (node.researcher, node.assessor, node.holder, node.colleague, node.desk, stranger)
    assert sees(*everyone) == [True, True, False, False, False, False]
    with pytest.raises(NotFound):
        findings.move_finding(node.uow, node.clock, node.holder, finding, FindingState.PERSON_TOLD)
    with pytest.raises(NotPermitted):
        findings.move_finding(node.uow, node.clock, node.researcher, finding, FindingState.FORWARDED)
    findings.move_finding(node.uow, node.clock, node.assessor, finding, FindingState.FORWARDED)
    assert sees(*everyone) == [True, True, True, False, False, False]
    with pytest.raises(NotPermitted):
        findings.move_finding(node.uow, node.clock, node.assessor, finding, FindingState.NOT_TO_BE_TOLD)
    view = findings.move_finding(node.uow, node.clock, node.holder, finding, FindingState.NOT_TO_BE_TOLD)
    assert [step.state for step in view.steps] == [
        FindingState.REPORTED, FindingState.FORWARDED, FindingState.NOT_TO_BE_TOLD,
    ]  # fmt: skip
    with pytest.raises(WrongState):
        findings.move_finding(node.uow, node.clock, node.holder, finding, FindingState.PERSON_TOLD)
    with node.uow.reading() as uow:
        trail = json.dumps([dict(entry.event.details) for entry in uow.audit.entries()])
    assert "lesion" not in trail
    assert "ab12cd34" not in trail


def complain(node: Node, subject: Subject = Subject.PERMIT) -> complaints.Filed:
    persons = [Complainant("Wanda Weber"), Complainant("Patients' Union", True)]
    return complaints.file_complaint(
        node.uow, node.clock, subject=subject, complainants=persons, text="I was not asked", contact="w@example.org"
    )


def test_a_complaint_is_followed_examined_and_decided(node: Node) -> None:
    filed = complain(node)
    assert complaints.follow_complaint(node.uow, filed.receipt, filed.secret).state is ComplaintState.RECEIVED
    moved = (node.uow, node.clock)
    with pytest.raises(NotPermitted):
        complaints.move_complaint(*moved, node.desk, filed.receipt, ComplaintState.UPHELD, "right")
    complaints.move_complaint(*moved, node.desk, filed.receipt, ComplaintState.UNDER_EXAMINATION, "we look at it")
    with pytest.raises(InvalidInput):
        complaints.move_complaint(*moved, node.decision_maker, filed.receipt, ComplaintState.REJECTED, " ")
    complaints.move_complaint(*moved, node.decision_maker, filed.receipt, ComplaintState.REJECTED, "because")
    progress = complaints.follow_complaint(node.uow, filed.receipt, filed.secret)
    assert [(step.state, step.text) for step in progress.steps][1:] == [
        (ComplaintState.UNDER_EXAMINATION, "we look at it"), (ComplaintState.REJECTED, "because"),
    ]  # fmt: skip
    with pytest.raises(WrongState):
        complaints.move_complaint(*moved, node.decision_maker, filed.receipt, ComplaintState.UPHELD, "after all")
    assert len(complaints.list_complaints(node.uow, node.desk)[0].complaint.complainants) == 2
    with pytest.raises(NotPermitted):
        complaints.list_complaints(node.uow, node.researcher)


def test_a_wrong_secret_says_the_same_as_an_unknown_receipt(node: Node) -> None:
    filed, other = complain(node), complain(node)
    said = set()
    for receipt, secret in ((filed.receipt, other.secret), ("CP-2026-0", filed.secret), (filed.receipt, "")):
        with pytest.raises(NotFound) as refused:
            complaints.follow_complaint(node.uow, receipt, secret)
        said.add(refused.value.message)
    assert len(said) == 1


def test_a_complaint_about_opting_out_is_the_authoritys(node: Node) -> None:
    filed = complain(node, Subject.OPT_OUT)
    assert filed.state is ComplaintState.FORWARDED
    with pytest.raises(WrongState):
        complaints.move_complaint(
            node.uow, node.clock, node.desk, filed.receipt, ComplaintState.UNDER_EXAMINATION, "we look"
        )
    with node.uow.reading() as uow:
        events = [entry.event for entry in uow.audit.entries()]
    forwarded = [event for event in events if event.kind is EventKind.COMPLAINT_FORWARDED]
    assert [event.details["to"] for event in forwarded] == ["data-protection-authority"]
    said = json.dumps([[event.actor, event.subject, dict(event.details)] for event in events])
    for private in ("Wanda", "example.org", "not asked", filed.secret, filed.receipt):
        assert private not in said


def test_a_measure_is_public_and_agrees_with_its_permit(node: Node) -> None:
    permit, user = node.permit(), node.researcher.organisation.name
    given = {"kind": MeasureKind.REVOCATION, "reasons": f"{node.researcher.name} left", "permit_number": permit.number}
    take = (node.uow, node.clock, node.decision_maker)
    with pytest.raises(WrongState, match="revoked first"):
        measures.take_measure(*take, organisation=user, **given)  # type: ignore[arg-type]
    permits.revoke_permit(*take, permit.id, reasons="misuse")
    with pytest.raises(InvalidInput, match="is not"):
        measures.take_measure(*take, organisation=node.holder.organisation.name, **given)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="registered"):
        measures.take_measure(*take, organisation="Nobody", **given)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        measures.take_measure(node.uow, node.clock, node.assessor, organisation=user, **given)  # type: ignore[arg-type]
    measures.take_measure(*take, organisation=user, **given)  # type: ignore[arg-type]
    assert [one.reasons for one in measures.list_measures(node.uow)] == ["[withheld: personal data] left"]


def test_a_report_is_frozen_and_superseded_never_overwritten(node: Node) -> None:
    record_everything(node)
    period = Period(date(2026, 1, 1), date(2028, 1, 1))
    by = node.decision_maker
    with pytest.raises(WrongState, match="after it"):
        activity.freeze_report(node.uow, node.clock, by, period, NO_HOLIDAYS, no_categories)
    node.clock.forward(days=500)
    one_year = Period(date(2026, 1, 1), date(2027, 1, 1))
    with pytest.raises(InvalidInput, match="24 months"):
        activity.freeze_report(node.uow, node.clock, by, one_year, NO_HOLIDAYS, no_categories)
    first = activity.freeze_report(node.uow, node.clock, by, period, NO_HOLIDAYS, no_categories)
    on = date(2027, 12, 31)
    activity.enter_fact(node.uow, node.clock, by, kind=FactKind.REVENUE, on=on, text="fees", amount=Decimal(5))
    second = activity.freeze_report(node.uow, node.clock, by, period, NO_HOLIDAYS, no_categories)
    assert (first.number, second.number, second.supersedes) == (1, 2, first.id)
    assert activity.get_edition(node.uow, first.id) == first
    assert first.sound
    assert second.sound
    assert first.sha256 != second.sha256
    revenues = [json.loads(edition.content)["items"]["g"]["revenue-euro"] for edition in (first, second)]
    assert revenues == ["1200.50", "1205.50"]
    with node.uow.reading() as uow:
        kinds = [entry.event.kind for entry in uow.audit.entries()]
    items = json.loads(first.content)["items"]
    assert items["a"]["applications-received"] == kinds.count(EventKind.APPLICATION_SUBMITTED)
    assert items["a"]["permits-issued"] == kinds.count(EventKind.PERMIT_ISSUED)
    assert items["j"]["papers"] == kinds.count(EventKind.RESULT_REGISTERED)


def test_a_fact_entered_in_error_is_taken_back_once(node: Node) -> None:
    by, on = node.assessor, node.clock.now().date()
    fact = activity.enter_fact(node.uow, node.clock, by, kind=FactKind.REVENUE, on=on, text="x", amount=Decimal(5))
    activity.cancel_fact(node.uow, node.clock, by, fact.id, text="typing error")
    with pytest.raises(WrongState):
        activity.cancel_fact(node.uow, node.clock, by, fact.id, text="again")
    period = Period(date(2026, 1, 1), date(2028, 1, 1))
    content = activity.report(node.uow, node.clock, period, NO_HOLIDAYS, no_categories)
    assert content["items"]["g"] == {"revenue-euro": "0.00"}  # type: ignore[index]
    with pytest.raises(NotPermitted):
        activity.list_facts(node.uow, node.researcher)
    assert len(activity.list_facts(node.uow, by)) == 2
