"""The public register shows the days that the clocks count, whatever is recorded of a case and wherever."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dataspace.audit_files import AuditFiles
from dataspace.bootstrap import open_node
from dataspace.domain.actors import SYSTEM
from dataspace.domain.clock_states import Clock, ClockState, Counting
from dataspace.domain.clocks import ClockName
from dataspace.domain.permits import DataPermit
from dataspace.domain.reminders import Targets
from dataspace.domain.results import Duty, ResultKind
from dataspace.national_days import national_calendar
from dataspace.services import audit_trail, clocks, permits, register, results, steps
from dataspace.settings import Settings
from tests.factories import Node, make_node

PLACES = [("FR", "Europe/Paris"), ("DE-BY", "Europe/Berlin"), ("PT", "Atlantic/Azores"), ("FI", "Europe/Helsinki")]
LATE_AT_NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
"""The next day already, in Paris; on the Azores still the same."""

DUTIES = {
    ClockState.RUNNING: Duty.DUE,
    ClockState.DUE: Duty.DUE,
    ClockState.EXTENDED: Duty.EXTENDED,
    ClockState.OVERDUE: Duty.OVERDUE,
    ClockState.MET: Duty.MET,
    ClockState.MET_LATE: Duty.MET,
}


@pytest.fixture(params=PLACES, ids=lambda place: place[0])
def counting(request: pytest.FixtureRequest) -> Counting:
    return Counting(national_calendar(*request.param))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path)
    made.clock.time = LATE_AT_NIGHT
    made.dataset()
    yield made
    made.engine.dispose()


def clock_of(node: Node, counting: Counting, subject: str, name: ClockName) -> Clock:
    found = clocks.clocks_of_subject(node.uow, node.clock, node.decision_maker, counting, subject)
    return next(clock for clock in found if clock.rule.name is name)


def duty_agrees(node: Node, counting: Counting, permit: DataPermit) -> Duty:
    """How the duty to publish results stands, after having been compared with its clock everywhere it is shown."""
    clock = clock_of(node, counting, permit.number, ClockName.PUBLISH_RESULTS)
    view = register.get_entry(node.uow, node.clock, counting.calendar, permit.number)
    assert (view.duty, view.due) == (DUTIES[clock.state], clock.last_day)
    listed = results.list_duties(node.uow, node.clock, node.decision_maker, counting.calendar)
    assert [(state, due) for e, state, due in listed if e.permit_number == permit.number] == [(view.duty, view.due)]
    return view.duty


def test_a_decision_is_published_by_the_day_of_its_clock(node: Node, counting: Counting) -> None:
    case, permit = node.to_be_refused(), node.permit()
    permits.refuse_application(node.uow, node.clock, node.decision_maker, case.id, reasons="too much data")
    for subject in (case.id, permit.application):
        clock = clock_of(node, counting, subject, ClockName.PUBLISH_DECISION)
        shown = register.get_entry(node.uow, node.clock, counting.calendar, subject)
        assert shown.publish_by == clock.last_day
        assert clock.last_day is not None


def test_results_are_due_when_their_clock_says(node: Node, counting: Counting) -> None:
    permit = node.permit()
    foreseen = register.get_entry(node.uow, node.clock, counting.calendar, permit.number).due
    node.clock.time = permit.valid_until
    assert duty_agrees(node, counting, permit) is Duty.DUE
    assert clock_of(node, counting, permit.id, ClockName.PUBLISH_RESULTS).last_day == foreseen
    assert foreseen is not None
    node.clock.time = counting.calendar.over(foreseen) - timedelta(seconds=1)
    assert duty_agrees(node, counting, permit) is Duty.DUE
    node.clock.forward(days=1)
    assert duty_agrees(node, counting, permit) is Duty.OVERDUE
    steps.record_step(
        node.uow, node.clock, node.researcher, counting,
        subject=permit.id, step="results-published", note="https://journal.example.eu/1",
    )  # fmt: skip
    assert duty_agrees(node, counting, permit) is Duty.MET


def test_a_day_off_at_the_end_is_moved_for_the_public_as_well(node: Node, counting: Counting) -> None:
    # 18 months later it is 1 May 2029, a public holiday in all these places
    node.clock.time = datetime(2027, 11, 1, 12, tzinfo=UTC)
    permit = node.permit()
    permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="breach")
    assert duty_agrees(node, counting, permit) is Duty.DUE
    assert register.get_entry(node.uow, node.clock, counting.calendar, permit.number).due == date(2029, 5, 2)


@pytest.mark.parametrize("where", ["clock", "register"])
def test_more_time_is_seen_whoever_gives_it(node: Node, counting: Counting, where: str) -> None:
    permit, until = node.permit(), datetime(2029, 9, 3, 12, tzinfo=UTC)
    node.clock.time = permit.valid_until + timedelta(hours=1)
    if where == "register":
        results.extend_publication(
            node.uow, node.clock, node.decision_maker, counting.calendar, permit.number, until=until, reason="review"
        )
    else:
        clocks.extend_clock(
            node.uow, node.clock, node.decision_maker, counting, Targets("https://node.example.eu"),
            subject=permit.id, name=ClockName.PUBLISH_RESULTS, reason="review", until=until.date(),
        )  # fmt: skip
    assert duty_agrees(node, counting, permit) is Duty.EXTENDED
    assert register.get_entry(node.uow, node.clock, counting.calendar, permit.number).due == until.date()


def test_more_time_given_beforehand_counts(node: Node, counting: Counting) -> None:
    permit = node.permit(form=node.form(days=30))
    until = node.clock.now() + timedelta(days=600)
    results.extend_publication(
        node.uow, node.clock, node.decision_maker, counting.calendar, permit.number, until=until, reason="review"
    )
    node.clock.time = permit.valid_until
    assert duty_agrees(node, counting, permit) is Duty.EXTENDED


def test_the_period_begins_when_the_user_says_that_processing_ended(node: Node, counting: Counting) -> None:
    permit = node.permit()
    node.clock.forward(days=10)
    steps.record_step(node.uow, node.clock, node.researcher, counting, subject=permit.id, step="processing-ended")
    assert duty_agrees(node, counting, permit) is Duty.DUE
    node.clock.time = permit.valid_until
    assert duty_agrees(node, counting, permit) is Duty.DUE


def test_what_the_register_keeps_counts_when_the_audit_trail_has_left(node: Node, tmp_path: Path) -> None:
    calendar = national_calendar("FR", "Europe/Paris")
    published, extended = node.permit(epsilon="0.1"), node.permit(epsilon="0.1")
    results.register_result(
        node.uow, node.clock, node.researcher, published.number,
        kind=ResultKind.PAPER, title="T", link="10.1/x", lay_summary="S",
    )  # fmt: skip
    until = node.clock.now() + timedelta(days=2000)
    results.extend_publication(
        node.uow, node.clock, node.decision_maker, calendar, extended.number, until=until, reason="review"
    )
    node.clock.forward(days=1900)
    archive = AuditFiles(tmp_path / "archive")
    assert audit_trail.archive_audit(node.uow, node.clock, SYSTEM, archive, timedelta(days=400)) is not None
    found = {e.permit_number: (state, due) for e, state, due in results.list_duties(
        node.uow, node.clock, node.decision_maker, calendar
    )}  # fmt: skip
    assert found[published.number][0] is Duty.MET
    assert found[extended.number] == (Duty.EXTENDED, calendar.day_of(until))
    assert register.get_entry(node.uow, node.clock, calendar, extended.number).duty is Duty.EXTENDED


def test_a_node_of_a_part_of_a_country_serves_its_register(tmp_path: Path) -> None:
    node = open_node(Settings(home=tmp_path, country="DE-BY", time_zone="Europe/Berlin"))
    epiphany = date(2027, 1, 6)
    assert not node.calendar.working(epiphany)
    assert register.latest_entries(node.unit_of_work(), node.clock, node.calendar, 10) == []
