"""FROM and WHERE of a selection while it is compiled, and the frozen selection they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dataspace.sql import build
from dataspace.sql.aggregates import Windowing
from dataspace.sql.scalars import Binder
from dataspace.sql.scope import Cte, Derived, Scope, Visible
from dataspace.sql.tree import DerivedSource, Expr, LeftJoin, Select, Source, TableSource

OUTSIDE = -1
"""Stands for the person of the query around an EXISTS among the persons that joins have made equal."""


@dataclass
class Body:
    """FROM and WHERE of a selection while it is compiled."""

    scope: Scope
    ctes: Mapping[str, Cte]
    inner: list[Visible] = field(default_factory=list)
    left: list[tuple[Visible, list[Expr]]] = field(default_factory=list)
    where: list[Expr] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)

    @property
    def personal(self) -> bool:
        return any(v.personal for v in self.inner)

    def person_of(self, source: int) -> int:
        """Representative of the sources whose persons are equal."""
        while (parent := self.same.get(source, source)) != source:
            source = parent
        return source

    def equate(self, a: int, b: int) -> None:
        self.same[self.person_of(a)] = self.person_of(b)

    def binder(self, *, subqueries: bool = True) -> Binder:
        """Expressions over the sources; conditions may hold sub-queries where `subqueries`."""
        rule = self.scope.world.subqueries(self.ctes) if subqueries else None
        return Binder(self.scope, subquery=rule)


def first_row(condition: Expr) -> bool:
    """True for `row_number() OVER (PARTITION BY person …) = 1`."""
    return condition.op == "eq" and _ONE in condition.args and any(_numbers_rows(a) for a in condition.args)


_ONE = build.literal(1)


def _numbers_rows(expr: Expr) -> bool:
    """True for a row number over all rows of the person."""
    spec = expr.value
    return isinstance(spec, Windowing) and spec.function == "row_number" and spec.partition == 0


def finish(body: Body, **parts: tuple[object, ...]) -> Select:
    """The frozen selection; call it once all expressions over its sources are compiled."""
    inner = tuple(_frozen(v, body) for v in body.inner)
    left = tuple(LeftJoin(_frozen(v, body, on), build.conjuncts(on)) for v, on in body.left)
    sources = (*inner, *(j.source for j in left))
    persons = [v for v in body.inner if v.personal]
    return Select(
        inner=inner,
        left=left,
        where=build.conjuncts(body.where),
        personal=body.personal,
        correlated=bool(persons) and body.person_of(persons[0].id) == body.person_of(OUTSIDE),
        unique=bool(persons) and all(s.personal and s.unique for s in sources),
        **parts,  # type: ignore[arg-type]
    )


def _frozen(visible: Visible, body: Body, on: Sequence[Expr] = ()) -> Source:
    if not isinstance(visible.origin, Derived):
        return TableSource(visible.id, *visible.origin)
    select = visible.origin.select
    used = tuple((n, e) for n, e in select.columns if n in visible.used)
    marks = {Expr("column", e.type, value=(visible.id, n)) for n, e in used if _numbers_rows(e)}
    unique_here = any(_is_one(c, marks) for c in build.conjuncts((*body.where, *on)))
    return DerivedSource(visible.id, replace(select, columns=used), unique_here)


def _is_one(condition: Expr, marks: set[Expr]) -> bool:
    return condition.op == "eq" and _ONE in condition.args and any(a in marks for a in condition.args)
