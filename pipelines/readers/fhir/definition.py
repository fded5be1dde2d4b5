"""A ViewDefinition as SQL-on-FHIR v2 writes it (JSON), checked on load: every complaint names view, column and path."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from pipelines.errors import SourceError
from pipelines.readers.fhir.parser import parse
from pipelines.readers.fhir.r4 import RESOURCE_TYPES
from pipelines.readers.fhir.tree import Node, PathError
from pipelines.readers.fhir.types import ANSI_TYPES, ENGINE_TYPES

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}")

COLUMN_KEYS = frozenset({"name", "path", "type", "collection", "description", "tag"})
SELECT_KEYS = frozenset({"column", "select", "forEach", "forEachOrNull", "unionAll"})

DEEPEST = 20
"""Levels of nested selects."""


@dataclass(frozen=True)
class ViewColumn:
    """`type` is DuckDB's; with `many` the column is a list. `path` is the text of `node`."""

    name: str
    node: Node
    path: str
    type: str
    many: bool
    description: str


@dataclass(frozen=True)
class Select:
    """Columns, nested selects and one of several alternatives, for each element of `each` if there is one.

    With `or_null` a row without values stands for no element.
    """

    columns: tuple[ViewColumn, ...] = ()
    each: Node | None = None
    each_path: str = ""
    or_null: bool = False
    selects: tuple["Select", ...] = ()
    alternatives: tuple["Select", ...] = ()

    def leaves(self) -> Iterator[ViewColumn]:
        """Columns in their order: own, nested, then those the alternatives share."""
        yield from self.columns
        for nested in (*self.selects, *self.alternatives[:1]):
            yield from nested.leaves()

    def paths(self) -> Iterator[str]:
        """The text of every path."""
        yield self.each_path
        yield from (column.path for column in self.columns)
        for nested in (*self.selects, *self.alternatives):
            yield from nested.paths()


@dataclass(frozen=True)
class View:
    """A checked view; `where` are the conditions with their text."""

    name: str
    resource: str
    constants: Mapping[str, str | Decimal | bool]
    where: tuple[tuple[Node, str], ...]
    select: Select

    def mentions(self, element: str) -> bool:
        """True if a path may read an element of this name."""
        return any(re.search(rf"\b{element}\b", path) for path in self._paths())

    def _paths(self) -> Iterator[str]:
        yield from (path for _, path in self.where)
        yield from self.select.paths()

    @contextmanager
    def naming(self, path: str, column: str = "") -> Iterator[None]:
        """A PathError inside becomes a SourceError that names view, column and path."""
        try:
            yield
        except PathError as refusal:
            fail(self.name, str(refusal), column=column, path=path)


def fail(view: str, message: str, *, column: str = "", path: str = "") -> NoReturn:
    """Raise SourceError that says where."""
    column, path = f", column {column!r}" if column else "", f", path {path!r}" if path else ""
    raise SourceError(f"View {view!r}{column}{path}: {message}.")


def load_view(file: Path) -> View:
    """The view in a file; raises SourceError."""
    try:
        # decimals keep their digits: they become constants of SQL
        content = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError):
        raise SourceError(f"{file}: the view cannot be read as JSON. Check the option `views`.") from None
    return read_view(content, file.stem)


def read_view(content: Any, fallback: str = "view") -> View:
    """The view in a ViewDefinition; `fallback` names it if it has no name of its own. Raises SourceError."""
    if not isinstance(content, dict):
        fail(fallback, "a ViewDefinition is a JSON object")
    name = content.get("name", fallback)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        fail(fallback, "a name is made of letters, digits and underscores, a letter first")
    return _Reader(name).view(content)


