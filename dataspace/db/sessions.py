"""Sessions of browsers, by the digest of their cookie."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from dataspace.db import tables as t
from dataspace.domain.events import AuditEvent
from dataspace.domain.sign_in import Session, SignInMethod
from dataspace.services.ports import AuditTrail


class SqlSessions:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, session: Session, event: AuditEvent) -> None:
        self._connection.execute(
            insert(t.sessions).values(
                id=session.id,
                digest=session.digest,
                person=session.person,
                method=session.method.value,
                started_at=session.started_at,
                seen_at=session.seen_at,
                ended_at=session.ended_at,
            )
        )
        self._audit.append(event)

    def find(self, digest: str) -> Session | None:
        row = self._connection.execute(select(t.sessions).where(t.sessions.c.digest == digest)).one_or_none()
        return None if row is None else _session(row)

    def of_person(self, person_id: str) -> list[Session]:
        query = select(t.sessions).where(t.sessions.c.person == person_id).order_by(t.sessions.c.started_at)
        return [_session(row) for row in self._connection.execute(query)]

    def seen(self, session_id: str, at: datetime) -> None:
        self._connection.execute(update(t.sessions).where(t.sessions.c.id == session_id).values(seen_at=at))

    def end(self, session_id: str, at: datetime, event: AuditEvent) -> None:
        open_one = update(t.sessions).where(t.sessions.c.id == session_id, t.sessions.c.ended_at.is_(None))
        if self._connection.execute(open_one.values(ended_at=at)).rowcount:
            self._audit.append(event)

    def end_all(self, person_id: str, at: datetime) -> int:
        open_ones = update(t.sessions).where(t.sessions.c.person == person_id, t.sessions.c.ended_at.is_(None))
        return int(self._connection.execute(open_ones.values(ended_at=at)).rowcount)


def _session(row: Row[Any]) -> Session:
    method = SignInMethod(row.method)
    return Session(row.id, row.digest, row.person, method, row.started_at, row.seen_at, row.ended_at)
