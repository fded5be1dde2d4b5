"""Organisations and persons, for the operator."""

from fastapi import APIRouter

from dataspace.domain.actors import Role
from dataspace.domain.errors import InvalidInput
from dataspace.domain.organisations import OrganisationKind, OrganisationRecord, SizeClass
from dataspace.services import accounts, organisations, persons
from dataspace.web.api import present_sign_in as present
from dataspace.web.auth import CurrentActor, CurrentNode, Identifier
from dataspace.wire import signin as wire

router = APIRouter(tags=["parties"])


@router.get("/organisations")
def list_organisations(node: CurrentNode, actor: CurrentActor) -> list[wire.OrganisationEntry]:  # noqa: ARG001
    """Organisations of this node, for whoever is registered here."""
    today = node.clock.now().date()
    return [present.organisation(o, today) for o in organisations.list_organisations(node.unit_of_work())]


@router.post("/organisations")
def save_organisation(request: wire.Organisation, node: CurrentNode, actor: CurrentActor) -> wire.OrganisationEntry:
    """Register an organisation or replace what is known of it."""
    given = request.model_dump() | {
        "kind": OrganisationKind(request.kind),
        "size": SizeClass(request.size) if request.size else None,
    }
    saved = organisations.save_organisation(node.unit_of_work(), node.clock, actor, OrganisationRecord(**given))
    return present.organisation(saved, node.clock.now().date())


@router.get("/persons")
def list_persons(node: CurrentNode, actor: CurrentActor) -> list[wire.Person]:
    """Everyone registered."""
    return [present.person(entry) for entry in accounts.list_persons(node.unit_of_work(), actor)]


@router.post("/persons/{person_id}/roles")
def change_roles(
    person_id: Identifier, request: wire.RolesRequest, node: CurrentNode, actor: CurrentActor
) -> wire.Person:
    """Give and take roles; taking one ends the person's sessions and the tokens that rely on it."""
    give, take = _roles(request.give), _roles(request.take)
    return present.person(persons.change_roles(node.unit_of_work(), node.clock, actor, person_id, give=give, take=take))


@router.post("/persons/{person_id}/deactivation", status_code=204)
def deactivate(person_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """No sign-in and no query from now on; tokens and sessions are dead, cases stay."""
    persons.deactivate_person(node.unit_of_work(), node.clock, actor, person_id)


@router.post("/persons/{person_id}/reactivation", status_code=204)
def reactivate(person_id: Identifier, node: CurrentNode, actor: CurrentActor) -> None:
    """Let the person sign in again; ended tokens stay ended."""
    persons.reactivate_person(node.unit_of_work(), node.clock, actor, person_id)


def _roles(names: list[str]) -> frozenset[Role]:
    unknown = sorted(set(names) - set(Role))
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)}: no such role; choose among {', '.join(Role)}")
    return frozenset(Role(name) for name in names)
