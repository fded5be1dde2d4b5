"""Persons, organisations, tokens and sessions as wire shapes."""

from datetime import date

from dataspace.domain.actors import Actor
from dataspace.domain.organisations import OrganisationRecord
from dataspace.domain.sign_in import Session
from dataspace.domain.tokens import AccessToken
from dataspace.services.accounts import IssuedToken
from dataspace.wire import signin as wire


def person(entry: Actor) -> wire.Person:
    return wire.Person(
        id=entry.id,
        name=entry.name,
        organisation=entry.organisation.name,
        roles=sorted(entry.roles),
        active=entry.active,
    )


def token(entry: AccessToken) -> wire.TokenEntry:
    return wire.TokenEntry(
        id=entry.id,
        label=entry.label,
        scopes=None if entry.scopes is None else sorted(entry.scopes),
        issued_at=entry.issued_at,
        expires_at=entry.expires_at,
        last_used_on=entry.last_used_on,
    )


def new_token(issued: IssuedToken) -> wire.NewToken:
    return wire.NewToken(id=issued.id, token=issued.plaintext, expires_at=issued.expires_at)


def session(entry: Session, current: Session | None) -> wire.SessionEntry:
    return wire.SessionEntry(
        id=entry.id,
        method=entry.method.value,
        started_at=entry.started_at,
        seen_at=entry.seen_at,
        expires_at=entry.expires_at,
        current=current is not None and current.id == entry.id,
    )


def organisation(entry: OrganisationRecord, today: date) -> wire.OrganisationEntry:
    return wire.OrganisationEntry(
        name=entry.name,
        kind=entry.kind.value,
        public_body=entry.public_body,
        country=entry.country,
        legal_id=entry.legal_id,
        size=entry.size.value if entry.size else None,
        trusted_until=entry.trusted_until,
        exempt=entry.exempt,
        trusted=entry.trusted(today),
    )
