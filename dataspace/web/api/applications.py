"""Health data access applications and the decisions on them (Art. 67 and 68)."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query

from dataspace import wire
from dataspace.domain.actors import Actor
from dataspace.domain.applications import ApplicationForm, ApplicationState, Period
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope
from dataspace.services import applications, permits
from dataspace.web.api import contents, present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier

router = APIRouter(prefix="/applications", tags=["applications"])

States = Annotated[list[ApplicationState], Query(alias="state", max_length=20, description="of any state by default")]
After = Annotated[
    str | None, Query(max_length=100, pattern=r"^[A-Za-z0-9_-]+$", description="the last case you have")
]  # fmt: skip
Most = Annotated[int, Query(ge=1, le=500)]
NO_STATES: list[ApplicationState] = []


@router.post("", status_code=201)
def file_and_submit(request: wire.ApplicationRequest, node: CurrentNode, actor: CurrentActor) -> wire.ApplicationEntry:
    """File an application and submit it; it must be complete, and nothing is kept of one that is not."""
    form = _form(request, actor)
    case = applications.apply(node.unit_of_work(), node.clock, actor, form, to_limit=node.limit_of)
    return present.application(case)


@router.get("")
def list_visible(
    node: CurrentNode, actor: CurrentActor, states: States = NO_STATES, after: After = None, most: Most = 100
) -> list[wire.ApplicationEntry]:
    """The caller's own applications; all that were received, for the access body. Newest first, a page at a time."""
    uow = node.unit_of_work()
    page = applications.page_applications(uow, actor, states=states, after=after, most=most)
    return [present.application(case) for case in page]


@router.get("/{application_id}")
def get(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.ApplicationEntry:
    """One application, for those it concerns."""
    return present.application(applications.get_application(node.unit_of_work(), actor, application_id))


@router.post("/{application_id}/withdrawal")
def withdraw(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.ApplicationEntry:
    """Withdraw one's own application before it is decided."""
    return present.application(
        applications.withdraw_application(node.unit_of_work(), node.clock, actor, application_id)
    )


@router.post("/{application_id}/assessment")
def start_assessment(application_id: Identifier, node: CurrentNode, actor: CurrentActor) -> wire.ApplicationEntry:
    """Take a submitted application into assessment; who assesses does not decide."""
    return present.application(applications.start_assessment(node.unit_of_work(), node.clock, actor, application_id))


@router.post("/{application_id}/grant", status_code=201)
def grant(
    application_id: Identifier,
    decision: wire.GrantRequest,
    node: CurrentNode,
    actor: CurrentActor,
    afterwards: BackgroundTasks,
) -> wire.PermitEntry:
    """Issue the permit that is proposed; its budget is taken out of the datasets' capacity in the same transaction.

    The tabulation plan of a data request starts to run once this is answered.
    """
    permit = permits.grant_permit(
        node.unit_of_work(),
        node.clock,
        actor,
        application_id,
        to_limit=node.limit_of,
        conditions=tuple(decision.conditions),
        version=decision.version,
    )
    afterwards.add_task(node.answer_requests)
    return present.permit(permit, permit.state(node.clock.now()))


@router.post("/{application_id}/refusal")
def refuse(
    application_id: Identifier, decision: wire.ReasonsRequest, node: CurrentNode, actor: CurrentActor
) -> wire.ApplicationEntry:
    """Refuse an application, with reasons (Art. 68(3))."""
    uow = node.unit_of_work()
    return present.application(
        permits.refuse_application(uow, node.clock, actor, application_id, reasons=decision.reasons)
    )


def _form(request: wire.ApplicationRequest, applicant: Actor) -> ApplicationForm:
    return ApplicationForm(
        title=request.title,
        purposes=frozenset(Purpose(letter) for letter in request.purposes),
        scope=Scope.of(*request.columns),
        justification=request.justification,
        lay_summary=request.lay_summary,
        legal_basis=LegalBasis(request.legal_basis),
        persons=frozenset({applicant.id, *request.persons}),
        guarantee=contents.guarantee(request.requested),
        period=Period(request.valid_from, request.valid_until),
        acting_for=request.acting_for,
    )
