"""How identifiers of a stored snapshot were spelled before they became person keys."""

from itertools import permutations

from pipelines.pseudonyms import NORMALISATIONS
from pipelines.store.record import Key

Rule = tuple[str, ...]
"""Normalisation steps of a plan, in order."""

ANY_RULE: tuple[Rule, ...] = ((), *((step,) for step in NORMALISATIONS), *permutations(NORMALISATIONS, 2))
"""Tried for snapshots whose record does not say how identifiers were spelled."""


def rules_of(key: Key) -> tuple[Rule, ...]:
    """How identifiers of a snapshot may have been spelled: one way, unless its record does not say."""
    return ANY_RULE if key.normalise is None else (key.normalise,)
