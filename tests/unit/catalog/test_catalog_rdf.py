"""Records as RDF text: nothing is lost, hostile text is refused with its line, nothing is fetched."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.dataset import Dataset
from catalog.errors import MalformedRecord
from catalog.healthdcat import (
    RdfFormat,
    from_graph,
    parse_record,
    to_graph,
    to_jsonld,
    to_rdfxml,
    to_turtle,
    unread_terms,
)
from catalog.rdf_text import modernise, read_graph
from catalog.values import Text
from catalog.vocabularies import HealthCategory
from tests.unit.catalog.records import full_record

WRITERS = {RdfFormat.TURTLE: to_turtle, RdfFormat.JSONLD: to_jsonld, RdfFormat.RDFXML: to_rdfxml}
HEAD = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("form", RdfFormat)
def test_a_full_record_survives(form: RdfFormat) -> None:
    assert parse_record(WRITERS[form](full_record()), form) == full_record()


@pytest.mark.parametrize("form", RdfFormat)
def test_equal_records_give_equal_text(form: RdfFormat) -> None:
    assert WRITERS[form](full_record()) == WRITERS[form](full_record())


@pytest.mark.parametrize("form", RdfFormat)
@pytest.mark.parametrize(
    "text",
    [
        '"""',
        "\\",
        "</dct:title><script>alert(1)</script>",
        "]]>",
        "&amp;",
        "' . <a> <b> <c> .",
        "a\n\tb ",
        "🏥 ﷽",
        "\\u0041",
    ],
)
def test_hostile_literals_survive_as_text(form: RdfFormat, text: str) -> None:
    record = replace(full_record(), title=(Text(text, "en"), Text(text)), keyword=(Text(text, "fr"),))
    assert parse_record(WRITERS[form](record), form) == record


def test_every_row_of_a_full_record_is_written() -> None:
    assert unread_terms(to_graph(full_record())) == ()


@pytest.mark.parametrize(
    ("form", "text", "line"),
    [
        (RdfFormat.TURTLE, HEAD + "<https://e.org/d> a dcat:Dataset ;\n dct:title broken ;;\n", 4),
        (RdfFormat.TURTLE, HEAD + "\n\n<https://e.org/d> a nope:Dataset .\n", 5),
        (RdfFormat.JSONLD, '{\n  "@id": "https://e.org/d",\n  oops\n}', 3),
        (RdfFormat.RDFXML, '<?xml version="1.0"?>\n<rdf:RDF>\n<a>\n</b></rdf:RDF>', 2),
    ],
)
def test_text_that_does_not_parse_names_its_line(form: RdfFormat, text: str, line: int) -> None:
    with pytest.raises(MalformedRecord, match=f"line {line}:") as caught:
        parse_record(text, form)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (RdfFormat.TURTLE, "x" * 2000, "bytes"),
        (RdfFormat.TURTLE, HEAD, "no dataset"),
        (RdfFormat.TURTLE, HEAD + "[] a dcat:Dataset .", "no dataset"),
        (
            RdfFormat.TURTLE,
            HEAD + "<https://e.org/a> a dcat:Dataset . <https://e.org/b> a dcat:Dataset .",
            "2 datasets",
        ),
        (RdfFormat.TURTLE, HEAD + "<javascript:x> a dcat:Dataset .", "address"),
        (RdfFormat.TURTLE, HEAD + "<https://e.org/d> a dcat:Dataset ; dct:publisher 'x' .", "publisher"),
        (RdfFormat.TURTLE, HEAD + "<https://e.org/d> a dcat:Dataset ; dcat:version '1', '2' .", "version: 2 values"),
        (RdfFormat.TURTLE, HEAD + "<https://e.org/d> a dcat:Dataset ; dct:issued 'soon' .", "issued"),
        (
            RdfFormat.TURTLE,
            HEAD + "<https://e.org/d> a dcat:Dataset ; dct:accessRights <https://e.org/x> .",
            "access_rights",
        ),
        (RdfFormat.TURTLE, b"\xff\xfe<a>", "UTF-8"),
        (RdfFormat.JSONLD, '{"@context": "https://e.org/context.jsonld"}', "context"),
        (RdfFormat.JSONLD, '{"a": [{"@context": [{}, "https://e.org/c"]}]}', "context"),
        (RdfFormat.JSONLD, '{"@context": {"@import": "https://e.org/c"}}', "context"),
        (RdfFormat.RDFXML, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "entities"),
    ],
)
def test_what_cannot_be_a_record_is_refused(form: RdfFormat, text: str | bytes, said: str) -> None:
    with pytest.raises(MalformedRecord, match=said):
        parse_record(text, form, max_bytes=1000)


@pytest.mark.parametrize("opening", ["[ a ", "( "])
def test_deep_nesting_is_refused_not_a_crash(opening: str) -> None:
    text = HEAD + "<https://e.org/d> a dcat:Dataset ; dct:relation " + opening * 20_000
    with pytest.raises(MalformedRecord, match=r"deeply|not valid"):
        parse_record(text)
    with pytest.raises(MalformedRecord):
        parse_record("[" * 200_000, RdfFormat.JSONLD)


def test_cycles_end() -> None:
    text = HEAD + (
        "<https://e.org/d> a dcat:Dataset ; dcat:distribution <https://e.org/d> ; dct:publisher <https://e.org/p> ."
        "<https://e.org/p> dct:publisher <https://e.org/d> ;"
        " <http://data.europa.eu/m8g/contactPoint> <https://e.org/p> ."
    )
    with pytest.raises(MalformedRecord, match="dataset's own"):
        parse_record(text)


def test_remote_imports_are_not_followed() -> None:
    text = HEAD + "<https://e.org/d> a dcat:Dataset ; <http://www.w3.org/2002/07/owl#imports> <https://e.org/x> ."
    assert parse_record(text) == Dataset(iri="https://e.org/d", theme=(), applicable_legislation=())


def test_retired_vocabularies_are_modernised_on_reading_and_named() -> None:
    old = to_turtle(full_record()).replace(
        "https://hdeu-dcat.data.health.europa.eu/resource/authority/", "http://healthdataportal.eu/resource/authority/"
    )
    assert parse_record(old) == full_record()
    _, replaced = modernise(read_graph(old))
    assert (
        "http://healthdataportal.eu/resource/authority/healthcategories/EHRS",
        HealthCategory.EHRS.value,
    ) in replaced


def test_numbers_and_order_of_variables_survive_other_writers() -> None:
    shuffled = json.loads(to_jsonld(full_record()))
    shuffled["@graph"].reverse()
    assert parse_record(json.dumps(shuffled), RdfFormat.JSONLD).variables == full_record().variables


def test_reading_a_graph_ignores_what_the_table_does_not_know() -> None:
    graph = read_graph(to_turtle(full_record()) + "<https://node.example.org/datasets/bleeding> <https://e.org/p> 1 .")
    assert from_graph(graph) == full_record()
    assert unread_terms(graph) == ("https://e.org/p",)


def test_nothing_of_the_official_files_is_kept_here() -> None:
    root = Path(__file__).parents[3] / "catalog"
    assert not list(root.rglob("*.ttl"))
