"""The folder of records: whole files only, no identifier leads out of it, invalid records stay out."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from rdflib import RDF, Graph, URIRef

from catalog import registry as registry_module
from catalog.catalogue import Catalogue
from catalog.errors import MalformedRecord, RecordNotFound, RecordNotValid, RefusedIdentifier
from catalog.namespaces import expand
from catalog.registry import FolderRegistry
from catalog.values import said
from tests.unit.catalog.records import SHAPES, agent, full_record


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderRegistry:
    monkeypatch.delenv("DATASPACE_SHAPES", raising=False)
    return FolderRegistry(tmp_path / "catalogue")


def test_a_published_record_comes_back(registry: FolderRegistry) -> None:
    path = registry.publish(full_record())
    assert path.name == "bleeding.ttl"
    assert registry.get("bleeding") == full_record()
    assert registry.list() == [full_record()]
    assert registry.turtle("bleeding") == path.read_text()


def test_a_changed_record_replaces_the_old_one(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    assert registry.get("bleeding").version == "1.0"
    registry.publish(replace(full_record(), version="2.0"))
    assert registry.get("bleeding").version == "2.0"
    assert len(registry.list()) == 1


def test_an_empty_catalogue_has_no_records(registry: FolderRegistry) -> None:
    assert registry.list() == []
    with pytest.raises(RecordNotFound, match="bleeding"):
        registry.get("bleeding")


def test_a_withdrawn_record_is_gone(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    registry.withdraw("bleeding")
    assert registry.list() == []
    for missing in (registry.get, registry.turtle, registry.withdraw):
        with pytest.raises(RecordNotFound):
            missing("bleeding")


HOSTILE = ["../secret", "..", "a/b", "/etc/passwd", "a\\b", "", "A", "a.ttl", "a\x00", "é", "a" * 65, "%2e%2e", "a\n"]


@pytest.mark.parametrize("id_", HOSTILE)
def test_hostile_identifiers_are_refused(registry: FolderRegistry, tmp_path: Path, id_: str) -> None:
    (tmp_path / "secret.ttl").write_text("secret")
    for method in (registry.get, registry.turtle, registry.withdraw):
        with pytest.raises(RefusedIdentifier):
            method(id_)


def test_a_record_with_violations_is_refused_and_the_old_one_stays(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    with pytest.raises(RecordNotValid, match="hdab") as caught:
        registry.publish(replace(full_record(), hdab=None))
    assert [f.field for f in caught.value.findings] == ["hdab"]
    assert registry.get("bleeding") == full_record()


@pytest.mark.skipif(not SHAPES.is_dir(), reason="the official shapes are not beside the repository")
def test_the_official_files_decide_where_the_environment_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASPACE_SHAPES", str(SHAPES))
    strict = FolderRegistry(tmp_path)
    strict.publish(full_record())
    with pytest.raises(RecordNotValid) as caught:
        strict.publish(replace(full_record(), hdab=None))
    assert {f.source for f in caught.value.findings} == {"shapes"}


def test_another_dataset_cannot_take_an_identifier(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    with pytest.raises(RefusedIdentifier, match="another dataset"):
        registry.publish(replace(full_record(), iri="https://other.example.org/bleeding"))


def test_a_broken_write_leaves_nothing_behind(registry: FolderRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    path = registry.publish(full_record())

    def full_disk(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(registry_module.os, "fsync", full_disk)
    with pytest.raises(OSError, match="space"):
        registry.publish(replace(full_record(), version="2.0"))
    assert registry.get("bleeding").version == "1.0"
    assert [p.name for p in path.parent.iterdir()] == ["bleeding.ttl"]


def test_a_file_broken_by_hand_is_named_with_its_line(registry: FolderRegistry) -> None:
    path = registry.publish(full_record())
    path.write_text("@prefix a: <https://e.org/> .\n\nnonsense")
    with pytest.raises(MalformedRecord, match=r"bleeding\.ttl: line 3"):
        registry.get("bleeding")


def test_a_file_under_another_name_is_refused(registry: FolderRegistry) -> None:
    path = registry.publish(full_record())
    path.rename(path.with_name("other.ttl"))
    with pytest.raises(MalformedRecord, match="name the file"):
        registry.get("other")


def test_readers_never_see_half_a_record(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    seen, stop = [], threading.Event()

    def read() -> None:
        other = FolderRegistry(registry._root)
        while not stop.is_set():
            seen.append(other.get("bleeding").version)

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(20):
        registry.publish(replace(full_record(), version=f"{n}"))
    stop.set()
    reader.join()
    assert set(seen) <= {"1.0", *map(str, range(20))}
    assert seen


def test_the_whole_catalogue_as_turtle(registry: FolderRegistry) -> None:
    registry.publish(full_record())
    registry.publish(replace(full_record(), iri="https://node.example.org/datasets/other", identifier=("other",)))
    catalogue = Catalogue(
        iri="https://node.example.org/catalogue",
        title=said(en="Catalogue", fr="Catalogue"),
        description=said(en="Datasets of the node"),
        publisher=agent("Health Data Access Body"),
        homepage="https://node.example.org/",
    )
    graph = Graph().parse(data=registry.catalogue_turtle(catalogue), format="turtle")
    subject = URIRef(catalogue.iri)
    assert (subject, RDF.type, URIRef(expand("dcat:Catalog"))) in graph
    assert len(list(graph.objects(subject, URIRef(expand("dcat:dataset"))))) == 2
    records = list(graph.objects(subject, URIRef(expand("dcat:record"))))
    assert all(graph.value(record, URIRef(expand("foaf:primaryTopic"))) for record in records)
    assert all(graph.value(record, URIRef(expand("dct:modified"))) for record in records)
    assert graph.value(subject, URIRef(expand("dcatap:applicableLegislation"))) is not None
    assert graph.value(subject, URIRef(expand("dct:publisher"))) is not None
