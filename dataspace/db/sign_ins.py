"""Passwords, identities at the provider, one-time links and failed attempts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.domain.errors import InvalidInput
from dataspace.domain.events import AuditEvent
from dataspace.domain.sign_in import Invitation, LocalAccount, Throttle
from dataspace.services.ports import AuditTrail


class SqlSignIns:
    def __init__(self, connection: Connection, audit_trail: AuditTrail) -> None:
        self._connection, self._audit = connection, audit_trail

    def account(self, login: str) -> LocalAccount | None:
        query = select(t.local_accounts).where(t.local_accounts.c.login == login)
        return _account(self._connection.execute(query).one_or_none())

    def account_of(self, person_id: str) -> LocalAccount | None:
        query = select(t.local_accounts).where(t.local_accounts.c.person == person_id)
        return _account(self._connection.execute(query).one_or_none())

    def save_account(self, account: LocalAccount, event: AuditEvent) -> None:
        known = self.account(account.login)
        if known is not None and known.person != account.person:
            raise InvalidInput("this account name is taken; ask for an invitation with another one")
        self._connection.execute(delete(t.local_accounts).where(t.local_accounts.c.person == account.person))
        self._connection.execute(
            insert(t.local_accounts).values(
                login=account.login, person=account.person, password_hash=account.password_hash, demo=account.demo
            )
        )
        self._audit.append(event)

    def person_of(self, issuer: str, subject: str) -> str | None:
        whose = (t.identities.c.issuer == issuer, t.identities.c.subject == subject)
        return self._connection.execute(select(t.identities.c.person).where(*whose)).scalar_one_or_none()

    def has_identity(self, issuer: str, person_id: str) -> bool:
        theirs = (t.identities.c.issuer == issuer, t.identities.c.person == person_id)
        return self._connection.execute(select(t.identities.c.subject).where(*theirs).limit(1)).first() is not None

    def link(self, issuer: str, subject: str, person_id: str, event: AuditEvent) -> None:
        self._connection.execute(
            insert(t.identities).values(issuer=issuer, subject=subject, person=person_id, linked_at=event.at)
        )
        self._audit.append(event)

    def add_invitation(self, invitation: Invitation, event: AuditEvent) -> None:
        self.end_invitations(invitation.person, invitation.made_at)
        self._connection.execute(
            insert(t.invitations).values(
                digest=invitation.digest,
                person=invitation.person,
                login=invitation.login,
                made_at=invitation.made_at,
                expires_at=invitation.expires_at,
            )
        )
        self._audit.append(event)

    def invitation(self, digest: str) -> Invitation | None:
        query = select(t.invitations).where(t.invitations.c.digest == digest)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return Invitation(row.digest, row.person, row.login, row.made_at, row.expires_at, row.used_at)

    def use_invitation(self, digest: str, at: datetime) -> bool:
        unused = update(t.invitations).where(t.invitations.c.digest == digest, t.invitations.c.used_at.is_(None))
        return bool(self._connection.execute(unused.values(used_at=at)).rowcount)

    def end_invitations(self, person_id: str, at: datetime) -> None:
        unused = update(t.invitations).where(t.invitations.c.person == person_id, t.invitations.c.used_at.is_(None))
        self._connection.execute(unused.values(used_at=at))

    def throttle(self, key: str) -> Throttle | None:
        # every other change waits until the attempt is written down: attempts at once count one after the other
        chains.locked_head(self._connection, audit.CHAIN)
        query = select(t.throttles).where(t.throttles.c.key == key)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Throttle(row.key, row.failures, row.last_at, row.blocked_until)

    def save_throttle(self, throttle: Throttle) -> None:
        self.clear_throttle(throttle.key)
        self._connection.execute(
            insert(t.throttles).values(
                key=throttle.key,
                failures=throttle.failures,
                last_at=throttle.last_at,
                blocked_until=throttle.blocked_until,
            )
        )

    def clear_throttle(self, key: str) -> None:
        self._connection.execute(delete(t.throttles).where(t.throttles.c.key == key))


def _account(row: Row[Any] | None) -> LocalAccount | None:
    return None if row is None else LocalAccount(row.login, row.person, row.password_hash, row.demo)
