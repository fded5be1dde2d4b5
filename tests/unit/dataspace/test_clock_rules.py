"""The table of deadlines is complete and consistent; pausing, extending and resuming by hand-made facts."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspace.domain.clock_rules import FACT_KINDS, RULES, RULES_OF
from dataspace.domain.clock_states import Case, Clock, ClockState, Counting, Fact, clocks_of
from dataspace.domain.clocks import ClockName, Sense, Side, Subject
from dataspace.domain.steps import STEPS
from dataspace.national_days import national_calendar

FRANCE = national_calendar("FR", "Europe/Paris")
PLAIN, PAUSING = Counting(FRANCE), Counting(FRANCE, pausing=True)

LAW = {
    "publish-application": ("57(1)(j)(ii)", "0 days", None),
    "publish-decision": ("57(1)(j)(iii)", "30 working-days", None),
    "permit-decision": ("68(4)", "3 months", "3 months"),
    "permit-decision-accelerated": ("68(6)", "2 months", "1 months"),
    "complete-application": ("68(4)", "4 weeks", None),
    "request-assessment": ("69(4)", "3 months", None),
    "request-answer": ("69(4)", "3 months", None),
    "trusted-holder-proposal": ("72(5)", "2 months", None),
    "trusted-holder-decision": ("72(5)", "2 months", None),
    "order-data": ("68(7)", "0 days", None),
    "deliver-data": ("60(2)", "3 months", "3 months"),
    "provide-data": ("68(7)", "2 months", "chosen"),
    "agree-fee": ("62(4)", "1 months", None),
    "views-on-finding": ("63(2)", "4 weeks", None),
    "permit-length": ("68(12)", "10 years", None),
    "ask-for-extension": ("68(12)", "1 months", None),
    "delete-spe-data": ("68(12)", "6 months", None),
    "publish-results": ("61(4)", "18 months", "chosen"),
    "exclusion": ("63(3), (4)", "5 years", None),
    "keep-access-logs": ("73(1)(e)", "1 years", None),
    "check-description": ("60(3)", "1 years", None),
    "activity-report": ("59", "6 months", None),
}
"""Article, length and extension of every deadline, written down a second time."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T09:00").replace(tzinfo=UTC)


def application(*facts: tuple[str, str]) -> Case:
    known = tuple(Fact(kind, at(day), "prs_1", {"number": "DAA-1"}) for kind, day in facts)
    return Case(Subject.APPLICATION, "app_1", "DAA-1", known, "prs_1")


def clock(case: Case, name: str, now: str, counting: Counting = PLAIN) -> Clock | None:
    return next((c for c in clocks_of(case, counting, at(now)) if c.rule.name == name), None)


def test_the_table_is_what_the_law_says() -> None:
    said = {}
    for rule in RULES:
        extension = rule.extension
        added = None if extension is None else "chosen"
        if extension is not None and extension.length is not None:
            added = f"{extension.length.count} {extension.length.unit}"
        said[rule.name.value] = (rule.article, f"{rule.length.count} {rule.length.unit}", added)
    assert said == LAW
    assert [rule.name for rule in RULES] == list(ClockName)


def test_each_rule_says_all_a_person_needs() -> None:
    for rule in RULES:
        assert rule.en
        assert rule.fr
        assert rule.subjects
        assert rule.starts
        assert rule.owes is not rule.waits
        assert rule.stops or rule.sense is not Sense.DUTY or rule.repeats
        assert not set(rule.stops) & set(rule.ends)
    assert {Side.APPLICANT, Side.DATA_USER, Side.DATA_HOLDER, Side.ACCESS_BODY} <= {rule.owes for rule in RULES}
    assert set(RULES_OF) == set(Subject)


def test_what_is_recorded_by_hand_moves_a_clock_or_may_be_asked_for() -> None:
    assert {step.kind.value for step in STEPS} <= FACT_KINDS


CASE = (("application-submitted", "2026-11-02"), ("assessment-started", "2026-11-10"))


def test_without_the_setting_the_clock_runs_on_while_the_applicant_completes() -> None:
    case = application(*CASE, ("application-returned", "2026-12-01"), ("application-resubmitted", "2026-12-15"))
    found = clock(case, "permit-decision", "2026-12-20")
    assert found is not None
    assert (found.last_day, found.paused_days) == (date(2027, 2, 2), 0)


