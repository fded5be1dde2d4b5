"""Which roles one person cannot hold together (Art. 55(3)): checked whenever roles are given."""

from collections.abc import Iterable

from dataspace.domain.actors import Role
from dataspace.domain.errors import InvalidInput

DECIDING_APART = "who assesses or decides on applications does not prepare the data or run the node (Art. 55(3))"
HOLDING_APART = "who assesses or decides on applications does not hold the data (Art. 55(2), 55(3))"
DESK_APART = "whoever sees identifiers of citizens decides on no case, prepares no data and runs no node (Art. 55(3))"

INCOMPATIBLE: dict[frozenset[Role], str] = {
    frozenset({Role.HDAB_ASSESSOR, Role.HDAB_DATA_PREPARER}): DECIDING_APART,
    frozenset({Role.HDAB_DECISION_MAKER, Role.HDAB_DATA_PREPARER}): DECIDING_APART,
    frozenset({Role.HDAB_ASSESSOR, Role.OPERATOR}): DECIDING_APART,
    frozenset({Role.HDAB_DECISION_MAKER, Role.OPERATOR}): DECIDING_APART,
    frozenset({Role.HDAB_ASSESSOR, Role.DATA_HOLDER}): HOLDING_APART,
    frozenset({Role.HDAB_DECISION_MAKER, Role.DATA_HOLDER}): HOLDING_APART,
    frozenset({Role.HDAB_CITIZEN_DESK, Role.HDAB_ASSESSOR}): DESK_APART,
    frozenset({Role.HDAB_CITIZEN_DESK, Role.HDAB_DECISION_MAKER}): DESK_APART,
    frozenset({Role.HDAB_CITIZEN_DESK, Role.HDAB_DATA_PREPARER}): DESK_APART,
    frozenset({Role.HDAB_CITIZEN_DESK, Role.OPERATOR}): DESK_APART,
}


def check_compatible(roles: Iterable[Role]) -> None:
    """Raises InvalidInput naming the two roles and why they are kept apart."""
    held = frozenset(roles)
    for pair, why in INCOMPATIBLE.items():
        if pair <= held:
            first, second = sorted(pair)
            raise InvalidInput(f"one person cannot be {first} and {second}: {why}; take one of the two roles away")
