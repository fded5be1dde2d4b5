"""RDF text in and out, for text that may be hostile: bounded in size, nothing fetched, errors with their line."""

import json
import logging
import re
from enum import StrEnum
from typing import Any
from xml.sax import SAXParseException

from rdflib import Graph
from rdflib.plugins.parsers.notation3 import BadSyntax

from catalog.errors import MalformedRecord
from catalog.namespaces import PREFIXES
from catalog.vocabularies import RETIRED

# rdflib logs every odd literal with a traceback; what is odd becomes a finding instead
logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)

MAX_BYTES = 5_000_000
"""Largest record that is read: a dictionary of about 10,000 variables."""


class RdfFormat(StrEnum):
    """The three forms of a record; the values are rdflib's names."""

    TURTLE = "turtle"
    JSONLD = "json-ld"
    RDFXML = "xml"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    RdfFormat.TURTLE: "text/turtle",
    RdfFormat.JSONLD: "application/ld+json",
    RdfFormat.RDFXML: "application/rdf+xml",
}


def new_graph() -> Graph:
    """An empty graph that writes the profile's prefixes."""
    graph = Graph(bind_namespaces="none")
    for prefix, base in PREFIXES.items():
        graph.bind(prefix, base)
    return graph


def write_text(graph: Graph, form: RdfFormat = RdfFormat.TURTLE) -> str:
    """The graph as text, equal for equal graphs without blank nodes."""
    if form is RdfFormat.JSONLD:
        # rdflib gives nodes in no order
        nodes = json.loads(graph.serialize(format="json-ld", context=PREFIXES))
        return json.dumps(_sorted_json(nodes), ensure_ascii=False, indent=2) + "\n"
    return graph.serialize(format="xml" if form is RdfFormat.RDFXML else "turtle")


def read_graph(text: str | bytes, form: RdfFormat = RdfFormat.TURTLE, max_bytes: int = MAX_BYTES) -> Graph:
    """Parse RDF text. Nothing is fetched: neither imports, nor JSON-LD contexts, nor XML entities.

    Raises `MalformedRecord`, with the line where the parser stopped if it knows it.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise MalformedRecord(f"the record has {len(raw):,} bytes, at most {max_bytes:,} are read; split or shorten it")
    source = _decoded(raw)
    _refuse_outside(source, form)
    graph = new_graph()
    try:
        graph.parse(data=source, format=form.value, publicID="urn:x-record:")
    except BadSyntax as exc:
        raise _stopped(exc.lines + 1, str(exc._why), "Turtle") from None
    except SAXParseException as exc:
        raise _stopped(exc.getLineNumber(), exc.getMessage(), "RDF/XML") from None
    except RecursionError:
        raise MalformedRecord("the record nests too deeply to be read; give inner things their own address") from None
    except Exception as exc:  # noqa: BLE001 - the parsers raise whatever they trip over on hostile text
        raise MalformedRecord(f"the record is not readable as {form.value} ({type(exc).__name__}); check it") from None
    return graph


def modernise(graph: Graph) -> tuple[Graph, tuple[tuple[str, str], ...]]:
    """The graph with retired vocabulary addresses replaced by those of Release 8, and the (old, new) pairs replaced."""
    replaced: dict[str, str] = {}
    modern = new_graph()
    for triple in graph:
        modern.add(tuple(_modern(node, replaced) for node in triple))
    return modern, tuple(sorted(replaced.items()))


def _modern(node: Any, replaced: dict[str, str]) -> Any:
    from rdflib import URIRef

    if isinstance(node, URIRef):
        for old, new in RETIRED:
            if node.startswith(old):
                replaced[str(node)] = new + node.removeprefix(old)
                return URIRef(replaced[str(node)])
    return node


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise MalformedRecord(f"line {line}: the record is not UTF-8 text; save it as UTF-8", line=line) from None


def _refuse_outside(source: str, form: RdfFormat) -> None:
    """Refuse what would make a parser fetch or expand something that is not in the text."""
    if form is RdfFormat.RDFXML:
        found = re.search(r"<!(?:DOCTYPE|ENTITY)", source, re.IGNORECASE)
        if found:
            line = source.count("\n", 0, found.start()) + 1
            raise MalformedRecord(f"line {line}: document types and entities are not read; remove them", line=line)
    if form is RdfFormat.JSONLD:
        _refuse_remote_contexts(_json(source))


def _json(source: str) -> Any:
    try:
        return json.loads(source)
    except json.JSONDecodeError as exc:
        raise _stopped(exc.lineno, exc.msg, "JSON") from None
    except (RecursionError, ValueError):
        raise MalformedRecord("the JSON nests too deeply or has a number too long to be read; simplify it") from None


def _refuse_remote_contexts(document: Any) -> None:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            contexts = value.get("@context")
            listed = contexts if isinstance(contexts, list) else [contexts]
            if "@import" in value or any(isinstance(c, str) for c in listed):
                raise MalformedRecord("the record names a JSON-LD context elsewhere; write the context into the record")
            waiting.extend(value.values())


def _stopped(line: int | None, why: str, syntax: str) -> MalformedRecord:
    reason = " ".join(why.split())[:120]
    return MalformedRecord(f"line {line}: not valid {syntax} ({reason}); correct the line and try again", line=line)


def _sorted_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted_json(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_sorted_json(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value
