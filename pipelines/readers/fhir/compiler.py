"""A view to one DuckDB SELECT over lines of NDJSON, in the order of the lines and never holding more than a batch.

Rows are multiplied by a chain of UNNESTs, each over the rows of the one before: one for each forEach, and one for each
unionAll that numbers its alternatives. A guard says in which rows a part of the view has something to say; elsewhere an
UNNEST keeps the row as it is and a column is NULL. A line that is no resource of the view's type, `FAULT` says why,
stays one row without values: it is counted, numbered and refused by the plan like any other bad row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines import sqltext as sql
from pipelines.readers.fhir import elements as el
from pipelines.readers.fhir import values as val
from pipelines.readers.fhir.definition import Select, View, ViewColumn
from pipelines.readers.fhir.focus import RESOURCE, Resource, Scope
from pipelines.readers.fhir.paths import compile_path, elements_of, is_extension
from pipelines.readers.fhir.tree import Node
from pipelines.readers.fhir.types import column_fault, column_value

FAULT = "fault"
"""Column that says why a line is no resource of the view's type, NULL if it is one."""

UNREADABLE = "the line is not JSON"
UNTYPED = "the line is no FHIR resource"
FOREIGN = "the line is a resource of another type than the file's name says"

Guard = tuple[str, ...]

WITHOUT_ATTACHMENTS = r"""regexp_replace(CAST(line AS VARCHAR), '"data"\s*:\s*"(?:[^"\\]|\\.)*"', '"data":""', 'g')"""
"""The line, where attachments are empty: they may be nearly all of it, and would be copied for each part looked at."""


LINES = "lines"
"""Name the delivered lines have inside a view's query."""

NO_ELEMENT = "CAST([NULL] AS JSON[])"
"""One row in which there is no element."""


@dataclass(frozen=True)
class _Case:
    """What a column is in the rows of a guard."""

    guard: Guard
    value: str
    fault: str


@dataclass(frozen=True)
class CompiledView:
    """`rows` is a relation over LINES; `columns` and `faults` are expressions over it by column name.

    A fault says why a column has no value although its path found one. `types` are the engine's.
    """

    rows: str
    types: Mapping[str, str]
    columns: Mapping[str, str]
    faults: Mapping[str, str]

    def query(self, lines: str, wanted: Iterable[str] | None = None) -> str:
        """The SELECT of the view, or of the columns `wanted`.

        `lines` is a query that gives `line` (JSON) and `named` (BOOLEAN: the file promises the type).
        """
        names = self.columns if wanted is None else wanted
        listed = ", ".join(f"{self.columns[name]} AS {sql.name(name)}" for name in names)
        return f"WITH {LINES} AS NOT MATERIALIZED ({lines}) SELECT {listed} FROM {self.rows}"

    def fault_query(self, lines: str, number: str) -> str:
        """SELECT of row `number` (counted as in `query`), `column_name` (NULL: the whole line) and `reason`."""
        told = [f"{{'name': CAST(NULL AS VARCHAR), 'reason': {FAULT}}}"]
        told += [f"{{'name': {sql.text(name)}, 'reason': {fault}}}" for name, fault in self.faults.items()]
        numbered = f"SELECT row_number() OVER () AS {number}, [{', '.join(told)}] AS told FROM {self.rows}"
        each = f"SELECT {number}, unnest(list_filter(told, lambda t: t.reason IS NOT NULL)) AS t FROM ({numbered})"
        return (
            f"WITH {LINES} AS NOT MATERIALIZED ({lines})"
            f" SELECT {number}, t.name AS column_name, t.reason AS reason FROM ({each})"
        )


def compile_view(view: View) -> CompiledView:
    """Raises SourceError for paths outside of the subset."""
    return _Compiler(view).compiled()


