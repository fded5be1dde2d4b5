"""Sub-queries in FROM, WITH and IN: rows kept with their person, or grouped by person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from catalog.schema import PERSON
from dataspace.sql import build
from dataspace.sql.aggregates import AGGREGATES, per_person, windowed
from dataspace.sql.body import Body, finish, first_row
from dataspace.sql.refusals import refuse
from dataspace.sql.scalars import Binder, operands
from dataspace.sql.scope import Cte, Derived, World, is_person
from dataspace.sql.selects import bind_body
from dataspace.sql.tree import Expr


def bind_derived(node: exp.Expr, world: World, ctes: Mapping[str, Cte]) -> Derived:
    """A sub-query of FROM or IN, with all its columns."""
    while isinstance(node, exp.Subquery):
        node = node.this
    if not isinstance(node, exp.Select):
        raise refuse(node, "Only a SELECT may stand here.", "Write (SELECT person, … FROM …).")
    for clause, word in (("order", "ORDER BY"), ("limit", "LIMIT")):
        if node.args.get(clause) is not None:
            raise refuse(
                node.args[clause],
                f"{word} inside a sub-query is not part of the query language.",
                "Use row_number() OVER (PARTITION BY person ORDER BY …) and filter on it.",
            )
    body = bind_body(node, world, ctes)
    return _Outputs(body, node).derive()


@dataclass
class _Outputs:
    """SELECT list, GROUP BY, HAVING and QUALIFY of a sub-query."""

    body: Body
    node: exp.Select

    def derive(self) -> Derived:
        items = self._items()
        grouped = self.node.args.get("group") is not None or self.node.args.get("distinct") is not None
        has_aggregate = any(_aggregated(e) for _, e in items) or self.node.args.get("having") is not None
        if has_aggregate and self.node.args.get("group") is None:
            raise refuse(
                self.node,
                "The sub-query aggregates over several persons.",
                "Add GROUP BY person, so that it has one row per person.",
            )
        return self._grouped(items) if grouped else self._rows(items)

    def _items(self) -> list[tuple[str, exp.Expr]]:
        items: list[tuple[str, exp.Expr]] = []
        for item in self.node.expressions:
            if isinstance(item, exp.Star) or (
                isinstance(getattr(item, "this", None), exp.Star) and isinstance(item, exp.Column)
            ):
                raise refuse(item, "SELECT * is not part of the query language.", "Name the columns.")
            inner = item.this if isinstance(item, exp.Alias) else item
            name = item.alias if isinstance(item, exp.Alias) else inner.name if isinstance(inner, exp.Column) else ""
            self._check_name(name, inner, item)
            items.append((name.lower() or f"column {len(items)}", inner))
        names = [n for n, _ in items]
        if len(set(names)) < len(names):
            raise refuse(self.node, "Two columns of the sub-query have the same name.", "Name them apart with AS.")
        return items

    @staticmethod
    def _check_name(name: str, inner: exp.Expr, item: exp.Expr) -> None:
        if is_person(inner) != (name.lower() == PERSON):
            raise refuse(item, "The person keeps its name, and nothing else is called person.", "Drop the alias.")

    def _person(self, node: exp.Expr) -> bool:
        """True for the person of this selection; refuses one that may be missing."""
        if not is_person(node):
            return False
        assert isinstance(node, exp.Column)  # noqa: S101
        scope, visible = self.body.scope.person(node)
        if scope is not self.body.scope or visible.optional:
            raise refuse(node, "This person may be missing.", "Use the person of the first table.")
        return True

    def _rows(self, items: list[tuple[str, exp.Expr]]) -> Derived:
        definitions = {w.this.name.lower(): w for w in self.node.args.get("windows") or []}
        binder = self._binder(items)
        if self.body.personal:
            binder = replace(binder, window=windowed(definitions))
        columns = [(n, binder.bind(e)) for n, e in items if not self._person(e)]
        qualify = self.node.args.get("qualify")
        kept = [binder.condition(q) for q in operands(qualify.this, exp.And)] if qualify is not None else []
        unique = any(first_row(q) for q in kept)
        select = finish(self.body, columns=tuple(columns), qualify=build.conjuncts(kept))
        return Derived(replace(select, unique=select.unique or unique), any(is_person(e) for _, e in items))

    def _binder(self, items: list[tuple[str, exp.Expr]]) -> Binder:
        aliases = {n: e for n, e in items if not is_person(e)}
        return replace(self.body.binder(), aliases=aliases)

    def _grouped(self, items: list[tuple[str, exp.Expr]]) -> Derived:
        keys, by_person = self._keys(items)
        if self.body.personal and not by_person:
            raise refuse(
                self.node.args.get("group") or self.node,
                "The sub-query groups rows of several persons together.",
                "Add person to GROUP BY and to the SELECT list.",
            )
        binder = replace(self._binder(items), aggregate=per_person if self.body.personal else None, subquery=None)
        having = self.node.args.get("having")
        kept = [binder.condition(h) for h in operands(having.this, exp.And)] if having is not None else []
        columns = [(n, binder.bind(e)) for n, e in items if not self._person(e)]
        for expr in (*(e for _, e in columns), *kept):
            _check_grouped(expr, keys, self.node)
        select = finish(self.body, columns=tuple(columns), having=build.conjuncts(kept))
        select = replace(select, grouped=True, keys=tuple(keys), unique=self.body.personal and not keys)
        return Derived(select, any(is_person(e) for _, e in items))

    def _keys(self, items: list[tuple[str, exp.Expr]]) -> tuple[list[Expr], bool]:
        group = self.node.args.get("group")
        if group is None or group.args.get("all"):
            nodes = [e for _, e in items if not _aggregated(e)]
        else:
            nodes = [group_item(g, [e for _, e in items]) for g in group.expressions]
        binder = replace(self._binder(items), subquery=None)
        keys = [binder.bind(n) for n in nodes if not self._person(n)]
        return list(dict.fromkeys(k for k in keys if not k.is_literal)), any(is_person(n) for n in nodes)


def _aggregated(node: exp.Expr) -> bool:
    """True if the expression holds an aggregate that is not a window function."""
    return any(isinstance(n, AGGREGATES) and not _in_window(n) for n in node.walk())


def _in_window(node: exp.Expr) -> bool:
    parent = node.parent
    return isinstance(parent, exp.Window) and parent.this is node


def group_item(node: exp.Expr, items: list[exp.Expr]) -> exp.Expr:
    """What a GROUP BY or ORDER BY item means: a position is the item of the SELECT list there."""
    if not isinstance(node, exp.Literal):
        return node
    position = str(node.this)
    if node.is_string or not position.isdigit() or not 1 <= int(position[:6]) <= len(items):
        raise refuse(
            node, "This constant is not a position in the SELECT list.", f"Use 1 to {len(items)}, or a column."
        )
    return items[int(position) - 1]


def _check_grouped(expr: Expr, keys: list[Expr], node: exp.Expr) -> None:
    if expr in keys or expr.op == "aggregate":
        return
    if expr.op in ("column", "unmatched"):
        raise refuse(
            node, "A column of the SELECT list is neither grouped nor aggregated.", "Add it to GROUP BY or take MAX(x)."
        )
    for arg in expr.args:
        _check_grouped(arg, keys, node)
