"""Deadlines from the real services: what begins with an application, a permit, a dataset, and who sees it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.applications import ApplicationForm
from dataspace.domain.clock_states import Clock, ClockState, Counting
from dataspace.domain.errors import InvalidInput, NotFound, NotPermitted, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.purposes import Purpose
from dataspace.domain.reminders import Targets
from dataspace.domain.steps import STEPS
from dataspace.national_days import national_calendar
from dataspace.services import applications, clocks, permits, steps
from dataspace.services.clocks import Wanted
from tests.factories import Node, make_node

COUNTING = Counting(national_calendar("FR", "Europe/Paris"))
TARGETS = Targets("https://node.example.eu")
EVERY = Wanted(frozenset(ClockState))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = make_node(tmp_path)
    made.dataset()
    return made


def named(node: Node, by: Actor, subject: str) -> dict[str, Clock]:
    found = clocks.clocks_of_subject(node.uow, node.clock, by, COUNTING, subject)
    return {clock.rule.name.value + (f"/{clock.item}" if clock.item else ""): clock for clock in found}


def record(node: Node, by: Actor, subject: str, step: str, item: str = "", note: str = "") -> None:
    steps.record_step(node.uow, node.clock, by, COUNTING, subject=subject, step=step, item=item, note=note)


def extend(node: Node, by: Actor, subject: str, name: str, item: str = "", until: date | None = None) -> Clock:
    return clocks.extend_clock(
        node.uow,
        node.clock,
        by,
        COUNTING,
        TARGETS,
        subject=subject,
        name=name,
        item=item,
        reason="many cases at once",
        until=until,
    )


def test_an_application_is_decided_within_three_months_and_the_applicant_sees_it(node: Node) -> None:
    case = node.submitted()
    clock = named(node, node.researcher, case.id)["permit-decision"]
    assert (clock.state, clock.last_day) == (ClockState.RUNNING, date(2027, 2, 23))
    # the last hour of the day in Paris, as the node stores times: in UTC
    assert clock.due_at == datetime(2027, 2, 23, 23, tzinfo=UTC)
    assert named(node, node.researcher, case.id)["publish-application"].state is ClockState.MET


def test_a_decision_meets_the_clock_in_time_or_late(node: Node) -> None:
    first, second = node.to_be_refused(), node.to_be_refused()
    permits.refuse_application(node.uow, node.clock, node.decision_maker, first.id, reasons="too much data")
    node.clock.time = datetime(2027, 2, 23, 23, tzinfo=UTC)
    assert named(node, node.researcher, second.id)["permit-decision"].state is ClockState.OVERDUE
    permits.refuse_application(node.uow, node.clock, node.decision_maker, second.id, reasons="too much data")
    assert named(node, node.researcher, first.id)["permit-decision"].state is ClockState.MET
    assert named(node, node.researcher, second.id)["permit-decision"].state is ClockState.MET_LATE
    # 30 working days, over New Year and the weekends
    assert named(node, node.researcher, first.id)["publish-decision"].last_day == date(2027, 1, 6)


def test_a_public_body_with_a_purpose_of_its_own_is_decided_in_two_months(node: Node) -> None:
    agency = node.person("Paul Public", Organisation("Agency", public_body=True), Role.APPLICANT)
    form: ApplicationForm = replace(
        node.form(), persons=frozenset({agency.id}), purposes=frozenset({Purpose.STATISTICS})
    )
    case = applications.file_application(node.uow, node.clock, agency, form)
    applications.submit_application(node.uow, node.clock, agency, case.id)
    found = named(node, agency, case.id)
    assert "permit-decision" not in found
    assert found["permit-decision-accelerated"].last_day == date(2027, 1, 25)


def test_a_permit_orders_the_data_at_once_and_the_holder_has_three_months(node: Node) -> None:
    permit = node.permit()
    of_holder = named(node, node.holder, permit.id)
    assert of_holder["deliver-data/registry"].last_day == date(2027, 2, 23)
    assert "publish-results" not in of_holder
    of_user = named(node, node.researcher, permit.id)
    assert of_user["order-data"].state is ClockState.MET
    assert of_user["ask-for-extension"].last_day == date(2027, 10, 23)
    record(node, node.holder, permit.id, "data-delivered", "registry")
    assert named(node, node.holder, permit.id)["deliver-data/registry"].state is ClockState.MET
    assert named(node, node.researcher, permit.id)["provide-data/registry"].last_day == date(2027, 1, 25)
    operator = node.person("Otto Operator", Organisation("the node"), Role.OPERATOR)
    record(node, operator, permit.id, "data-provided", "registry")
    assert named(node, node.researcher, permit.id)["provide-data/registry"].state is ClockState.MET


def test_after_a_permit_its_data_are_deleted_and_its_results_published(node: Node) -> None:
    permit = node.permit()
    node.clock.forward(days=370)
    found = named(node, node.researcher, permit.id)
    assert found["publish-results"].last_day == date(2029, 5, 23)
    of_body = named(node, node.decision_maker, permit.id)
    assert of_body["delete-spe-data"].last_day == date(2028, 5, 23)
    assert of_body["deliver-data/registry"].state is ClockState.ENDED
    with pytest.raises(InvalidInput, match="address of the publication"):
        record(node, node.researcher, permit.id, "results-published")
    record(node, node.researcher, permit.id, "results-published", note="https://journal.example.eu/1")
    assert named(node, node.researcher, permit.id)["publish-results"].state is ClockState.MET


def test_a_description_is_checked_each_year(node: Node) -> None:
    assert named(node, node.holder, "registry")["check-description"].last_day == date(2027, 11, 23)
    node.clock.forward(days=400)
    assert named(node, node.holder, "registry")["check-description"].state is ClockState.OVERDUE
    record(node, node.holder, "registry", "description-checked")
    again = named(node, node.holder, "registry")["check-description"]
    assert (again.state, again.last_day) == (ClockState.RUNNING, date(2028, 12, 28))


def test_a_finding_is_answered_within_four_weeks(node: Node) -> None:
    permit = node.permit()
    record(node, node.decision_maker, permit.id, "finding-notified", note="two persons share an account")
    (key,) = (name for name in named(node, node.researcher, permit.id) if name.startswith("views-on-finding/"))
    assert named(node, node.researcher, permit.id)[key].last_day == date(2026, 12, 21)
    finding = key.partition("/")[2]
    with pytest.raises(NotFound):
        record(node, node.colleague, permit.id, "views-given", finding, "we mended it")
    record(node, node.researcher, permit.id, "views-given", finding, "we mended it")
    assert named(node, node.researcher, permit.id)[key].state is ClockState.MET


def test_an_extension_is_given_once_with_a_reason_that_the_applicant_reads(node: Node) -> None:
    case = node.under_assessment()
    extended = extend(node, node.decision_maker, case.id, "permit-decision")
    assert (extended.state, extended.last_day) == (ClockState.EXTENDED, date(2027, 5, 24))
    seen = named(node, node.researcher, case.id)["permit-decision"].extended
    assert seen is not None
    assert seen.reason == "many cases at once"
    with pytest.raises(WrongState, match="once is all"):
        extend(node, node.decision_maker, case.id, "permit-decision")


@pytest.mark.parametrize("who", ["researcher", "colleague", "assessor", "holder", "desk"])
def test_only_the_decision_maker_extends(node: Node, who: str) -> None:
    case = node.under_assessment()
    with pytest.raises((NotPermitted, NotFound)):
        extend(node, getattr(node, who), case.id, "permit-decision")
    assert named(node, node.researcher, case.id)["permit-decision"].extended is None


def test_what_is_over_or_knows_no_extension_is_not_extended(node: Node) -> None:
    case = node.under_assessment()
    with pytest.raises(WrongState, match="knows no extension"):
        extend(node, node.decision_maker, case.id, "publish-application")
    with pytest.raises(InvalidInput, match="the law's"):
        extend(node, node.decision_maker, case.id, "permit-decision", until=date(2027, 3, 1))
    node.clock.forward(days=100)
    with pytest.raises(WrongState, match="before its last day is over"):
        extend(node, node.decision_maker, case.id, "permit-decision")


def test_where_the_law_gives_no_length_a_later_working_day_is_chosen(node: Node) -> None:
    permit = node.permit()
    record(node, node.holder, permit.id, "data-delivered", "registry")
    with pytest.raises(InvalidInput, match="later than the present"):
        extend(node, node.decision_maker, permit.id, "provide-data", "registry", until=date(2027, 1, 25))
    longer = extend(node, node.decision_maker, permit.id, "provide-data", "registry", until=date(2027, 5, 1))
    # a holiday and a weekend lie in between
    assert longer.last_day == date(2027, 5, 3)


def test_strangers_see_nothing(node: Node) -> None:
    case, permit = node.submitted(), node.permit()
    other = node.person("Hugo Holder", Organisation("Other Hospital"), Role.DATA_HOLDER)
    for stranger in (node.colleague, other, node.desk):
        assert clocks.list_clocks(node.uow, node.clock, stranger, COUNTING, EVERY) == []
        for subject in (case.id, permit.id, "registry"):
            with pytest.raises(NotFound):
                clocks.clocks_of_subject(node.uow, node.clock, stranger, COUNTING, subject)


def test_lists_are_ones_own_and_soonest_first(node: Node) -> None:
    node.submitted()
    node.permit()
    mine = clocks.list_clocks(node.uow, node.clock, node.researcher, COUNTING, Wanted())
    assert {clock.case.user for clock in mine} == {node.researcher.id}
    days = [clock.last_day for clock in mine if clock.last_day]
    assert days == sorted(days)
    held = clocks.list_clocks(node.uow, node.clock, node.holder, COUNTING, Wanted())
    assert [c.rule.name.value for c in held] == ["agree-fee", "deliver-data", "check-description"]
    soon = Wanted(due_before=date(2027, 2, 24))
    everything = clocks.list_clocks(node.uow, node.clock, node.assessor, COUNTING, Wanted())
    early = clocks.list_clocks(node.uow, node.clock, node.assessor, COUNTING, soon)
    assert early == [clock for clock in everything if clock.last_day and clock.last_day < date(2027, 2, 24)]
    assert 0 < len(early) < len(everything)


def test_an_official_who_applied_is_not_the_access_body_in_the_own_case(node: Node) -> None:
    both = node.person("Bea Both", Organisation("Agency"), Role.APPLICANT, Role.HDAB_DECISION_MAKER)
    case = applications.file_application(node.uow, node.clock, both, replace(node.form(), persons=frozenset({both.id})))
    applications.submit_application(node.uow, node.clock, both, case.id)
    with pytest.raises(NotPermitted):
        extend(node, both, case.id, "permit-decision")


def test_a_case_goes_to_a_trusted_holder_only_if_the_data_are_theirs_alone(node: Node) -> None:
    case = node.under_assessment()
    with pytest.raises(InvalidInput, match="72"):
        record(node, node.assessor, case.id, "case-forwarded", "Other Hospital")
    record(node, node.assessor, case.id, "case-forwarded", "Central Hospital")
    proposal = named(node, node.holder, case.id)["trusted-holder-proposal/Central Hospital"]
    assert proposal.last_day == date(2027, 1, 25)
    record(node, node.holder, case.id, "decision-proposed-by-holder", "Central Hospital")
    decision = named(node, node.holder, case.id)["trusted-holder-decision/Central Hospital"]
    assert (decision.state, decision.last_day) == (ClockState.RUNNING, date(2027, 1, 25))


def test_the_report_of_activity_is_due_six_months_after_two_years(node: Node) -> None:
    since = Counting(COUNTING.calendar, reporting_since=date(2024, 3, 1))
    found = clocks.list_clocks(node.uow, node.clock, node.assessor, since, Wanted())
    (report,) = (clock for clock in found if clock.rule.name == "activity-report")
    assert (report.item, report.last_day, report.state) == ("1", date(2026, 8, 28), ClockState.OVERDUE)


def test_every_step_is_recorded_once_by_the_right_person_in_its_order(node: Node) -> None:
    permit = node.permit()
    with pytest.raises(WrongState, match="follows on data-delivered"):
        record(
            node, node.person("Otto", Organisation("the node"), Role.OPERATOR), permit.id, "data-provided", "registry"
        )
    with pytest.raises(NotFound):
        record(node, node.holder, permit.id, "data-delivered", "another")
    with pytest.raises(NotPermitted):
        record(node, node.researcher, permit.id, "data-delivered", "registry")
    record(node, node.holder, permit.id, "data-delivered", "registry")
    with pytest.raises(WrongState, match="on record already"):
        record(node, node.holder, permit.id, "data-delivered", "registry")
    assert len({step.kind for step in STEPS}) == len(STEPS)


def happened(node: Node, kind: EventKind, subject: str, **details: str) -> None:
    with node.uow as uow:
        uow.audit.append(AuditEvent(kind, node.researcher.id, subject, node.clock.now(), details))
        uow.commit()


def test_a_result_on_record_for_the_application_meets_the_permits_clock(node: Node) -> None:
    permit = node.permit()
    node.clock.forward(days=370)
    happened(node, EventKind.RESULTS_PUBLISHED, permit.application)
    for subject in (permit.id, permit.number):
        assert named(node, node.researcher, subject)["publish-results"].state is ClockState.MET
    listed = clocks.list_clocks(node.uow, node.clock, node.assessor, COUNTING, EVERY)
    assert [c.state for c in listed if c.rule.name == "publish-results"] == [ClockState.MET]


def test_a_data_request_is_told_by_its_number(node: Node) -> None:
    happened(node, EventKind.APPLICATION_SUBMITTED, "app_9", number="HDR-2026-0009")
    assert named(node, node.researcher, "app_9")["request-assessment"].last_day == date(2027, 2, 23)
    happened(node, EventKind.APPLICATION_GRANTED, "app_9", number="HDR-2026-0009")
    found = named(node, node.researcher, "app_9")
    assert found["request-assessment"].state is ClockState.MET
    assert found["request-answer"].last_day == date(2027, 2, 23)
    assert "permit-decision" not in found
