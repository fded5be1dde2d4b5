"""Cases that were made already: they change with what is recorded of them, and with time when a permit expires."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Self
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, Select, select

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.domain.chain import GENESIS, ChainHead
from dataspace.domain.clock_rules import FACT_KINDS
from dataspace.domain.clock_states import Case, Fact
from dataspace.domain.events import EventKind

MOST_ANEW = 500
"""Cases that are made anew by name; where it would be more, all are."""

CONCERNS_ALL = EventKind.ORGANISATION_EDITED.value
"""What may change a case of anybody: whether its applicant is a public body."""

EARLIEST = datetime.min.replace(tzinfo=UTC)


class CaseCache:
    """For transactions that only read: what a writer has not committed must not be remembered.

    `facts` and `cases` are as of the last `news`. The cache is used within `held`, by one at a time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._forget()

    @contextmanager
    def held(self) -> Iterator[Self]:
        """What was told as news and not kept, because something failed, would be missing for ever: all is forgotten."""
        with self._lock:
            try:
                yield self
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        self.facts: dict[str, tuple[Fact, ...]] = {}
        self.cases: dict[str, Case] = {}
        self._read, self._now = ChainHead(), EARLIEST
        self._until: dict[str, datetime] = {}

    def news(self, connection: Connection, now: datetime) -> set[str] | None:
        """Subjects of what was recorded since the last time, and permits that expired; None if it may be any."""
        head = chains.head(connection, audit.CHAIN)
        anything = not self._still_true(connection) or now < self._now
        if anything:
            self._forget()
        subjects = {permit for permit, until in self._until.items() if self._now < until <= now}
        events = t.audit_events.c
        for row in connection.execute(_events().where(events.seq > self._read.seq, events.seq <= head.seq)):
            anything = anything or row.kind == CONCERNS_ALL
            subjects.add(row.subject)
            if row.kind in FACT_KINDS:
                self.facts[row.subject] = (*self.facts.get(row.subject, ()), fact_of(row))
        self._read, self._now = head, now
        return None if anything or len(subjects) > MOST_ANEW else subjects

    def keep(self, made: Mapping[str, Case], until: Mapping[str, datetime]) -> None:
        """Cases made anew, and when the permits among them expire. One that is as it was stays the same object."""
        self.cases |= {subject: case for subject, case in made.items() if self.cases.get(subject) != case}
        self._until |= until

    def _still_true(self, connection: Connection) -> bool:
        """Whether the trail still holds what was read; not so if a backup was restored under a running node."""
        events = t.audit_events.c
        stored = connection.execute(select(events.hash).where(events.seq == self._read.seq)).scalar_one_or_none()
        return (stored or GENESIS) == self._read.hash


_CACHES: WeakKeyDictionary[Engine, CaseCache] = WeakKeyDictionary()
_LOCK = Lock()


def cache_of(engine: Engine) -> CaseCache:
    with _LOCK:
        return _CACHES.setdefault(engine, CaseCache())


def _events() -> Select[Any]:
    events = t.audit_events.c
    return select(events.subject, events.kind, events.at, events.actor, events.details).order_by(events.seq)


def event_rows() -> Select[Any]:
    """Events that are facts, in their order."""
    return _events().where(t.audit_events.c.kind.in_(FACT_KINDS))


def fact_of(row: Row[Any]) -> Fact:
    return Fact(row.kind, row.at, row.actor, row.details)
