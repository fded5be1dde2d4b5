"""Persons, their organisations and their access tokens."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from dataspace.db import tables as t
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.errors import InvalidInput, NotFound
from dataspace.domain.events import AuditEvent
from dataspace.domain.token_scopes import TokenScope
from dataspace.domain.tokens import AccessToken
from dataspace.services.ports import AuditTrail


class SqlAccounts:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, person: Actor, event: AuditEvent) -> None:
        self._ensure(person.organisation)
        self._connection.execute(
            insert(t.persons).values(
                id=person.id,
                name=person.name,
                organisation=person.organisation.name,
                roles=sorted(role.value for role in person.roles),
            )
        )
        self._audit.append(event)

    def get(self, person_id: str) -> Actor:
        row = self._connection.execute(_persons().where(t.persons.c.id == person_id)).one_or_none()
        if row is None:
            raise NotFound(f"no person {person_id} is registered")
        return _actor(row)

    def all(self) -> list[Actor]:
        return [_actor(row) for row in self._connection.execute(_persons().order_by(t.persons.c.id))]

    def add_token(self, token: AccessToken, event: AuditEvent) -> None:
        self._connection.execute(
            insert(t.tokens).values(
                id=token.id,
                digest=token.digest,
                person=token.person,
                label=token.label,
                issued_at=token.issued_at,
                expires_at=token.expires_at,
                revoked_at=token.revoked_at,
                scopes=None if token.scopes is None else sorted(token.scopes),
            )
        )
        self._audit.append(event)

    def find_token(self, digest: str) -> AccessToken | None:
        row = self._connection.execute(select(t.tokens).where(t.tokens.c.digest == digest)).one_or_none()
        return None if row is None else _token(row)

    def tokens_of(self, person_id: str) -> list[AccessToken]:
        query = select(t.tokens).where(t.tokens.c.person == person_id).order_by(t.tokens.c.issued_at, t.tokens.c.id)
        return [_token(row) for row in self._connection.execute(query)]

    def token_used(self, token_id: str, day: date) -> None:
        self._connection.execute(update(t.tokens).where(t.tokens.c.id == token_id).values(last_used_on=day))

    def change_roles(self, person: Actor, event: AuditEvent) -> None:
        self._change(person.id, event, roles=sorted(role.value for role in person.roles))

    def change_active(self, person_id: str, deactivated_at: datetime | None, event: AuditEvent) -> None:
        self._change(person_id, event, deactivated_at=deactivated_at)

    def find_by_email(self, email: str) -> Actor | None:
        rows = self._connection.execute(_persons().where(func.lower(t.persons.c.email) == email.lower())).all()
        return _actor(rows[0]) if len(rows) == 1 else None

    def _change(self, person_id: str, event: AuditEvent, **values: Any) -> None:
        self._connection.execute(update(t.persons).where(t.persons.c.id == person_id).values(**values))
        self._audit.append(event)

    def revoke_token(self, token_id: str, at: datetime, event: AuditEvent) -> None:
        changed = self._connection.execute(
            update(t.tokens).where(t.tokens.c.id == token_id, t.tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        )
        if changed.rowcount == 0:
            raise NotFound("no such token, or it is revoked already")
        self._audit.append(event)

    def _ensure(self, organisation: Organisation) -> None:
        known = self._connection.execute(
            select(t.organisations).where(t.organisations.c.name == organisation.name)
        ).one_or_none()
        if known is None:
            self._connection.execute(
                insert(t.organisations).values(name=organisation.name, public_body=organisation.public_body)
            )
        elif known.public_body != organisation.public_body:
            raise InvalidInput(f"{organisation.name} is registered with another legal form; correct it there first")


def _persons() -> Select[Any]:
    return select(t.persons, t.organisations.c.public_body).join(t.organisations)


def _actor(row: Row[Any]) -> Actor:
    roles = frozenset(Role(role) for role in row.roles)
    party = Organisation(row.organisation, row.public_body)
    return Actor(row.id, row.name, party, roles, row.deactivated_at is None)


def _token(row: Row[Any]) -> AccessToken:
    scopes = None if row.scopes is None else frozenset(TokenScope(scope) for scope in row.scopes)
    return AccessToken(
        row.id, row.digest, row.person, row.label, row.issued_at, row.expires_at, row.revoked_at, scopes,
        row.last_used_on,
    )  # fmt: skip
