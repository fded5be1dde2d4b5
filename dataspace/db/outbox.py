"""The outbox: messages as they were written, and beside each how far it got."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from dataspace.db import audit, chains
from dataspace.db import tables as t
from dataspace.domain.errors import WrongState
from dataspace.domain.events import AuditEvent
from dataspace.domain.outbox import Channel, Claimed, Delivery, DeliveryState, Message
from dataspace.services.ports import AuditTrail

BATCH = 500
"""Keys asked for at a time, below every database's limit of parameters."""

_MESSAGES, _DELIVERIES = t.outbox_messages, t.outbox_deliveries


class SqlOutbox:
    def __init__(self, connection: Connection, audit_trail: AuditTrail) -> None:
        self._connection, self._audit = connection, audit_trail

    def hold(self) -> None:
        chains.locked_head(self._connection, audit.CHAIN)

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        wanted, found = list(keys), set[str]()
        for start in range(0, len(wanted), BATCH):
            query = select(_MESSAGES.c.key).where(_MESSAGES.c.key.in_(wanted[start : start + BATCH]))
            found |= set(self._connection.execute(query).scalars())
        return frozenset(found)

    def add(self, messages: Iterable[Message]) -> None:
        rows = list(messages)
        if not rows:
            return
        self._connection.execute(insert(_MESSAGES), [_values(message) for message in rows])
        self._connection.execute(
            insert(_DELIVERIES),
            [
                {
                    "message": message.id,
                    "state": DeliveryState.WAITING.value,
                    "tries": 0,
                    "next_try_at": message.at,
                    "worker": "",
                    "fault": "",
                    "sent_at": None,
                }
                for message in rows
            ],
        )

    def claim(self, worker: str, now: datetime, until: datetime, most_tries: int) -> Claimed | None:
        delivery = _DELIVERIES.c
        query = (
            select(delivery.message, delivery.tries)
            .where(_free(now), delivery.tries < most_tries)
            .order_by(delivery.next_try_at, delivery.message)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        tries = row.tries + 1
        self._connection.execute(
            update(_DELIVERIES)
            .where(delivery.message == row.message)
            .values(state=DeliveryState.SENDING.value, tries=tries, next_try_at=until, worker=worker)
        )
        message = self._connection.execute(select(_MESSAGES).where(_MESSAGES.c.id == row.message)).one()
        return Claimed(_message(message), tries, self._address(message))

    def exhausted(self, now: datetime, most_tries: int) -> list[str]:
        delivery = _DELIVERIES.c
        lost = and_(_free(now), delivery.tries >= most_tries)
        return list(self._connection.execute(select(delivery.message).where(lost)).scalars())

    def settle(self, delivery: Delivery, worker: str, event: AuditEvent | None) -> bool:
        mine = (_DELIVERIES.c.message == delivery.message, _DELIVERIES.c.worker == worker)
        changed = self._connection.execute(
            update(_DELIVERIES)
            .where(*mine, _DELIVERIES.c.state == DeliveryState.SENDING.value)
            .values(
                state=delivery.state.value,
                next_try_at=delivery.next_try_at,
                fault=delivery.fault,
                sent_at=delivery.sent_at,
                worker="",
            )
        )
        if changed.rowcount and event is not None:
            self._audit.append(event)
        return bool(changed.rowcount)

    def bury(self, message_id: str, now: datetime, event: AuditEvent) -> None:
        lost = (_DELIVERIES.c.message == message_id, _free(now))
        dead = update(_DELIVERIES).where(*lost).values(state=DeliveryState.DEAD.value, fault="no-report", worker="")
        if self._connection.execute(dead).rowcount:
            self._audit.append(event)

    def requeue(self, message_id: str, now: datetime, event: AuditEvent) -> None:
        dead = (_DELIVERIES.c.message == message_id, _DELIVERIES.c.state == DeliveryState.DEAD.value)
        again = {"state": DeliveryState.WAITING.value, "tries": 0, "next_try_at": now}
        if self._connection.execute(update(_DELIVERIES).where(*dead).values(**again)).rowcount == 0:
            raise WrongState(f"there is no message {message_id} that was given up; only such a one is sent again")
        self._audit.append(event)

    def newest(self, state: DeliveryState | None, most: int) -> list[tuple[Message, Delivery]]:
        query = select(_MESSAGES, _DELIVERIES).join(_DELIVERIES).order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id)
        if state is not None:
            query = query.where(_DELIVERIES.c.state == state.value)
        return [(_message(row), _delivery(row)) for row in self._connection.execute(query.limit(most))]

    def _address(self, message: Row[Any]) -> str:
        if message.channel == Channel.WEBHOOK:
            return str(message.recipient)
        query = select(t.persons.c.email).where(t.persons.c.id == message.recipient)
        return self._connection.execute(query).scalar_one_or_none() or ""


def _free(now: datetime) -> Any:
    """Waiting and due, or claimed by a worker whose lease is over."""
    states = (DeliveryState.WAITING.value, DeliveryState.SENDING.value)
    return and_(or_(*(_DELIVERIES.c.state == state for state in states)), _DELIVERIES.c.next_try_at <= now)


def _values(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "key": message.key,
        "channel": message.channel.value,
        "recipient": message.recipient,
        "subject": message.subject,
        "text": message.text,
        "facts": dict(message.facts),
        "at": message.at,
    }


def _message(row: Row[Any]) -> Message:
    return Message(row.id, row.key, Channel(row.channel), row.recipient, row.subject, row.text, row.facts, row.at)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(row.message, DeliveryState(row.state), row.tries, row.next_try_at, row.fault, row.sent_at)
