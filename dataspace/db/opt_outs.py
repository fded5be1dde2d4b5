"""The opt-out register: choices in the order they were made, one row for each person key they count for."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.domain.events import AuditEvent
from dataspace.domain.opt_outs import Channel, Choice, KeyName, Latest, OptOutEntry, PersonKey
from dataspace.services.ports import AuditTrail

BATCH = 50_000
"""Rows fetched at a time, where a whole domain is read."""


class SqlOptOuts:
    def __init__(self, connection: Connection, audit_trail: AuditTrail) -> None:
        self._connection, self._audit = connection, audit_trail

    def hold(self) -> Latest:
        # every change of anything appends to the trail, so nobody can grant a permit until this transaction ends
        chains.locked_head(self._connection, audit.CHAIN)
        choice, approval = (
            self._connection.execute(select(func.max(column))).scalar_one()
            for column in (t.opt_outs.c.at, t.permits.c.granted_at)
        )
        return Latest(choice, approval)

    def add(self, entries: Iterable[OptOutEntry], event: AuditEvent) -> None:
        self._insert(list(entries))
        self._audit.append(event)

    def carry(self, entries: Iterable[OptOutEntry]) -> int:
        wanted = list(entries)
        receipts = {entry.receipt for entry in wanted}
        columns = t.opt_outs.c
        query = select(columns.domain, columns.key_id, columns.person_key, columns.receipt)
        known = set(map(tuple, self._connection.execute(query.where(columns.receipt.in_(receipts)))))
        missing = [e for e in wanted if (e.person.key.domain, e.person.key.id, e.person.number, e.receipt) not in known]
        self._insert(missing)
        return len(missing)

    def history(self, person: PersonKey) -> list[OptOutEntry]:
        whose = and_(_under(person.key), t.opt_outs.c.person_key == person.number)
        return [_entry(row) for row in self._connection.execute(select(t.opt_outs).where(whose).order_by("seq"))]

    def pages(self, key: KeyName, size: int) -> Iterator[list[OptOutEntry]]:
        last = 0
        while True:
            following = and_(_under(key), t.opt_outs.c.seq > last)
            rows = self._connection.execute(select(t.opt_outs).where(following).order_by("seq").limit(size)).all()
            if not rows:
                return
            yield [_entry(row) for row in rows]
            last = rows[-1].seq

    def last(self, key: KeyName) -> int:
        query = select(func.coalesce(func.max(t.opt_outs.c.seq), 0)).where(_under(key))
        return int(self._connection.execute(query).scalar_one())

    def grew(self, key: KeyName, after: int, at: datetime) -> bool:
        newer = select(t.opt_outs.c.seq).where(_under(key), t.opt_outs.c.seq > after, t.opt_outs.c.at <= at)
        return self._connection.execute(newer.limit(1)).first() is not None

    def opted_out(self, key: KeyName, at: datetime) -> NDArray[np.int64]:
        columns = t.opt_outs.c
        query = (
            select(columns.person_key, columns.choice)
            .where(_under(key), columns.at <= at)
            .order_by(columns.person_key, columns.at, columns.seq)
        )
        result = self._connection.execute(query.execution_options(yield_per=BATCH))
        parts = [_columns(part) for part in result.partitions()]
        if not parts:
            return np.empty(0, np.int64)
        persons, out = (np.concatenate(column) for column in zip(*parts, strict=True))
        # the last row of each person is the choice in force
        last = np.append(persons[1:] != persons[:-1], True)
        found: NDArray[np.int64] = persons[last & out]
        return found

    def _insert(self, entries: list[OptOutEntry]) -> None:
        if entries:
            last = self._connection.execute(select(func.coalesce(func.max(t.opt_outs.c.seq), 0))).scalar_one()
            rows = [{"seq": seq, **_values(entry)} for seq, entry in enumerate(entries, start=last + 1)]
            self._connection.execute(insert(t.opt_outs), rows)


def _columns(rows: Sequence[Row[Any, Any]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Person keys, and whether their choice is to opt out."""
    persons, choices = zip(*rows, strict=True)
    out = Choice.OPT_OUT.value
    return np.array(persons, np.int64), np.fromiter((choice == out for choice in choices), np.bool_, len(choices))


def _under(key: KeyName) -> ColumnElement[bool]:
    return and_(t.opt_outs.c.domain == key.domain, t.opt_outs.c.key_id == key.id)


def _values(entry: OptOutEntry) -> dict[str, Any]:
    return {
        "domain": entry.person.key.domain,
        "key_id": entry.person.key.id,
        "person_key": entry.person.number,
        "choice": entry.choice.value,
        "at": entry.at,
        "channel": entry.channel.value,
        "receipt": entry.receipt,
    }


def _entry(row: Row[Any]) -> OptOutEntry:
    person = PersonKey(KeyName(row.domain, row.key_id), row.person_key)
    return OptOutEntry(person, Choice(row.choice), row.at, Channel(row.channel), row.receipt)
