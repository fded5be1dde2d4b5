"""Persons after their registration: roles given and taken away, deactivation. In force at the very next request."""

from dataclasses import replace
from datetime import datetime

from dataspace.domain.actors import Actor, Role
from dataspace.domain.errors import InvalidInput, NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.domain.roles import check_compatible
from dataspace.domain.token_scopes import relies_on
from dataspace.services.accounts import end_token
from dataspace.services.ports import Clock, UnitOfWork

NOBODY: frozenset[Role] = frozenset()


def change_roles(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    person_id: str,
    *,
    give: frozenset[Role] = NOBODY,
    take: frozenset[Role] = NOBODY,
) -> Actor:
    """Give and take away roles. Taking one away ends the person's sessions, and tokens that rely on it.

    Raises InvalidInput for roles that one person cannot hold together (Art. 55(3)), or if none would be left.
    """
    _check_other(by, person_id)
    now = clock.now()
    with uow:
        before = uow.accounts.get(person_id)
        after = replace(before, roles=(before.roles | give) - take)
        if not after.roles:
            raise InvalidInput("a person keeps at least one role; deactivate who is to do nothing any more")
        check_compatible(after.roles)
        put_roles(uow, by, before, after, now)
        uow.commit()
    return after


def put_roles(uow: UnitOfWork, by: Actor, before: Actor, after: Actor, now: datetime, /, **more: str) -> None:
    """Inside a transaction: the roles of `after`, and what follows for sessions and tokens; `more` is put on record."""
    details = {"roles": " ".join(sorted(after.roles)), "before": " ".join(sorted(before.roles)), **more}
    uow.accounts.change_roles(after, AuditEvent(EventKind.ROLES_CHANGED, by.id, after.id, now, details))
    if before.roles - after.roles:
        uow.sessions.end_all(after.id, now)
    for token in uow.accounts.tokens_of(after.id):
        if token.valid(now) and relies_on(token.scopes, before.roles, after.roles):
            end_token(uow, by, after.id, token.id, now)


def deactivate_person(uow: UnitOfWork, clock: Clock, by: Actor, person_id: str) -> None:
    """No sign-in and no query from now on; tokens, sessions and open invitations are dead. Cases stay readable."""
    _check_other(by, person_id)
    now = clock.now()
    with uow:
        uow.accounts.get(person_id)
        event = AuditEvent(EventKind.PERSON_DEACTIVATED, by.id, person_id, now)
        uow.accounts.change_active(person_id, now, event)
        uow.sessions.end_all(person_id, now)
        uow.sign_ins.end_invitations(person_id, now)
        for token in uow.accounts.tokens_of(person_id):
            if token.revoked_at is None:
                end_token(uow, by, person_id, token.id, now)
        uow.commit()


def reactivate_person(uow: UnitOfWork, clock: Clock, by: Actor, person_id: str) -> None:
    """The person may sign in again; what was ended stays ended."""
    _check_other(by, person_id)
    with uow:
        uow.accounts.get(person_id)
        event = AuditEvent(EventKind.PERSON_REACTIVATED, by.id, person_id, clock.now())
        uow.accounts.change_active(person_id, None, event)
        uow.commit()


def _check_other(by: Actor, person_id: str) -> None:
    check_may(by, NodeAction.MANAGE_PERSON)
    if by.id == person_id:
        raise NotPermitted("nobody changes their own roles or standing; ask another operator")
