"""Decisions, changes of permits and answers of tabulations as wire shapes, and back."""

from datetime import datetime
from typing import Any

from dataspace import wire
from dataspace.domain.assessments import CRITERIA, Criterion, Finding, unassessed
from dataspace.domain.errors import InvalidApplication
from dataspace.domain.exclusions import Exclusion
from dataspace.domain.fees import Activity, FeeEstimate, FeeLine
from dataspace.domain.permit_changes import PermitChange
from dataspace.domain.permit_contents import contents
from dataspace.domain.permits import PermitVersion, SnapshotRule
from dataspace.domain.privacy import Guarantee
from dataspace.domain.proposals import Proposal, Terms
from dataspace.domain.purposes import Purpose
from dataspace.domain.tabulations import Tabulation, TabulationPlan
from dataspace.services.decisions import CaseFile
from dataspace.services.tabulations import TabulationAnswer
from dataspace.web.api import present
from dataspace.wire import decisions as shapes


def case_file(file: CaseFile) -> shapes.CaseFile:
    case = file.application
    return shapes.CaseFile(
        id=case.id,
        number=case.number,
        state=case.state.value,
        version=case.version,
        findings=[_finding(file.assessment[criterion]) for criterion in CRITERIA if criterion in file.assessment],
        unassessed=[criterion.value for criterion in unassessed(file.assessment)],
        proposal=_proposal(file.proposal) if file.proposal else None,
        steps=[shapes.CaseStep(step=s.step.value, by=s.by, at=s.at, reasons=s.reasons) for s in file.steps],
    )


def offer(proposal: Proposal) -> shapes.Offer:
    return shapes.Offer(**_offered(proposal))


def change(entry: PermitChange) -> shapes.PermitChange:
    wanted = entry.wanted
    return shapes.PermitChange(
        id=entry.id,
        permit_id=entry.permit,
        kind=entry.kind.value,
        state=entry.state.value,
        version=entry.version,
        columns=sorted(wanted.columns),
        persons=sorted(wanted.persons),
        persons_leaving=sorted(wanted.persons_leaving),
        conditions=None if wanted.conditions is None else list(wanted.conditions),
        valid_until=wanted.valid_until,
        reasons=entry.reasons,
        asked_at=entry.asked_at,
        favourable=entry.favourable,
        assessment=entry.assessment,
        decided_at=entry.decided_at,
        decision=entry.decision,
    )


def permit_version(entry: PermitVersion) -> shapes.PermitVersion:
    permit = entry.permit
    return shapes.PermitVersion(
        version=permit.version,
        at=entry.at,
        reasons=permit.reasons,
        persons=sorted(permit.persons),
        columns=sorted(permit.columns),
        conditions=list(permit.conditions),
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        granted_at=permit.granted_at,
        min_cell=permit.min_cell,
        aggregates=sorted(permit.aggregates),
        population=permit.population,
        suspended=permit.suspended_at is not None,
        revoked=permit.revoked_at is not None,
        contents=contents(permit),
    )


def tabulation(entry: TabulationAnswer) -> shapes.TabulationAnswer:
    table = entry.release.table if entry.release else None
    return shapes.TabulationAnswer(
        name=entry.tabulation.name,
        sql=entry.tabulation.sql,
        epsilon=entry.tabulation.epsilon,
        state=entry.run.state.value,
        attempts=entry.run.attempts,
        code=entry.run.code,
        message=entry.run.message,
        release_id=entry.run.release,
        key_names=list(table.key_names) if table else [],
        aggregate_names=list(table.aggregate_names) if table else [],
        rows=present.rows(table) if table else [],
        notes=list(table.notes) if table else [],
    )


def exclusion(entry: Exclusion, now: datetime) -> shapes.Exclusion:
    return shapes.Exclusion(
        id=entry.id,
        person=entry.person,
        starts=entry.starts,
        until=entry.until,
        reasons=entry.reasons,
        decided_by=entry.decided_by,
        in_force=entry.in_force(now),
    )


