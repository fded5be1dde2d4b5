"""Data access applications."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from dataspace.db import counters
from dataspace.db import tables as t
from dataspace.domain.applications import AccessApplication, ApplicationForm, ApplicationState, Period
from dataspace.domain.errors import NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.privacy import Guarantee
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope
from dataspace.services.ports import AuditTrail


class SqlApplications:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, application: AccessApplication, event: AuditEvent) -> None:
        self._connection.execute(insert(t.applications).values(id=application.id, **_values(application)))
        self._audit.append(event)

    def save(self, application: AccessApplication, event: AuditEvent) -> None:
        before = (t.applications.c.id == application.id, t.applications.c.version == application.version - 1)
        changed = self._connection.execute(update(t.applications).where(*before).values(**_values(application)))
        if changed.rowcount == 0:
            raise WrongState(f"application {application.number} was changed by someone else meanwhile; read it again")
        self._audit.append(event)

    def get(self, application_id: str) -> AccessApplication:
        columns = t.applications.c
        named = or_(columns.id == application_id, columns.number == application_id)
        query = select(t.applications).where(named)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"there is no application {application_id}")
        return _application(row)

    def all(self) -> list[AccessApplication]:
        query = select(t.applications).order_by(t.applications.c.filed_at.desc(), t.applications.c.number.desc())
        return [_application(row) for row in self._connection.execute(query)]

    def next_number(self, year: int) -> str:
        return counters.next_number(self._connection, "DAA", year)


def _values(application: AccessApplication) -> dict[str, Any]:
    return {
        "number": application.number,
        "applicant": application.applicant,
        "state": application.state.value,
        "version": application.version,
        "form": form_to_dict(application.form),
        "filed_at": application.filed_at,
        "submitted_at": application.submitted_at,
        "assessor": application.assessor,
        "decided_at": application.decided_at,
        "decision_maker": application.decision_maker,
        "reasons": application.reasons,
    }


def _application(row: Row[Any]) -> AccessApplication:
    application = AccessApplication(row.id, row.number, row.applicant, form_from_dict(row.form), row.filed_at)
    return replace(
        application,
        state=ApplicationState(row.state),
        version=row.version,
        submitted_at=row.submitted_at,
        assessor=row.assessor,
        decided_at=row.decided_at,
        decision_maker=row.decision_maker,
        reasons=row.reasons,
    )


FORM_VERSION = 1
"""Written into each stored form; a reader of an older one converts it."""


def form_to_dict(form: ApplicationForm) -> dict[str, Any]:
    guarantee, period = form.guarantee, form.period
    return {
        "version": FORM_VERSION,
        "title": form.title,
        "purposes": sorted(form.purposes),
        "scope": sorted(list(ref) for ref in form.scope.columns),
        "justification": form.justification,
        "lay_summary": form.lay_summary,
        "legal_basis": form.legal_basis,
        "persons": sorted(form.persons),
        "guarantee": guarantee and [str(guarantee.epsilon), str(guarantee.delta)],
        "period": period and [period.start.isoformat(), period.end.isoformat()],
        "acting_for": form.acting_for,
    }


def form_from_dict(record: dict[str, Any]) -> ApplicationForm:
    guarantee, period, basis = record["guarantee"], record["period"], record["legal_basis"]
    return ApplicationForm(
        title=record["title"],
        purposes=frozenset(Purpose(letter) for letter in record["purposes"]),
        scope=Scope(frozenset((d, table, c) for d, table, c in record["scope"])),
        justification=record["justification"],
        lay_summary=record["lay_summary"],
        legal_basis=LegalBasis(basis) if basis else None,
        persons=frozenset(record["persons"]),
        guarantee=Guarantee(Decimal(guarantee[0]), Decimal(guarantee[1])) if guarantee else None,
        period=Period(*(datetime.fromisoformat(text) for text in period)) if period else None,
        acting_for=record["acting_for"],
    )
