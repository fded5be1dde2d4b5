"""How the opt-out register knows a person whose identifier it has forgotten.

The register keeps one person key for each person in a pseudonymisation domain of its own. A dataset is linked to it
while identifiers are at hand anyway, during each ingestion; afterwards nobody can.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipelines.pseudonyms import NORMALISATIONS, Pseudonymiser, nir, nir_check_digits

if TYPE_CHECKING:
    from pipelines.keystore import DomainKey

RULES = (("alphanumeric", "upper", "nir"), ("alphanumeric", "upper"), ("no-spaces", "upper"))
"""The register spells an identifier by the first of these that it passes: what a plan's spelling merges, it merges too.

Letters outside of ASCII whose capitals are ASCII, as those of the German sharp s, are the exception.
"""


def spellings(identifier: str) -> tuple[str, ...]:
    """The ways in which a holder may have written the identifier a person gives, that itself first.

    In capitals and in small letters, with and without separators, a French national number with and without its check
    digits: a plan may take them for different persons, and the person cannot know which of them is in the data.
    """
    plain = _step("alphanumeric", identifier)
    number = nir(identifier) or nir(plain)
    written = [identifier, _step("no-spaces", identifier), plain]
    if number is not None:
        written += [number, f"{number}{nir_check_digits(number):02d}"]
    return tuple(dict.fromkeys(form for text in written for form in (text, text.upper(), text.lower()) if form))


def _step(name: str, identifier: str) -> str:
    return NORMALISATIONS[name](identifier) or ""


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
