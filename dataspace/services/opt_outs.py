"""Opting out of secondary use, coming back, and asking (Art. 71), by the access body's desk on a person's behalf.

The identifier is turned into person keys and forgotten; the register, the audit trail and every text hold none. Answers
depend on what was chosen and on the identifier's spelling alone, never on whether the person is in any dataset.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.errors import InvalidInput
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
    return _choose(uow, clock, by, _recognised(pseudonyms, by, identifier, accept_partly), Choice.OPT_OUT, channel)


def withdraw_opt_out(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str,
    *, channel: Channel = Channel.AT_ACCESS_BODY, accept_partly: bool = False,
) -> Receipt:  # fmt: skip
    """Record that a person comes back: permits approved from now on see them. Same answer if they never left."""
    return _choose(uow, clock, by, _recognised(pseudonyms, by, identifier, accept_partly), Choice.WITHDRAWAL, channel)


def opt_out_status(
    uow: UnitOfWork, clock: Clock, by: Actor, pseudonyms: Pseudonyms, identifier: str, *, at: datetime | None = None
) -> OptOutStatus:
    """What a person's choice is, or was at a time; that it was asked is on record, about whom is not."""
    check_may(by, NodeAction.READ_OPT_OUT)
    person = _pseudonymised(pseudonyms, identifier)
    with uow:
        now = clock.now()
        history = uow.opt_outs.history(person.register)
        uow.audit.append(AuditEvent(EventKind.OPT_OUT_READ, by.id, SUBJECT, now))
        uow.commit()
    # a permit approved now would be approved after every choice on record
    asked = at or max([now, *(entry.at for entry in history)])
    return OptOutStatus(is_opted_out(history, asked), asked, _receipts(history))


def rekey_opt_outs(
    uow: UnitOfWork, clock: Clock, by: Actor, old: KeyName, new: KeyName, new_number: Callable[[int], int | None]
) -> int:
    """Carry every choice under `old` over to `new`, with its time, channel and receipt; returns how many were added.

    `new_number` gives a person's number under the new key, or None for a person it does not know. The old entries
    stay, since older snapshots need them. Safe to repeat: what is there is not added twice. Serves the rotation of a
    domain's key, and a domain that is new to the node: then `old` is the register's own key. Run it before a snapshot
    under the new key is published.
    """
    check_may(by, NodeAction.REKEY_OPT_OUTS)
    if old == new:
        raise InvalidInput("choices are carried over from one key to another, not to itself")
    carried = 0
    with uow:
        uow.opt_outs.hold()
        for page in uow.opt_outs.pages(old, PAGE):
            moved = ((entry, new_number(entry.person.number)) for entry in page)
            carried += uow.opt_outs.carry(
                replace(entry, person=PersonKey(new, number)) for entry, number in moved if number is not None
            )
        details = {"domain": new.domain, "from": old.id, "to": new.id}
        uow.audit.append(AuditEvent(EventKind.OPT_OUTS_REKEYED, by.id, SUBJECT, clock.now(), details))
        uow.commit()
    return carried


def count_opt_outs(uow: UnitOfWork, clock: Clock, pseudonyms: Pseudonyms) -> int:
    """How many persons are opted out now, to the nearest hundred; public."""
    with uow.reading():
        persons = len(uow.opt_outs.opted_out(pseudonyms.register_key, clock.now()))
    return (persons + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def _choose(
    uow: UnitOfWork, clock: Clock, by: Actor, person: Pseudonymised, choice: Choice, channel: Channel
) -> Receipt:
    with uow:
        now = uow.opt_outs.hold().time_of_choice(clock.now())
        receipt = Receipt(new_receipt_number(now.year), choice, now, channel, person.refused)
        entries = [OptOutEntry(each, choice, now, channel, receipt.number) for each in person.all]
        event = AuditEvent(_KINDS[choice], by.id, receipt.number, now, {"channel": channel.value})
        uow.opt_outs.add(entries, event)
        uow.commit()
    return receipt


def _recognised(pseudonyms: Pseudonyms, by: Actor, identifier: str, accept_partly: bool) -> Pseudonymised:
    check_may(by, NodeAction.RECORD_OPT_OUT)
    person = _pseudonymised(pseudonyms, identifier)
    if person.refused and not accept_partly:
        raise InvalidInput(
            f"the identifier does not pass the check of {', '.join(person.refused)}: look for a typing error; if it is"
            " another kind of number, say that it may be accepted in part"
        )
    if person.refused and not person.elsewhere:
        raise InvalidInput("the identifier passes the check of no pseudonymisation domain: look for a typing error")
    return person


def _pseudonymised(pseudonyms: Pseudonyms, identifier: str) -> Pseudonymised:
    spelled = identifier.strip()
    known = spelled.isprintable() and any(map(str.isalnum, spelled))
    if not known or len(spelled) > LONGEST_IDENTIFIER:
        raise InvalidInput(
            f"an identifier is one line of up to {LONGEST_IDENTIFIER} characters, with letters or digits; what was sent"
            " is not repeated here"
        )
    return pseudonyms.of(spelled)


def _receipts(history: list[OptOutEntry]) -> tuple[Receipt, ...]:
    return tuple(Receipt(entry.receipt, entry.choice, entry.at, entry.channel) for entry in history)
