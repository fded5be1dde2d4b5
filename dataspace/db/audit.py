"""The audit trail: append-only, hash-chained, written in the transaction of the change it tells of."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from dataspace.db import chains
from dataspace.db import tables as t
from dataspace.domain.audit_records import ArchivedPart, AuditFilter
from dataspace.domain.chain import ChainHead, link_hash
from dataspace.domain.events import AuditEntry, AuditEvent, EventKind, content

CHAIN = "audit"


class SqlAuditTrail:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.written: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> None:
        self.written.append(event)
        last = chains.locked_head(self._connection, CHAIN)
        seq = last.seq + 1
        digest = link_hash(last.hash, content(seq, event))
        self._connection.execute(
            insert(t.audit_events).values(
                seq=seq,
                at=event.at,
                kind=event.kind.value,
                actor=event.actor,
                subject=event.subject,
                details=dict(event.details),
                previous=last.hash,
                hash=digest,
            )
        )
        chains.move_head(self._connection, CHAIN, ChainHead(seq, digest))

    def entries(self, subject: str | None = None) -> Iterator[AuditEntry]:
        query = select(t.audit_events).order_by(t.audit_events.c.seq)
        if subject is not None:
            query = query.where(t.audit_events.c.subject == subject)
        for row in self._connection.execute(query):
            yield _entry(row)

    def search(self, wanted: AuditFilter, after: int, most: int) -> list[AuditEntry]:
        c = t.audit_events.c
        named = {c.actor: wanted.actor, c.subject: wanted.subject, c.kind: wanted.kind}
        tests = [column == value for column, value in named.items() if value is not None]
        if wanted.since is not None:
            tests.append(c.at >= wanted.since)
        if wanted.until is not None:
            tests.append(c.at < wanted.until)
        query = select(t.audit_events).where(c.seq > after, *tests).order_by(c.seq).limit(most)
        return [_entry(row) for row in self._connection.execute(query)]

    def archives(self) -> list[ArchivedPart]:
        rows = self._connection.execute(select(t.audit_archives).order_by(t.audit_archives.c.last))
        return [ArchivedPart(r.first, r.last, r.last_hash, r.file, r.sha256, r.archived_at) for r in rows]

    def archive(self, part: ArchivedPart, event: AuditEvent) -> None:
        self._connection.execute(insert(t.audit_archives).values(**vars(part)))
        self.append(event)
        self._connection.execute(delete(t.audit_events).where(t.audit_events.c.seq <= part.last))

    def head(self) -> ChainHead:
        return chains.head(self._connection, CHAIN)


def _entry(row: Row[Any]) -> AuditEntry:
    event = AuditEvent(EventKind(row.kind), row.actor, row.subject, row.at, row.details)
    return AuditEntry(row.seq, event, row.previous, row.hash)
