"""The rules of deciding: criteria, proposals, fees, exclusions, changes of permits, tabulation plans."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from dataspace.domain.applications import ApplicationForm, Period
from dataspace.domain.assessments import CRITERIA, Assessment, Criterion, Finding, Verdict, current, not_met, unassessed
from dataspace.domain.errors import InvalidApplication, InvalidInput, NotPermitted, WrongState
from dataspace.domain.exclusions import Exclusion, check_not_excluded, years_after
from dataspace.domain.fees import FEE_SCHEDULES, NO_FEE, Activity, FeeLine, estimate, euro
from dataspace.domain.permit_changes import (
    CHANGE_TRANSITIONS,
    ChangeAction,
    ChangeKind,
    ChangeState,
    PermitChange,
    Wanted,
    changed_permit,
    check_wanted,
    month_before,
)
from dataspace.domain.permit_contents import CONTENTS, contents
from dataspace.domain.permits import DataPermit, Particulars
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.proposals import GRANTING, Outcome, Proposal, Terms, check_proposal
from dataspace.domain.purposes import Purpose
from dataspace.domain.scopes import Scope
from dataspace.domain.tabulations import Tabulation, TabulationPlan
from tests.factories import make_schema

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SCOPE = Scope.of(("registry", "person", "*"), ("registry", "visit", "days"))
ASKED = SCOPE.expand({"registry": make_schema()})
PLAN = TabulationPlan((Tabulation("by-sex", "SELECT 1", Decimal("0.1")),))
FORM = ApplicationForm(
    purposes=frozenset({Purpose.RESEARCH, Purpose.EDUCATION}),
    scope=SCOPE,
    persons=frozenset({"rita", "carl"}),
    guarantee=Guarantee(Decimal(2), Decimal("0.000001")),
    period=Period(NOW, NOW + timedelta(days=300)),
)
PERMIT = DataPermit(
    id="pmt",
    number="DP-1",
    application="app",
    holder="rita",
    persons=frozenset({"rita"}),
    columns=frozenset({("registry", "person", "sex")}),
    purposes=frozenset({Purpose.RESEARCH}),
    valid_from=NOW,
    valid_until=NOW + timedelta(days=100),
    guarantee=Guarantee(Decimal(1), Decimal("0.000001")),
    limit=PrivacyLoss(1),
    snapshots={"registry": "s1"},
    granted_at=NOW,
    granted_by="dora",
)


def finding(criterion: Criterion, verdict: Verdict = Verdict.MET, assessor: str = "anna") -> Finding:
    return Finding(criterion, verdict, "because", assessor, NOW)


def assessed(**failing: Verdict) -> Assessment:
    return {c: finding(c, failing.get(c.name, Verdict.MET)) for c in Criterion}


def proposal(outcome: Outcome, **fields: Any) -> Proposal:
    plan = PLAN if outcome is Outcome.STATISTICAL_ANSWER else None
    return Proposal(**{"outcome": outcome, "reasons": "why", "by": "anna", "at": NOW, "plan": plan} | fields)


def test_every_criterion_of_the_law_is_in_the_table() -> None:
    assert set(CRITERIA) == set(Criterion)
    letters = [CRITERIA[c].article for c in Criterion if c.value.startswith("1")]
    assert letters == [f"Art. 68(1)({letter})" for letter in "abcdefgh"]
    assert {c for c, rule in CRITERIA.items() if rule.may_not_apply} == {
        Criterion.ETHICS,
        Criterion.OPT_OUT_EXCEPTION,
        Criterion.REGULATORS,
    }


@pytest.mark.parametrize(("criterion", "verdict"), list(product(Criterion, Verdict)))
def test_not_applicable_is_open_only_where_the_law_allows_it(criterion: Criterion, verdict: Verdict) -> None:
    if verdict is Verdict.NOT_APPLICABLE and not CRITERIA[criterion].may_not_apply:
        with pytest.raises(InvalidApplication, match="always applies"):
            finding(criterion, verdict)
    else:
        assert finding(criterion, verdict).verdict is verdict


def test_a_verdict_has_a_reason() -> None:
    with pytest.raises(InvalidApplication, match="reason"):
        Finding(Criterion.PURPOSE, Verdict.MET, " ", "anna", NOW)


def test_the_last_finding_of_the_present_assessor_counts() -> None:
    history = [
        finding(Criterion.PURPOSE, Verdict.NOT_MET),
        finding(Criterion.PURPOSE),
        finding(Criterion.NECESSITY, assessor="bo"),
    ]
    assert list(current(history, "anna")) == [Criterion.PURPOSE]
    assert not_met(current(history, "anna")) == []
    assert len(unassessed(current(history, "anna"))) == len(Criterion) - 1
    assert current(history, None) == {}


@pytest.mark.parametrize(("criterion", "outcome"), list(product(Criterion, sorted(GRANTING))))
def test_nothing_is_granted_while_a_criterion_fails_or_has_no_verdict(criterion: Criterion, outcome: Outcome) -> None:
    terms = Terms(struck_persons=frozenset({"carl"})) if outcome is Outcome.GRANT_IN_PART else Terms()
    check_proposal(proposal(outcome, terms=terms), FORM, assessed())
    with pytest.raises(InvalidApplication, match="while a criterion is not met"):
        check_proposal(proposal(outcome, terms=terms), FORM, assessed(**{criterion.name: Verdict.NOT_MET}))
    without = {c: found for c, found in assessed().items() if c is not criterion}
    with pytest.raises(InvalidApplication, match=f"missing: {criterion.value}"):
        check_proposal(proposal(outcome, terms=terms), FORM, without)


def test_a_refusal_names_what_fails_and_nothing_else() -> None:
    failing = assessed(NECESSITY=Verdict.NOT_MET)
    check_proposal(proposal(Outcome.REFUSE, criteria=(Criterion.NECESSITY,)), FORM, failing)
    for wrong in ((), (Criterion.PURPOSE,), (Criterion.NECESSITY, Criterion.PURPOSE)):
        with pytest.raises(InvalidApplication, match="names the criteria"):
            check_proposal(proposal(Outcome.REFUSE, criteria=wrong), FORM, failing)
    with pytest.raises(InvalidApplication, match="no terms"):
        check_proposal(
            proposal(Outcome.REFUSE, criteria=(Criterion.NECESSITY,), terms=Terms(min_cell=5)), FORM, failing
        )


@pytest.mark.parametrize(
    ("outcome", "fields", "says"),
    [
        (Outcome.GRANT, {"reasons": " "}, "reasons"),
        (Outcome.GRANT, {"terms": Terms(struck_persons=frozenset({"carl"}))}, "in part"),
        (Outcome.GRANT, {"criteria": (Criterion.PURPOSE,)}, "only a refusal"),
        (Outcome.GRANT, {"plan": PLAN}, "statistical answer"),
        (Outcome.GRANT_IN_PART, {}, "in part"),
        (Outcome.STATISTICAL_ANSWER, {"plan": None}, "tabulation plan"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(struck_persons=frozenset({"nobody"}))}, "not named"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(struck_persons=frozenset({"rita", "carl"}))}, "no person is left"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(purposes=frozenset({Purpose.CARE}))}, "purpose"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(guarantee=Guarantee(Decimal(3), Decimal("0.000001")))}, "budget"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(guarantee=Guarantee(Decimal(1), Decimal("0.00001")))}, "budget"),
        (Outcome.GRANT_IN_PART, {"terms": Terms(valid_until=NOW + timedelta(days=301))}, "period"),
        (Outcome.GRANT, {"terms": Terms(min_cell=-1)}, "cell size"),
        (Outcome.GRANT, {"terms": Terms(aggregates=frozenset({"rows", "median"}))}, "kinds of aggregate"),
        (Outcome.GRANT, {"terms": Terms(principal_investigator="nobody")}, "principal investigator"),
        (Outcome.GRANT, {"terms": Terms(opt_out_exception="no other way")}, r"Art\. 71\(4\)"),
    ],
)
def test_proposals_that_contradict_themselves(outcome: Outcome, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidApplication, match=says):
        check_proposal(proposal(outcome, **fields), FORM, assessed())


def test_opt_outs_are_set_aside_only_where_that_was_found_justified() -> None:
    form = replace(FORM, purposes=frozenset({Purpose.RESEARCH}))
    exception = proposal(Outcome.GRANT, terms=Terms(opt_out_exception="no other way"))
    check_proposal(exception, form, assessed())
    with pytest.raises(InvalidApplication, match="1g"):
        check_proposal(exception, form, assessed(OPT_OUT_EXCEPTION=Verdict.NOT_APPLICABLE))


def test_columns_and_whole_tables_are_struck_out() -> None:
    struck = Terms(struck_columns=frozenset({("registry", "person", "birth_year"), ("registry", "visit", "*")}))
    assert {ref for ref in struck.granted_columns(SCOPE, ASKED) if ref[1] != "concept"} == {
        ("registry", "person", "sex")
    }
    with pytest.raises(InvalidApplication, match="was not asked for"):
        Terms(struck_columns=frozenset({("registry", "visit", "kind")})).granted_columns(SCOPE, ASKED)
    everything = frozenset({("registry", "person", "*"), ("registry", "visit", "*")})
    with pytest.raises(InvalidApplication, match="every column"):
        Terms(struck_columns=everything).granted_columns(SCOPE, ASKED)


def test_a_fee_or_another_kind_of_answer_needs_the_applicants_yes() -> None:
    fee = estimate((FeeLine(Activity.ASSESSMENT, 100),), frozenset(), NOW)
    assert not proposal(Outcome.GRANT).needs_acceptance
    assert not proposal(
        Outcome.GRANT, fee=estimate((FeeLine(Activity.ASSESSMENT, 0),), frozenset(), NOW)
    ).needs_acceptance
    assert proposal(Outcome.GRANT, fee=fee).needs_acceptance
    assert proposal(Outcome.STATISTICAL_ANSWER).needs_acceptance


def test_fees_add_up_and_name_the_schedule() -> None:
    lines = (FeeLine(Activity.ASSESSMENT, 12_345), FeeLine(Activity.HOLDER_PREPARATION, 55, "Hospital"))
    fee = estimate(lines, frozenset({"Hospital"}), NOW)
    assert (fee.total_cents, fee.holders_cents, fee.schedule) == (12_400, 55, "2026-1")
    assert (euro(12_400), euro(5)) == ("EUR 124.00", "EUR 0.05")
    assert estimate((), frozenset(), NOW) == NO_FEE


@pytest.mark.parametrize(
    ("lines", "at", "says"),
    [
        ([(Activity.ASSESSMENT, 500_001, "")], NOW, "above the"),
        ([(Activity.ASSESSMENT, 1, ""), (Activity.ASSESSMENT, 1, "")], NOW, "once"),
        ([(Activity.HOLDER_PREPARATION, 1, "Elsewhere")], NOW, "holds none"),
        ([(Activity.HOLDER_PREPARATION, 1, "")], NOW, "name the data holder"),
        ([(Activity.ASSESSMENT, 1, "Hospital")], NOW, "name the data holder"),
        ([(Activity.ASSESSMENT, -1, "")], NOW, "negative"),
        ([(Activity.ASSESSMENT, 1, "")], datetime(2025, 12, 31, tzinfo=UTC), "no fee schedule"),
    ],
)
def test_fees_that_cannot_be_charged(lines: list[tuple[Activity, int, str]], at: datetime, says: str) -> None:
    with pytest.raises(InvalidApplication, match=says):
        estimate(tuple(FeeLine(*line) for line in lines), frozenset({"Hospital"}), at)


def test_every_schedule_has_every_activity_and_they_follow_each_other() -> None:
    assert all(set(schedule.most_cents) == set(Activity) for schedule in FEE_SCHEDULES)
    days = [schedule.in_force_from for schedule in FEE_SCHEDULES]
    assert days == sorted(set(days))
    assert days[0] == date(2026, 1, 1)


def test_an_exclusion_lasts_at_most_five_years_and_ends_by_itself() -> None:
    until = years_after(NOW, 5)
    entry = Exclusion("exc", "rita", NOW, until, "misuse", "dora")
    for time, excluded in ((NOW, True), (until - timedelta.resolution, True), (until, False)):
        assert entry.in_force(time) is excluded
    with pytest.raises(NotPermitted, match=r"Art\. 63\(3\)"):
        check_not_excluded([entry], NOW)
    check_not_excluded([entry], until)
    for wrong in (until + timedelta.resolution, NOW, until.replace(tzinfo=None)):
        with pytest.raises(InvalidInput, match="at most 5 years"):
            replace(entry, until=wrong)
    with pytest.raises(InvalidInput, match="reasons"):
        replace(entry, reasons=" ")
    assert years_after(datetime(2028, 2, 29, tzinfo=UTC), 5) == datetime(2033, 2, 28, tzinfo=UTC)


def change(kind: ChangeKind, reasons: str = "a new question", asked_at: datetime = NOW, **wanted: Any) -> PermitChange:
    return PermitChange("chg", "pmt", kind, Wanted(**wanted), reasons, "rita", asked_at)


@pytest.mark.parametrize(("state", "action"), list(product(ChangeState, ChangeAction)))
def test_every_state_and_action_of_a_change(state: ChangeState, action: ChangeAction) -> None:
    before = replace(change(ChangeKind.AMENDMENT), state=state)
    if (state, action) in CHANGE_TRANSITIONS:
        assert before.after(action).state is CHANGE_TRANSITIONS[state, action]
        assert before.open
    else:
        with pytest.raises(WrongState, match=f"the amendment is {state}"):
            before.after(action)


@pytest.mark.parametrize(
    ("kind", "wanted", "says"),
    [
        (ChangeKind.AMENDMENT, {}, "changes columns"),
        (ChangeKind.AMENDMENT, {"conditions": (), "valid_until": NOW}, "not the period"),
        (ChangeKind.AMENDMENT, {"columns": frozenset({("other", "t", "c")})}, "permit's datasets"),
        (ChangeKind.AMENDMENT, {"persons_leaving": frozenset({"rita"})}, "no person"),
        (ChangeKind.EXTENSION, {"persons": frozenset({"carl"}), "valid_until": NOW}, "period alone"),
        (ChangeKind.EXTENSION, {}, "at most ten years"),
        (ChangeKind.EXTENSION, {"valid_until": PERMIT.valid_until}, "ends after"),
        (ChangeKind.EXTENSION, {"valid_until": PERMIT.valid_until + timedelta(days=3654)}, "at most ten years"),
    ],
)
def test_changes_that_make_no_sense(kind: ChangeKind, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_wanted(change(kind, **wanted), PERMIT)


def test_a_change_has_reasons() -> None:
    with pytest.raises(InvalidInput, match="why"):
        check_wanted(change(ChangeKind.AMENDMENT, " ", conditions=()), PERMIT)


def test_an_extension_is_asked_for_a_month_before_and_once() -> None:
    last = month_before(PERMIT.valid_until)
    later = PERMIT.valid_until + timedelta(days=3653)
    check_wanted(change(ChangeKind.EXTENSION, asked_at=last, valid_until=later), PERMIT)
    late = last + timedelta.resolution
    with pytest.raises(WrongState, match="one month before"):
        check_wanted(change(ChangeKind.EXTENSION, asked_at=late, valid_until=later), PERMIT)
    extended = changed_permit(PERMIT, change(ChangeKind.EXTENSION, valid_until=later), frozenset(), NOW)
    assert (extended.valid_until, extended.extended, extended.version) == (later, True, 2)
    with pytest.raises(WrongState, match="extended already"):
        check_wanted(change(ChangeKind.EXTENSION, valid_until=later + timedelta(days=1)), extended)


@pytest.mark.parametrize(
    ("day", "before"),
    [
        ("2026-03-31", "2026-02-28"),
        ("2028-03-30", "2028-02-29"),
        ("2026-01-15", "2025-12-15"),
        ("2026-07-31", "2026-06-30"),
    ],
)
def test_a_month_before(day: str, before: str) -> None:
    assert month_before(datetime.fromisoformat(day)) == datetime.fromisoformat(before)


def test_a_permit_says_all_letters_of_the_law() -> None:
    assert "".join(CONTENTS) == "abcdefgh"
    full = replace(
        PERMIT,
        conditions=("Cite the holder.",),
        min_cell=5,
        aggregates=frozenset({"persons"}),
        population="age > 17",
        opt_out_exception="no other way",
        particulars=Particulars(("Hospital",), "pseudonymised", "to learn", "rita", "an API", 12_345),
    )
    said = contents(full)
    for letter, part in zip(
        "abbcdefghh",
        ("Hospital", "scientific", "to learn", "no other", "investigator: rita", "2027-03-03", "an API", "EUR 123.45",
         "Cite", "fewer than 5"),
        strict=True,
    ):  # fmt: skip
        assert part in said[letter]
    assert "age > 17" in said["a"]
    assert contents(PERMIT)["h"] == "none"


@pytest.mark.parametrize(
    ("name", "sql", "epsilon"),
    [("By Sex", "SELECT 1", "1"), ("a", " ", "1"), ("a", "SELECT 1", "0"), ("a", "x", "NaN")],
)
def test_tabulations_that_cannot_be_run(name: str, sql: str, epsilon: str) -> None:
    with pytest.raises(InvalidApplication):
        Tabulation(name, sql, Decimal(epsilon))


def test_a_plan_has_tabulations_under_their_own_names() -> None:
    for wrong in ((), (*PLAN.tabulations, *PLAN.tabulations)):
        with pytest.raises(InvalidApplication):
            TabulationPlan(wrong)
