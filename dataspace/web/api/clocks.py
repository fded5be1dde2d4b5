"""Deadlines (who waits for what until when), their extension, and steps of the law that are recorded by hand."""

from typing import Annotated

from fastapi import APIRouter, Query

from dataspace.domain.actors import Actor
from dataspace.domain.clock_access import may_extend
from dataspace.domain.clock_states import OPEN, Clock, ClockState
from dataspace.services import clocks, steps
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import Day
from dataspace.wire import clocks as wire

router = APIRouter(tags=["clocks"])


@router.get("/clocks")
def list_clocks(
    node: CurrentNode,
    actor: CurrentActor,
    state: Annotated[list[ClockState] | None, Query(description="by default every state that is open")] = None,
    due_before: Day | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> wire.ClockPage:
    """Deadlines the caller waits for or owes, soonest first; all of them, for the access body."""
    wanted = clocks.Wanted(frozenset(state) if state else OPEN, due_before)
    found = clocks.list_clocks(node.unit_of_work(), node.clock, actor, node.counting, wanted)
    page = found[offset : offset + limit]
    return wire.ClockPage(clocks=[_entry(actor, clock) for clock in page], total=len(found))


@router.get("/applications/{subject}/clocks")
@router.get("/data-requests/{subject}/clocks")
@router.get("/permits/{subject}/clocks")
@router.get("/datasets/{subject}/clocks")
def list_of_subject(subject: Identifier, node: CurrentNode, actor: CurrentActor) -> list[wire.ClockEntry]:
    """All deadlines of one case that the caller may see, in any state."""
    found = clocks.clocks_of_subject(node.unit_of_work(), node.clock, actor, node.counting, subject)
    return [_entry(actor, clock) for clock in found]


@router.post("/applications/{subject}/clock-extensions", status_code=201)
@router.post("/data-requests/{subject}/clock-extensions", status_code=201)
@router.post("/permits/{subject}/clock-extensions", status_code=201)
def extend(
    subject: Identifier, request: wire.ClockExtensionRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ClockEntry:
    """Extend a deadline, once, with a reason that who waits reads; for the access body's decision maker."""
    clock = clocks.extend_clock(
        node.unit_of_work(),
        node.clock,
        actor,
        node.counting,
        node.targets,
        subject=subject,
        **request.model_dump(),
    )
    return _entry(actor, clock)


@router.post("/applications/{subject}/steps", status_code=201)
@router.post("/data-requests/{subject}/steps", status_code=201)
@router.post("/permits/{subject}/steps", status_code=201)
@router.post("/datasets/{subject}/steps", status_code=201)
def record(subject: Identifier, request: wire.StepRequest, node: CurrentNode, actor: CurrentActor) -> wire.StepEntry:
    """Record that a step happened: data delivered, results published, a description checked, and others."""
    event = steps.record_step(
        node.unit_of_work(), node.clock, actor, node.counting, subject=subject, **request.model_dump()
    )
    item = next((event.details[key] for key in ("dataset", "holder", "finding") if key in event.details), "")
    return wire.StepEntry(
        step=event.kind.value, subject_id=event.subject, item=item, note=event.details.get("note", ""), at=event.at
    )


def _entry(actor: Actor, clock: Clock) -> wire.ClockEntry:
    rule, case, extended = clock.rule, clock.case, clock.extended
    return wire.ClockEntry(
        name=rule.name.value,
        title=rule.en,
        article=rule.article,
        subject=case.subject.value,
        subject_id=case.id,
        number=case.number,
        item=clock.item,
        state=clock.state.value,
        owes=rule.owes.value,
        waits=rule.waits.value,
        counted_from=clock.counted_from,
        last_day=clock.last_day,
        due_at=clock.due_at,
        closed_at=clock.closed_at,
        paused_days=clock.paused_days,
        extension=wire.ClockExtension(at=extended.at, reason=extended.reason) if extended else None,
        extendable=may_extend(actor, clock),
    )
