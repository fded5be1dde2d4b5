"""The verdict on a record: the official Release 8 shapes where a folder of them is given, our own check else.

Official files are never part of this system: `DATASPACE_SHAPES` names a folder that holds them (`catalog.shapes`).
What DCAT-AP asks and the Release 8 files do not test (title, description, names, access addresses) is added from our
table, marked `source="table"`; `is_valid_release_8` leaves it out, so that it is the official verdict.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from rdflib import Graph, URIRef

from catalog.dataset import Dataset
from catalog.findings import Finding, Severity
from catalog.healthdcat import datasets_in, to_graph
from catalog.messages import Cause
from catalog.parts import CLASSES
from catalog.shapes import check_shapes, load_shapes
from catalog.table_check import check_dataset, finding, level_of
from catalog.vocabularies import AccessRight

SHAPES_VARIABLE = "DATASPACE_SHAPES"


def shapes_folder() -> Path | None:
    """The folder of official files that the environment names, None if it names none."""
    named = os.environ.get(SHAPES_VARIABLE, "").strip()
    return Path(named) if named else None


def validate(record: Graph | Dataset, shapes: Path | None = None, level: AccessRight | None = None) -> list[Finding]:
    """All findings about a record, violations first.

    `level` defaults to the record's own access rights. Raises `ShapesNotFound` if the folder lacks a file; never raises
    on the record.
    """
    graph = to_graph(record) if isinstance(record, Dataset) else record
    found = datasets_in(graph)
    if len(found) != 1:
        cause = Cause.SEVERAL_DATASETS if found else Cause.NO_DATASET
        return [finding(Severity.VIOLATION, cause, "", None)]
    dataset = URIRef(found[0])
    asked = level or level_of(graph, dataset)
    own = check_dataset(graph, dataset, asked)
    if shapes is None:
        return _ordered(own)
    beyond = [f for f in own if f.severity is Severity.VIOLATION and _only_base(f.field)]
    return _ordered([*check_shapes(graph, dataset, asked, load_shapes(shapes)), *beyond])


def violations(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that keep a record from being published."""
    return tuple(f for f in findings if f.severity is Severity.VIOLATION)


def is_valid_release_8(findings: Iterable[Finding]) -> bool:
    """The official verdict: no violation of the Release 8 files."""
    return not any(f.severity is Severity.VIOLATION and not _only_base(f.field) for f in findings)


class Checker:
    """A check with its shapes chosen once: a folder given, or the one the environment names, or none."""

    def __init__(self, shapes: Path | None = None) -> None:
        self._shapes = shapes or shapes_folder()

    def check(self, record: Graph | Dataset) -> list[Finding]:
        return validate(record, self._shapes)


def _only_base(name: str) -> bool:
    """True if the field at the end of a dotted name is asked by DCAT-AP alone."""
    node, only = CLASSES["Dataset"], False
    for step in name.split("."):
        field = next((f for f in node.fields if f.name == step), None)
        if field is None:
            return False
        only = field.only_base
        node = CLASSES.get(field.node, node)
    return only


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Violations first, each finding once, otherwise as found."""
    rank = list(Severity)
    return sorted(dict.fromkeys(findings), key=lambda f: rank.index(f.severity))
