"""The catalogue itself as DCAT: dcat:Catalog, one dcat:CatalogRecord for each dataset, and the datasets in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rdflib import RDF, XSD, Graph, Literal, URIRef

from catalog.dataset import Agent, Dataset
from catalog.fields import Form
from catalog.healthdcat import to_graph, write_part
from catalog.literals import write_literal
from catalog.namespaces import expand
from catalog.rdf_text import new_graph
from catalog.values import Text, check_iri
from catalog.vocabularies import EHDS_REGULATION, EU


@dataclass(frozen=True)
class Catalogue:
    """dcat:Catalog: what the profile asks of a catalogue. `iri` is its address, without '#'."""

    iri: str
    title: tuple[Text, ...]
    description: tuple[Text, ...]
    publisher: Agent
    applicable_legislation: tuple[str, ...] = (EHDS_REGULATION,)
    language: tuple[str, ...] = ()
    homepage: str | None = None

    def __post_init__(self) -> None:
        check_iri(self.iri, "the address (iri) of the catalogue")
        for address in (*self.applicable_legislation, *self.language, *filter(None, [self.homepage])):
            check_iri(address, "an address of the catalogue")
        if "#" in self.iri or not self.title or not self.description or not self.applicable_legislation:
            raise ValueError("a catalogue has an address without '#', a title, a description and its legislation")


def catalogue_graph(catalogue: Catalogue, datasets: Mapping[Dataset, datetime]) -> Graph:
    """The catalogue with its datasets and the moment each record was last written (UTC with zone)."""
    graph, subject = new_graph(), URIRef(catalogue.iri)
    graph.add((subject, RDF.type, _term("dcat:Catalog")))
    for name, texts in (("dct:title", catalogue.title), ("dct:description", catalogue.description)):
        for text in texts:
            graph.add((subject, _term(name), write_literal(Form.TEXT, text)))
    graph.add((subject, _term("dcat:themeTaxonomy"), URIRef(EU + "data-theme")))
    _links(graph, subject, "dcatap:applicableLegislation", catalogue.applicable_legislation, "eli:LegalResource")
    _links(graph, subject, "dct:language", catalogue.language, "dct:LinguisticSystem")
    _links(graph, subject, "foaf:homepage", (catalogue.homepage,) if catalogue.homepage else (), "foaf:Document")
    publisher = URIRef(catalogue.publisher.iri or f"{catalogue.iri}#publisher")
    graph.add((subject, _term("dct:publisher"), publisher))
    write_part(graph, publisher, catalogue.publisher, "Agent")
    for dataset, written in datasets.items():
        _record(graph, subject, dataset, written)
    return graph


def _record(graph: Graph, catalogue: URIRef, dataset: Dataset, written: datetime) -> None:
    record = URIRef(f"{catalogue}#record/{dataset.id}")
    graph.add((catalogue, _term("dcat:dataset"), URIRef(dataset.iri)))
    graph.add((catalogue, _term("dcat:record"), record))
    graph.add((record, RDF.type, _term("dcat:CatalogRecord")))
    graph.add((record, _term("foaf:primaryTopic"), URIRef(dataset.iri)))
    moment = written.isoformat(timespec="seconds")
    graph.add((record, _term("dct:modified"), Literal(moment, datatype=XSD.dateTime, normalize=False)))
    to_graph(dataset, into=graph)


def _links(graph: Graph, subject: URIRef, term: str, addresses: tuple[str, ...], value_type: str) -> None:
    for address in addresses:
        graph.add((subject, _term(term), URIRef(address)))
        graph.add((URIRef(address), RDF.type, _term(value_type)))


def _term(name: str) -> URIRef:
    return URIRef(expand(name))
