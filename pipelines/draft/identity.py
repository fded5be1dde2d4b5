"""How person identifiers are spelt, and so which normalisation makes one spelling of one person."""

from collections.abc import Sequence

from pipelines.draft.keys import Key
from pipelines.draft.measure import Look, nearly
from pipelines.pseudonyms import nir

SAMPLES = 2_000
"""Identifiers looked at."""


def normalisation(look: Look, persons: Sequence[Key]) -> tuple[str, ...]:
    """Steps for the plan's `normalise`: "nir" if those looked at are French national numbers, else no blanks."""
    texts = [text for person in persons for text in _some(look, person)]
    if nearly(sum(nir(text) is not None for text in texts), len(texts)):
        return ("nir",)
    return ("no-spaces",) if any(" " in text for text in texts) else ()


def _some(look: Look, person: Key) -> list[str]:
    low, high = look.ask(
        person.table,
        person.columns,
        f"SELECT min(k, {SAMPLES // 2}), max(k, {SAMPLES // 2}) FROM (SELECT {person.text} AS k FROM delivered)",
    )[0]
    return [*(low or ()), *(high or ())]
