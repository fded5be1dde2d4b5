"""Data permits. Their amounts of privacy loss are written here once, at the grant; the ledger moves them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, literal, or_, select, tuple_, update

from dataspace.db import counters
from dataspace.db import tables as t
from dataspace.db.records import batched
from dataspace.db.types import UtcDateTime
from dataspace.domain.errors import NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.permits import DataPermit, Particulars, PermitVersion, SnapshotRule
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.purposes import Purpose
from dataspace.services.ports import AuditTrail

CHANGEABLE = frozenset({"version", "scope", "valid_until", "granted_at", "suspended_at", "revoked_at", "reasons"})
"""Columns a later decision may change; the budget moves in the ledger alone."""

TIMES = ("valid_from", "valid_until", "granted_at", "suspended_at", "revoked_at")

LARGEST_PAGE = 500
"""Permits whose persons are asked for by name; of more, everybody's are read."""


class SqlPermits:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, permit: DataPermit, event: AuditEvent) -> None:
        self._connection.execute(insert(t.permits).values(**_values(permit)))
        self._name(permit)
        self._keep(permit, event)

    def save(self, permit: DataPermit, event: AuditEvent) -> None:
        values = {name: value for name, value in _values(permit).items() if name in CHANGEABLE}
        changed = self._connection.execute(
            update(t.permits)
            .where(t.permits.c.id == permit.id, t.permits.c.version == permit.version - 1)
            .values(**values)
        )
        if changed.rowcount == 0:
            raise WrongState(f"permit {permit.number} was changed by someone else meanwhile; read it again")
        self._connection.execute(delete(t.permit_persons).where(t.permit_persons.c.permit == permit.id))
        self._name(permit)
        self._keep(permit, event)

    def versions(self, permit_id: str) -> list[PermitVersion]:
        c = t.permit_versions.c
        query = select(t.permit_versions).where(c.permit == permit_id).order_by(c.version)
        return [PermitVersion(_from_body(row.body), row.at) for row in self._connection.execute(query)]

    def get(self, permit_id: str) -> DataPermit:
        named = or_(t.permits.c.id == permit_id, t.permits.c.number == permit_id)
        row = self._connection.execute(select(t.permits).where(named)).one_or_none()
        if row is None:
            raise NotFound(f"there is no permit {permit_id}")
        return self._permit(row)

    def all(self) -> list[DataPermit]:
        query = select(t.permits).order_by(t.permits.c.granted_at.desc(), t.permits.c.number.desc())
        return self._together(self._connection.execute(query).all())

    def named(self, permit_ids: Collection[str]) -> list[DataPermit]:
        queries = (select(t.permits).where(t.permits.c.id.in_(some)) for some in batched(permit_ids))
        return self._together([row for query in queries for row in self._connection.execute(query)])

    def of_person(self, person_id: str) -> list[DataPermit]:
        named = select(t.permit_persons.c.permit).where(t.permit_persons.c.person == person_id)
        query = (
            select(t.permits)
            .where(or_(t.permits.c.holder == person_id, t.permits.c.id.in_(named)))
            .order_by(t.permits.c.granted_at.desc(), t.permits.c.number.desc())
        )
        return self._together(self._connection.execute(query).all())

    def of_application(self, application_id: str) -> list[DataPermit]:
        query = select(t.permits).where(t.permits.c.application == application_id)
        return self._together(self._connection.execute(query).all())

    def page(self, person_id: str | None, after: str | None, most: int) -> list[DataPermit]:
        c = t.permits.c
        query = select(t.permits).order_by(c.granted_at.desc(), c.number.desc()).limit(most)
        if person_id is not None:
            named = select(t.permit_persons.c.permit).where(t.permit_persons.c.person == person_id)
            query = query.where(or_(c.holder == person_id, c.id.in_(named)))
        if after is not None:
            last = self._connection.execute(select(c.granted_at, c.number).where(c.number == after)).one_or_none()
            if last is None:
                raise NotFound(f"there is no permit {after}")
            query = query.where(tuple_(c.granted_at, c.number) < tuple_(literal(last[0], UtcDateTime), last[1]))
        return self._together(self._connection.execute(query).all())

    def _together(self, rows: Sequence[Row[Any]]) -> list[DataPermit]:
        """Permits with the persons they name, in one query for all of them."""
        persons: dict[str, set[str]] = {row.id: set() for row in rows}
        named = select(t.permit_persons)
        if len(rows) <= LARGEST_PAGE:
            named = named.where(t.permit_persons.c.permit.in_(persons))
        for permit, person in self._connection.execute(named):
            if permit in persons:
                persons[permit].add(person)
        return [_permit(row, frozenset(persons[row.id])) for row in rows]

    def next_number(self, year: int) -> str:
        return counters.next_number(self._connection, "DP", year)

    def _name(self, permit: DataPermit) -> None:
        named = [{"permit": permit.id, "person": person} for person in sorted(permit.persons)]
        self._connection.execute(insert(t.permit_persons), named)

    def _keep(self, permit: DataPermit, event: AuditEvent) -> None:
        """The version as it was decided stays readable for good."""
        values = {"permit": permit.id, "version": permit.version, "at": event.at, "body": _body(permit)}
        self._connection.execute(insert(t.permit_versions).values(**values))
        self._audit.append(event)

    def _permit(self, row: Row[Any]) -> DataPermit:
        named = select(t.permit_persons.c.person).where(t.permit_persons.c.permit == row.id)
        return _permit(row, frozenset(self._connection.execute(named).scalars()))


