"""The exclusion list (Art. 63(3)). Rows are added, never changed; an exclusion ends by its own date."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from dataspace.db import tables as t
from dataspace.domain.events import AuditEvent
from dataspace.domain.exclusions import Exclusion
from dataspace.services.ports import AuditTrail


class SqlExclusions:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, exclusion: Exclusion, event: AuditEvent) -> None:
        self._connection.execute(
            insert(t.exclusions).values(
                id=exclusion.id,
                person=exclusion.person,
                starts=exclusion.starts,
                until=exclusion.until,
                reasons=exclusion.reasons,
                decided_by=exclusion.decided_by,
            )
        )
        self._audit.append(event)

    def of(self, persons: Iterable[str]) -> list[Exclusion]:
        query = select(t.exclusions).where(t.exclusions.c.person.in_(sorted(persons))).order_by(t.exclusions.c.starts)
        return [Exclusion(*row) for row in self._connection.execute(query)]

    def all(self) -> list[Exclusion]:
        query = select(t.exclusions).order_by(t.exclusions.c.starts.desc(), t.exclusions.c.id)
        return [Exclusion(*row) for row in self._connection.execute(query)]
