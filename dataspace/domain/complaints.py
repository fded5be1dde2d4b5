"""Complaints to the access body (Art. 81): by anybody affected, alone or together, followed with receipt and secret."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex, token_urlsafe

from dataspace.domain.errors import InvalidInput, WrongState

MOST_COMPLAINANTS = 50


class Subject(StrEnum):
    """What a complaint is about."""

    APPLICATION = "application"
    PERMIT = "permit"
    DATA_HOLDER = "data-holder"
    PROTECTED_DATA = "protected-data"  # Art. 52(5)
    ACCESS_BODY = "access-body"
    RIGHTS = "rights"
    OPT_OUT = "opt-out"
    OTHER = "other"


class ComplaintState(StrEnum):
    RECEIVED = "received"
    FORWARDED = "forwarded"
    UNDER_EXAMINATION = "under-examination"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly-upheld"
    REJECTED = "rejected"


TO_AUTHORITY = frozenset({Subject.OPT_OUT})
"""Subjects that go to the data protection authority with all there is, the complainant being told (Art. 65, 81)."""

DECISIONS = frozenset({ComplaintState.UPHELD, ComplaintState.PARTLY_UPHELD, ComplaintState.REJECTED})

FOLLOWING = {
    ComplaintState.RECEIVED: frozenset({ComplaintState.UNDER_EXAMINATION}) | DECISIONS,
    ComplaintState.UNDER_EXAMINATION: frozenset({ComplaintState.UNDER_EXAMINATION}) | DECISIONS,
}
"""A complaint that was forwarded is the authority's; one that was decided is over."""


@dataclass(frozen=True)
class Complainant:
    """A natural or legal person who complains."""

    name: str
    legal_person: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidInput("say who complains; several may complain together (Art. 81)")


@dataclass(frozen=True)
class Complaint:
    """`digest` is of the secret that only the complainants know; names, contact and text are theirs alone to see."""

    id: str
    receipt: str
    digest: str = field(repr=False)
    subject: Subject
    case: str
    complainants: tuple[Complainant, ...] = field(repr=False)
    contact: str = field(repr=False)
    text: str = field(repr=False)
    received_at: datetime

    def __post_init__(self) -> None:
        if not 1 <= len(self.complainants) <= MOST_COMPLAINANTS:
            raise InvalidInput(f"a complaint has one to {MOST_COMPLAINANTS} complainants")
        if not self.text.strip():
            raise InvalidInput("say what the complaint is about")


@dataclass(frozen=True)
class ComplaintStep:
    """Progress that the complainants see; a decision has reasons."""

    id: str
    complaint: str
    state: ComplaintState
    text: str
    taken_by: str
    taken_at: datetime


def new_receipt(year: int) -> str:
    """For example CP-2026-1F0C9A22B4D7E601; random, so that receipts tell nothing of each other."""
    return f"CP-{year}-{token_hex(8).upper()}"


def new_secret() -> str:
    """192 random bits."""
    return token_urlsafe(24)


def digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


NOBODYS = digest(new_secret())
"""Compared with where there is no such receipt, so that both ways take the same steps."""


def opens(secret: str, stored: str | None) -> bool:
    """Whether `secret` is the one whose digest is stored; takes as long where nothing is stored."""
    return compare_digest(digest(secret), stored or NOBODYS) and stored is not None


def first_state(subject: Subject) -> ComplaintState:
    return ComplaintState.FORWARDED if subject in TO_AUTHORITY else ComplaintState.RECEIVED


def check_follows(state: ComplaintState, wanted: ComplaintState) -> None:
    """Raises WrongState if a complaint in `state` cannot become `wanted`."""
    if wanted not in FOLLOWING.get(state, frozenset()):
        raise WrongState(f"the complaint is {state}; it cannot become {wanted}")
