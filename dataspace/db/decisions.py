"""Findings, proposals, steps and declared interests of each case. Rows are added, never changed."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select

from dataspace.db import tables as t
from dataspace.domain.assessments import Criterion, Finding, Verdict
from dataspace.domain.events import AuditEvent
from dataspace.domain.fees import Activity, FeeEstimate, FeeLine
from dataspace.domain.permits import SnapshotRule
from dataspace.domain.privacy import Guarantee
from dataspace.domain.proposals import CaseStep, Outcome, Proposal, Step, Terms
from dataspace.domain.purposes import Purpose
from dataspace.domain.tabulations import Tabulation, TabulationPlan
from dataspace.services.ports import AuditTrail


class SqlDecisions:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add_findings(self, application_id: str, findings: list[Finding]) -> None:
        first = self._next(t.criterion_findings, application_id)
        rows = [
            {
                "application": application_id,
                "seq": seq,
                "criterion": finding.criterion.value,
                "verdict": finding.verdict.value,
                "reason": finding.reason,
                "assessor": finding.assessor,
                "at": finding.at,
            }
            for seq, finding in enumerate(findings, start=first)
        ]
        self._connection.execute(insert(t.criterion_findings), rows)

    def findings(self, application_id: str) -> list[Finding]:
        return [
            Finding(Criterion(row.criterion), Verdict(row.verdict), row.reason, row.assessor, row.at)
            for row in self._rows(t.criterion_findings, application_id)
        ]

    def add_proposal(self, application_id: str, proposal: Proposal) -> None:
        self._connection.execute(
            insert(t.proposals).values(
                application=application_id,
                seq=self._next(t.proposals, application_id),
                outcome=proposal.outcome.value,
                body=_body(proposal),
                reasons=proposal.reasons,
                by=proposal.by,
                at=proposal.at,
            )
        )

    def proposals(self, application_id: str) -> list[Proposal]:
        return [_proposal(row) for row in self._rows(t.proposals, application_id)]

    def add_step(self, application_id: str, step: CaseStep) -> None:
        self._connection.execute(
            insert(t.case_steps).values(
                application=application_id,
                seq=self._next(t.case_steps, application_id),
                step=step.step.value,
                by=step.by,
                at=step.at,
                reasons=step.reasons,
            )
        )

    def steps(self, application_id: str) -> list[CaseStep]:
        rows = self._rows(t.case_steps, application_id)
        return [CaseStep(Step(row.step), row.by, row.at, row.reasons) for row in rows]

    def recuse(self, application_id: str, person_id: str, interest: str, event: AuditEvent) -> None:
        if person_id not in self.recused(application_id):
            values = {"application": application_id, "person": person_id, "interest": interest, "at": event.at}
            self._connection.execute(insert(t.recusals).values(**values))
            self._audit.append(event)

    def recused(self, application_id: str) -> frozenset[str]:
        query = select(t.recusals.c.person).where(t.recusals.c.application == application_id)
        return frozenset(self._connection.execute(query).scalars())

    def _next(self, table: Table, application_id: str) -> int:
        query = select(func.coalesce(func.max(table.c.seq), 0)).where(table.c.application == application_id)
        return int(self._connection.execute(query).scalar_one()) + 1

    def _rows(self, table: Table, application_id: str) -> list[Row[Any]]:
        query = select(table).where(table.c.application == application_id).order_by(table.c.seq)
        return list(self._connection.execute(query))


def plan_to_list(plan: TabulationPlan) -> list[list[str]]:
    return [[tabulation.name, tabulation.sql, str(tabulation.epsilon)] for tabulation in plan.tabulations]


def plan_from_list(record: list[list[str]]) -> TabulationPlan:
    return TabulationPlan(tuple(Tabulation(name, sql, Decimal(epsilon)) for name, sql, epsilon in record))


def _body(proposal: Proposal) -> dict[str, Any]:
    terms, fee = proposal.terms, proposal.fee
    return {
        "criteria": [criterion.value for criterion in proposal.criteria],
        "plan": plan_to_list(proposal.plan) if proposal.plan else None,
        "fee": {
            "schedule": fee.schedule,
            "lines": [[line.activity.value, line.cents, line.holder] for line in fee.lines],
        },
        "terms": {
            "struck_columns": sorted(list(ref) for ref in terms.struck_columns),
            "struck_persons": sorted(terms.struck_persons),
            "purposes": sorted(terms.purposes),
            "guarantee": [str(terms.guarantee.epsilon), str(terms.guarantee.delta)] if terms.guarantee else None,
            "valid_until": terms.valid_until.isoformat() if terms.valid_until else None,
            "conditions": list(terms.conditions),
            "min_cell": terms.min_cell,
            "aggregates": sorted(terms.aggregates),
            "population": terms.population,
            "snapshot_rule": terms.snapshot_rule.value,
            "opt_out_exception": terms.opt_out_exception,
            "principal_investigator": terms.principal_investigator,
        },
    }


def _proposal(row: Row[Any]) -> Proposal:
    body = row.body
    return Proposal(
        outcome=Outcome(row.outcome),
        reasons=row.reasons,
        by=row.by,
        at=row.at,
        terms=_terms(body["terms"]),
        criteria=tuple(Criterion(code) for code in body["criteria"]),
        fee=FeeEstimate(
            body["fee"]["schedule"], tuple(FeeLine(Activity(a), cents, h) for a, cents, h in body["fee"]["lines"])
        ),
        plan=plan_from_list(body["plan"]) if body["plan"] else None,
    )


def _terms(record: dict[str, Any]) -> Terms:
    guarantee, until = record["guarantee"], record["valid_until"]
    return Terms(
        struck_columns=frozenset((d, table, c) for d, table, c in record["struck_columns"]),
        struck_persons=frozenset(record["struck_persons"]),
        purposes=frozenset(Purpose(letter) for letter in record["purposes"]),
        guarantee=Guarantee(Decimal(guarantee[0]), Decimal(guarantee[1])) if guarantee else None,
        valid_until=datetime.fromisoformat(until) if until else None,
        conditions=tuple(record["conditions"]),
        min_cell=record["min_cell"],
        aggregates=frozenset(record["aggregates"]),
        population=record["population"],
        snapshot_rule=SnapshotRule(record["snapshot_rule"]),
        opt_out_exception=record["opt_out_exception"],
        principal_investigator=record["principal_investigator"],
    )
