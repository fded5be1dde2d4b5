"""Delivering messages: claimed with a lease, sent outside of any transaction, tried again, never lost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataspace.domain.actors import Actor
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.outbox import (
    Channel,
    Claimed,
    Delivery,
    DeliveryState,
    Message,
    NotDelivered,
    wait_after,
)
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import Clock, UnitOfWork

LEASE = timedelta(minutes=10)
"""Longer than any try may take, so that nobody sends what another worker is still sending."""

Send = Callable[[Claimed], None]
"""Sends one message, or raises NotDelivered. The receiver may get it twice, each time with the same identifier."""


@dataclass(frozen=True)
class Delivered:
    """What a run did: sent, to be tried again, given up."""

    sent: int = 0
    put_off: int = 0
    dead: int = 0


@dataclass(frozen=True)
class Policy:
    """How a worker works: under which name, how often a message is tried, for how long it is claimed."""

    worker: str
    most_tries: int = 12
    lease: timedelta = LEASE


def deliver(
    uow: UnitOfWork, clock: Clock, by: Actor, senders: Mapping[Channel, Send], policy: Policy, most: int = 10_000
) -> Delivered:
    """Send what is due, one message after another, at most `most`; safe beside other workers and after a crash."""
    outcomes = dict.fromkeys(DeliveryState, 0)
    outcomes[DeliveryState.DEAD] = _bury_lost(uow, clock, by, policy)
    for _ in range(most):
        claimed = _claim(uow, clock, policy)
        if claimed is None:
            break
        fault = _try(claimed, senders)
        outcomes[_settle(uow, clock, by, claimed, fault, policy)] += 1
    return Delivered(outcomes[DeliveryState.SENT], outcomes[DeliveryState.WAITING], outcomes[DeliveryState.DEAD])


def list_messages(
    uow: UnitOfWork, by: Actor, state: DeliveryState | None = None, most: int = 1000
) -> list[tuple[Message, Delivery]]:
    """The newest messages and how far they got; for the operator."""
    check_may(by, NodeAction.SEE_OUTBOX)
    with uow.reading():
        return uow.outbox.newest(state, most)


def requeue_message(uow: UnitOfWork, clock: Clock, by: Actor, message_id: str) -> None:
    """Send a message that was given up once more, from the first try on. Raises WrongState for any other."""
    check_may(by, NodeAction.SEE_OUTBOX)
    now = clock.now()
    with uow:
        uow.outbox.requeue(message_id, now, AuditEvent(EventKind.MESSAGE_REQUEUED, by.id, message_id, now))
        uow.commit()


def _bury_lost(uow: UnitOfWork, clock: Clock, by: Actor, policy: Policy) -> int:
    """A message that took its worker down each time has had its tries as well."""
    now = clock.now()
    with uow.reading():
        lost = uow.outbox.exhausted(now, policy.most_tries)
    if not lost:
        return 0
    with uow:
        for message in lost:
            uow.outbox.bury(message, now, AuditEvent(EventKind.MESSAGE_DEAD, by.id, message, now))
        uow.commit()
    return len(lost)


def _claim(uow: UnitOfWork, clock: Clock, policy: Policy) -> Claimed | None:
    now = clock.now()
    with uow:
        claimed = uow.outbox.claim(policy.worker, now, now + policy.lease, policy.most_tries)
        uow.commit()
    return claimed


def _try(claimed: Claimed, senders: Mapping[Channel, Send]) -> str:
    """The kind of failure; empty if it went out."""
    send = senders.get(claimed.message.channel)
    if send is None:
        return "channel-not-set-up"
    if not claimed.address:
        return "no-address"
    try:
        send(claimed)
    except NotDelivered as failure:
        return failure.fault
    return ""


def _settle(uow: UnitOfWork, clock: Clock, by: Actor, claimed: Claimed, fault: str, policy: Policy) -> DeliveryState:
    now, message = clock.now(), claimed.message.id
    outcome = _outcome(claimed, fault, now, policy)
    kinds = {DeliveryState.SENT: EventKind.MESSAGE_SENT, DeliveryState.DEAD: EventKind.MESSAGE_DEAD}
    kind, details = kinds.get(outcome.state), {"channel": claimed.message.channel.value, "tries": str(claimed.tries)}
    event = AuditEvent(kind, by.id, message, now, details | ({"fault": fault} if fault else {})) if kind else None
    with uow:
        uow.outbox.settle(outcome, policy.worker, event)
        uow.commit()
    return outcome.state


def _outcome(claimed: Claimed, fault: str, now: datetime, policy: Policy) -> Delivery:
    if not fault:
        return Delivery(claimed.message.id, DeliveryState.SENT, claimed.tries, now, sent_at=now)
    if claimed.tries >= policy.most_tries:
        return Delivery(claimed.message.id, DeliveryState.DEAD, claimed.tries, now, fault)
    later = now + wait_after(claimed.tries)
    return Delivery(claimed.message.id, DeliveryState.WAITING, claimed.tries, later, fault)
