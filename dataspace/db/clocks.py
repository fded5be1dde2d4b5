"""Cases with the facts that their clocks follow from: a fixed number of queries, however many cases there are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Row, Select, select, union

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.db.case_cache import cache_of, event_rows, fact_of
from dataspace.domain.actors import Actor
from dataspace.domain.clock_rules import (
    BY_NAME,
    OF_THE_PERMIT,
    PERMIT_EXPIRED,
    PERMIT_EXPIRES,
    REQUEST_NUMBERS,
    SUBJECT_OF,
)
from dataspace.domain.clock_states import Case, Fact
from dataspace.domain.clocks import ClockName, Subject
from dataspace.domain.purposes import RESERVED_TO_PUBLIC_BODIES

REPORTED = BY_NAME[ClockName.ACTIVITY_REPORT].stops

Subjects = list[str] | None
"""Which subjects: those named, or all."""


class SqlClocks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self) -> None:
        chains.locked_head(self._connection, audit.CHAIN)

    def all(self, now: datetime) -> list[Case]:
        with cache_of(self._connection.engine).held() as cache:
            news = cache.news(self._connection, now)
            subjects = None if news is None else self._with_permits(news)
            around = self._around(subjects)
            made = _cases(cache.facts if subjects is None else subjects, cache.facts, around, now)
            cache.keep(made, {permit: row.valid_until for permit, row in around.permits.items()})
            return list(cache.cases.values())

    def concerning(self, person: Actor) -> frozenset[str]:
        return frozenset(self._connection.execute(_concerning(person)).scalars())

    def of_subject(self, subject: str, now: datetime) -> Case | None:
        named = self._identified(subject)
        return _cases(named[:1], self._facts(named), self._around(named), now).get(named[0])

    def _identified(self, subject: str) -> list[str]:
        """The identifier of what is named by its number; after a permit's, its application's."""
        numbered = (select(table.c.id).where(table.c.number == subject) for table in (t.applications, t.permits))
        found = str(self._connection.execute(union(*numbered)).scalar() or subject)
        permits = select(t.permits.c.application).where(t.permits.c.id == found)
        return [found, *self._connection.execute(permits).scalars()]

    def reports(self) -> list[Fact]:
        query = select(t.audit_events).where(t.audit_events.c.kind.in_(REPORTED)).order_by(t.audit_events.c.seq)
        # a report is about every period before it: which one it names is written in several ways
        return [Fact(row.kind, row.at, row.actor) for row in self._connection.execute(query)]

    def _facts(self, subjects: Subjects) -> dict[str, tuple[Fact, ...]]:
        facts: dict[str, list[Fact]] = defaultdict(list)
        for row in self._rows(event_rows(), t.audit_events.c.subject, subjects):
            facts[row.subject].append(fact_of(row))
        return {subject: tuple(known) for subject, known in facts.items()}

    def _with_permits(self, subjects: set[str]) -> list[str]:
        """Beside applications their permits: some facts of an application are as much a permit's."""
        permits = select(t.permits.c.id).where(t.permits.c.application.in_(subjects))
        return [*subjects, *self._connection.execute(permits).scalars()]

    def _around(self, subjects: Subjects) -> "_Around":
        around = _Around({row.id: row for row in self._rows(_permits(), t.permits.c.id, subjects)})
        for row in self._rows(select(t.permit_persons), t.permit_persons.c.permit, subjects):
            around.named[row.permit].add(row.person)
        for row in self._rows(_permit_holders(), t.allocations.c.permit, subjects):
            around.holders[row.permit][row.dataset] = row.holder
        for row in self._rows(select(t.datasets.c.id, t.datasets.c.holder), t.datasets.c.id, subjects):
            around.holders[row.id] = {row.id: row.holder}
        public = self._rows(_of_public_bodies(), t.applications.c.id, subjects)
        around.accelerated.update(row.id for row in public if _accelerated(row))
        return around

    def _rows(self, query: Select[Any], column: ColumnElement[Any], subjects: Subjects) -> Iterable[Row[Any]]:
        return self._connection.execute(query if subjects is None else query.where(column.in_(subjects)))


