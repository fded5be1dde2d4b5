"""The official SHACL files of HealthDCAT-AP Release 8, as an operator downloads them, and what they say of a record.

The folder holds `release-8/` with the official subfolders (`shapes`, `ranges`, `controlled-vocabularies`,
`recommended`) and `codelists/` with the authority lists as SKOS in Turtle. Three things decide how the files are
used: they import other files (never followed), one property shape has no path (moved, not dropped, the rule is
binding), and coded values are tested by `skos:inScheme` (so the lists travel with the data).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rdflib import OWL, RDF, SH, SKOS, Graph, URIRef
from rdflib.term import Node

from catalog.errors import ShapesNotFound
from catalog.fields import Field, Form
from catalog.findings import Finding, Severity
from catalog.messages import Cause
from catalog.namespaces import expand, shorten
from catalog.parts import CLASSES, NodeClass
from catalog.table_check import TYPED_IN_RECORD, check_part, finding, is_retired
from catalog.vocabularies import AccessRight

_LEVELS = {AccessRight.PUBLIC: "public", AccessRight.RESTRICTED: "restricted", AccessRight.NON_PUBLIC: "non-public"}
_FILES = (
    "shapes/{level}-shapes.ttl",
    "shapes/graph-guard.ttl",
    "ranges/range.ttl",
    "controlled-vocabularies/mdr-vocabularies.shape.ttl",
    "recommended/{level}-shapes_recommended.ttl",
)


@dataclass(frozen=True)
class Shapes:
    """The shapes of each access level, and the authority lists."""

    by_level: dict[AccessRight, Graph]
    lists: Graph


def load_shapes(folder: Path) -> Shapes:
    """Read the official files once per folder. Raises `ShapesNotFound` naming the file that is missing."""
    return _load(folder.resolve())


@lru_cache(maxsize=4)
def _load(folder: Path) -> Shapes:
    root = folder / "release-8" if (folder / "release-8").is_dir() else folder
    lists = Graph(bind_namespaces="none")
    tables = sorted((folder / "codelists").glob("*.ttl"))
    if not tables:
        raise ShapesNotFound(f"no authority list (*.ttl) in {folder / 'codelists'}; put the code lists there")
    for table in tables:
        lists.parse(table, format="turtle")
    return Shapes({level: _level_shapes(root, name) for level, name in _LEVELS.items()}, lists)


def _level_shapes(root: Path, level: str) -> Graph:
    graph = Graph(bind_namespaces="none")
    for pattern in _FILES:
        path = root / pattern.format(level=level)
        if not path.is_file():
            raise ShapesNotFound(f"{path} is missing; point DATASPACE_SHAPES to a folder with the Release 8 files")
        # the guard's own name is relative, so a base is given
        graph.parse(path, format="turtle", publicID=f"urn:x-shapes:{path.name}")
    graph.remove((None, OWL.imports, None))
    _move_pathless(graph)
    return graph


def _move_pathless(graph: Graph) -> None:
    """Attach a property shape without a path as a node shape: the rule stays, and the validator accepts it."""
    for owner, shape in list(graph.subject_objects(SH.property)):
        if graph.value(shape, SH.path) is None:
            graph.remove((owner, SH.property, shape))
            graph.add((owner, SH.node, shape))
            graph.add((shape, RDF.type, SH.NodeShape))


def check_shapes(graph: Graph, dataset: Node, level: AccessRight, shapes: Shapes) -> list[Finding]:
    """What the official shapes of the level say, in our words; the official sentence is kept in `detail`."""
    # half the cost of importing the registry, and only needed where an operator has the official files
    import pyshacl

    data = _with_lists(graph, shapes.lists)
    _, report, _ = pyshacl.validate(
        data,
        shacl_graph=shapes.by_level[level],
        advanced=True,
        inference="none",
        do_owl_imports=False,
        meta_shacl=False,
    )
    assert isinstance(report, Graph)  # noqa: S101 - a text comes back only if asked
    found: list[Finding] = []
    # nested details are results too: only those that the report names by sh:result count
    for result in report.objects(None, SH.result):
        found.extend(_explain(report, result, graph, dataset, level))
    return sorted(found, key=lambda f: (f.field, f.message.en, f.detail))


def _with_lists(graph: Graph, lists: Graph) -> Graph:
    """The record plus the authority lists."""
    data = Graph(bind_namespaces="none")
    for triple in graph:
        data.add(triple)
    for concept in {node for node in graph.objects() if isinstance(node, URIRef)}:
        for triple in lists.triples((concept, None, None)):
            data.add(triple)
    for scheme in lists.subjects(RDF.type, SKOS.ConceptScheme):
        for triple in lists.triples((scheme, None, None)):
            data.add(triple)
    return data


def _explain(report: Graph, result: Node, graph: Graph, dataset: Node, level: AccessRight) -> Iterator[Finding]:
    focus, path = report.value(result, SH.focusNode), report.value(result, SH.resultPath)
    value, component = report.value(result, SH.value), report.value(result, SH.sourceConstraintComponent)
    severity = _SEVERITIES.get(report.value(result, SH.resultSeverity), Severity.VIOLATION)
    detail = str(report.value(result, SH.resultMessage) or "")[:300]
    where, node = _place(graph, dataset, focus)
    field = next((f for f in node.fields if path == URIRef(expand(f.term))), None)
    cause = _cause(field, component, path, value)
    if cause is Cause.NOT_IN_LIST and is_retired(value):
        cause = Cause.RETIRED
    if cause is Cause.MISSING_VARIABLES:
        field = next(f for f in node.fields if f.name == "variables") if where == "" else None
    place = ".".join(filter(None, (where, field.name if field else "")))
    if field is not None and field.form is Form.NODE and cause is Cause.INCOMPLETE and value is not None:
        # the official sentence only says that something inside is wrong: say what, if our table knows
        inner = [f for f in check_part(graph, value, field.node, place, level) if f.severity is Severity.VIOLATION]
        for each in inner:
            yield Finding(severity, each.field, each.term, each.message, each.mend, "shapes", detail)
        if inner:
            return
    said = finding(severity, cause, place, field, "shapes")
    yield Finding(severity, place, said.term or shorten(str(path or "")), said.message, said.mend, "shapes", detail)


_SEVERITIES: dict[Node | None, Severity] = {
    SH.Violation: Severity.VIOLATION,
    SH.Warning: Severity.WARNING,
    SH.Info: Severity.INFO,
}

_CAUSES: dict[Node | None, Cause] = {
    SH.MinCountConstraintComponent: Cause.MISSING,
    SH.MaxCountConstraintComponent: Cause.TOO_MANY,
    SH.NodeKindConstraintComponent: Cause.WRONG_FORM,
    SH.DatatypeConstraintComponent: Cause.WRONG_FORM,
    SH.ClassConstraintComponent: Cause.WRONG_FORM,
    SH.PatternConstraintComponent: Cause.NOT_IN_LIST,
    SH.HasValueConstraintComponent: Cause.MUST_CONTAIN,
    SH.SPARQLConstraintComponent: Cause.NO_DATASET,
}


def _cause(field: Field | None, component: Node | None, path: Node | None, value: Node | None) -> Cause:
    if component == SH.NodeConstraintComponent:
        if path is None:
            return Cause.MISSING_VARIABLES
        return Cause.INCOMPLETE if field is not None and field.form is Form.NODE else Cause.NOT_IN_LIST
    if component == SH.HasValueConstraintComponent and field is not None and field.name == "access_rights":
        return Cause.WRONG_LEVEL
    if component == SH.ClassConstraintComponent and field is not None and field.form is Form.IRI:
        return Cause.NO_CLASS if field.name in TYPED_IN_RECORD else Cause.NOT_IN_LIST
    if component == SH.MinCountConstraintComponent and field is None and value is None:
        return Cause.NO_CONTACT
    return _CAUSES.get(component, Cause.OTHER)


def _place(graph: Graph, dataset: Node, focus: Node | None) -> tuple[str, NodeClass]:
    """Dotted name and class of the thing a result is about, found by walking the table from the dataset."""
    waiting: list[tuple[Node, NodeClass, str]] = [(dataset, CLASSES["Dataset"], "")]
    while waiting:
        subject, node, where = waiting.pop(0)
        if subject == focus:
            return where, node
        for field in node.fields:
            if field.form is Form.NODE:
                below = f"{where}.{field.name}" if where else field.name
                children = graph.objects(subject, URIRef(expand(field.term)))
                waiting.extend((child, CLASSES[field.node], below) for child in children)
    return "", CLASSES["Dataset"]
