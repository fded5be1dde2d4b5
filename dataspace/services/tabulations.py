"""Answering data requests (Art. 69): the tabulation plan of an approval runs by itself, each question charged once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from dataspace.domain.actors import Actor
from dataspace.domain.errors import DataspaceError, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permissions import (
    check_may_act_on_permit,
    may_act_on_permit,
)
from dataspace.domain.permits import DataPermit, PermitAction
from dataspace.domain.releases import Release
from dataspace.domain.tabulations import NODE_USER, RunState, Tabulation, TabulationPlan, TabulationRun
from dataspace.services.duties import check_free_to_act
from dataspace.services.ports import Clock, UnitOfWork

Ask = Callable[[str, Tabulation, str], Release]
"""Ask one tabulation under a permit with an idempotency key, as `NODE_USER`; `dataspace.bootstrap` supplies it."""


@dataclass(frozen=True)
class TabulationAnswer:
    """One tabulation of an approval, and its release once there is one."""

    tabulation: Tabulation
    run: TabulationRun
    release: Release | None


def run_waiting(uow: UnitOfWork, clock: Clock, ask: Ask) -> int:
    """Run every tabulation that was not tried yet; how many were answered. Safe to run again, and after a crash."""
    with uow.reading():
        permits = uow.tabulations.waiting()
    return sum(_run(uow, clock, permit_id, RunState.WAITING, ask) for permit_id in permits)


def retry_failed(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, ask: Ask) -> int:
    """Try failed tabulations again; a charge that stands pays for it. How many were answered now."""
    now = clock.now()
    with uow.reading():
        permit = _own(uow, clock, by, permit_id)
        check_may_act_on_permit(by, PermitAction.RETRY_ANSWERS, permit, now)
        check_free_to_act(uow, by, now)
    return _run(uow, clock, permit.id, RunState.FAILED, ask)


def list_answers(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> list[TabulationAnswer]:
    """The answers, for the applicant alone. Raises NotFound for a permit without a plan."""
    with uow.reading():
        permit = _own(uow, clock, by, permit_id)
        check_may_act_on_permit(by, PermitAction.VIEW_ANSWERS, permit, clock.now())
        check_free_to_act(uow, by, clock.now())
        plan = _plan(uow, permit)
        releases = {release.id: release for release in uow.releases.of_permit(permit.id)}
        runs = uow.tabulations.runs(permit.id)
        return [
            TabulationAnswer(tabulation, run, releases.get(run.release or ""))
            for tabulation, run in zip(plan.tabulations, runs, strict=True)
        ]


def _run(uow: UnitOfWork, clock: Clock, permit_id: str, state: RunState, ask: Ask) -> int:
    with uow.reading():
        permit = uow.permits.get(permit_id)
        tabulations = {tabulation.name: tabulation for tabulation in _plan(uow, permit).tabulations}
        runs = [run for run in uow.tabulations.runs(permit.id) if run.state is state]
    done = [_try(uow, clock, permit, tabulations[run.name], run, ask) for run in runs]
    return sum(run.state is RunState.ANSWERED for run in done)


def _try(
    uow: UnitOfWork, clock: Clock, permit: DataPermit, tabulation: Tabulation, run: TabulationRun, ask: Ask
) -> TabulationRun:
    """One question through the query path, and what became of it on record."""
    tried = replace(run, attempts=run.attempts + 1)
    try:
        release = ask(permit.id, tabulation, run.idempotency_key)
        ended = replace(tried, state=RunState.ANSWERED, release=release.id, code="", message="", at=clock.now())
        kind = EventKind.TABULATION_ANSWERED
    except DataspaceError as error:
        ended = replace(tried, state=RunState.FAILED, code=error.code, message=error.message, at=clock.now())
        kind = EventKind.TABULATION_FAILED
    details = {"tabulation": run.name} | ({"code": ended.code} if ended.code else {})
    with uow:
        saved = uow.tabulations.save_run(ended, AuditEvent(kind, NODE_USER.id, permit.id, ended.at, details))
        if saved and all(known.state is RunState.ANSWERED for known in uow.tabulations.runs(permit.id)):
            uow.audit.append(AuditEvent(EventKind.DATA_REQUEST_ANSWERED, NODE_USER.id, permit.application, ended.at))
        uow.commit()
    return ended


def _plan(uow: UnitOfWork, permit: DataPermit) -> TabulationPlan:
    plan = uow.tabulations.plan(permit.application)
    if plan is None:
        raise NotFound(f"permit {permit.number} has no tabulation plan: it gives access, its persons ask themselves")
    return plan


def _own(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, clock.now()):
        raise NotFound(f"there is no permit {permit_id}")
    return permit