def test_with_the_setting_it_stands_still_and_ends_later() -> None:
    returned = application(*CASE, ("application-returned", "2026-12-01"))
    still = clock(returned, "permit-decision", "2027-06-01", PAUSING)
    assert still is not None
    assert (still.state, still.last_day, still.due_at) == (ClockState.PAUSED, None, None)
    again = application(*CASE, ("application-returned", "2026-12-01"), ("application-resubmitted", "2026-12-15"))
    found = clock(again, "permit-decision", "2026-12-20", PAUSING)
    assert found is not None
    assert (found.state, found.last_day, found.paused_days) == (ClockState.RUNNING, date(2027, 2, 16), 14)


@pytest.mark.parametrize("counting", [PLAIN, PAUSING])
def test_before_assessment_the_period_begins_with_completeness(counting: Counting) -> None:
    first = (("application-submitted", "2026-11-02"), ("application-returned", "2026-11-05"))
    assert clock(application(*first), "permit-decision", "2026-11-06", counting) is None
    complete = clock(application(*first), "complete-application", "2026-11-06", counting)
    assert complete is not None
    assert complete.last_day == date(2026, 12, 3)
    case = application(*first, ("application-resubmitted", "2026-11-20"))
    found = clock(case, "permit-decision", "2026-11-21", counting)
    assert found is not None
    assert (found.counted_from, found.last_day) == (at("2026-11-20"), date(2027, 2, 22))


def test_each_return_has_four_weeks_of_its_own() -> None:
    case = application(
        *CASE,
        ("application-returned", "2026-12-01"),
        ("application-resubmitted", "2026-12-15"),
        ("application-returned", "2027-01-04"),
    )
    found = clock(case, "complete-application", "2027-01-05")
    assert found is not None
    assert (found.state, found.last_day) == (ClockState.RUNNING, date(2027, 2, 1))


def test_a_withdrawn_case_owes_nothing() -> None:
    found = clock(application(*CASE, ("application-withdrawn", "2026-12-01")), "permit-decision", "2028-01-01")
    assert found is not None
    assert found.state is ClockState.ENDED


def test_data_requests_run_by_the_names_of_their_events() -> None:
    facts = (Fact("data-request-submitted", at("2026-11-02")), Fact("data-request-approved", at("2026-12-01")))
    case = Case(Subject.DATA_REQUEST, "req_1", "DR-1", facts, "prs_1")
    days = {c.rule.name.value: (c.state.value, c.last_day) for c in clocks_of(case, PLAIN, at("2026-12-02"))}
    assert days["request-assessment"] == ("met", date(2027, 2, 2))
    assert days["request-answer"] == ("running", date(2027, 3, 1))


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-11-03", ClockState.RUNNING),
        ("2027-02-02", ClockState.DUE),
        ("2027-02-03", ClockState.OVERDUE),
    ],
)
def test_running_due_overdue(now: str, state: ClockState) -> None:
    found = clock(application(*CASE), "permit-decision", now)
    assert found is not None
    assert found.state is state


def test_more_time_that_was_given_before_the_period_began_never_shortens_it() -> None:
    def last_day(until: str) -> date | None:
        given = Fact("publication-extended", at("2026-11-02"), details={"until": until, "reason": "review"})
        case = Case(Subject.PERMIT, "pmt_1", "DP-1", (given, Fact("permit-revoked", at("2027-11-02"))), "prs_1")
        return next(c for c in clocks_of(case, PLAIN, at("2027-12-01")) if c.rule.name == "publish-results").last_day

    assert last_day("2029-09-03") == date(2029, 9, 3)
    assert last_day("2028-09-04") == date(2029, 5, 2)


KINDS = st.sampled_from(sorted(FACT_KINDS | {"unheard-of"}))


@given(st.sampled_from(sorted(Subject)), st.lists(st.tuples(KINDS, st.integers(0, 2000)), max_size=12), st.booleans())
def test_whatever_happened_clocks_can_be_derived(
    subject: Subject, happened: list[tuple[str, int]], pausing: bool
) -> None:
    start = at("2026-01-01").timestamp()
    facts = tuple(
        Fact(kind, datetime.fromtimestamp(start + days * 86_400, UTC), "prs_1", {})
        for kind, days in sorted(happened, key=lambda pair: pair[1])
    )
    now = at("2029-01-01")
    for found in clocks_of(Case(subject, "x", "x", facts), Counting(FRANCE, pausing), now):
        assert (found.last_day is None) is (found.state is ClockState.PAUSED)
        if found.state is ClockState.OVERDUE:
            assert found.due_at is not None
            assert found.due_at <= now
        if found.last_day is not None and not found.rule.backwards and found.rule.length.count:
            assert FRANCE.working(found.last_day)
