"""Our own check of a record: cardinalities, forms and lists straight from THE table, on the graph as it was given.

It works without any official file and gives the same verdict as the Release 8 shapes on what the table knows. It never
raises on odd records: whatever is wrong becomes a finding.
"""

from collections.abc import Iterator

from rdflib import RDF, XSD, Graph, Literal, URIRef
from rdflib.term import Node

from catalog.fields import Field, Form, Need
from catalog.findings import Finding, Severity
from catalog.literals import read_literal
from catalog.messages import Cause, words
from catalog.namespaces import expand
from catalog.parts import CLASSES, NodeClass
from catalog.values import is_iri
from catalog.vocabularies import RETIRED, AccessRight

_DATATYPES = {Form.BOOLEAN: XSD.boolean, Form.COUNT: XSD.nonNegativeInteger}

WARNED_LISTS = frozenset({"type"})
"""Fields where a term of another list is a warning in the official files, not a violation."""

TYPED_IN_RECORD = frozenset({"personal_data"})
"""Fields whose terms have no list to state their class, so that the record itself must state it."""


def level_of(graph: Graph, dataset: Node) -> AccessRight:
    """Access level of the record; the strictest one where it is missing, doubled or unknown."""
    named = {str(value) for value in graph.objects(dataset, URIRef(expand("dct:accessRights")))}
    known = [level for level in AccessRight if level.value in named]
    return known[0] if len(named) == 1 and known else AccessRight.NON_PUBLIC


def check_dataset(graph: Graph, dataset: Node, level: AccessRight | None = None) -> list[Finding]:
    """All findings about one dataset, fields in the order of the table."""
    asked = level or level_of(graph, dataset)
    return list(_check_node(graph, dataset, CLASSES["Dataset"], "", asked))


def check_part(graph: Graph, part: Node, name: str, where: str, level: AccessRight) -> list[Finding]:
    """All findings about one part of the class `name`, named below `where`."""
    return list(_check_node(graph, part, CLASSES[name], where, level))


def finding(severity: Severity, cause: Cause, where: str, field: Field | None, source: str = "table") -> Finding:
    """A finding in the words of its cause."""
    message, mend = words(cause, field)
    return Finding(severity, where, field.term if field else "", message, mend, source)


def _check_node(graph: Graph, subject: Node, node: NodeClass, where: str, level: AccessRight) -> Iterator[Finding]:
    for field in node.fields:
        place = f"{where}.{field.name}" if where else field.name
        values = list(graph.objects(subject, URIRef(expand(field.term))))
        yield from _check_presence(graph, subject, field, values, place, level)
        for value in values:
            yield from _check_value(graph, value, field, place, level)
    if node.any_of and not any(_has(graph, subject, field) for field in node.fields if field.name in node.any_of):
        yield finding(Severity.VIOLATION, Cause.NO_CONTACT, where, _anchor(node))


def _check_presence(
    graph: Graph, subject: Node, field: Field, values: list[Node], place: str, level: AccessRight
) -> Iterator[Finding]:
    need = field.need(level)
    if not values and need is Need.MANDATORY:
        yield finding(Severity.VIOLATION, Cause.MISSING, place, field)
    elif not values and need is Need.RECOMMENDED:
        yield finding(Severity.WARNING, Cause.MISSING, place, field)
    elif not values and need is Need.IF_STRUCTURED and _structured(graph, subject):
        yield finding(Severity.VIOLATION, Cause.MISSING_VARIABLES, place, field)
    if len(values) > 1 and not field.many:
        yield finding(Severity.VIOLATION, Cause.TOO_MANY, place, field)
    if values and field.must and URIRef(field.must) not in values:
        yield finding(Severity.VIOLATION, Cause.MUST_CONTAIN, place, field)
    if values and field.name == "access_rights" and URIRef(level.value) not in values:
        yield finding(Severity.VIOLATION, Cause.WRONG_LEVEL, place, field)


def _check_value(graph: Graph, value: Node, field: Field, place: str, level: AccessRight) -> Iterator[Finding]:
    if field.form is Form.NODE:
        typed = (value, RDF.type, URIRef(expand(CLASSES[field.node].term))) in graph
        if isinstance(value, Literal) or not typed:
            yield finding(Severity.VIOLATION, Cause.WRONG_FORM, place, field)
        else:
            yield from _check_node(graph, value, CLASSES[field.node], place, level)
    elif not _fits(value, field):
        yield finding(Severity.VIOLATION, Cause.WRONG_FORM, place, field)
    elif field.base and not _listed(str(value), field):
        retired = is_retired(value)
        severity = Severity.WARNING if field.name in WARNED_LISTS and not retired else Severity.VIOLATION
        yield finding(severity, Cause.RETIRED if retired else Cause.NOT_IN_LIST, place, field)
    elif field.name in TYPED_IN_RECORD and (value, RDF.type, URIRef(expand(field.value_type))) not in graph:
        yield finding(Severity.VIOLATION, Cause.NO_CLASS, place, field)


def is_retired(value: Node | None) -> bool:
    """True for an address below a vocabulary base that was given up."""
    return any(str(value).startswith(old) for old, _ in RETIRED)


def _fits(value: Node, field: Field) -> bool:
    """True if the term has the form of the field."""
    if field.form in (Form.IRI, Form.MAILBOX):
        return isinstance(value, URIRef) and is_iri(str(value))
    if field.form is Form.CODE:
        return not isinstance(value, Literal)
    if not isinstance(value, Literal):
        return False
    if field.form in _DATATYPES and value.datatype != _DATATYPES[field.form]:
        return False
    try:
        read = read_literal(field, value)
    except (ValueError, ArithmeticError):
        return False
    return field.form is not Form.COUNT or read >= 0


def _listed(value: str, field: Field) -> bool:
    return value in field.closed if field.closed else value.startswith(field.base) and value != field.base


def _structured(graph: Graph, subject: Node) -> bool:
    """False only if the record says no, or says nothing (which is a finding of its own)."""
    said = list(graph.objects(subject, URIRef(expand("healthdcatap:hasStructuredData"))))
    return any(str(value) in ("true", "1") for value in said)


def _has(graph: Graph, subject: Node, field: Field) -> bool:
    return next(graph.objects(subject, URIRef(expand(field.term))), None) is not None


def _anchor(node: NodeClass) -> Field:
    """The first of the fields of which one is asked: its words name the contact."""
    return next(field for field in node.fields if field.name in node.any_of)
