"""Who acts: natural persons with individual identities (Art. 61(2), 73(1)(d)), their organisation and their roles."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an organisation lets a person do at this node; whether they may act on a given case is `permissions`."""

    DATA_HOLDER = "data-holder"
    APPLICANT = "applicant"
    HDAB_ASSESSOR = "hdab-assessor"
    HDAB_DECISION_MAKER = "hdab-decision-maker"
    HDAB_CITIZEN_DESK = "hdab-citizen-desk"
    HDAB_DATA_PREPARER = "hdab-data-preparer"
    OPERATOR = "operator"


HDAB_ROLES = frozenset({Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER})


@dataclass(frozen=True)
class Organisation:
    """A party. `public_body` opens the purposes of Art. 53(1)(a) to (c) (Art. 53(2))."""

    name: str
    public_body: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("an organisation has a name")


@dataclass(frozen=True)
class Actor:
    """One natural person as this node knows them; one who is not `active` cannot sign in, and their cases stay."""

    id: str
    name: str
    organisation: Organisation
    roles: frozenset[Role]
    active: bool = True

    def has(self, role: Role) -> bool:
        return role in self.roles


SYSTEM = Actor("system", "the node", Organisation("the node"), frozenset({Role.OPERATOR}))
"""Who acts when an operator sets the node up on its own machine, before the first person is registered."""
