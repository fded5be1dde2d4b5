"""The public register as a projection of the cases: rewritten in the transaction of each change, searched in SQL."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union,
)

from dataspace.db import tables as t
from dataspace.db.accounts import SqlAccounts
from dataspace.db.applications import SqlApplications
from dataspace.db.permits import SqlPermits
from dataspace.db.records import SqlRecords, batched
from dataspace.db.tables.public import register_entries as r
from dataspace.db.types import UtcDateTime
from dataspace.domain.applications import AccessApplication
from dataspace.domain.errors import NotFound
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permits import DataPermit
from dataspace.domain.public_register import (
    DECIDED,
    ISSUED,
    CaseKind,
    DecisionPublication,
    PublicState,
    RegisterEntry,
    Search,
    Stage,
    entry_of,
)
from dataspace.domain.purposes import Purpose
from dataspace.domain.redaction import ConfidentialPart, Redaction
from dataspace.domain.tabulations import RunState
from dataspace.services.ports import AuditTrail

MOST_WORDS = 10
"""Words of a search that count; each is a look at every entry."""

SILENT = ("query-", "release-", "token-", "opt-out", "budget-", "finding-")
"""Beginnings of the kinds of events that change nothing the public sees of a case."""


class SqlPublicRegister:
    def __init__(
        self,
        connection: Connection,
        audit: AuditTrail,
        parts: SqlRecords[ConfidentialPart],
        publications: SqlRecords[DecisionPublication],
    ) -> None:
        self._connection, self._parts, self._publications = connection, parts, publications
        self._accounts = SqlAccounts(connection, audit)
        self._applications, self._permits = SqlApplications(connection, audit), SqlPermits(connection, audit)

    def follow(self, events: Iterable[AuditEvent]) -> None:
        """Rewrite the entries of all applications that the events of a transaction concern, before its commit."""
        cases = {e.subject: e for e in events if not e.kind.value.startswith(SILENT)}
        for subject, event in cases.items():
            for application in self._cases(subject):
                self.refresh(application, event.at)

    def refresh(self, application_id: str, at: datetime) -> None:
        """Write the entry of one application anew, as of `at`."""
        application = self._applications.get(application_id)
        permit = self._permit(application_id)
        published = self._published(application)
        applicant = self._accounts.get(application.applicant)
        organisation = applicant.organisation
        redaction = self.redactions([application_id])[application_id]
        party, answered = (organisation.name, organisation.public_body), self._answered(permit)
        entry = entry_of(application, party, permit, redaction, published, at, answered)
        if entry is not None:
            self.put(entry)

    def redactions(self, cases: Iterable[str]) -> dict[str, Redaction]:
        """What to leave out of texts on each case; of one that is no application, the parts declared alone."""
        made: dict[str, Redaction] = {}
        for some in batched(cases):
            parts, names = defaultdict(list), self._names(some)
            for part in self._parts.where(case=some):
                parts[part.case].append(part)
            made |= {case: Redaction.of(parts[case], names[case]) for case in some}
        return made

    def put(self, entry: RegisterEntry) -> None:
        """Write an entry in the place of the one of that number; its texts are already redacted."""
        self._connection.execute(delete(r).where(r.c.number == entry.number))
        self._connection.execute(insert(r).values(**_values(entry)))

    def get(self, number: str) -> RegisterEntry:
        """By the number of the case or of its permit, or by its identifier."""
        named = or_(r.c.number == number, r.c.permit_number == number, r.c.case_id == number)
        row = self._connection.execute(select(*_READ).where(named)).first()
        if row is None:
            raise NotFound(f"there is no entry {number} in the register")
        return _entry(row)

    def search(self, asked: Search, now: datetime) -> tuple[list[RegisterEntry], int]:
        """One page of what fits, newest receipt first, and how many fit in all."""
        fits = _fits(asked, now, self._connection.dialect.name)
        query = select(*_READ).where(*fits, *self._beyond(asked.after))
        page = self._entries(query.order_by(r.c.received_at.desc(), r.c.number.desc()).limit(asked.most))
        if len(page) < asked.most and not asked.after:
            return page, len(page)
        counted = select(func.count()).select_from(r).where(*fits)
        return page, int(self._connection.execute(counted).scalar_one())

    def latest(self, most: int) -> list[RegisterEntry]:
        """Entries by their last change, newest first."""
        return self._entries(select(*_READ).order_by(r.c.updated_at.desc(), r.c.number.desc()).limit(most))

    def all(self) -> list[RegisterEntry]:
        return self._entries(select(*_READ).order_by(r.c.received_at, r.c.number))

    def cases_of(self, permit_numbers: Iterable[str]) -> dict[str, str]:
        """The case of each permit, by the permit's number."""
        found: dict[str, str] = {}
        for some in batched(permit_numbers):
            rows = self._connection.execute(select(r.c.permit_number, r.c.case_id).where(r.c.permit_number.in_(some)))
            found |= {row.permit_number: row.case_id for row in rows}
        return found

    def unpublished(self, after: str, most: int) -> list[RegisterEntry]:
        """Decided cases whose reasons are not published yet, the oldest decision first."""
        waiting = and_(r.c.stage.in_([stage.value for stage in DECIDED]), r.c.reasons_published_at.is_(None))
        return self._oldest(select(*_READ).where(waiting), r.c.decided_at, after, most)

    def ended(self, now: datetime, after: str, most: int) -> list[RegisterEntry]:
        """Cases whose access has ended or whose user said that processing did, the oldest receipt first."""
        events = t.audit_events.c
        said = select(events.subject).where(events.kind == EventKind.PROCESSING_ENDED.value)
        over = or_(
            and_(r.c.stage == Stage.ANSWERED.value, r.c.decided_at <= now),
            and_(r.c.stage != Stage.ANSWERED.value, func.coalesce(r.c.revoked_at, r.c.valid_until) <= now),
            r.c.permit_number.in_(select(t.permits.c.number).where(t.permits.c.id.in_(said))),
        )
        return self._oldest(select(*_READ).where(over), r.c.received_at, after, most)

    def missing(self) -> list[str]:
        """Applications that were received and have no entry, as in a database from before there was a register."""
        known = select(r.c.case_id)
        received = and_(t.applications.c.submitted_at.is_not(None), t.applications.c.id.not_in(known))
        return list(self._connection.execute(select(t.applications.c.id).where(received)).scalars())

    def _entries(self, query: Select[Any]) -> list[RegisterEntry]:
        return [_entry(row) for row in self._connection.execute(query)]

    def _oldest(self, query: Select[Any], column: ColumnElement[Any], after: str, most: int) -> list[RegisterEntry]:
        """A page by a time, oldest first, from the one that follows number `after` on."""
        if after:
            last = self._connection.execute(select(column).where(r.c.number == after)).scalar()
            if last is None:
                raise NotFound(f"there is no entry {after} in the register to go on from")
            query = query.where(tuple_(column, r.c.number) > tuple_(literal(last, UtcDateTime), literal(after)))
        return self._entries(query.order_by(column, r.c.number).limit(most))

    def _beyond(self, after: str) -> list[ColumnElement[bool]]:
        if not after:
            return []
        last = self._connection.execute(select(r.c.received_at, r.c.number).where(r.c.number == after)).first()
        if last is None:
            raise NotFound(f"there is no entry {after} in the register to go on from")
        same = and_(r.c.received_at == last.received_at, r.c.number < last.number)
        return [or_(r.c.received_at < last.received_at, same)]

    def _cases(self, subject: str) -> list[str]:
        applications, permits = t.applications.c, t.permits.c
        own = self._connection.execute(select(applications.id).where(applications.id == subject)).scalars().all()
        of_permit = self._connection.execute(select(permits.application).where(permits.id == subject)).scalars().all()
        return [*own, *of_permit]

    def _permit(self, application_id: str) -> DataPermit | None:
        query = select(t.permits.c.id).where(t.permits.c.application == application_id)
        found = self._connection.execute(query).scalars().first()
        return self._permits.get(found) if found else None

    def _answered(self, permit: DataPermit | None) -> bool | None:
        """Whether all tabulations of an approval are answered; None for a permit that gives access."""
        runs = t.tabulation_runs.c
        states = select(runs.state).where(runs.permit == (permit.id if permit else ""))
        found = self._connection.execute(states).scalars().all()
        return all(state == RunState.ANSWERED.value for state in found) if found else None

    def _published(self, application: AccessApplication) -> datetime | None:
        """When the reasons were published: with the decision, unless the case has confidential parts to look for."""
        if application.decided_at is None:
            return None
        if not self._parts.where(case=application.id):
            return application.decided_at
        after = [p.published_at for p in self._publications.where(case=application.id)]
        return after[0] if after else None

    def _names(self, cases: list[str]) -> dict[str, list[str]]:
        """Names of those who have part in each case, and full names of everybody known here: some had part in it once,
        or are told of."""
        a, named, permitted = t.applications.c, t.application_persons.c, t.permit_persons.c
        roles = (a.applicant, a.assessor, a.decision_maker)
        part = [select(a.id.label("case"), role.label("person")).where(a.id.in_(cases)) for role in roles]
        part.append(select(named.application, named.person).where(named.application.in_(cases)))
        of_permit = select(t.permits.c.application, permitted.person).join_from(t.permits, t.permit_persons)
        part.append(of_permit.where(t.permits.c.application.in_(cases)))
        having = union(*part).subquery()
        known = select(having.c.case, t.persons.c.name).join(t.persons, t.persons.c.id == having.c.person)
        names: dict[str, list[str]] = defaultdict(list)
        # who applies in their own name is the applicant, and shown
        for row in self._connection.execute(known.where(t.persons.c.name != t.persons.c.organisation)):
            names[row.case].append(row.name)
        everybody = select(t.persons.c.name).where(t.persons.c.name.contains(" "))
        others = self._connection.execute(everybody.where(t.persons.c.name != t.persons.c.organisation)).scalars().all()
        return {one: names[one] + list(others) for one in cases}