@dataclass
class _Around:
    """What is known of cases besides their facts: permits, persons named, data holders, and the accelerated lane."""

    permits: dict[str, Row[Any]]
    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    accelerated: set[str] = field(default_factory=set)

    def with_application(
        self, subject: str, own: tuple[Fact, ...], facts: Mapping[str, tuple[Fact, ...]]
    ) -> tuple[Fact, ...]:
        """A permit's facts with those of its application that are its own as well, in the order they happened."""
        permit = self.permits.get(subject)
        carried = [f for f in facts.get(permit.application, ()) if f.kind in OF_THE_PERMIT] if permit else []
        return tuple(sorted((*own, *carried), key=lambda fact: fact.at)) if carried else own


def _cases(
    subjects: Iterable[str], facts: Mapping[str, tuple[Fact, ...]], around: _Around, now: datetime
) -> dict[str, Case]:
    """Those of the subjects that are cases, by identifier."""
    known = {
        subject: around.with_application(subject, facts[subject], facts) for subject in subjects if subject in facts
    }
    made = {subject: _case(subject, told, around, now) for subject, told in known.items()}
    return {subject: case for subject, case in made.items() if case is not None}


def _case(subject: str, facts: tuple[Fact, ...], around: _Around, now: datetime) -> Case | None:
    first = next((fact for fact in facts if fact.kind in SUBJECT_OF), None)
    if first is None:
        return None
    permit = around.permits.get(subject)
    number = first.details.get("number", subject)
    return Case(
        Subject.DATA_REQUEST if number.startswith(REQUEST_NUMBERS) else SUBJECT_OF[first.kind],
        subject,
        number,
        _with_expiry(facts, permit, now),
        _user(subject, first, permit),
        frozenset(around.named.get(subject, ())),
        around.holders.get(subject, {}),
        subject in around.accelerated,
    )


def _permits() -> Select[Any]:
    permits = t.permits.c
    return select(permits.id, permits.application, permits.holder, permits.valid_until, permits.revoked_at)


def _permit_holders() -> Select[Any]:
    columns = (t.allocations.c.permit, t.allocations.c.dataset, t.datasets.c.holder)
    return select(*columns).join(t.datasets, t.datasets.c.id == t.allocations.c.dataset)


def _of_public_bodies() -> Select[Any]:
    """Applications of public bodies, the only ones that may be decided in the accelerated procedure."""
    applicant = t.persons.c.id == t.applications.c.applicant
    query = select(t.applications.c.id, t.applications.c.form).join(t.persons, applicant).join(t.organisations)
    return query.where(t.organisations.c.public_body)


def _accelerated(row: Row[Any]) -> bool:
    """Art. 68(6): a public body, and purposes (a) to (c) alone. Its mandate in public health is not on record."""
    purposes = set(row.form["purposes"])
    return bool(purposes) and purposes <= {purpose.value for purpose in RESERVED_TO_PUBLIC_BODIES}


def _concerning(person: Actor) -> CompoundSelect[Any]:
    events, of_organisation = t.audit_events.c, t.datasets.c.holder == person.organisation.name
    own = [kind for kind, subject in SUBJECT_OF.items() if subject is Subject.DATA_REQUEST]
    holding = select(t.allocations.c.permit).join(t.datasets, t.datasets.c.id == t.allocations.c.dataset)
    forwarded = events.details["holder"].as_string() == person.organisation.name
    return union(
        select(t.applications.c.id).where(t.applications.c.applicant == person.id),
        select(events.subject).where(events.actor == person.id, events.kind.in_(own)),
        select(t.permits.c.id).where(t.permits.c.holder == person.id),
        select(t.permit_persons.c.permit).where(t.permit_persons.c.person == person.id),
        select(t.datasets.c.id).where(of_organisation),
        holding.where(of_organisation),
        select(events.subject).where(events.kind == "case-forwarded", forwarded),
    )


def _user(subject: str, first: Fact, permit: Row[Any] | None) -> str:
    """Whose case it is; nobody's for a dataset, which belongs to an organisation."""
    if permit is not None:
        return str(permit.holder)
    if SUBJECT_OF[first.kind] is Subject.EXCLUSION:
        return first.details.get("person", subject)
    return "" if SUBJECT_OF[first.kind] is Subject.DATASET else first.actor


def _with_expiry(facts: tuple[Fact, ...], permit: Row[Any] | None, now: datetime) -> tuple[Fact, ...]:
    if permit is None:
        return facts
    expires = Fact(PERMIT_EXPIRES, permit.valid_until)
    if permit.valid_until > now or permit.revoked_at is not None:
        return (expires, *facts)
    known = sorted((*facts, Fact(PERMIT_EXPIRED, permit.valid_until)), key=lambda fact: fact.at)
    return (expires, *known)
