"""Writing reminders: one message for each clock, threshold and recipient, however often this runs."""

from collections.abc import Iterable

from dataspace.domain.actors import Actor
from dataspace.domain.clock_states import Clock, Counting, clocks_of, node_case
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.outbox import Message
from dataspace.domain.reminders import Targets, reminders, threshold
from dataspace.services.ports import Clock as Time
from dataspace.services.ports import UnitOfWork

BATCH = 200
"""Clocks reminded of in one transaction, so that others do not wait long for theirs."""


def remind(uow: UnitOfWork, time: Time, by: Actor, counting: Counting, targets: Targets) -> int:
    """Put every reminder that is due and not written yet into the outbox; returns how many messages."""
    now = time.now()
    with uow.reading():
        cases = [*uow.clocks.all(now), node_case(counting, now, uow.clocks.reports())]
        persons, addressed = uow.accounts.all(), uow.addresses.known()
        wanted: list[tuple[Clock, list[Message]]] = []
        for clock in (clock for case in cases for clock in clocks_of(case, counting, now)):
            reached = threshold(clock, counting.calendar, now)
            if reached is not None:
                wanted.append((clock, reminders(clock, reached, persons, addressed, targets, now)))
        known = uow.outbox.known(message.key for _, messages in wanted for message in messages)
    fresh = [(clock, messages) for clock, messages in wanted if any(m.key not in known for m in messages)]
    return sum(_write(uow, time, by, fresh[start : start + BATCH]) for start in range(0, len(fresh), BATCH))


def _write(uow: UnitOfWork, time: Time, by: Actor, wanted: Iterable[tuple[Clock, list[Message]]]) -> int:
    written = 0
    with uow:
        # another worker may have written the same ones since
        uow.outbox.hold()
        known = uow.outbox.known(message.key for _, messages in wanted for message in messages)
        for clock, messages in wanted:
            missing = [message for message in messages if message.key not in known]
            if missing:
                uow.outbox.add(missing)
                uow.audit.append(_event(time, by, clock, len(missing)))
                written += len(missing)
        uow.commit()
    return written


def _event(time: Time, by: Actor, clock: Clock, messages: int) -> AuditEvent:
    details = {"clock": clock.rule.name.value, "item": clock.item, "messages": str(messages)}
    return AuditEvent(EventKind.REMINDED, by.id, clock.case.id, time.now(), details)
