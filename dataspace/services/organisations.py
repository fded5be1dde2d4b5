"""Organisations: what the operator records of them."""

from dataclasses import replace

from dataspace.domain.actors import Actor
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.organisations import OrganisationRecord, check_spelling, spelled
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import Clock, UnitOfWork


def save_organisation(uow: UnitOfWork, clock: Clock, by: Actor, organisation: OrganisationRecord) -> OrganisationRecord:
    """Register an organisation or replace what is known of it; the event names the fields that changed."""
    check_may(by, NodeAction.MANAGE_ORGANISATION)
    wanted = replace(organisation, name=spelled(organisation.name))
    if len(wanted.name) > 200:
        raise InvalidInput("the name of an organisation has at most 200 characters")
    with uow:
        check_spelling(wanted.name, (known.name for known in uow.organisations.all()))
        known = uow.organisations.find(wanted.name)
        details = {"changed": _changed(known, wanted), "kind": wanted.kind.value}
        event = AuditEvent(EventKind.ORGANISATION_EDITED, by.id, wanted.name, clock.now(), details)
        uow.organisations.save(wanted, event)
        uow.commit()
    return wanted


def get_organisation(uow: UnitOfWork, name: str) -> OrganisationRecord:
    """Raises NotFound."""
    with uow.reading():
        found = uow.organisations.find(name)
    if found is None:
        raise NotFound("no organisation of this name is registered; look at the list of organisations")
    return found


def list_organisations(uow: UnitOfWork) -> list[OrganisationRecord]:
    """All of them, by name."""
    with uow.reading():
        return uow.organisations.all()


def _changed(known: OrganisationRecord | None, wanted: OrganisationRecord) -> str:
    if known is None:
        return "new"
    return " ".join(name for name in vars(wanted) if getattr(known, name) != getattr(wanted, name))
