"""The audit trail: append-only, hash-chained, written in the transaction of the change it tells of."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dataspace.db import chains
from dataspace.db import tables as t
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

    def head(self) -> ChainHead:
        return chains.head(self._connection, CHAIN)


def _entry(row: Row[Any]) -> AuditEntry:
    event = AuditEvent(EventKind(row.kind), row.actor, row.subject, row.at, row.details)
    return AuditEntry(row.seq, event, row.previous, row.hash)
