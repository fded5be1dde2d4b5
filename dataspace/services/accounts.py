"""Persons and their access tokens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from dataspace.domain import tokens
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.errors import InvalidInput, NotAuthenticated, NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.outbox import check_address
from dataspace.domain.permissions import NodeAction, check_may, may
from dataspace.domain.tabulations import NODE_USER
from dataspace.domain.tokens import AccessToken
from dataspace.services.ports import Clock, UnitOfWork

LONGEST_TOKEN = timedelta(days=366)


@dataclass(frozen=True)
class IssuedToken:
    """The only time the node knows the token's text; it cannot be shown again."""

    id: str
    plaintext: str = field(repr=False)
    expires_at: datetime


def register_person(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    *,
    name: str,
    organisation: Organisation,
    roles: frozenset[Role],
    email: str = "",
) -> Actor:
    """Raises NotPermitted, or InvalidInput for a person without a name or a role, or with what is no address."""
    check_may(by, NodeAction.REGISTER_PERSON)
    if not name.strip() or not roles:
        raise InvalidInput("a person is registered with a name and at least one role")
    check_address(email)
    person = Actor(new_id("prs"), name.strip(), organisation, roles)
    details = {"organisation": organisation.name, "roles": " ".join(sorted(roles))}
    with uow:
        uow.accounts.add(person, AuditEvent(EventKind.PERSON_REGISTERED, by.id, person.id, clock.now(), details))
        if email:
            uow.addresses.set(person.id, email)
        uow.commit()
    return person


def change_address(uow: UnitOfWork, clock: Clock, by: Actor, person_id: str, email: str) -> None:
    """Where a person is reminded; an empty address: nowhere. The address itself is not in the audit trail."""
    check_may(by, NodeAction.REGISTER_PERSON)
    check_address(email)
    with uow:
        uow.addresses.set(person_id, email or None)
        details = {"address": "set" if email else "removed"}
        uow.audit.append(AuditEvent(EventKind.PERSON_ADDRESSED, by.id, person_id, clock.now(), details))
        uow.commit()


def issue_token(
    uow: UnitOfWork,
    clock: Clock,
    by: Actor,
    person_id: str,
    *,
    label: str = "",
    valid_for: timedelta = timedelta(days=90),
) -> IssuedToken:
    """A token for oneself, or by an operator for anyone; at most a year. Only its SHA-256 is kept."""
    if by.id != person_id:
        check_may(by, NodeAction.ISSUE_TOKEN)
    if person_id == NODE_USER.id:
        raise NotPermitted("nobody acts as the node itself: it asks what tabulation plans say, and nothing else")
    if not timedelta(0) < valid_for <= LONGEST_TOKEN:
        raise InvalidInput("a token is valid for more than nothing and at most a year")
    now, plaintext = clock.now(), tokens.new_plaintext()
    token = AccessToken(new_id("tok"), tokens.digest(plaintext), person_id, label, now, now + valid_for)
    with uow:
        uow.accounts.get(person_id)
        uow.accounts.add_token(token, AuditEvent(EventKind.TOKEN_ISSUED, by.id, person_id, now, {"token": token.id}))
        uow.commit()
    return IssuedToken(token.id, plaintext, token.expires_at)


def revoke_token(uow: UnitOfWork, clock: Clock, by: Actor, plaintext: str) -> None:
    """Whoever has a token's text can end it; so can an operator who found it somewhere."""
    now = clock.now()
    with uow:
        token = uow.accounts.find_token(tokens.digest(plaintext))
        if token is None:
            raise NotAuthenticated("the token is unknown; nothing was revoked")
        if token.person != by.id and not may(by, NodeAction.ISSUE_TOKEN):
            raise NotPermitted("this token belongs to someone else")
        event = AuditEvent(EventKind.TOKEN_REVOKED, by.id, token.person, now, {"token": token.id})
        uow.accounts.revoke_token(token.id, now, event)
        uow.commit()


def authenticate(uow: UnitOfWork, clock: Clock, token: str) -> Actor:
    """Whose token this is. Raises NotAuthenticated, with one text for unknown, expired and revoked.

    The look-up is by digest: its time may depend on digests, which tell nothing about any token.
    """
    digest = tokens.digest(token)
    with uow.reading():
        known = uow.accounts.find_token(digest)
        if known is None or not compare_digest(known.digest, digest) or not known.valid(clock.now()):
            raise NotAuthenticated("the access token is unknown, expired or revoked; ask for a new one")
        return uow.accounts.get(known.person)


def list_persons(uow: UnitOfWork, by: Actor) -> list[Actor]:
    """Everyone registered, by organisation and name; for whoever may register persons."""
    check_may(by, NodeAction.REGISTER_PERSON)
    with uow.reading():
        return sorted(uow.accounts.all(), key=lambda person: (person.organisation.name, person.name, person.id))


def get_person(uow: UnitOfWork, person_id: str) -> Actor:
    """For the node's own use: names beside identifiers. Raises NotFound."""
    with uow.reading():
        return uow.accounts.get(person_id)