def plain_words(text: str) -> str:
    """Lower case without accents, as texts are searched."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def _fits(asked: Search, now: datetime, dialect: str) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = []
    if asked.state is not None:
        fits.append(_state(now) == asked.state.value)
    if asked.purpose is not None:
        fits.append(r.c.purposes.contains(asked.purpose.letter, autoescape=True))
    if asked.dataset:
        fits.append(r.c.datasets.contains(f" {asked.dataset} ", autoescape=True))
    # many times faster than LIKE, and the words need no escaping
    place = func.instr if dialect == "sqlite" else func.strpos
    fits += [place(r.c.words, word) > 0 for word in sorted(set(plain_words(asked.words).split()))[:MOST_WORDS]]
    return fits


def _state(now: datetime) -> ColumnElement[str]:
    """`RegisterEntry.state` in SQL."""
    return case(
        (r.c.stage.not_in([stage.value for stage in ISSUED]), r.c.stage),
        (r.c.revoked_at.is_not(None), PublicState.REVOKED.value),
        (r.c.stage == Stage.ANSWERED.value, PublicState.ANSWERED.value),
        (r.c.valid_until <= now, PublicState.EXPIRED.value),
        (r.c.suspended_at.is_not(None), PublicState.SUSPENDED.value),
        (r.c.stage == Stage.APPROVED.value, PublicState.APPROVED.value),
        (r.c.valid_from <= now, PublicState.ACTIVE.value),
        else_=PublicState.PENDING.value,
    )


SAME = (
    "number", "applicant", "public_body", "title", "lay_summary", "received_at", "updated_at", "decided_at", "reasons",
    "reasons_published_at", "permit_number", "issued_at", "valid_from", "valid_until", "suspended_at", "revoked_at",
    "permit_reasons",
)  # fmt: skip
"""Fields that are stored as they are."""


def _values(entry: RegisterEntry) -> dict[str, Any]:
    said = (entry.number, entry.permit_number or "", entry.applicant, entry.title, entry.lay_summary, entry.reasons)
    return {name: getattr(entry, name) for name in SAME} | {
        "case_id": entry.case,
        "kind": entry.kind.value,
        "stage": entry.stage.value,
        "purposes": "".join(purpose.letter for purpose in entry.purposes),
        "datasets": f" {' '.join(entry.datasets)} ",
        "words": plain_words(" ".join((*said, *entry.datasets))),
    }


_READ = [r.c[name] for name in (*SAME, "case_id", "kind", "stage", "purposes", "datasets")]
_KINDS = {one.value: one for one in CaseKind}
_STAGES = {one.value: one for one in Stage}
_PURPOSES = {one.value: one for one in Purpose}


def _entry(row: Row[Any]) -> RegisterEntry:
    """From `_READ`. A report reads every entry there is, so that each step counts."""
    *same, case_id, kind, stage, purposes, datasets = tuple(row)
    return RegisterEntry(
        **dict(zip(SAME, same, strict=True)),
        case=case_id,
        kind=_KINDS[kind],
        stage=_STAGES[stage],
        purposes=tuple(_PURPOSES[letter] for letter in purposes),
        datasets=tuple(datasets.split()),
    )
