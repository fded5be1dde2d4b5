"""Facts that were read from the audit trail once: it only grows, so that each event is read once in a process."""

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, Select, select

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.domain.chain import GENESIS, ChainHead
from dataspace.domain.clock_rules import FACT_KINDS
from dataspace.domain.clock_states import Case, Fact


class FactCache:
    """For transactions that only read: what a writer has not committed must not be remembered.

    `cases` are those made from the facts so far. Whoever uses either holds `lock`.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.cases: dict[str, Case] = {}
        self._read = ChainHead()
        self._facts: dict[str, tuple[Fact, ...]] = {}

    def facts(self, connection: Connection) -> dict[str, tuple[Fact, ...]]:
        """All facts by subject, in their order, as of now."""
        head = chains.head(connection, audit.CHAIN)
        if not self._still_true(connection):
            self._read, self._facts, self.cases = ChainHead(), {}, {}
        events = t.audit_events.c
        for row in connection.execute(event_rows().where(events.seq > self._read.seq, events.seq <= head.seq)):
            self._facts[row.subject] = (*self._facts.get(row.subject, ()), fact_of(row))
        self._read = head
        return self._facts

    def _still_true(self, connection: Connection) -> bool:
        """Whether the trail still holds what was read; not so if a backup was restored under a running node."""
        events = t.audit_events.c
        stored = connection.execute(select(events.hash).where(events.seq == self._read.seq)).scalar_one_or_none()
        return (stored or GENESIS) == self._read.hash


_CACHES: WeakKeyDictionary[Engine, FactCache] = WeakKeyDictionary()
_LOCK = Lock()


def cache_of(engine: Engine) -> FactCache:
    with _LOCK:
        return _CACHES.setdefault(engine, FactCache())


def event_rows() -> Select[Any]:
    events = t.audit_events.c
    query = select(events.subject, events.kind, events.at, events.actor, events.details)
    return query.where(events.kind.in_(FACT_KINDS)).order_by(events.seq)


def fact_of(row: Row[Any]) -> Fact:
    return Fact(row.kind, row.at, row.actor, row.details)