def terms_from(terms: shapes.Terms) -> Terms:
    return Terms(
        struck_columns=frozenset(terms.struck_columns),
        struck_persons=frozenset(terms.struck_persons),
        purposes=frozenset(Purpose(letter) for letter in terms.purposes),
        guarantee=_guarantee(terms.guarantee) if terms.guarantee else None,
        valid_until=terms.valid_until,
        conditions=tuple(terms.conditions),
        min_cell=terms.min_cell,
        aggregates=frozenset(terms.aggregates),
        population=terms.population.strip(),
        snapshot_rule=SnapshotRule(terms.snapshot_rule),
        opt_out_exception=terms.opt_out_exception.strip(),
        principal_investigator=terms.principal_investigator,
    )


def fee_from(lines: list[shapes.FeeLine]) -> tuple[FeeLine, ...]:
    return tuple(FeeLine(Activity(line.activity), line.cents, line.holder) for line in lines)


def plan_from(plan: shapes.TabulationPlan) -> TabulationPlan:
    return TabulationPlan(tuple(Tabulation(t.name, t.sql, t.epsilon) for t in plan.tabulations))


def criteria_from(codes: list[shapes.CriterionCode]) -> tuple[Criterion, ...]:
    return tuple(Criterion(code) for code in codes)


def _guarantee(asked: wire.Guarantee) -> Guarantee:
    try:
        return Guarantee(asked.epsilon, asked.delta)
    except ValueError as error:
        raise InvalidApplication(f"this budget cannot be granted: {error}") from None


def _finding(found: Finding) -> shapes.Finding:
    rule = CRITERIA[found.criterion]
    return shapes.Finding(
        criterion=found.criterion.value,
        verdict=found.verdict.value,
        reason=found.reason,
        article=rule.article,
        text=rule.text,
        assessor=found.assessor,
        at=found.at,
    )


def _proposal(proposal: Proposal) -> shapes.Proposal:
    return shapes.Proposal(by=proposal.by, at=proposal.at, **_offered(proposal))


def _offered(proposal: Proposal) -> dict[str, Any]:
    plan = proposal.plan
    return {
        "outcome": proposal.outcome.value,
        "reasons": proposal.reasons,
        "terms": _terms(proposal.terms),
        "criteria": [criterion.value for criterion in proposal.criteria],
        "fee": _fee(proposal.fee),
        "plan": _plan(plan) if plan else None,
        "needs_acceptance": proposal.needs_acceptance,
    }


def _plan(plan: TabulationPlan) -> shapes.TabulationPlan:
    return shapes.TabulationPlan(
        tabulations=[shapes.Tabulation(name=t.name, sql=t.sql, epsilon=t.epsilon) for t in plan.tabulations]
    )


def _fee(fee: FeeEstimate) -> shapes.FeeEstimate:
    lines = [shapes.FeeLine(activity=line.activity.value, cents=line.cents, holder=line.holder) for line in fee.lines]
    return shapes.FeeEstimate(
        schedule=fee.schedule, lines=lines, total_cents=fee.total_cents, holders_cents=fee.holders_cents
    )


def _terms(terms: Terms) -> shapes.Terms:
    lowered = terms.guarantee
    return shapes.Terms(
        struck_columns=sorted(terms.struck_columns),
        struck_persons=sorted(terms.struck_persons),
        purposes=sorted(purpose.value for purpose in terms.purposes),
        guarantee=wire.Guarantee(epsilon=lowered.epsilon, delta=lowered.delta) if lowered else None,
        valid_until=terms.valid_until,
        conditions=list(terms.conditions),
        min_cell=terms.min_cell,
        aggregates=sorted(terms.aggregates),
        population=terms.population,
        snapshot_rule=terms.snapshot_rule.value,
        opt_out_exception=terms.opt_out_exception,
        principal_investigator=terms.principal_investigator,
    )
