"""Opting out of secondary use, coming back, and asking (Art. 71), by the access body's desk on a person's behalf.

The identifier is turned into person keys and forgotten; the register, the audit trail and every text hold none. Answers
depend on what was chosen and on the identifier's spelling alone, never on whether the person is in any dataset.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dataspace.domain.actors import Actor
from dataspace.domain.errors import InvalidInput, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.opt_outs import (
    Channel,
    Choice,
    KeyName,
    OptOutEntry,
    PersonKey,
    Pseudonymised,
    Receipt,
    is_opted_out,
    new_receipt_number,
)
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import Clock, Pseudonyms, UnitOfWork

LONGEST_IDENTIFIER = 100

ROUNDED_TO = 100
"""Published counts are multiples of it."""

PAGE = 1_000

SUBJECT = "opt-outs"
"""What events are about that concern no single receipt."""

_KINDS = {Choice.OPT_OUT: EventKind.OPT_OUT_RECORDED, Choice.WITHDRAWAL: EventKind.OPT_OUT_WITHDRAWN}


@dataclass(frozen=True)
class OptOutStatus:
    """What counts for a permit approved at `at`; `history` is everything the person chose, oldest first."""

    opted_out: bool
    at: datetime
    history: tuple[Receipt, ...]


def opt_out(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str,
    *, channel: Channel = Channel.AT_ACCESS_BODY, accept_partly: bool = False,
) -> Receipt:  # fmt: skip
    """Record that a person opts out: permits approved from now on do not see them. Safe to repeat.

    Raises InvalidInput if the identifier fails the rule of a pseudonymisation domain, unless `accept_partly`: it is
    then recorded for the others, and the receipt says for which it was not.
    """
    return _choose(uow, clock, by, pseudonyms, identifier, accept_partly, Choice.OPT_OUT, channel)


def withdraw_opt_out(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str,
    *, channel: Channel = Channel.AT_ACCESS_BODY, accept_partly: bool = False,
) -> Receipt:  # fmt: skip
    """Record that a person comes back: permits approved from now on see them. Same answer if they never left."""
    return _choose(uow, clock, by, pseudonyms, identifier, accept_partly, Choice.WITHDRAWAL, channel)


def opt_out_status(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str, *, at: datetime | None = None
) -> OptOutStatus:
    """What a person's choice is, or was at a time; that it was asked is on record, about whom is not."""
    check_may(by, NodeAction.READ_OPT_OUT)
    person = pseudonyms.of(_spelled(identifier))
    with uow:
        now = clock.now()
        history = uow.opt_outs.history(person.register)
        uow.audit.append(AuditEvent(EventKind.OPT_OUT_READ, by.id, SUBJECT, now))
        uow.commit()
    # a permit approved now would be approved after every choice on record
    asked = at or max([now, *(entry.at for entry in history)])
    return OptOutStatus(is_opted_out(history, asked), asked, _receipts(history))


@dataclass(frozen=True)
class Stored:
    """A snapshot in the store. `at` is when it came there: the same content may be removed and come again."""

    dataset: str
    snapshot: str
    at: datetime

    @property
    def subject(self) -> str:
        return f"{self.dataset}/{self.snapshot}"


def last_choice(uow: UnitOfWork, register: KeyName) -> int:
    """Place of the register's newest choice. Every later one sees what is in the store now."""
    with uow:
        # whoever makes a choice looks into the store while holding the register, so nobody has looked and not written
        uow.opt_outs.hold()
        return uow.opt_outs.last(register)


def link_opt_outs(
    uow: UnitOfWork, clock: Clock, by: Actor, register: KeyName, key: KeyName,
    numbers: Callable[[int], Collection[int]], stored: Stored, *, after: int | None, sound: bool = True,
) -> bool:  # fmt: skip
    """Carry every choice over from the register's own key to a stored snapshot's, and note that none is missing.

    `numbers` knows the persons of the register as it was at place `after`. Choices that were made since are missing,
    unless `after` is None: they were entered under the snapshot's key when they were made. Nothing is noted, and False
    returned, if some are missing, or if the snapshot is not `sound`. Safe to repeat.
    """
    check_may(by, NodeAction.REKEY_OPT_OUTS)
    with uow:
        uow.opt_outs.hold()
        complete = sound and (after is None or uow.opt_outs.last(register) == after)
        _carry(uow, register, key, numbers)
        _note(uow, clock, by, register, key, stored if complete else None)
        uow.commit()
    return complete


def is_linked(uow: UnitOfWork, register: KeyName, stored: Stored) -> bool:
    """Whether all who opted out are known under the key of a snapshot that is in the store; later ones will be."""
    with uow:
        uow.opt_outs.hold()
        return uow.opt_outs.last(register) == 0 or any(
            entry.event.kind is EventKind.OPT_OUTS_REKEYED and entry.event.details.get("stored") == _time(stored)
            for entry in uow.audit.entries(stored.subject)
        )


