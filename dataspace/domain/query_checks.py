"""What a permit says about one query beyond its columns: the purpose it serves, the kinds of aggregate it asks for."""

from collections.abc import Iterable

from dataspace.domain.actors import Actor
from dataspace.domain.errors import OutOfScope, PurposeNotStated
from dataspace.domain.permits import DataPermit
from dataspace.domain.purposes import Purpose
from dataspace.domain.tabulations import NODE_USER


def purposes_served(permit: DataPermit, by: Actor, stated: Purpose | None) -> frozenset[Purpose]:
    """The purposes of Art. 53(1) that a query of `by` serves: the one stated, else the permit's only one.

    The node itself asks what the plan of a data request says, and the plan serves every purpose of its request. Raises
    OutOfScope for a purpose that the permit does not have, PurposeNotStated if it has several and none is stated.
    """
    if stated is None and by.id == NODE_USER.id:
        return permit.purposes
    if stated is None and len(permit.purposes) == 1:
        return permit.purposes
    if stated is None:
        raise PurposeNotStated(
            f"permit {permit.number} is for several purposes: state which of {_letters(permit.purposes)} this query"
            " serves (purpose, a letter of Art. 53(1))"
        )
    if stated not in permit.purposes:
        raise OutOfScope(
            f"permit {permit.number} is for the purposes {_letters(permit.purposes)} of Art. 53(1), not for"
            f" ({stated.letter}); state one of the permit's, or apply for a permit for that purpose"
        )
    return frozenset({stated})


def check_aggregates(permit: DataPermit, kinds: Iterable[str]) -> None:
    """Raises OutOfScope unless the permit allows these kinds of aggregate and analysis; one that names none allows all.

    `kinds` are what the researcher asks to be released. What the node measures to compute them is not asked for: a mean
    does not need the kinds of sums and counts. Nor are aggregates within one person's rows, which are never released.
    """
    asked = frozenset(kinds)
    if not permit.aggregates or asked <= permit.aggregates:
        return
    raise OutOfScope(
        f"permit {permit.number} allows the kinds of aggregate {_listed(permit.aggregates)}; this query asks for"
        f" {_listed(asked)}: leave out {_listed(asked - permit.aggregates)}, or ask the access body for another permit"
    )


def _letters(purposes: Iterable[Purpose]) -> str:
    return ", ".join(f"({purpose.letter})" for purpose in sorted(purposes))


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kinds))
