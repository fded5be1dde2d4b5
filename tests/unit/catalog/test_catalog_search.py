"""Search is blind to case and accents, and reaches variables and codes."""

from dataclasses import replace

import pytest

from catalog.search import search
from catalog.values import said
from tests.unit.catalog.records import full_record

OTHER = replace(
    full_record(),
    iri="https://node.example.org/datasets/asthma",
    identifier=("asthma",),
    title=said(en="Asthma", fr="Études de l'asthme"),
    alternative=(),
    keyword=said(en="lung"),
    variables=None,
    code_values=(),
)
BOTH = [full_record(), OTHER]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BLEED", ["bleeding", "asthma"]),
        ("etudes", ["asthma"]),
        ("études asth", ["asthma"]),
        ("birth_year", ["bleeding"]),
        ("year birth", ["bleeding"]),
        ("female", ["bleeding"]),
        ("8532", ["bleeding"]),
        ("k92", ["bleeding"]),
        ("asthma female", []),
        ("nothing of the kind", []),
        ("", ["asthma", "bleeding"]),
        ("  ?! ", ["asthma", "bleeding"]),
    ],
)
def test_every_word_is_found_somewhere(text: str, found: list[str]) -> None:
    assert [hit.dataset.id for hit in search(BOTH, text)] == found


def test_a_hit_names_the_variables() -> None:
    (hit,) = search(BOTH, "diagnosis")
    assert [(table.name, variable.name) for table, variable in hit.variables] == [("condition", "code")]
