"""A record <-> RDF in HealthDCAT-AP Release 8, driven by THE table (`catalog.fields`, `catalog.parts`).

`from_graph(to_graph(d)) == d` for every record. Reading ignores terms that the table does not know; `unread_terms`
names them. Importing rdflib is slow, so nothing below `catalog` imports this module for you.
"""

from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any
from urllib.parse import quote

from rdflib import RDF, Graph, Literal, URIRef
from rdflib.term import Node

from catalog.dataset import Dataset
from catalog.errors import MalformedRecord
from catalog.fields import Field, Form
from catalog.literals import read_literal, write_literal
from catalog.namespaces import expand, shorten
from catalog.parts import CLASSES, NodeClass
from catalog.rdf_text import MAX_BYTES, RdfFormat, modernise, new_graph, read_graph, write_text
from catalog.schema import CodedValue

DATASET = URIRef(expand("dcat:Dataset"))
_POSITION = URIRef(expand("schema:position"))
_FIXED_TRIPLES = {"QualityLabel": (("oa:motivatedBy", "dqv:qualityAssessment"),)}


def to_graph(dataset: Dataset, into: Graph | None = None) -> Graph:
    """The record as a graph without blank nodes; added to `into` if given."""
    graph = new_graph() if into is None else into
    _write(graph, URIRef(dataset.iri), dataset, CLASSES["Dataset"], dataset.iri + "#")
    for n, _ in enumerate(dataset.quality, start=1):
        label = dataset.quality[n - 1].iri or f"{dataset.iri}#quality/{n}"
        graph.add((URIRef(label), URIRef(expand("oa:hasTarget")), URIRef(dataset.iri)))
    return graph


def write_part(graph: Graph, subject: URIRef, value: Any, name: str) -> None:
    """Add one thing of the class `name` (of `catalog.parts.CLASSES`) as `subject`; its own parts live below it."""
    _write(graph, subject, value, CLASSES[name], f"{subject}{'/' if '#' in subject else '#'}")


def to_turtle(dataset: Dataset) -> str:
    return write_text(to_graph(dataset), RdfFormat.TURTLE)


def to_jsonld(dataset: Dataset) -> str:
    return write_text(to_graph(dataset), RdfFormat.JSONLD)


def to_rdfxml(dataset: Dataset) -> str:
    return write_text(to_graph(dataset), RdfFormat.RDFXML)


def parse_record(text: str | bytes, form: RdfFormat = RdfFormat.TURTLE, max_bytes: int = MAX_BYTES) -> Dataset:
    """The one dataset described in the text; retired vocabulary addresses are modernised.

    Raises `MalformedRecord`: text that does not parse (with its line), no dataset or several, or a value that no record
    can hold (named by field).
    """
    graph, _ = modernise(read_graph(text, form, max_bytes))
    return from_graph(graph)


def datasets_in(graph: Graph) -> list[str]:
    """Addresses of the datasets that the graph describes, sorted."""
    return sorted(str(s) for s in set(graph.subjects(RDF.type, DATASET)) if isinstance(s, URIRef))


def from_graph(graph: Graph, iri: str | None = None) -> Dataset:
    """The record of the dataset `iri`, or of the only one in the graph. Raises `MalformedRecord`."""
    found = datasets_in(graph)
    if iri is None and len(found) != 1:
        count = "no dataset with an address" if not found else f"{len(found)} datasets"
        raise MalformedRecord(f"the record describes {count}; it describes exactly one dcat:Dataset")
    subject = URIRef(iri or found[0])
    record = _read(graph, subject, CLASSES["Dataset"], "", str(subject) + "#")
    assert isinstance(record, Dataset)  # noqa: S101 - CLASSES["Dataset"] holds it
    return record


def unread_terms(graph: Graph) -> tuple[str, ...]:
    """Prefixed names of properties in the graph that the table does not know and a record therefore does not keep."""
    known = {URIRef(expand(field.term)) for node in CLASSES.values() for field in node.fields} | {RDF.type, _POSITION}
    known |= {URIRef(expand(term)) for pairs in _FIXED_TRIPLES.values() for term, _ in pairs}
    known |= {URIRef(expand(t)) for t in ("oa:hasTarget", "skos:member", "skos:notation", "skos:prefLabel")}
    return tuple(sorted({shorten(str(p)) for p in graph.predicates()} - {shorten(str(p)) for p in known}))


def _write(graph: Graph, subject: URIRef, value: Any, node: NodeClass, below: str) -> None:
    """Add `value` as `subject`; its parts without an address of their own get one that starts with `below`."""
    graph.add((subject, RDF.type, URIRef(expand(node.term))))
    for term, fixed in _FIXED_TRIPLES.get(node.name, ()):
        graph.add((subject, URIRef(expand(term)), URIRef(expand(fixed))))
    for field in node.fields:
        items = _items(getattr(value, field.name))
        if not items:
            continue
        if field.form is Form.CODE:
            _write_codes(graph, subject, field, items, f"{below}{field.name}")
            continue
        for n, item in enumerate(items, start=1):
            child = _write_item(graph, item, field, below, n)
            graph.add((subject, URIRef(expand(field.term)), child))


