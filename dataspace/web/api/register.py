"""The public register without sign-in, and what applicants and the access body do about what is in it."""

from typing import Annotated

from fastapi import APIRouter, Query

from dataspace.domain.public_register import PublicState, Search
from dataspace.domain.purposes import Purpose
from dataspace.domain.redaction import Ground, Part
from dataspace.domain.results import ResultKind, acknowledgement
from dataspace.services import register, results
from dataspace.web.api import public_present as present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import Plain, ReasonsRequest
from dataspace.wire import public as wire

router = APIRouter(tags=["register"])

Number = Annotated[str, Query(max_length=40, pattern=r"^[A-Za-z0-9-]*$")]
Most = Annotated[int, Query(ge=1, le=100)]
Dataset = Annotated[str, Query(max_length=100, pattern=r"^[a-z0-9_-]*$")]
Words = Annotated[Plain, Query(max_length=200)]


@router.get("/register")
def search_register(
    node: CurrentNode, after: Number = "", most: Most = 50, state: PublicState | None = None,
    purpose: Purpose | None = None, dataset: Dataset = "", q: Words = "",
) -> wire.RegisterPage:  # fmt: skip
    """Who asked for which data, why, what was decided, until when (Art. 57(1)(j), 58(1)); newest receipt first."""
    asked = Search(after, most, state, purpose, dataset, q)
    views, total = register.search_register(node.unit_of_work(), node.clock, node.calendar, asked)
    return present.page(views, total, most, node.settings.public_url)


@router.get("/register/{number}")
def get_entry(number: Identifier, node: CurrentNode) -> wire.RegisterEntry:
    """One case with its results, by its number or its permit's."""
    view = register.get_entry(node.unit_of_work(), node.clock, node.calendar, number)
    return present.entry(view, node.settings.public_url)


@router.get("/decisions/unpublished")
def list_unpublished(
    node: CurrentNode, actor: CurrentActor, after: Number = "", most: Most = 100
) -> list[wire.UnpublishedDecision]:
    """Decisions that wait for publication, with the day by which they must be (Art. 57(1)(j)(iii)); paged."""
    waiting = register.list_unpublished(node.unit_of_work(), node.clock, actor, node.calendar, after=after, most=most)
    url = node.settings.public_url
    return [wire.UnpublishedDecision(entry=present.entry(view, url), overdue=late) for view, late in waiting]


@router.post("/register/{number}/publication")
def publish(number: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.RegisterEntry:
    """Publish a decision on a case that has confidential parts, without them."""
    register.publish_decision(node.unit_of_work(), node.clock, actor, number)
    return get_entry(number, node)


@router.post("/applications/{application_id}/confidential", status_code=201)
def declare(
    application_id: Identifier, request: wire.ConfidentialRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ConfidentialEntry:
    """Name a part of an application confidential, with the ground and the reason."""
    part = register.declare_confidential(
        node.unit_of_work(), node.clock, actor, application_id,
        part=Part(request.part), ground=Ground(request.ground), reason=request.reason, passage=request.passage,
    )  # fmt: skip
    return present.confidential(part)


@router.get("/applications/{application_id}/confidential")
def list_confidential(
    application_id: Identifier, node: CurrentNode, actor: CurrentActor
) -> list[wire.ConfidentialEntry]:
    """What was named confidential, for the applicant and the access body."""
    parts = register.list_confidential(node.unit_of_work(), actor, application_id)
    return [present.confidential(part) for part in parts]


@router.post("/confidential/{part_id}/lifting", status_code=201)
def lift(
    part_id: Identifier, request: ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ConfidentialEntry:
    """Publish a part after all; for the access body, which decides alone (Art. 52(3))."""
    part = register.lift_confidential(node.unit_of_work(), node.clock, actor, part_id, reason=request.reasons)
    return present.confidential(part)


@router.post("/register/{number}/results", status_code=201)
def register_result(
    number: Identifier, request: wire.ResultRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ResultRegistered:
    """Publish a result (Art. 61(4)); the answer offers the text that acknowledges the sources."""
    result = results.register_result(
        node.unit_of_work(), node.clock, actor, number, kind=ResultKind(request.kind), title=request.title,
        link=request.link, lay_summary=request.lay_summary, supersedes=request.supersedes,
    )  # fmt: skip
    entry = register.get_entry(node.unit_of_work(), node.clock, node.calendar, number).entry
    text = acknowledgement(entry.permit_number or entry.number, entry.datasets)
    return wire.ResultRegistered(result=present.result(result), acknowledgement=text)


@router.post("/register/{number}/publication-extension", status_code=201)
def extend_publication(
    number: Identifier, request: wire.ExtensionRequest, node: CurrentNode, actor: CurrentActor
) -> wire.RegisterEntry:
    """More time to publish results, with the reason; for the access body."""
    results.extend_publication(
        node.unit_of_work(),
        node.clock,
        actor,
        node.calendar,
        number,
        until=request.until,
        reason=request.reason,
    )
    return get_entry(number, node)


@router.get("/publication-duties")
def list_duties(node: CurrentNode, actor: CurrentActor, after: Number = "", most: Most = 100) -> list[wire.DutyEntry]:
    """Cases whose processing has ended, and how their duty to publish stands; for the access body. A page at a time."""
    listed = results.list_duties(node.unit_of_work(), node.clock, actor, node.calendar, after=after, most=most)
    return [present.duty(one) for one in listed]
