"""Name resolution: tables of the dictionary, sub-queries in FROM, and their columns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fractions import Fraction
from itertools import count

from sqlglot import exp

from catalog.schema import PERSON, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.sql.refusals import refuse
from dataspace.sql.tree import Expr, Facts, Limit, Select

MAX_SELECTS = 60
"""Selections a query may hold after every use of a WITH query is written out."""


@dataclass(frozen=True)
class Derived:
    """A compiled sub-query with all its output columns, before unused ones are dropped."""

    select: Select
    has_person: bool


@dataclass
class Visible:
    """One source of a selection: its columns by lower-case name, and which of them were used."""

    id: int
    alias: str
    origin: tuple[str, Table] | Derived
    columns: dict[str, Expr]
    personal: bool
    optional: bool = False
    used: dict[str, Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Cte:
    """A WITH query and the ones it may use; compiled anew at each use."""

    node: exp.Expr
    known: "Mapping[str, Cte]"


@dataclass
class World:
    """What one compilation shares: the dictionary, the numbers already given, and how sub-queries are compiled.

    `derive` compiles a sub-query of FROM, `subqueries` gives the rule for those in conditions: they are handed in,
    because a sub-query is a selection again.
    """

    dictionary: Mapping[str, DatasetSchema]
    derive: "Callable[[exp.Expr, World, Mapping[str, Cte]], Derived]"
    subqueries: Callable[[Mapping[str, Cte]], Callable[..., Expr]]
    ids: Iterator[int] = field(default_factory=count)
    selections: int = 0

    def enter(self, node: exp.Expr) -> None:
        """Count a selection, so that WITH queries that use each other twice cannot grow without end."""
        self.selections += 1
        if self.selections > MAX_SELECTS:
            raise refuse(node, f"The query has more than {MAX_SELECTS} selections.", "Ask in several queries.")

    def find_table(self, node: exp.Table) -> tuple[str, Table]:
        """Dataset and table that a name in FROM means."""
        wanted, dataset = node.name.lower(), node.db.lower()
        found = [
            (schema.dataset, table)
            for schema in self.dictionary.values()
            if not dataset or schema.dataset.lower() == dataset
            for table in schema
            if table.name.lower() == wanted
        ]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f'"{d}".{t.name}' for d, t in sorted(found, key=lambda f: f[0]))
            raise refuse(node, f"Table {node.name!r} is in several datasets.", f"Write one of {names}.")
        raise refuse(node, f"There is no table {node.name!r} within your reach.", self._advice(wanted))

    def _advice(self, wanted: str) -> str:
        names = sorted({t.name for schema in self.dictionary.values() for t in schema})
        return _suggest(wanted, names, "Tables")


PERSON_NAMES = frozenset({"person_id", "patient_id", "subject_id", "personid", "patientid"})
"""What other schemas call the person."""


def _suggest(wanted: str, names: list[str], what: str) -> str:
    if wanted in PERSON_NAMES:
        return "The person is called person here: COUNT(DISTINCT person), ON a.person = b.person."
    close = get_close_matches(wanted, names, n=1)
    return f"Did you mean {close[0]}?" if close else f"{what}: {', '.join(names[:30])}."


@dataclass
class Scope:
    """The names visible in one selection; `parent` is the selection around an EXISTS."""

    world: World
    parent: "Scope | None" = None
    sources: list[Visible] = field(default_factory=list)
    outer_refs: list[Expr] = field(default_factory=list)

    def add(self, visible: Visible, node: exp.Expr) -> Visible:
        if any(v.alias == visible.alias for v in self.sources):
            raise refuse(
                node, f"Two tables in FROM are called {visible.alias!r}.", "Give each one an alias: FROM t AS a."
            )
        self.sources.append(visible)
        return visible

    def source(self, node: exp.Column) -> "tuple[Scope, Visible] | None":
        """Scope and source that the qualifier of a column means; None without a qualifier."""
        alias = node.table.lower()
        if not alias:
            return None
        scope: Scope | None = self
        while scope is not None:
            for visible in scope.sources:
                if visible.alias == alias:
                    return scope, visible
            scope = scope.parent
        names = [v.alias for v in self.sources]
        raise refuse(node, f"There is no table or alias {node.table!r} in FROM.", _suggest(alias, names, "In FROM"))

    def person(self, node: exp.Column) -> "tuple[Scope, Visible]":
        """Scope and source whose person is meant; without a qualifier the first personal source of this selection."""
        found = self.source(node)
        if found is None:
            found = next(((self, v) for v in self.sources if v.personal), None)
        if found is None or not found[1].personal:
            raise refuse(node, "This table has no person.", "Only tables about persons have the column person.")
        return found

    def column(self, node: exp.Column) -> Expr:
        """The typed column that a name means."""
        name = node.name.lower()
        if (found := self.source(node)) is not None:
            scope, visible = found
            if name not in visible.columns:
                advice = _suggest(name, sorted(visible.columns), "Columns")
                raise refuse(node, f"Table {node.table!r} has no column {node.name!r} within your reach.", advice)
            return self._use(scope, visible, name)
        return self._unqualified(node, name)

    def _unqualified(self, node: exp.Column, name: str) -> Expr:
        scope: Scope | None = self
        while scope is not None:
            owners = [v for v in scope.sources if name in v.columns]
            if len(owners) > 1:
                choice = " or ".join(f"{v.alias}.{node.name}" for v in owners)
                raise refuse(node, f"Column {node.name!r} is in several tables.", f"Write {choice}.")
            if owners:
                return self._use(scope, owners[0], name)
            scope = scope.parent
        names = sorted({c for v in self.sources for c in v.columns})
        raise refuse(node, f"There is no column {node.name!r} within your reach.", _suggest(name, names, "Columns"))

    def has(self, name: str) -> bool:
        return any(name.lower() in v.columns for v in self.sources)

    def _use(self, scope: "Scope", visible: Visible, name: str) -> Expr:
        expr = visible.columns[name]
        visible.used[name] = expr
        passed: Scope | None = self
        while passed is not None and passed is not scope:
            passed.outer_refs.append(expr)
            passed = passed.parent
        return expr


def is_person(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == PERSON


def table_columns(source: int, table: Table) -> dict[str, Expr]:
    """The columns of a stored table as expressions."""
    constant = table.kind is TableKind.PERSONS
    public = table.kind is TableKind.LOOKUP
    return {c.name.lower(): _stored(source, c, not public and (c.person_level or constant)) for c in table.columns}


def derived_columns(source: int, select: Select) -> dict[str, Expr]:
    """The output columns of a sub-query as expressions of the enclosing one; one row a person is one value a person."""
    return {
        name: Expr(
            "column",
            e.type,
            value=(source, name),
            facts=replace(e.facts, person_level=e.facts.person_level or select.unique),
        )
        for name, e in select.columns
    }


def made_optional(columns: dict[str, Expr], keep_level: bool) -> dict[str, Expr]:
    """Columns of a left-joined source: NULL where nothing matched."""
    return {
        name: replace(e, facts=replace(e.facts, nullable=True, person_level=e.facts.person_level and keep_level))
        for name, e in columns.items()
    }


def _stored(source: int, column: Column, person_level: bool) -> Expr:
    low, high = (None, None) if column.bounds is None else (_limit(column.bounds.low), _limit(column.bounds.high))
    facts = Facts(
        low=low,
        high=high,
        step=_step(column),
        nullable=not column.required,
        person_level=person_level,
        domain=None if column.values is None else tuple(v.code for v in column.values),
        native=column.type is ColumnType.INTEGER,
    )
    return Expr("column", column.type, value=(source, column.name), facts=facts)


def _step(column: Column) -> Fraction | None:
    return Fraction(column.step) if column.type.is_number else None


def _limit(value: object) -> Limit:
    return value if not hasattr(value, "as_tuple") else Fraction(value)  # type: ignore[return-value,call-overload]
