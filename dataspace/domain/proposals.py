"""What an assessor proposes and a decision maker adopts: the outcomes of Art. 68(3) and the terms of a grant."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dataspace.domain.analyses import AnalysisKind
from dataspace.domain.applications import ApplicationForm
from dataspace.domain.assessments import Assessment, Criterion, Verdict, named, not_met, unassessed
from dataspace.domain.errors import InvalidApplication
from dataspace.domain.fees import NO_FEE, FeeEstimate
from dataspace.domain.opt_outs import check_exception
from dataspace.domain.permits import SnapshotRule
from dataspace.domain.privacy import Guarantee
from dataspace.domain.purposes import Purpose
from dataspace.domain.queries import AggregateKind
from dataspace.domain.scopes import WHOLE_TABLE, ColumnRef, Scope, listed
from dataspace.domain.tabulations import TabulationPlan


class Outcome(StrEnum):
    GRANT = "grant"
    GRANT_IN_PART = "grant-in-part"
    REFUSE = "refuse"
    STATISTICAL_ANSWER = "statistical-answer"


GRANTING = frozenset({Outcome.GRANT, Outcome.GRANT_IN_PART, Outcome.STATISTICAL_ANSWER})
"""Outcomes that end in a permit or an approval."""

AGGREGATES = frozenset({kind.value for kind in AggregateKind} | {kind.value for kind in AnalysisKind})
"""Names of the kinds of aggregate a permit may be limited to."""

LARGEST_MIN_CELL = 1_000


@dataclass(frozen=True)
class Terms:
    """How a permit differs from what was asked; the defaults change nothing.

    What is struck, lowered or shortened makes a grant partial. The rest are specific conditions (Art. 68(10)(h)):
    `min_cell` in persons, `aggregates` empty for all, `population` is `dataset.table WHERE condition`,
    empty for everybody.
    """

    struck_columns: frozenset[ColumnRef] = frozenset()
    struck_persons: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    guarantee: Guarantee | None = None
    valid_until: datetime | None = None
    conditions: tuple[str, ...] = ()
    min_cell: int = 0
    aggregates: frozenset[str] = frozenset()
    population: str = ""
    snapshot_rule: SnapshotRule = SnapshotRule.AT_GRANT
    opt_out_exception: str = ""
    principal_investigator: str = ""

    @property
    def partial(self) -> bool:
        return bool(
            self.struck_columns
            or self.struck_persons
            or self.purposes
            or self.guarantee
            or self.valid_until is not None
        )

    def narrowed(self, form: ApplicationForm) -> ApplicationForm:
        """The form as it would be granted; columns are struck by `granted_columns`, once they are named one by one."""
        period = form.period
        if period is not None and self.valid_until is not None:
            period = replace(period, end=self.valid_until)
        return replace(
            form,
            persons=form.persons - self.struck_persons,
            purposes=self.purposes or form.purposes,
            guarantee=self.guarantee or form.guarantee,
            period=period,
        )

    def granted_columns(self, scope: Scope, asked: frozenset[ColumnRef]) -> frozenset[ColumnRef]:
        """What is left of `asked`, the columns of `scope` by name; column `*` strikes the whole table.

        A dataset of which nothing is left but its public lookup tables goes too. Raises InvalidApplication if
        something struck was not asked for, or nothing is left.
        """
        unknown = sorted(self.struck_columns - asked - {(*ref[:2], WHOLE_TABLE) for ref in asked})
        if unknown:
            raise InvalidApplication(f"{listed(unknown)} cannot be struck out: it was not asked for")
        left = frozenset(ref for ref in asked if not {ref, (*ref[:2], WHOLE_TABLE)} & self.struck_columns)
        tables = {ref[:2] for ref in scope.columns}
        datasets = {ref[0] for ref in left if ref[:2] in tables}
        if not datasets:
            raise InvalidApplication("every column is struck out; refuse instead")
        return frozenset(ref for ref in left if ref[0] in datasets)


NO_TERMS = Terms()


@dataclass(frozen=True)
class Proposal:
    """The assessor's proposal; the decision adopts it, or it is sent back."""

    outcome: Outcome
    reasons: str
    by: str
    at: datetime
    terms: Terms = NO_TERMS
    criteria: tuple[Criterion, ...] = ()
    fee: FeeEstimate = NO_FEE
    plan: TabulationPlan | None = None

    @property
    def needs_acceptance(self) -> bool:
        """A fee (Art. 62(5)) and an answer of another kind than asked for (Art. 68(3)) need the applicant's yes."""
        return self.fee.total_cents > 0 or self.outcome is Outcome.STATISTICAL_ANSWER


