"""Significant findings about a person's health (Art. 58(3), 61(5)): reported by pseudonym, never by identifier."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.errors import InvalidInput, WrongState


class FindingState(StrEnum):
    REPORTED = "reported"
    FORWARDED = "forwarded"
    PERSON_TOLD = "person-told"
    CLINICIAN_TOLD = "clinician-told"
    NOT_TO_BE_TOLD = "not-to-be-told"


FOLLOWING = {
    FindingState.REPORTED: frozenset({FindingState.FORWARDED}),
    FindingState.FORWARDED: frozenset(
        {FindingState.PERSON_TOLD, FindingState.CLINICIAN_TOLD, FindingState.NOT_TO_BE_TOLD}
    ),
}
"""User reports, access body forwards, holder tells the person or a clinician, or notes that they asked not to know."""


@dataclass(frozen=True)
class Finding:
    """`pseudonym` is the person's in the permit's environment; only the holder's key keeper can tell who that is."""

    id: str
    permit: str
    dataset: str
    pseudonym: str
    text: str
    reported_by: str
    reported_at: datetime


@dataclass(frozen=True)
class FindingStep:
    id: str
    finding: str
    state: FindingState
    taken_by: str
    taken_at: datetime


IDENTIFIERS = {
    "an e-mail address": re.compile(
        r"[^\s@]{1,64}\s?(?:[@\uff20]|[\[(]\s?(?:at|arobase)\s?[\])])\s?[^\s@]{1,200}\.\w{2,}", re.I
    ),
    "a telephone number": re.compile(
        r"(?<![\w+])(?:\+\d(?:[\s./()-]{0,3}\d){8,13}|00[1-9](?:[\s./()-]{0,3}\d){8,13}|0[1-9](?:[\s./-]{0,2}\d{2}){4})(?!\w)"
    ),
    "a national number": re.compile(
        r"(?<!\w)[1-478](?:[\s./-]{0,3}\d){4}[\s./-]{0,3}(?:\d[\s./-]{0,3}\d|2[\s./-]{0,3}[ABab])(?:[\s./-]{0,3}\d){6,8}(?!\w)"
    ),
    "a long number": re.compile(r"(?<!\d)\d(?:[\s./-]?\d){9,}(?!\d)"),
    "a date of birth": re.compile(r"\b(?:born|née?|geboren|nato|nata)\b[^.]{0,20}\d", re.I),
}
"""What a report must not hold. The list errs towards refusing: the text can be written in another way."""

PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{4,80}")


def check_no_identifiers(text: str) -> None:
    """Raises InvalidInput, without repeating the text, if it seems to name somebody."""
    for said, pattern in IDENTIFIERS.items():
        if pattern.search(text):
            raise InvalidInput(
                f"the text seems to hold {said}; a finding is reported by pseudonym alone (Art. 61(5)): leave it out"
            )


def check_pseudonym(text: str) -> None:
    """Raises InvalidInput for what is no pseudonym: 4 to 80 letters, digits, - and _, and not an identifier's shape."""
    if not PSEUDONYM.fullmatch(text) or IDENTIFIERS["a national number"].search(text):
        raise InvalidInput("give the person's pseudonym as the environment shows it: 4 to 80 letters, digits, - or _")


def check_follows(state: FindingState, wanted: FindingState) -> None:
    """Raises WrongState if a finding in `state` cannot become `wanted`."""
    if wanted not in FOLLOWING.get(state, frozenset()):
        raise WrongState(f"the finding is {state}; it cannot become {wanted}")
