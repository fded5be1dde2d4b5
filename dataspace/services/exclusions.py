"""The exclusion list (Art. 63(3)): putting a person on it; everything else reads it."""

from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.errors import NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.exclusions import Exclusion
from dataspace.domain.identifiers import new_id
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import Clock, UnitOfWork


def exclude_person(
    uow: UnitOfWork, clock: Clock, by: Actor, person_id: str, *, until: datetime, reasons: str
) -> Exclusion:
    """From now until `until`, at most five years: the person's very next query is refused."""
    check_may(by, NodeAction.EXCLUDE_PERSON)
    if by.id == person_id:
        raise NotPermitted("nobody decides on themselves (Art. 55(3))")
    now = clock.now()
    exclusion = Exclusion(new_id("exc"), person_id, now, until, reasons.strip(), by.id)
    details = {"until": until.isoformat(), "reasons": exclusion.reasons, "exclusion": exclusion.id}
    with uow:
        uow.accounts.get(person_id)
        uow.exclusions.add(exclusion, AuditEvent(EventKind.PERSON_EXCLUDED, by.id, person_id, now, details))
        uow.commit()
    return exclusion


def list_exclusions(uow: UnitOfWork, by: Actor) -> list[Exclusion]:
    """Newest first, also those that have ended; for the access body."""
    check_may(by, NodeAction.READ_EXCLUSIONS)
    with uow.reading():
        return uow.exclusions.all()