@dataclass(frozen=True)
class _Reader:
    """Reads parts of one view."""

    name: str

    def view(self, content: Mapping[str, Any]) -> View:
        resource = content.get("resource")
        if not isinstance(resource, str) or resource not in RESOURCE_TYPES:
            fail(self.name, "`resource` names no resource type of FHIR R4")
        select = Select(selects=tuple(self._select(s, 1) for s in self._objects(content, "select")))
        if not select.selects:
            fail(self.name, "`select` is missing")
        self._check_names(select)
        where = tuple(self._path(w, "path") for w in self._objects(content, "where"))
        return View(self.name, resource, self._constants(content), where, select)

    def _select(self, content: Mapping[str, Any], depth: int) -> Select:
        if depth > DEEPEST:
            fail(self.name, f"selects are nested deeper than {DEEPEST}")
        self._check_keys(content, SELECT_KEYS)
        if "forEach" in content and "forEachOrNull" in content:
            fail(self.name, "a select has forEach or forEachOrNull, not both")
        key = next((k for k in ("forEach", "forEachOrNull") if k in content), None)
        each, each_path = self._path(content, key) if key else (None, "")
        return Select(
            columns=tuple(self._column(c) for c in self._objects(content, "column")),
            each=each,
            each_path=each_path,
            or_null=key == "forEachOrNull",
            selects=tuple(self._select(s, depth + 1) for s in self._objects(content, "select")),
            alternatives=self._alternatives(content, depth),
        )

    def _alternatives(self, content: Mapping[str, Any], depth: int) -> tuple[Select, ...]:
        found = tuple(self._select(s, depth + 1) for s in self._objects(content, "unionAll"))
        shapes = {tuple((c.name, c.type, c.many) for c in a.leaves()) for a in found}
        if len(shapes) > 1:
            fail(self.name, "the parts of a unionAll have the same columns, in the same order and of the same types")
        return found

    def _column(self, content: Mapping[str, Any]) -> ViewColumn:
        self._check_keys(content, COLUMN_KEYS)
        name = content.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            fail(self.name, "a column's name is made of letters, digits and underscores, a letter first")
        node, path = self._path(content, "path", name)
        many = content.get("collection", False) is True
        return ViewColumn(name, node, path, self._type(content, name), many, str(content.get("description", "")))

    def _type(self, content: Mapping[str, Any], column: str) -> str:
        wanted = next((t.get("value") for t in self._objects(content, "tag") if t.get("name") == "ansi/type"), None)
        if wanted is not None:
            if str(wanted).upper() not in ANSI_TYPES:
                fail(self.name, f"the tag ansi/type is one of {', '.join(ANSI_TYPES)}", column=column)
            return ANSI_TYPES[str(wanted).upper()]
        given = str(content.get("type", "string")).removeprefix("http://hl7.org/fhirpath/System.")
        given = given.rpartition("/")[2]
        lowered = given if given in ENGINE_TYPES else given[:1].lower() + given[1:]
        if lowered not in ENGINE_TYPES:
            fail(self.name, "`type` is no primitive type of FHIR; give the path of one of its parts", column=column)
        return ENGINE_TYPES[lowered]

    def _path(self, content: Mapping[str, Any], key: str, column: str = "") -> tuple[Node, str]:
        path = content.get(key)
        if not isinstance(path, str):
            fail(self.name, f"`{key}` is missing or no text", column=column)
        try:
            return parse(path), path
        except PathError as refusal:
            fail(self.name, str(refusal), column=column, path=path)

    def _constants(self, content: Mapping[str, Any]) -> dict[str, str | Decimal | bool]:
        found: dict[str, str | Decimal | bool] = {}
        for constant in self._objects(content, "constant"):
            values = [v for k, v in constant.items() if k.startswith("value")]
            name = constant.get("name")
            if not isinstance(name, str) or len(values) != 1 or not isinstance(values[0], str | int | Decimal | bool):
                fail(self.name, "a constant has a name and one value, for example valueString")
            value = values[0]
            found[name] = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return found

    def _objects(self, content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        found = content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            fail(self.name, f"`{key}` is a list of objects")
        return found

    def _check_keys(self, content: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in content:
            if key not in known:
                fail(self.name, f"key {key!r} is not supported. Supported: {', '.join(sorted(known))}")

    def _check_names(self, select: Select) -> None:
        names = [c.name.lower() for c in select.leaves()]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice is not None:
            fail(self.name, "two columns have this name", column=twice)
        if not names:
            fail(self.name, "the view has no column")
