"""How the opt-out register knows a person whose identifier it has forgotten.

The register keeps one person key for each person in a pseudonymisation domain of its own. A dataset is linked to it
while identifiers are at hand anyway, during each ingestion; afterwards nobody can.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipelines.pseudonyms import Pseudonymiser

if TYPE_CHECKING:
    from pipelines.keystore import DomainKey

REGISTER_DOMAIN = "opt-out-register"
"""The register's own pseudonymisation domain; no dataset uses it."""

RULES = (("nir",), ("alphanumeric", "upper"), ("no-spaces", "upper"))
"""The register spells an identifier by the first of these that it passes: no plan's spelling tells more apart."""


def register_numbers(key: "DomainKey", identifiers: Iterable[str]) -> list[int | None]:
    """Person keys in the register's own domain, None for an identifier without a letter or digit."""
    wanted = list(identifiers)
    by_rule = [Pseudonymiser(key, rule).pseudonyms(wanted) for rule in RULES]
    found = (next((mac for mac in macs if mac is not None), None) for macs in zip(*by_rule, strict=True))
    return [None if mac is None else int.from_bytes(mac[:8], "big", signed=True) for mac in found]


def linked(key: "DomainKey", known: Collection[int], keyed: Iterable[tuple[str, int]]) -> dict[int, set[int]]:
    """Register number -> person keys, for the persons of `keyed` (identifier, person key) who are in the register.

    `key` is the register's own, `known` the person keys it holds. Spellings that a plan tells apart are one person in
    the register.
    """
    pairs = list(keyed)
    numbers = register_numbers(key, (identifier for identifier, _ in pairs))
    wanted, found = frozenset(known), dict[int, set[int]]()
    for number, (_, person) in zip(numbers, pairs, strict=True):
        if number is not None and number in wanted:
            found.setdefault(number, set()).add(person)
    return found