def check_proposal(proposal: Proposal, form: ApplicationForm, assessment: Assessment) -> None:
    """Raises InvalidApplication if the proposal does not follow from the assessment, or contradicts itself."""
    if not proposal.reasons.strip():
        raise InvalidApplication("give the reasons of the proposal; they become those of the decision")
    _CHECKS[proposal.outcome](proposal, assessment)
    if proposal.outcome is not Outcome.REFUSE:
        _check_terms(proposal.terms, form, assessment)


def _check_refusal(proposal: Proposal, assessment: Assessment) -> None:
    wrong = [criterion for criterion in proposal.criteria if criterion not in not_met(assessment)]
    if not proposal.criteria or wrong:
        raise InvalidApplication(
            "a refusal names the criteria that are not met (Art. 68(9))"
            + (f"; not found to fail: {named(wrong)}" if wrong else "")
        )
    if proposal.terms != NO_TERMS or proposal.fee.lines or proposal.plan is not None:
        raise InvalidApplication("a refusal has no terms, no fee and no tabulation plan")


def _check_assessed(proposal: Proposal, assessment: Assessment) -> None:
    missing, failing = unassessed(assessment), not_met(assessment)
    if missing:
        raise InvalidApplication(f"not every criterion has a verdict; missing: {named(missing)}")
    if failing:
        raise InvalidApplication(f"nothing can be granted while a criterion is not met: {named(failing)}")
    if proposal.criteria:
        raise InvalidApplication("only a refusal names criteria that fail")


def _check_grant(proposal: Proposal, assessment: Assessment) -> None:
    _check_assessed(proposal, assessment)
    if proposal.plan is not None:
        raise InvalidApplication("a tabulation plan is proposed with a statistical answer (Art. 68(3))")
    if proposal.terms.partial is not (proposal.outcome is Outcome.GRANT_IN_PART):
        raise InvalidApplication(
            "a grant in part strikes out columns, persons or purposes, lowers the budget or shortens the period;"
            " a full grant does none of it"
        )


def _check_statistical_answer(proposal: Proposal, assessment: Assessment) -> None:
    _check_assessed(proposal, assessment)
    if proposal.plan is None:
        raise InvalidApplication("a statistical answer instead of access comes with its tabulation plan (Art. 68(3))")


_CHECKS: dict[Outcome, Callable[[Proposal, Assessment], None]] = {
    Outcome.GRANT: _check_grant,
    Outcome.GRANT_IN_PART: _check_grant,
    Outcome.REFUSE: _check_refusal,
    Outcome.STATISTICAL_ANSWER: _check_statistical_answer,
}


def _check_terms(terms: Terms, form: ApplicationForm, assessment: Assessment) -> None:
    """Raises InvalidApplication for terms that give more than was asked, or nothing."""
    faults = [text for applies, text in _faults(terms, form) if applies]
    if faults:
        raise InvalidApplication("the terms do not fit the application: " + "; ".join(faults))
    if terms.opt_out_exception and assessment[Criterion.OPT_OUT_EXCEPTION].verdict is not Verdict.MET:
        raise InvalidApplication("opt-outs can be set aside only where criterion 1g is met (Art. 68(1)(g), 71(4))")
    check_exception(terms.opt_out_exception, terms.purposes or form.purposes)


def _faults(terms: Terms, form: ApplicationForm) -> tuple[tuple[bool, str], ...]:
    lowered, asked, period = terms.guarantee, form.guarantee, form.period
    more = lowered and asked and (lowered.epsilon > asked.epsilon or lowered.delta > asked.delta)
    later = terms.valid_until and period and not period.start < terms.valid_until <= period.end
    left = form.persons - terms.struck_persons
    return (
        (not terms.struck_persons <= form.persons, "a person struck out is not named in it"),
        (bool(form.persons) and not left, "no person is left; refuse instead"),  # a data request names nobody
        (not terms.purposes <= form.purposes, "a purpose was not asked for"),
        (bool(more), "the budget is above the one asked for"),
        (bool(later), "the period does not end within the one asked for"),
        (not 0 <= terms.min_cell <= LARGEST_MIN_CELL, f"the minimum cell size is 0 to {LARGEST_MIN_CELL} persons"),
        (not terms.aggregates <= AGGREGATES, f"kinds of aggregate are {', '.join(sorted(AGGREGATES))}"),
        (
            terms.principal_investigator not in {"", *left},
            "the principal investigator is not among the persons named",
        ),
    )


class Step(StrEnum):
    """What happened to a case between its submission and its decision."""

    TAKEN_UP = "taken-up"
    PROPOSED = "proposed"
    SENT_BACK = "sent-back"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    STOOD_DOWN = "stood-down"


@dataclass(frozen=True)
class CaseStep:
    """One step, who took it and why; the applicant's consent (Art. 68(3), 62(5)) is one of them."""

    step: Step
    by: str
    at: datetime
    reasons: str = ""
