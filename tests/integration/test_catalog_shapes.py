"""Our verdicts against the official Release 8 shapes, where a developer has them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyshacl
import pytest
from rdflib import RDF, SH, XSD, BNode, Graph, Literal, URIRef

from catalog.dataset import Dataset
from catalog.errors import ShapesNotFound
from catalog.fields import Field, Form, Need
from catalog.findings import Severity
from catalog.healthdcat import to_graph
from catalog.namespaces import expand
from catalog.parts import CLASSES
from catalog.rdf_text import read_graph
from catalog.shapes import load_shapes
from catalog.validation import is_valid_release_8, validate, violations
from catalog.vocabularies import AccessRight, DataTheme
from tests.unit.catalog.records import SHAPES, full_record

official = pytest.mark.skipif(not SHAPES.is_dir(), reason="the official shapes are not beside the repository")
PUBLIC, RESTRICTED, NON_PUBLIC = AccessRight.PUBLIC, AccessRight.RESTRICTED, AccessRight.NON_PUBLIC
DATASET = CLASSES["Dataset"].fields


def example() -> Graph:
    return read_graph((SHAPES / "release-8/examples/example-healthdcat-dataset.ttl").read_bytes())


@official
@pytest.mark.parametrize(("level", "count"), [(NON_PUBLIC, 0), (PUBLIC, 1), (RESTRICTED, 1)])
def test_the_official_example(level: AccessRight, count: int) -> None:
    found = validate(example(), SHAPES, level)
    assert [f.field for f in violations(found)] == ["access_rights"] * count
    if level is NON_PUBLIC:
        assert [(f.severity, f.field) for f in found] == [(Severity.WARNING, "source")]
        assert validate(example(), SHAPES) == found


@official
@pytest.mark.parametrize("level", AccessRight)
def test_a_full_record_has_no_finding_at_any_level(level: AccessRight) -> None:
    record = replace(full_record(), access_rights=level)
    assert validate(record, SHAPES) == []
    assert validate(record) == []


@official
def test_lists_alone_are_no_dataset() -> None:
    found = validate(load_shapes(SHAPES).lists, SHAPES)
    assert [f.severity for f in found] == [Severity.VIOLATION]


@official
def test_the_lists_may_be_cut_to_what_the_record_names() -> None:
    """The recipe merges all of both lists; only the named concepts and the schemes can matter, and this shows it."""
    shapes = load_shapes(SHAPES)
    for graph in (example(), without(to_graph(full_record()), "hdab")):
        _, report, _ = pyshacl.validate(
            graph + shapes.lists,
            shacl_graph=shapes.by_level[NON_PUBLIC],
            advanced=True,
            inference="none",
            do_owl_imports=False,
        )
        assert len(list(report.objects(None, SH.result))) == len(validate(graph, SHAPES))


def without(graph: Graph, name: str) -> Graph:
    field = next(f for f in DATASET if f.name == name)
    cut = Graph() + graph
    cut.remove((URIRef(full_record().iri), URIRef(expand(field.term)), None))
    return cut


def mandatory(level: AccessRight) -> list[str]:
    return [f.name for f in DATASET if f.need(level) in (Need.MANDATORY, Need.IF_STRUCTURED)]


CASES = [(level, name) for level in AccessRight for name in mandatory(level)]


@official
@pytest.mark.parametrize(("level", "name"), CASES, ids=lambda value: str(value).rpartition("/")[2])
def test_each_mandatory_field_removed_is_a_violation_named_by_field(level: AccessRight, name: str) -> None:
    graph = without(to_graph(replace(full_record(), access_rights=level)), name)
    for shapes in (SHAPES, None):
        assert {f.field for f in violations(validate(graph, shapes, level))} == {name}


@official
@pytest.mark.parametrize("level", AccessRight)
def test_missing_recommended_fields_are_warnings_and_both_checks_agree(level: AccessRight) -> None:
    full = full_record()
    names = [f.name for f in DATASET if f.need(level) is Need.RECOMMENDED]
    bare = replace(
        full,
        access_rights=level,
        **{n: type(getattr(full, n))() if isinstance(getattr(full, n), tuple) else None for n in names},
    )
    by_shapes, by_table = validate(bare, SHAPES), validate(bare)
    assert {(f.severity, f.field) for f in by_table} == {(Severity.WARNING, n) for n in names}
    assert {(f.severity, f.field) for f in by_shapes} == {(f.severity, f.field) for f in by_table}


WRONG = {
    Form.IRI: Literal("not an address"),
    Form.BOOLEAN: Literal("yes"),
    Form.COUNT: Literal(-5),
    Form.NODE: Literal("words only"),
}


def broken_graphs() -> Iterator[tuple[str, Graph]]:
    """The full record with one thing wrong: a wrong value, a second value, a term of no list, a part left out."""
    subject = URIRef(full_record().iri)
    for field in DATASET:
        term = URIRef(expand(field.term))
        if field.form in WRONG and field.name not in LENIENT:
            yield f"{field.name}: wrong form", changed(subject, term, WRONG[field.form])
        if field.base and field.name != "type":
            yield f"{field.name}: no list", changed(subject, term, URIRef("https://example.org/no-list/X"))
            yield f"{field.name}: unknown term", changed(subject, term, URIRef(field.base + "NO_SUCH_TERM"))
        if not field.many and field.form is Form.COUNT:
            yield f"{field.name}: two", changed(subject, term, Literal(7, datatype=XSD.nonNegativeInteger), keep=True)
    yield from broken_parts()


# the Release 8 files do not test the form of these, our table asks an address
LENIENT = {
    "is_referenced_by",
    "relation",
    "source",
    "landing_page",
    "page",
    "spatial",
    "type",
    "temporal",
    "provenance",
}
LENIENT |= {"contact_point", "sample", "analytics", "distribution", "generated_by"}


def broken_parts() -> Iterator[tuple[str, Graph]]:
    graph = to_graph(full_record())
    for node in CLASSES.values():
        for field in node.fields:
            if node.name in ("Dataset", "Metric") or field.need(NON_PUBLIC) is not Need.MANDATORY or field.only_base:
                continue
            cut = Graph() + graph
            for subject in graph.subjects(RDF.type, URIRef(expand(node.term))):
                cut.remove((subject, URIRef(expand(field.term)), None))
            yield f"{node.name}.{field.name}: missing", cut
    for name in ("ContactPoint", "Kind"):
        cut = Graph() + graph
        for field in CLASSES[name].fields:
            for subject in graph.subjects(RDF.type, URIRef(expand(CLASSES[name].term))):
                cut.remove((subject, URIRef(expand(field.term)), None))
        yield f"{name}: no way to reach", cut


def changed(subject: URIRef, term: URIRef, value: URIRef | Literal, keep: bool = False) -> Graph:
    graph = Graph() + to_graph(full_record())
    if not keep:
        graph.remove((subject, term, None))
    graph.add((subject, term, value))
    return graph


# lists that our table knows by their base only: an unknown term passes us and fails the published list
OPEN_LISTS = {f.name for f in DATASET if f.base and not f.closed} - {"personal_data"}


@official
@pytest.mark.parametrize(
    ("what", "graph"), list(broken_graphs()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_both_checks_give_one_verdict_and_name_one_field(what: str, graph: Graph) -> None:
    name = what.split(":")[0].split(".")[0]
    by_shapes, by_table = validate(graph, SHAPES, NON_PUBLIC), validate(graph, None, NON_PUBLIC)
    assert not is_valid_release_8(by_shapes)
    assert all(f.message.fr and f.mend.en and f.mend.fr for f in by_shapes)
    if "unknown term" in what and name in OPEN_LISTS:
        return
    assert not is_valid_release_8(by_table)
    shown = {f.field for f in violations(by_table)}
    assert shown & {f.field for f in violations(by_shapes)}


@official
def test_structured_data_without_variables_is_a_violation_and_unstructured_is_not() -> None:
    bare = replace(full_record(), variables=None)
    for shapes in (SHAPES, None):
        assert [f.field for f in violations(validate(bare, shapes))] == ["variables"]
        assert validate(replace(bare, has_structured_data=False), shapes) == []


@official
def test_a_misleading_sentence_is_explained_by_the_part() -> None:
    full = full_record()
    graph = to_graph(replace(full, distribution=(replace(full.distribution[0], applicable_legislation=()),)))
    found = violations(validate(graph, SHAPES))
    assert {f.field for f in found} == {"distribution.applicable_legislation"}


@official
def test_a_record_without_title_is_valid_for_the_files_and_refused_here() -> None:
    found = validate(replace(full_record(), title=()), SHAPES)
    assert [(f.field, f.source) for f in violations(found)] == [("title", "table")]
    assert is_valid_release_8(found)


@official
def test_health_is_always_a_theme() -> None:
    record = replace(full_record(), theme=(DataTheme.ENVI,))
    for shapes in (SHAPES, None):
        (found,) = violations(validate(record, shapes))
        assert found.field == "theme"
        assert DataTheme.HEAL in found.mend.en


@official
def test_a_retired_vocabulary_is_named_as_such() -> None:
    subject, old = (
        URIRef(full_record().iri),
        URIRef("http://healthdataportal.eu/resource/authority/healthcategories/EHRS"),
    )
    graph = changed(subject, URIRef(expand("healthdcatap:healthCategory")), old)
    for shapes in (SHAPES, None):
        assert any("retired" in f.message.en for f in violations(validate(graph, shapes)))


@official
def test_shapes_are_loaded_once() -> None:
    assert load_shapes(SHAPES) is load_shapes(Path(str(SHAPES) + "/"))


def test_a_folder_without_the_files_says_which_one_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ShapesNotFound, match="codelists"):
        validate(full_record(), tmp_path)
    (tmp_path / "codelists").mkdir()
    (tmp_path / "codelists" / "lists.ttl").write_text("")
    with pytest.raises(ShapesNotFound, match=r"public-shapes\.ttl is missing"):
        validate(full_record(), tmp_path)


def test_two_datasets_or_none_are_a_finding() -> None:
    assert len(violations(validate(Graph()))) == 1
    two = to_graph(Dataset(iri="https://e.org/a")) + to_graph(Dataset(iri="https://e.org/b"))
    assert "several" in validate(two)[0].message.en


@pytest.mark.parametrize("field", DATASET, ids=lambda field: field.name)
def test_no_odd_value_raises_and_our_check_is_never_softer(field: Field) -> None:
    subject, term = URIRef(full_record().iri), URIRef(expand(field.term))
    for value in (Literal("x"), Literal("2020-99-99", datatype=XSD.date), URIRef("urn:x"), BNode()):
        graph = changed(subject, term, value)
        own = is_valid_release_8(validate(graph))
        if SHAPES.is_dir():
            assert is_valid_release_8(validate(graph, SHAPES)) or not own
