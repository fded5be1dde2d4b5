"""A record is well-formed from construction."""

from dataclasses import replace
from datetime import date

import pytest

from catalog.dataset import Agent, Dataset, PeriodOfTime, rounded_count
from catalog.dictionary import coding_systems_of, variables_of
from catalog.quality import Element, Metric, QualityLabel
from catalog.schema import CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from catalog.values import Text, is_iri, is_slug, said, slug_of, text_in
from catalog.variables import CODES_SHOWN
from catalog.vocabularies import CODING_SYSTEMS, HealthCategory, coding_system
from tests.unit.catalog.records import SCHEMA, full_record

IRI = "https://node.example.org/datasets/d"


@pytest.mark.parametrize(
    ("change", "said_why"),
    [
        ({"iri": "bleeding"}, "address"),
        ({"iri": "javascript:alert(1)"}, "address"),
        ({"iri": IRI + "#x"}, "#"),
        ({"landing_page": ("javascript:alert(1)",)}, "landing_page"),
        ({"landing_page": ("https://example.org/a b",)}, "landing_page"),
        ({"identifier": (" ",)}, "identifier"),
        ({"min_typical_age": -1}, "min_typical_age"),
        ({"number_of_records": True}, "number_of_records"),
        ({"min_typical_age": 20, "max_typical_age": 10}, "above"),
        ({"temporal_resolution": "daily"}, "duration"),
        ({"publisher": Agent(name=said(en="A"), iri=IRI)}, "dataset's own"),
        (
            {
                "publisher": Agent(name=said(en="A"), iri="https://a.example.org/"),
                "hdab": Agent(name=said(en="B"), iri="https://a.example.org/"),
            },
            "two descriptions",
        ),
    ],
)
def test_what_no_record_can_hold_is_refused_by_field(change: dict[str, object], said_why: str) -> None:
    with pytest.raises(ValueError, match=said_why):
        Dataset(**({"iri": IRI} | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "  ", "a\x00b", "a\x1bb", "\ud800"])
def test_text_holds_no_blanks_nor_control_characters(value: str) -> None:
    with pytest.raises(ValueError, match="text"):
        Text(value, "en")


def test_line_ends_are_one_kind() -> None:
    assert Text("a\r\nb\rc").value == "a\nb\nc"


def test_a_language_is_a_tag() -> None:
    with pytest.raises(ValueError, match="language tag"):
        Text("a", "English")


def test_text_is_found_in_the_readers_language_then_english_then_any() -> None:
    both = said(en="Title", fr="Intitulé")
    assert (text_in(both, "fr"), text_in(both, "de"), text_in((Text("x", "nl"),), "fr")) == ("Intitulé", "Title", "x")
    assert text_in((), "fr") == ""


def test_sets_of_values_have_one_order() -> None:
    one = Dataset(iri=IRI, identifier=("b", "a", "b"), keyword=(Text("z", "en"), Text("a", "en")))
    two = Dataset(iri=IRI, identifier=("a", "b"), keyword=(Text("a", "en"), Text("z", "en")))
    assert one == two


def test_a_period_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="after its end"):
        PeriodOfTime(date(2020, 1, 2), date(2020, 1, 1))


def test_identifiers_are_slugs() -> None:
    assert full_record().id == "bleeding"
    assert all(is_slug(s) for s in ("a", "gi-bleed_2", "a" * 64))
    assert not any(is_slug(s) for s in ("", "-a", "a-", "A", "é", "../x", "a/b", "a.b", "a" * 65, "a\n", "..", "."))


def test_a_foreign_address_gets_a_slug_of_its_own() -> None:
    one, two = slug_of("https://x.example.org/A.B"), slug_of("https://y.example.org/A.B")
    assert is_slug(one)
    assert one != two
    assert is_slug(slug_of("urn:uuid:" + "Ä" * 300))


@pytest.mark.parametrize(
    "bad", ["data:text/html,x", "file:///etc/passwd", "//x", "http://", "https://a<b", "https://a\n"]
)
def test_addresses_are_safe_links(bad: str) -> None:
    assert not is_iri(bad)


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (9, 0), (10, 10), (14, 10), (15, 20), (2694, 2690)])
def test_counts_are_rounded(n: int, shown: int) -> None:
    assert rounded_count(n) == shown


def test_variables_come_from_the_dictionary_in_its_order() -> None:
    group = variables_of(SCHEMA)
    assert [(t.name, v.name, v.datatype) for t, v in group] == [
        ("person", "sex", "integer"),
        ("person", "birth_year", "integer"),
        ("condition", "code", "string"),
        ("condition", "started", "date"),
    ]
    assert all(v.title and v.description for _, v in group)
    assert coding_systems_of(SCHEMA) == (CODING_SYSTEMS["ICD-10"], CODING_SYSTEMS["OHDSI-VOCAB"])


def test_a_long_code_list_is_left_to_its_coding_system() -> None:
    codes = tuple(CodedValue(n, "x") for n in range(CODES_SHOWN + 1))
    column = Column("c", ColumnType.CODE, values=codes)
    schema = DatasetSchema("d", (Table("t", TableKind.EVENTS, (column,)),))
    assert next(iter(variables_of(schema)))[1].codes == ()


def test_categories_are_those_of_article_51() -> None:
    assert [c.letter for c in HealthCategory] == list("abcdefghijklmnopq")
    assert HealthCategory.EINS.letter == "q"
    assert HealthCategory.HGPD.duty_from == 2031
    assert all(c.label.en and c.label.fr for c in HealthCategory)


@pytest.mark.parametrize(
    ("name", "code"), [("icd10", "ICD-10"), ("SNOMED CT", "SNOMED-CT"), ("OMOP", "OHDSI-VOCAB"), ("ATC", "ATC")]
)
def test_coding_systems_are_known_by_their_usual_names(name: str, code: str) -> None:
    assert coding_system(name) == CODING_SYSTEMS[code]
    assert coding_system("our own list") is None


def test_a_label_names_each_metric_once_per_element() -> None:
    from decimal import Decimal

    metric = Metric(Element.COVERAGE, "years", "last minus first", Decimal(3))
    with pytest.raises(ValueError, match="same name"):
        QualityLabel(metrics=(metric, replace(metric, value=Decimal(4))))
    with pytest.raises(ValueError, match="finite"):
        replace(metric, value=Decimal("NaN"))