def check_linked(uow: UnitOfWork, register: KeyName, stored: Stored) -> None:
    """Raises WrongState for a snapshot in which persons may be seen who opted out."""
    if not is_linked(uow, register, stored):
        raise WrongState(
            f"snapshot {stored.snapshot} is not published: its persons were not looked up in the opt-out register since"
            f" the last choices. Run dataspace ingest with the whole delivery of {stored.dataset} again (or, if"
            f" dataspace dataset rekey made the snapshot: that); the same snapshot results"
        )


def rekey_opt_outs(
    uow: UnitOfWork, clock: Clock, by: Actor, old: KeyName, new: KeyName,
    new_numbers: Callable[[int], Collection[int]], stored: Stored | None = None,
) -> int:  # fmt: skip
    """Carry every choice under `old` over to `new`, with its time, channel and receipt; returns how many were added.

    `new_numbers` gives a person's numbers under the new key, none for a person it does not know. The old entries stay,
    since older snapshots need them. Safe to repeat: what is there is not added twice. With `stored`, a snapshot made
    of a linked one, it is noted that no choice is missing under its key.
    """
    check_may(by, NodeAction.REKEY_OPT_OUTS)
    if old == new:
        raise InvalidInput("choices are carried over from one key to another, not to itself")
    with uow:
        uow.opt_outs.hold()
        carried = _carry(uow, old, new, new_numbers)
        _note(uow, clock, by, old, new, stored)
        uow.commit()
    return carried


def count_opt_outs(uow: UnitOfWork, clock: Clock, pseudonyms: Pseudonyms) -> int:
    """How many persons are opted out now, to the nearest hundred; public."""
    with uow.reading():
        persons = len(uow.opt_outs.opted_out(pseudonyms.register_key, clock.now()))
    return (persons + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def _carry(uow: UnitOfWork, old: KeyName, new: KeyName, new_numbers: Callable[[int], Collection[int]]) -> int:
    return sum(
        uow.opt_outs.carry(
            replace(entry, person=PersonKey(new, number))
            for entry in page
            for number in new_numbers(entry.person.number)
        )
        for page in uow.opt_outs.pages(old, PAGE)
    )


def _note(uow: UnitOfWork, clock: Clock, by: Actor, old: KeyName, new: KeyName, stored: Stored | None) -> None:
    """What was carried from where to where, and the snapshot that is linked by it."""
    details = {"domain": new.domain, "from": old.id, "to": new.id} | ({"stored": _time(stored)} if stored else {})
    subject = stored.subject if stored else SUBJECT
    uow.audit.append(AuditEvent(EventKind.OPT_OUTS_REKEYED, by.id, subject, clock.now(), details))


def _time(stored: Stored) -> str:
    return stored.at.astimezone(UTC).isoformat()


def _choose(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str, accept_partly: bool,
    choice: Choice, channel: Channel,
) -> Receipt:  # fmt: skip
    check_may(by, NodeAction.RECORD_OPT_OUT)
    spelled = _spelled(identifier)
    with uow:
        latest = uow.opt_outs.hold()
        # under the lock: a snapshot that comes into the store meanwhile must not be missed by choice and link alike
        person = _recognised(pseudonyms, spelled, accept_partly)
        now = latest.time_of_choice(clock.now())
        receipt = Receipt(new_receipt_number(now.year), choice, now, channel, person.refused)
        entries = [OptOutEntry(each, choice, now, channel, receipt.number) for each in person.all]
        event = AuditEvent(_KINDS[choice], by.id, receipt.number, now, {"channel": channel.value})
        uow.opt_outs.add(entries, event)
        uow.commit()
    return receipt


def _recognised(pseudonyms: Pseudonyms, spelled: str, accept_partly: bool) -> Pseudonymised:
    person = pseudonyms.of(spelled)
    if person.refused and not accept_partly:
        raise InvalidInput(
            f"the identifier does not pass the check of {', '.join(person.refused)}: look for a typing error; if it is"
            " another kind of number, say that it may be accepted in part"
        )
    if person.refused and not person.elsewhere:
        raise InvalidInput("the identifier passes the check of no pseudonymisation domain: look for a typing error")
    return person


def _spelled(identifier: str) -> str:
    spelled = identifier.strip()
    known = spelled.isprintable() and any(map(str.isalnum, spelled))
    if not known or len(spelled) > LONGEST_IDENTIFIER:
        raise InvalidInput(
            f"an identifier is one line of up to {LONGEST_IDENTIFIER} characters, with letters or digits; what was sent"
            " is not repeated here"
        )
    return spelled


def _receipts(history: list[OptOutEntry]) -> tuple[Receipt, ...]:
    return tuple(Receipt(entry.receipt, entry.choice, entry.at, entry.channel) for entry in history)