class _Compiler:
    def __init__(self, view: View) -> None:
        self._view, self._resource = view, Resource()
        self._unnests: list[str] = []
        self._cases: dict[str, list[_Case]] = {c.name: [] for c in view.select.leaves()}

    def compiled(self) -> CompiledView:
        scope = Scope(self._resource, self._view.resource, self._view.constants)
        conditions = [self._condition(node, path, scope) for node, path in self._view.where]
        self._add(self._view.select, scope, (f"{RESOURCE} IS NOT NULL",))
        rows = self._resources(conditions)
        for number, unnest in enumerate(self._unnests):
            rows = f"(SELECT *, unnest({unnest}) AS {_element(number)} FROM {rows})"
        return CompiledView(
            rows,
            {c.name: f"{c.type}[]" if c.many else c.type for c in self._view.select.leaves()},
            {name: _chosen((c.guard, c.value) for c in cases) for name, cases in self._cases.items()},
            {name: _chosen((c.guard, c.fault) for c in cases) for name, cases in self._cases.items()},
        )

    def _resources(self, conditions: list[str]) -> str:
        """The resources of the view, each parsed once, and the lines that are none."""
        wanted = f"type = {sql.text(self._view.resource)}"
        line = "line" if self._view.mentions("data") else WITHOUT_ATTACHMENTS
        parsed = f"(SELECT json_extract({line}, [{', '.join(self._resource.paths)}]) AS parts, named FROM {LINES})"
        typed = f"(SELECT *, json_extract_string(parts[1], '$') AS type FROM {parsed})"
        fault = (
            f"CASE WHEN parts IS NULL THEN {sql.text(UNREADABLE)} WHEN type IS NULL THEN {sql.text(UNTYPED)}"
            f" WHEN named AND NOT {wanted} THEN {sql.text(FOREIGN)} END"
        )
        judged = f"(SELECT CASE WHEN {wanted} THEN parts END AS {RESOURCE}, {fault} AS {FAULT} FROM {typed})"
        kept = " AND ".join([f"{RESOURCE} IS NOT NULL", *(f"coalesce({c}, false)" for c in conditions)])
        return f"(SELECT * FROM {judged} WHERE {FAULT} IS NOT NULL OR ({kept}))"

    def _add(self, select: Select, scope: Scope, guard: Guard) -> None:
        if select.each is not None:
            scope, guard = self._for_each(select, select.each, scope, guard)
        for column in select.columns:
            self._cases[column.name].append(self._case(column, scope, guard))
        for nested in select.selects:
            self._add(nested, scope, guard)
        if select.alternatives:
            chosen = self._unnest(f"CASE WHEN {_all(guard)} THEN range({len(select.alternatives)}) ELSE [NULL] END")
            for number, alternative in enumerate(select.alternatives):
                self._add(alternative, scope, (*guard, f"{chosen} = {number}"))

    def _for_each(self, select: Select, each: Node, scope: Scope, guard: Guard) -> tuple[Scope, Guard]:
        with self._view.naming(select.each_path):
            found = elements_of(each, scope)
        if select.or_null:
            found = el.let(found, lambda f: f"CASE WHEN len({f}) = 0 THEN {NO_ELEMENT} ELSE {f} END")
        name = self._unnest(f"CASE WHEN {_all(guard)} THEN {found} ELSE {NO_ELEMENT} END")
        # without an element there is nothing to say: in rows of another guard, and where forEachOrNull found none
        return scope.at(name, extension=is_extension(each)), (*guard, f"{name} IS NOT NULL")

    def _unnest(self, listed: str) -> str:
        self._unnests.append(listed)
        return _element(len(self._unnests) - 1)

    def _case(self, column: ViewColumn, scope: Scope, guard: Guard) -> _Case:
        with self._view.naming(column.path, column.name):
            found = compile_path(column.node, scope)
            value = column_value(found, column.type, many=column.many)
            return _Case(guard, value, column_fault(found, column.type, many=column.many))

    def _condition(self, node: Node, path: str, scope: Scope) -> str:
        with self._view.naming(path):
            return val.truth(compile_path(node, scope))


def _element(number: int) -> str:
    return f"e{number}"


def _all(guard: Guard) -> str:
    return " AND ".join(guard)


def _chosen(cases: Iterable[tuple[Guard, str]]) -> str:
    """The value of the alternative a row belongs to."""
    return f"CASE {' '.join(f'WHEN {_all(guard)} THEN {value}' for guard, value in cases)} END"
