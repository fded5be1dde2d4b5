"""Data access applications."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, literal, or_, select, tuple_, update

from dataspace.db import counters
from dataspace.db import tables as t
from dataspace.db.form_codec import answers_from_dict, answers_to_dict, form_from_dict, form_to_dict
from dataspace.db.types import UtcDateTime
from dataspace.domain.applications import AccessApplication, ApplicationKind, ApplicationState, Written
from dataspace.domain.errors import NotFound, WrongState
from dataspace.domain.events import AuditEvent
from dataspace.services.ports import AuditTrail, Viewer


class SqlApplications:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, application: AccessApplication, event: AuditEvent) -> None:
        self._connection.execute(insert(t.applications).values(id=application.id, **_values(application)))
        self._name_persons(application)
        self._audit.append(event)

    def save(self, application: AccessApplication, event: AuditEvent) -> None:
        before = (t.applications.c.id == application.id, t.applications.c.version == application.version - 1)
        changed = self._connection.execute(update(t.applications).where(*before).values(**_values(application)))
        if changed.rowcount == 0:
            raise WrongState(f"application {application.number} was changed by someone else meanwhile; read it again")
        self._name_persons(application)
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

    def page(
        self, viewer: Viewer, states: Collection[ApplicationState], after: str | None, most: int
    ) -> list[AccessApplication]:
        columns = t.applications.c
        query = _seen_by(viewer).order_by(columns.filed_at.desc(), columns.number.desc()).limit(most)
        if states:
            query = query.where(columns.state.in_([state.value for state in states]))
        if after is not None:
            last = self.get(after)
            place = tuple_(literal(last.filed_at, UtcDateTime), literal(last.number))
            query = query.where(tuple_(columns.filed_at, columns.number) < place)
        return [_application(row) for row in self._connection.execute(query)]

    def next_number(self, year: int, kind: ApplicationKind = ApplicationKind.ACCESS) -> str:
        return counters.next_number(self._connection, PREFIXES[kind], year)

    def _name_persons(self, application: AccessApplication) -> None:
        table = t.application_persons
        self._connection.execute(delete(table).where(table.c.application == application.id))
        named = [{"application": application.id, "person": person} for person in sorted(application.form.persons)]
        if named:
            self._connection.execute(insert(table), named)


PREFIXES = {ApplicationKind.ACCESS: "DAA", ApplicationKind.REQUEST: "HDR"}
"""Of case numbers."""


def _seen_by(viewer: Viewer) -> Select[Any]:
    """Their own, those they are named in and, for the access body, all that were received."""
    columns = t.applications.c
    own = select(columns.id).where(columns.applicant == viewer.person)
    named = select(t.application_persons.c.application).where(t.application_persons.c.person == viewer.person)
    mine = columns.id.in_(own.union(named))
    received = columns.state != ApplicationState.DRAFT.value
    return select(t.applications).where(or_(received, mine) if viewer.sees_received else mine)


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
        "kind": application.kind.value,
        "answers": answers_to_dict(application.answers),
        "reworked": _written_to_dict(application.reworked),
        "completed_at": application.completed_at,
        "returned_at": application.returned_at,
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
        kind=ApplicationKind(row.kind),
        answers=answers_from_dict(row.answers),
        reworked=_written(row.reworked),
        completed_at=row.completed_at,
        returned_at=row.returned_at,
    )


def _written_to_dict(written: Written | None) -> dict[str, Any] | None:
    if written is None:
        return None
    return {"form": form_to_dict(written.form), "answers": answers_to_dict(written.answers)}


def _written(record: dict[str, Any] | None) -> Written | None:
    return Written(form_from_dict(record["form"]), answers_from_dict(record["answers"])) if record else None
