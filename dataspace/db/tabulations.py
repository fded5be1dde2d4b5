"""Tabulation plans of applications, and what became of each tabulation under its approval."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from dataspace.db import tables as t
from dataspace.db.decisions import plan_from_list, plan_to_list
from dataspace.domain.errors import WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.tabulations import RunState, TabulationPlan, TabulationRun
from dataspace.services.ports import AuditTrail


class SqlTabulations:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def set_plan(self, application_id: str, plan: TabulationPlan, event: AuditEvent) -> None:
        if self.plan(application_id) is not None:
            raise WrongState("this application has a tabulation plan already; file another one for another plan")
        values = {"application": application_id, "plan": plan_to_list(plan), "at": event.at}
        self._connection.execute(insert(t.tabulation_plans).values(**values))
        self._audit.append(event)

    def plan(self, application_id: str) -> TabulationPlan | None:
        query = select(t.tabulation_plans.c.plan).where(t.tabulation_plans.c.application == application_id)
        record = self._connection.execute(query).scalar_one_or_none()
        return None if record is None else plan_from_list(record)

    def add_runs(self, runs: list[TabulationRun]) -> None:
        rows = [{"position": position, **_values(run)} for position, run in enumerate(runs)]
        self._connection.execute(insert(t.tabulation_runs), rows)

    def save_run(self, run: TabulationRun, event: AuditEvent) -> bool:
        c = t.tabulation_runs.c
        mine = (c.permit == run.permit, c.name == run.name, c.state != RunState.ANSWERED.value)
        saved = self._connection.execute(update(t.tabulation_runs).where(*mine).values(**_values(run))).rowcount > 0
        if saved:
            self._audit.append(event)
        return saved

    def runs(self, permit_id: str) -> list[TabulationRun]:
        c = t.tabulation_runs.c
        query = select(t.tabulation_runs).where(c.permit == permit_id).order_by(c.position)
        return [_run(row) for row in self._connection.execute(query)]

    def waiting(self) -> list[str]:
        c = t.tabulation_runs.c
        query = select(c.permit).where(c.state == RunState.WAITING.value).distinct().order_by(c.permit)
        return list(self._connection.execute(query).scalars())


def _values(run: TabulationRun) -> dict[str, Any]:
    return {
        "permit": run.permit,
        "name": run.name,
        "state": run.state.value,
        "release": run.release,
        "code": run.code,
        "message": run.message,
        "attempts": run.attempts,
        "at": run.at,
    }


def _run(row: Row[Any]) -> TabulationRun:
    return TabulationRun(
        row.permit, row.name, RunState(row.state), row.at, row.release, row.code, row.message, row.attempts
    )
