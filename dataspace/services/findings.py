"""Significant findings (Art. 58(3), 61(5)): from the user over the access body to the holder, who knows the person."""

from collections.abc import Collection
from dataclasses import dataclass

from dataspace.domain.actors import Actor, Role
from dataspace.domain.errors import InvalidInput, NotFound, NotPermitted, OutOfScope
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.findings import (
    Finding,
    FindingState,
    FindingStep,
    check_follows,
    check_no_identifiers,
    check_pseudonym,
)
from dataspace.domain.identifiers import new_id
from dataspace.domain.public_permissions import PublicAction, may
from dataspace.services.ports import Clock, UnitOfWork

LONGEST = 4_000


@dataclass(frozen=True)
class FindingView:
    """A finding and every state it was in, oldest first."""

    finding: Finding
    steps: tuple[FindingStep, ...]

    @property
    def state(self) -> FindingState:
        return self.steps[-1].state


def report_finding(
    uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, *, dataset: str, pseudonym: str, text: str
) -> FindingView:
    """Report a finding about a person known by pseudonym alone, as someone named in the permit."""
    check_pseudonym(pseudonym)
    if not text.strip() or len(text) > LONGEST:
        raise InvalidInput(f"describe the finding, in at most {LONGEST} characters")
    check_no_identifiers(text)
    with uow:
        now, permit = clock.now(), uow.permits.get(permit_id)
        if by.id not in permit.persons:
            raise NotFound(f"there is no permit {permit_id}")
        if dataset not in permit.datasets:
            raise OutOfScope(f"permit {permit.number} does not cover that dataset; name one of its own")
        finding = Finding(new_id("fnd"), permit.id, dataset, pseudonym, text, by.id, now)
        event = AuditEvent(EventKind.FINDING_REPORTED, by.id, finding.id, now, {"permit": permit.number})
        uow.public.findings.add(finding, event)
        step = _step(uow, by, finding, FindingState.REPORTED, clock)
        uow.commit()
    return FindingView(finding, (step,))


def move_finding(uow: UnitOfWork, clock: Clock, by: Actor, finding_id: str, state: FindingState) -> FindingView:
    """The access body forwards; the holder notes whom it told, or that the person asked not to be told."""
    with uow:
        view = _visible(uow, by, finding_id)
        check_follows(view.state, state)
        if state is FindingState.FORWARDED:
            if not may(by, PublicAction.FORWARD_FINDING):
                raise NotPermitted("a finding is forwarded by the access body (Art. 58(3))")
        elif view.finding.dataset not in _held(uow, by):
            raise NotPermitted("what became of a finding is noted by the data holder (Art. 58(3))")
        step = _step(uow, by, view.finding, state, clock)
        uow.commit()
    return FindingView(view.finding, (*view.steps, step))


def list_findings(uow: UnitOfWork, by: Actor) -> list[FindingView]:
    """Findings that `by` is a party to, oldest first: as the user, the access body, or the holder once forwarded."""
    with uow.reading():
        found, steps = uow.public.findings.where(), uow.public.finding_steps.where()
        taken: dict[str, list[FindingStep]] = {finding.id: [] for finding in found}
        for step in steps:
            taken[step.finding].append(step)
        persons = {permit.id: permit.persons for permit in uow.permits.named({finding.permit for finding in found})}
        held = _held(uow, by)
    views = [FindingView(finding, tuple(taken[finding.id])) for finding in found]
    return [view for view in views if _may_see(by, view, persons[view.finding.permit], held)]


def _visible(uow: UnitOfWork, by: Actor, finding_id: str) -> FindingView:
    found = uow.public.findings.where(id=finding_id)
    view = _view(uow, found[0]) if found else None
    if view is None or not _may_see(by, view, uow.permits.get(view.finding.permit).persons, _held(uow, by)):
        raise NotFound(f"there is no finding {finding_id}")
    return view


def _view(uow: UnitOfWork, finding: Finding) -> FindingView:
    return FindingView(finding, tuple(uow.public.finding_steps.where(finding=finding.id)))


def _may_see(by: Actor, view: FindingView, persons: Collection[str], held: Collection[str]) -> bool:
    """`persons` are those named in the permit, `held` the datasets that `by` is the holder of."""
    if by.id == view.finding.reported_by or by.id in persons or may(by, PublicAction.FORWARD_FINDING):
        return True
    return view.state is not FindingState.REPORTED and view.finding.dataset in held


def _held(uow: UnitOfWork, by: Actor) -> set[str]:
    if not by.has(Role.DATA_HOLDER):
        return set()
    return {dataset.id for dataset in uow.datasets.all() if dataset.holder == by.organisation.name}


def _step(uow: UnitOfWork, by: Actor, finding: Finding, state: FindingState, clock: Clock) -> FindingStep:
    step = FindingStep(new_id("fns"), finding.id, state, by.id, clock.now())
    event = AuditEvent(EventKind.FINDING_MOVED, by.id, finding.id, step.taken_at, {"state": state.value})
    uow.public.finding_steps.add(step, event)
    return step
