"""Requests for amendments and extensions of permits."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from dataspace.db import tables as t
from dataspace.domain.errors import NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.permit_changes import ChangeKind, ChangeState, PermitChange, Wanted
from dataspace.services.ports import AuditTrail


class SqlPermitChanges:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, change: PermitChange, event: AuditEvent) -> None:
        self._connection.execute(insert(t.permit_changes).values(id=change.id, **_values(change)))
        self._audit.append(event)

    def save(self, change: PermitChange, event: AuditEvent) -> None:
        before = (t.permit_changes.c.id == change.id, t.permit_changes.c.version == change.version - 1)
        changed = self._connection.execute(update(t.permit_changes).where(*before).values(**_values(change)))
        if changed.rowcount == 0:
            raise WrongState(f"this {change.kind} was changed by someone else meanwhile; read it again")
        self._audit.append(event)

    def get(self, change_id: str) -> PermitChange:
        row = self._connection.execute(select(t.permit_changes).where(t.permit_changes.c.id == change_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no change {change_id}")
        return _change(row)

    def of_permit(self, permit_id: str) -> list[PermitChange]:
        c = t.permit_changes.c
        query = select(t.permit_changes).where(c.permit == permit_id).order_by(c.asked_at, c.id)
        return [_change(row) for row in self._connection.execute(query)]


def _values(change: PermitChange) -> dict[str, Any]:
    wanted = change.wanted
    return {
        "permit": change.permit,
        "kind": change.kind.value,
        "state": change.state.value,
        "version": change.version,
        "wanted": {
            "columns": sorted(list(ref) for ref in wanted.columns),
            "persons": sorted(wanted.persons),
            "persons_leaving": sorted(wanted.persons_leaving),
            "conditions": None if wanted.conditions is None else list(wanted.conditions),
            "valid_until": wanted.valid_until.isoformat() if wanted.valid_until else None,
        },
        "reasons": change.reasons,
        "asked_by": change.asked_by,
        "asked_at": change.asked_at,
        "assessor": change.assessor,
        "favourable": change.favourable,
        "assessment": change.assessment,
        "decided_by": change.decided_by,
        "decided_at": change.decided_at,
        "decision": change.decision,
    }


def _change(row: Row[Any]) -> PermitChange:
    wanted = row.wanted
    return PermitChange(
        id=row.id,
        permit=row.permit,
        kind=ChangeKind(row.kind),
        wanted=Wanted(
            columns=frozenset((d, table, c) for d, table, c in wanted["columns"]),
            persons=frozenset(wanted["persons"]),
            persons_leaving=frozenset(wanted["persons_leaving"]),
            conditions=None if wanted["conditions"] is None else tuple(wanted["conditions"]),
            valid_until=datetime.fromisoformat(wanted["valid_until"]) if wanted["valid_until"] else None,
        ),
        reasons=row.reasons,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=ChangeState(row.state),
        version=row.version,
        assessor=row.assessor,
        favourable=row.favourable,
        assessment=row.assessment,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision=row.decision,
    )
