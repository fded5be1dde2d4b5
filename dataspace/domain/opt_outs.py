"""Opt-outs from secondary use (Art. 71): a history of choices for each person, known only by their person keys.

A permit approved after an opt-out never sees that person, whatever they choose later; one approved before, or after
the opt-out was withdrawn, goes on seeing them. No reasons are asked, and nothing is ever overwritten.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex

from dataspace.domain.errors import InvalidApplication
from dataspace.domain.purposes import Purpose


class Choice(StrEnum):
    OPT_OUT = "opt-out"
    WITHDRAWAL = "withdrawal"


class Channel(StrEnum):
    """How a choice reached the register."""

    SELF = "self"
    ON_BEHALF = "on-behalf"
    AT_ACCESS_BODY = "at-access-body"


@dataclass(frozen=True)
class KeyName:
    """One version of a pseudonymisation domain's key; `id` names it without telling it."""

    domain: str
    id: str


@dataclass(frozen=True)
class PersonKey:
    """A person under one key. The same number under another key is somebody else; repr does not show it."""

    key: KeyName
    number: int = field(repr=False)


@dataclass(frozen=True)
class Pseudonymised:
    """What is left of an identifier: the person in the register's own domain, and under each key the node uses.

    `refused` names the domains whose rule for identifiers it does not pass. All depends on the identifier's spelling
    and the key alone, never on who is in a dataset.
    """

    register: PersonKey
    elsewhere: frozenset[PersonKey]
    refused: tuple[str, ...] = ()

    @property
    def all(self) -> frozenset[PersonKey]:
        return self.elsewhere | {self.register}


@dataclass(frozen=True)
class OptOutEntry:
    """One choice of one person under one key."""

    person: PersonKey
    choice: Choice
    at: datetime
    channel: Channel
    receipt: str


def status_at(history: Iterable[OptOutEntry], at: datetime) -> OptOutEntry | None:
    """The choice in force at a time, None where none was made before; `history` is in the order of writing.

    A choice counts from its own instant on. Of two at the same instant the one written last counts.
    """
    known = sorted((entry for entry in history if entry.at <= at), key=lambda entry: entry.at)
    return known[-1] if known else None


def is_opted_out(history: Iterable[OptOutEntry], at: datetime) -> bool:
    """True if a permit approved at `at` must not see the person."""
    found = status_at(history, at)
    return found is not None and found.choice is Choice.OPT_OUT


@dataclass(frozen=True)
class Latest:
    """The newest times on record of a choice and of a permit's approval.

    Choices and approvals get times in the order in which they were decided, whatever the clock says: so no approval
    ignores a choice made before it, and no choice changes the cohort of a permit approved before it.
    """

    choice: datetime | None
    approval: datetime | None

    def time_of_choice(self, now: datetime) -> datetime:
        """Now, and after every approval."""
        return now if self.approval is None else max(now, self.approval + timedelta.resolution)

    def time_of_approval(self, now: datetime) -> datetime:
        """Now, and not before any choice."""
        return now if self.choice is None else max(now, self.choice)


MEANING = {
    Choice.OPT_OUT: (
        "From this time on this person's data, wherever a dataset lets them be told apart, are not made available under"
        " any permit or request approved later (Art. 71(3) EHDS). Permits approved earlier go on as they are. The"
        " opt-out can be withdrawn at any time, without reasons."
    ),
    Choice.WITHDRAWAL: (
        "From this time on this person's data may be made available under permits and requests approved later. Permits"
        " approved while an opt-out stood go on without them. Opting out again is possible at any time, without"
        " reasons."
    ),
}
"""What the person is told; every choice has its text."""


@dataclass(frozen=True)
class Receipt:
    """Proof of one choice, for the person. `not_covered` are domains whose rule the identifier does not pass."""

    number: str
    choice: Choice
    at: datetime
    channel: Channel
    not_covered: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        return MEANING[self.choice]


def new_receipt_number(year: int) -> str:
    """Random, not running: a running number would tell everyone how many choices were made before."""
    return f"OO-{year}-{token_hex(8).upper()}"


EXCEPTION_PURPOSES = frozenset({Purpose.PUBLIC_INTEREST, Purpose.POLICY, Purpose.STATISTICS, Purpose.RESEARCH})
"""For which a Member State may let data of persons who opted out be included (Art. 71(4)(a))."""


def check_exception(ground: str, purposes: frozenset[Purpose]) -> None:
    """Raises InvalidApplication if opt-outs cannot be set aside for `purposes`; no ground, no exception."""
    outside = sorted(purpose.letter for purpose in purposes - EXCEPTION_PURPOSES)
    if ground and outside:
        raise InvalidApplication(
            f"opt-outs cannot be set aside for purpose {', '.join(outside)} (Art. 71(4)); grant without the exception"
        )