def _values(permit: DataPermit) -> dict[str, Any]:
    return {
        "id": permit.id,
        "number": permit.number,
        "application": permit.application,
        "holder": permit.holder,
        "version": permit.version,
        "scope": {
            "columns": sorted(list(ref) for ref in permit.columns),
            "purposes": sorted(permit.purposes),
            "snapshots": dict(permit.snapshots),
            "snapshot_rule": permit.snapshot_rule,
            "conditions": list(permit.conditions),
            "opt_out_exception": permit.opt_out_exception,
            "min_cell": permit.min_cell,
            "aggregates": sorted(permit.aggregates),
            "population": permit.population,
            "particulars": asdict(permit.particulars),
            "extended": permit.extended,
        },
        "epsilon": str(permit.guarantee.epsilon),
        "delta": str(permit.guarantee.delta),
        "limit_pico_rho": permit.limit.pico_rho,
        "limit_atto_delta": permit.limit.atto_delta,
        "valid_from": permit.valid_from,
        "valid_until": permit.valid_until,
        "granted_at": permit.granted_at,
        "granted_by": permit.granted_by,
        "suspended_at": permit.suspended_at,
        "revoked_at": permit.revoked_at,
        "reasons": permit.reasons,
    }


def _permit(row: Row[Any] | SimpleNamespace, persons: frozenset[str]) -> DataPermit:
    scope = row.scope
    return DataPermit(
        id=row.id,
        number=row.number,
        application=row.application,
        holder=row.holder,
        persons=persons,
        columns=frozenset((d, table, c) for d, table, c in scope["columns"]),
        purposes=frozenset(Purpose(letter) for letter in scope["purposes"]),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        guarantee=Guarantee(Decimal(row.epsilon), Decimal(row.delta)),
        limit=PrivacyLoss(row.limit_pico_rho, row.limit_atto_delta),
        snapshots=scope["snapshots"],
        granted_at=row.granted_at,
        granted_by=row.granted_by,
        snapshot_rule=SnapshotRule(scope["snapshot_rule"]),
        conditions=tuple(scope["conditions"]),
        opt_out_exception=scope["opt_out_exception"],
        suspended_at=row.suspended_at,
        revoked_at=row.revoked_at,
        reasons=row.reasons,
        version=row.version,
        min_cell=scope.get("min_cell", 0),
        aggregates=frozenset(scope.get("aggregates", ())),
        population=scope.get("population", ""),
        particulars=_particulars(scope.get("particulars", {})),
        extended=scope.get("extended", False),
    )


def _particulars(record: dict[str, Any]) -> Particulars:
    return Particulars(**{**record, "sources": tuple(record.get("sources", ()))})


def _body(permit: DataPermit) -> dict[str, Any]:
    """A permit as JSON: its row, times in ISO 8601, and the persons it names."""
    values = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in _values(permit).items()}
    return {**values, "persons": sorted(permit.persons)}


def _from_body(body: dict[str, Any]) -> DataPermit:
    times = {name: datetime.fromisoformat(body[name]) for name in TIMES if body[name] is not None}
    return _permit(SimpleNamespace(**{**body, **times}), frozenset(body["persons"]))
