"""What is known of organisations beside their name and legal form."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from dataspace.db import tables as t
from dataspace.domain.events import AuditEvent
from dataspace.domain.organisations import OrganisationKind, OrganisationRecord, SizeClass
from dataspace.services.ports import AuditTrail


class SqlOrganisations:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def save(self, organisation: OrganisationRecord, event: AuditEvent) -> None:
        values = {
            "public_body": organisation.public_body,
            "kind": organisation.kind.value,
            "country": organisation.country,
            "legal_id": organisation.legal_id,
            "size": organisation.size.value if organisation.size else None,
            "trusted_until": organisation.trusted_until,
        }
        named = update(t.organisations).where(t.organisations.c.name == organisation.name)
        if self._connection.execute(named.values(values)).rowcount == 0:
            self._connection.execute(insert(t.organisations).values(name=organisation.name, **values))
        self._audit.append(event)

    def find(self, name: str) -> OrganisationRecord | None:
        row = self._connection.execute(select(t.organisations).where(t.organisations.c.name == name)).one_or_none()
        return None if row is None else _record(row)

    def all(self) -> list[OrganisationRecord]:
        return [_record(row) for row in self._connection.execute(select(t.organisations).order_by("name"))]


def _record(row: Row[Any]) -> OrganisationRecord:
    return OrganisationRecord(
        name=row.name,
        public_body=row.public_body,
        kind=OrganisationKind(row.kind) if row.kind else OrganisationKind.USER_ORGANISATION,
        country=row.country or "",
        legal_id=row.legal_id or "",
        size=SizeClass(row.size) if row.size else None,
        trusted_until=row.trusted_until,
    )
