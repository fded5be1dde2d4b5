"""One selection: its tables and sub-queries in FROM, joined on the person, and its WHERE."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from catalog.schema import TableKind
from dataspace.sql.body import Body
from dataspace.sql.joins import add_conjunct, add_join, check_linked
from dataspace.sql.refusals import refuse
from dataspace.sql.scalars import operands
from dataspace.sql.scope import Cte, Scope, Visible, World, derived_columns, table_columns

MAX_SOURCES = 12


def bind_body(node: exp.Select, world: World, ctes: Mapping[str, Cte], parent: Scope | None = None) -> Body:
    """FROM, joins and WHERE; refuses any way in which rows of two persons could meet."""
    world.enter(node)
    body = Body(Scope(world, parent), _with(node, ctes))
    if node.args.get("from_") is None:
        raise refuse(node, "The query has no FROM.", "Name the table that holds the records.")
    _add_first(body, node.args["from_"].this)
    for join in node.args.get("joins") or []:
        add_join(body, join, _source(body, join.this))
    if (where := node.args.get("where")) is not None:
        for part in operands(where.this, exp.And):
            add_conjunct(body, part)
    check_linked(body, node)
    return body


def _with(node: exp.Select, ctes: Mapping[str, Cte]) -> Mapping[str, Cte]:
    clause = node.args.get("with_")
    known = dict(ctes)
    for cte in clause.expressions if clause is not None else []:
        known[cte.alias.lower()] = Cte(cte.this, dict(known))
    return known


def _add_first(body: Body, node: exp.Expr) -> None:
    body.inner.append(_source(body, node))


def _source(body: Body, node: exp.Expr) -> Visible:
    world = body.scope.world
    if len(body.scope.sources) >= MAX_SOURCES:
        raise refuse(node, f"A selection reads at most {MAX_SOURCES} tables.", "Ask in several queries.")
    number = next(world.ids)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        alias = (node.alias or node.name).lower()
        cte = None if node.db else body.ctes.get(node.name.lower())
        if cte is None:
            dataset, table = world.find_table(node)
            personal = table.kind is not TableKind.LOOKUP
            found = Visible(number, alias, (dataset, table), table_columns(number, table), personal)
            return body.scope.add(found, node)
        return _derived(body, number, alias, cte.node, cte.known, node)
    if isinstance(node, exp.Subquery):
        alias = node.alias.lower() or f"subquery {number}"
        return _derived(body, number, alias, node.this, body.ctes, node)
    raise refuse(node, "Only tables and sub-queries may stand in FROM.", "Name a table of the data dictionary.")


def _derived(
    body: Body, number: int, alias: str, inner: exp.Expr, known: Mapping[str, Cte], place: exp.Expr
) -> Visible:
    derived = body.scope.world.derive(inner, body.scope.world, known)
    if derived.select.personal and not derived.has_person:
        raise refuse(
            place, "The sub-query loses the person.", "Add person to its SELECT list (and to GROUP BY if it groups)."
        )
    columns = derived_columns(number, derived.select)
    return body.scope.add(Visible(number, alias, derived, columns, derived.select.personal), place)
