"""The printed permit: complete in both languages, the same bytes each time, whatever letters a name has."""

from dataclasses import fields, replace

import pytest

from dataspace.domain.permit_document import Named, Parties, statement
from dataspace.domain.permit_words import PROHIBITED, PURPOSES, WORDS, Language
from dataspace.domain.permits import DataPermit, Particulars, SnapshotRule
from dataspace.domain.purposes import ProhibitedUse, Purpose
from dataspace.permit_pdf import PRINTED, permit_pdf
from dataspace.services.documents import Document
from tests.integration.test_documents_api import printed
from tests.unit.dataspace.test_odrl import PARTIES, PERMIT


def document(permit: DataPermit = PERMIT, parties: Parties = PARTIES) -> Document:
    return Document(permit, parties, {"permit": statement(permit, parties)}, "a.b.c")


@pytest.mark.parametrize("language", Language)
def test_every_word_has_a_translation(language: Language) -> None:
    assert all(words[language] for words in WORDS.values())
    assert set(PURPOSES[language]) == set(Purpose)
    assert set(PROHIBITED[language]) == set(ProhibitedUse)
    assert {rule.value for rule in SnapshotRule} <= WORDS.keys()


@pytest.mark.parametrize("language", Language)
def test_the_print_says_what_the_permit_says(language: Language) -> None:
    text = printed(permit_pdf(document(replace(PERMIT, conditions=("Cite the data holder.",))), language))
    for part in ("DP-2026-1", "Autorité des données", "Zoë, Uni", "registry.person: sex", "53(1)(e)", "Cite the data"):
        assert part in text
    assert document().digest in text
    assert all(f"({use.value})" in text for use in ProhibitedUse)


def test_many_columns_take_several_pages_each_with_its_number() -> None:
    columns = frozenset(("registry", f"table_{n}", f"column_{m}") for n in range(60) for m in range(12))
    pdf = permit_pdf(document(replace(PERMIT, columns=columns)), Language.ENGLISH)
    pages = pdf.count(b"/Type /Page\n")
    assert pages > 2
    text = printed(pdf)
    assert [f"page {page} of  {pages}" in text for page in range(1, pages + 1)] == [True] * pages


def test_the_same_permit_is_the_same_bytes() -> None:
    for language in Language:
        assert permit_pdf(document(), language) == permit_pdf(document(), language)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Žofie Łukasz", "Žofie Lukasz"), ("Ελένη", "?????"), ("e\u0301lan", "élan"), ("(a\\b)", "(a\\b)")],
)
def test_any_name_can_be_printed(name: str, shown: str) -> None:
    parties = replace(PARTIES, persons=(Named("per_1", name, "Uni"),))
    assert f"{shown}, Uni" in printed(permit_pdf(document(parties=parties), Language.ENGLISH))


def test_what_is_added_to_a_permit_is_printed_too() -> None:
    added = Document(PERMIT, PARTIES, {"permit": statement(PERMIT, PARTIES) | {"min_cell": 7, "fees": None}}, "a.b.c")
    text = printed(permit_pdf(added, Language.ENGLISH))
    assert "minimum cell size: 7" in text
    assert "fees" not in text
    assert "effectif minimal par cellule: 7" in printed(permit_pdf(added, Language.FRENCH))
    beside = {"min_cell", "aggregates", "population", "extended", *(field.name for field in fields(Particulars))}
    assert statement(PERMIT, PARTIES).keys() - beside <= PRINTED


def test_a_revoked_permit_says_so_in_print() -> None:
    revoked = replace(PERMIT, revoked_at=PERMIT.valid_from)
    assert "révoquée le 2026-01-01" in printed(permit_pdf(document(revoked), Language.FRENCH))
