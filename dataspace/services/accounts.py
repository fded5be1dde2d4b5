"""Persons and their access tokens."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest

from dataspace.domain import tokens
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.callers import Caller
from dataspace.domain.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.organisations import check_spelling, spelled
from dataspace.domain.outbox import check_address
from dataspace.domain.permissions import NodeAction, check_may, may
from dataspace.domain.roles import check_compatible
from dataspace.domain.tabulations import check_not_the_node
from dataspace.domain.token_scopes import TokenScope
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
    """Raises NotPermitted, or InvalidInput: without a name or role, with roles kept apart, with what is no address,
    or of an organisation that is registered under another spelling.
    """
    check_may(by, NodeAction.REGISTER_PERSON)
    if not name.strip() or not roles:
        raise InvalidInput("a person is registered with a name and at least one role")
    check_compatible(roles)
    check_address(email)
    party = replace(organisation, name=spelled(organisation.name))
    person = Actor(new_id("prs"), spelled(name), party, roles)
    details = {"organisation": party.name, "roles": " ".join(sorted(roles))}
    with uow:
        check_spelling(party.name, (known.name for known in uow.organisations.all()))
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
    scopes: frozenset[TokenScope] | None = None,
    within: frozenset[TokenScope] | None = None,
) -> IssuedToken:
    """A token for oneself, or by an operator for anyone; at most a year. Only its SHA-256 is kept.

    Without `scopes` it may do all that the person may. `within` are the scopes of the token that asks: the new one
    has no other.
    """
    if within is not None and (scopes is None or not scopes <= within):
        raise NotPermitted(f"a token issues tokens of its own scopes only: {', '.join(sorted(within))}")
    if by.id != person_id:
        check_may(by, NodeAction.ISSUE_TOKEN)
    check_not_the_node(person_id)
    if not timedelta(0) < valid_for <= LONGEST_TOKEN:
        raise InvalidInput("a token is valid for more than nothing and at most a year")
    now, plaintext = clock.now(), tokens.new_plaintext()
    if len(label) > 200:
        raise InvalidInput("the label of a token has at most 200 characters")
    made = tokens.digest(plaintext)
    token = AccessToken(new_id("tok"), made, person_id, label, now, now + valid_for, scopes=scopes)
    with uow:
        if not uow.accounts.get(person_id).active:
            raise InvalidInput("this person is deactivated; reactivate them before issuing a token")
        details = {"token": token.id, "scopes": "all" if scopes is None else " ".join(sorted(scopes))}
        uow.accounts.add_token(token, AuditEvent(EventKind.TOKEN_ISSUED, by.id, person_id, now, details))
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
        end_token(uow, by, token.person, token.id, now)
        uow.commit()


def end_token(uow: UnitOfWork, by: Actor, person_id: str, token_id: str, now: datetime) -> None:
    """Inside a transaction: the token's very next request is refused, and that it ended is on record."""
    event = AuditEvent(EventKind.TOKEN_REVOKED, by.id, person_id, now, {"token": token_id})
    uow.accounts.revoke_token(token_id, now, event)


def list_tokens(uow: UnitOfWork, clock: Clock, by: Actor) -> list[AccessToken]:
    """One's own tokens that are neither revoked nor expired, oldest first."""
    now = clock.now()
    with uow.reading():
        return [token for token in uow.accounts.tokens_of(by.id) if token.valid(now)]


def revoke_token_by_id(uow: UnitOfWork, clock: Clock, by: Actor, token_id: str) -> None:
    """End one of one's own tokens. Raises NotFound for another's, as for none."""
    now = clock.now()
    with uow:
        if token_id not in {token.id for token in uow.accounts.tokens_of(by.id)}:
            raise NotFound("you have no such token; look at the list of your tokens")
        end_token(uow, by, by.id, token_id, now)
        uow.commit()


def identify_token(uow: UnitOfWork, clock: Clock, token: str) -> Caller:
    """Whose token this is and what for. Raises NotAuthenticated, with one text for unknown, expired and revoked.

    The look-up is by digest: its time may depend on digests, which tell nothing about any token. The first use of a
    day is written down.
    """
    digest, now = tokens.digest(token), clock.now()
    with uow.reading():
        known = uow.accounts.find_token(digest)
        right = known is not None and compare_digest(known.digest, digest) and known.valid(now)
        actor = uow.accounts.get(known.person) if known is not None and right else None
    if known is None or actor is None or not actor.active:
        raise NotAuthenticated("the access token is unknown, expired or revoked; ask for a new one")
    if known.last_used_on != now.date():
        with uow:
            uow.accounts.token_used(known.id, now.date())
            uow.commit()
    return Caller(actor, known.scopes)


def list_persons(uow: UnitOfWork, by: Actor) -> list[Actor]:
    """Everyone registered, by organisation and name; for whoever may register persons."""
    check_may(by, NodeAction.REGISTER_PERSON)
    with uow.reading():
        return sorted(uow.accounts.all(), key=lambda person: (person.organisation.name, person.name, person.id))


def get_person(uow: UnitOfWork, person_id: str) -> Actor:
    """For the node's own use: names beside identifiers. Raises NotFound."""
    with uow.reading():
        return uow.accounts.get(person_id)
