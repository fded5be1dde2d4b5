"""What the clocks and the outbox need from the accounts database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from dataspace.domain.actors import Actor
from dataspace.domain.clock_states import Case, Fact
from dataspace.domain.events import AuditEvent
from dataspace.domain.outbox import Claimed, Delivery, DeliveryState, Message


class Clocks(Protocol):
    """Cases with the facts their clocks are derived from, in a number of queries that does not grow with them.

    A permit that expired before `now` has that as a fact.
    """

    def hold(self) -> None:
        """Wait until nobody else changes anything, and keep them out until the transaction ends."""
        ...

    def all(self, now: datetime) -> list[Case]:
        """In a transaction that only reads."""
        ...

    def concerning(self, person: Actor) -> frozenset[str]:
        """Cases that they applied for, hold or are named in, and those that concern data of their organisation."""
        ...

    def of_subject(self, subject: str, now: datetime) -> Case | None:
        """By identifier, or by the number of an application or permit."""
        ...

    def reports(self) -> list[Fact]:
        """Activity reports that were published."""
        ...


class Addresses(Protocol):
    """E-mail addresses of persons, apart from who they are: few use cases need one."""

    def set(self, person_id: str, email: str | None) -> None: ...
    def known(self) -> frozenset[str]:
        """Persons that have one."""
        ...


class Outbox(Protocol):
    """Messages to be sent. What a message says is never changed and never deleted; how far it got is kept beside it."""

    def hold(self) -> None:
        """As `Clocks.hold`."""
        ...

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Those of `keys` under which there is a message."""
        ...

    def add(self, messages: Iterable[Message]) -> None: ...
    def claim(self, worker: str, now: datetime, until: datetime, most_tries: int) -> Claimed | None:
        """The message that waits longest, ours alone until `until`; its try is counted at once.

        Its address is empty if the person has none.
        """
        ...

    def exhausted(self, now: datetime, most_tries: int) -> list[str]:
        """Messages whose last try was lost: claimed, the lease over, no try left."""
        ...

    def settle(self, delivery: Delivery, worker: str, event: AuditEvent | None) -> bool:
        """Write how a try ended; false, and nothing written, if another worker has taken the message since."""
        ...

    def bury(self, message_id: str, now: datetime, event: AuditEvent) -> None:
        """Give up a message that `exhausted` found."""
        ...

    def requeue(self, message_id: str, now: datetime, event: AuditEvent) -> None:
        """Raises WrongState unless the message is dead."""
        ...

    def newest(self, state: DeliveryState | None, most: int) -> list[tuple[Message, Delivery]]: ...
