"""Organisations of the data space and what they are to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from unicodedata import normalize

from dataspace.domain.errors import InvalidInput


class OrganisationKind(StrEnum):
    DATA_HOLDER = "data-holder"  # Art. 60
    TRUSTED_HOLDER = "trusted-holder"  # Art. 72
    INTERMEDIATION_ENTITY = "intermediation-entity"  # Art. 50(3)
    USER_ORGANISATION = "user-organisation"  # Art. 61
    ACCESS_BODY = "access-body"  # Art. 55(1)
    COORDINATOR_ACCESS_BODY = "coordinator-access-body"  # Art. 55(1)
    SUPERVISORY_AUTHORITY = "supervisory-authority"  # Art. 65


class SizeClass(StrEnum):
    """Commission Recommendation 2003/361/EC."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


EXEMPT_SIZES = frozenset({SizeClass.MICRO})
"""Duties of holders do not bind micro-enterprises (Art. 50(1)(b)); small ones are bound."""

HOLDER_KINDS = frozenset({OrganisationKind.DATA_HOLDER, OrganisationKind.TRUSTED_HOLDER})
_COUNTRY = re.compile(r"[A-Z]{2}")
_LEGAL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./:_-]{1,63}")


def spelled(name: str) -> str:
    """A name as it is registered: Unicode's NFKC, one space between words and none around."""
    return " ".join(normalize("NFKC", name).split())


def check_spelling(name: str, registered: Iterable[str]) -> None:
    """Raises InvalidInput for a name that reads like a registered one but is not it.

    Conflicts of interest are seen by the name of the organisation, so that one party has one spelling.
    """
    key = spelled(name).casefold()
    alike = [known for known in registered if spelled(known).casefold() == key]
    if alike and name not in alike:
        raise InvalidInput(f"an organisation of this name is registered already; use its spelling: {alike[0]}")


@dataclass(frozen=True)
class OrganisationRecord:
    """What the node knows of an organisation.

    `country` is ISO 3166-1 alpha-2, `legal_id` its number in a register (for example `EUID:FR7501.123`), empty if
    unknown. `trusted_until` is the last day of the status of trusted holder (Art. 72), which only such a holder has.
    """

    name: str
    public_body: bool = False
    kind: OrganisationKind = OrganisationKind.USER_ORGANISATION
    country: str = ""
    legal_id: str = ""
    size: SizeClass | None = None
    trusted_until: date | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidInput("an organisation has a name")
        if self.country and not _COUNTRY.fullmatch(self.country):
            raise InvalidInput("a country is two capital letters of ISO 3166-1, for example PT")
        if self.legal_id and not _LEGAL_ID.fullmatch(self.legal_id):
            raise InvalidInput("a legal identifier is 2 to 64 letters, digits and . / : _ -, for example EUID:PT1.234")
        if (self.kind is OrganisationKind.TRUSTED_HOLDER) != (self.trusted_until is not None):
            raise InvalidInput("a trusted holder, and nobody else, has a last day of that status (Art. 72)")

    @property
    def exempt(self) -> bool:
        """Whether the duties of data holders do not bind it (Art. 50(1)(b))."""
        return self.kind in HOLDER_KINDS and not self.public_body and self.size in EXEMPT_SIZES

    def trusted(self, today: date) -> bool:
        """Whether it is a trusted holder on `today`."""
        return self.trusted_until is not None and today <= self.trusted_until