def _write_item(graph: Graph, item: Any, field: Field, below: str, n: int) -> Node:
    if field.form is not Form.NODE:
        child = write_literal(field.form, item)
        if field.value_type:
            graph.add((child, RDF.type, URIRef(expand(field.value_type))))
        return child
    path = _path(item, field, below, n)
    child = URIRef(getattr(item, "iri", None) or path)
    _write(graph, child, item, CLASSES[field.node], path + "/")
    if field.ordered:
        graph.add((child, _POSITION, Literal(n)))
    return child


def _path(item: Any, field: Field, below: str, n: int) -> str:
    """Address of a part below the dataset's: by name if the parts are ordered and named, else by field and number."""
    if field.ordered:
        return below + (quote(item.name, safe="") if item.name else f"({n})")
    return f"{below}{field.name}/{n}" if field.many else below + field.name


def _write_codes(graph: Graph, subject: URIRef, field: Field, codes: tuple[CodedValue, ...], path: str) -> None:
    collection = URIRef(path)
    graph.add((subject, URIRef(expand(field.term)), collection))
    graph.add((collection, RDF.type, URIRef(expand("skos:Collection"))))
    for n, coded in enumerate(codes, start=1):
        member = URIRef(f"{path}/{n}")
        graph.add((collection, URIRef(expand("skos:member")), member))
        graph.add((member, RDF.type, URIRef(expand("skos:Concept"))))
        graph.add((member, URIRef(expand("skos:notation")), Literal(coded.code)))
        graph.add((member, URIRef(expand("skos:prefLabel")), Literal(coded.label)))


def _items(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _read(graph: Graph, subject: Node, node: NodeClass, where: str, below: str) -> Any:
    """The value that `subject` describes; `where` names it in errors. The table is a tree, so cycles end."""
    read: dict[str, Any] = {}
    for field in node.fields:
        place = f"{where}.{field.name}" if where else field.name
        objects = list(graph.objects(subject, URIRef(expand(field.term))))
        values = tuple(_read_items(graph, objects, field, place, below))
        if not field.many and len(values) > 1:
            raise MalformedRecord(f"{place}: {len(values)} values where one is allowed; keep one")
        if values:
            read[field.name] = values if field.many else values[0]
        elif _may_lack(node, field):
            read[field.name] = () if field.many else None
    if isinstance(subject, URIRef) and not subject.startswith(below) and "iri" in node.holds.__dataclass_fields__:
        read["iri"] = str(subject)
    try:
        return node.holds(**read)
    except (TypeError, ValueError) as exc:
        raise MalformedRecord(f"{where or 'the record'}: {_reason(exc)}") from None


def _may_lack(node: NodeClass, field: Field) -> bool:
    """True unless the type cannot exist without the field, like a variable without a name."""
    return node.holds.__dataclass_fields__[field.name].default is not MISSING


def _read_items(graph: Graph, objects: list[Node], field: Field, place: str, below: str) -> Iterator[Any]:
    if field.form is Form.CODE:
        for collection in objects:
            yield from _read_codes(graph, collection, place)
        return
    if field.ordered:
        objects = sorted(objects, key=lambda child: _position(graph, child))
    for child in objects:
        if field.form is Form.NODE:
            if isinstance(child, Literal):
                raise MalformedRecord(f"{place}: text where a description is asked; describe it as a {field.node}")
            yield _read(graph, child, CLASSES[field.node], place, below)
            continue
        try:
            yield read_literal(field, child)
        except (ValueError, ArithmeticError) as exc:
            raise MalformedRecord(f"{place}: {_reason(exc)}") from None


def _read_codes(graph: Graph, collection: Node, place: str) -> Iterator[CodedValue]:
    for member in graph.objects(collection, URIRef(expand("skos:member"))):
        code = graph.value(member, URIRef(expand("skos:notation")))
        label = graph.value(member, URIRef(expand("skos:prefLabel")))
        if code is None or label is None:
            raise MalformedRecord(f"{place}: a code without notation or label; give both")
        native = code.value if isinstance(code, Literal) else None
        whole = isinstance(native, int) and not isinstance(native, bool)
        yield CodedValue(int(str(code)) if whole else str(code), str(label))


def _position(graph: Graph, child: Node) -> tuple[int, str]:
    """Where an ordered thing stands; things without a position come last, by address."""
    position = graph.value(child, _POSITION)
    try:
        return int(str(position)), str(child)
    except ValueError:
        return 10**9, str(child)


def _reason(exc: Exception) -> str:
    return "a mandatory part is missing" if isinstance(exc, TypeError) else str(exc)[:200]


__all__ = [
    "RdfFormat",
    "datasets_in",
    "from_graph",
    "parse_record",
    "to_graph",
    "to_jsonld",
    "to_rdfxml",
    "to_turtle",
    "unread_terms",
    "write_part",
]
