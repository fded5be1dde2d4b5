"""Sub-queries in conditions: person IN (…), EXISTS tied to the person, and codes IN (SELECT … FROM a lookup table)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from dataspace.sql import build
from dataspace.sql.body import finish
from dataspace.sql.build import BOOLEAN
from dataspace.sql.derived import bind_derived
from dataspace.sql.facts import combine
from dataspace.sql.refusals import refuse
from dataspace.sql.scalars import Binder
from dataspace.sql.scope import Cte, Derived, is_person
from dataspace.sql.selects import bind_body
from dataspace.sql.tree import Expr, Facts

_EXACT = Facts(nullable=False, person_level=True, domain=(False, True))


def condition_subquery(ctes: Mapping[str, Cte]) -> Callable[[Binder, exp.Expr], Expr]:
    """The rule for sub-queries in a condition."""

    def rule(b: Binder, node: exp.Expr) -> Expr:
        if isinstance(node, exp.Exists):
            return _exists(b, node, ctes)
        if isinstance(node, exp.In):
            return _person_in(b, node, ctes) if is_person(node.this) else _value_in(b, node, ctes)
        raise refuse(
            node,
            "A sub-query that gives one value could mix persons.",
            "Join a sub-query grouped by person: JOIN (SELECT person, MIN(d) AS d FROM t GROUP BY person) AS f "
            "USING (person).",
        )

    return rule


def _exists(b: Binder, node: exp.Exists, ctes: Mapping[str, Cte]) -> Expr:
    inner = node.this
    while isinstance(inner, exp.Subquery):
        inner = inner.this
    if not isinstance(inner, exp.Select) or any(
        inner.args.get(k) for k in ("group", "having", "qualify", "order", "limit")
    ):
        raise refuse(
            node,
            "EXISTS holds a plain SELECT … FROM … WHERE.",
            "For counts write person IN (SELECT person FROM t GROUP BY person HAVING COUNT(*) > 1).",
        )
    body = bind_body(inner, b.scope.world, ctes, b.scope)
    select = finish(body)
    if select.personal and not select.correlated:
        raise refuse(
            node, "EXISTS looks at the rows of all persons.", "Tie it to the person: WHERE b.person = a.person AND …."
        )
    level = all(r.facts.person_level for r in body.scope.outer_refs)
    return Expr("exists", BOOLEAN, value=select, facts=replace(_EXACT, person_level=level))


def _person_in(b: Binder, node: exp.In, ctes: Mapping[str, Cte]) -> Expr:
    assert isinstance(node.this, exp.Column)  # noqa: S101
    scope, visible = b.scope.person(node.this)
    if scope is not b.scope or visible.optional:
        raise refuse(node, "This person may be missing or is of another selection.", "Use the first table's person.")
    derived = _select(b, node, ctes)
    if not derived.select.personal or not derived.has_person or derived.select.columns:
        raise refuse(node, "The sub-query must give persons.", "Write person IN (SELECT person FROM t WHERE …).")
    return Expr("person_in", BOOLEAN, value=derived.select, facts=_EXACT)


def _value_in(b: Binder, node: exp.In, ctes: Mapping[str, Cte]) -> Expr:
    derived = _select(b, node, ctes)
    if derived.select.personal:
        raise refuse(
            node,
            "The list would come from the rows of other persons.",
            "Write EXISTS (SELECT 1 FROM t AS b WHERE b.person = a.person AND b.x = a.x), or read a lookup table.",
        )
    if len(derived.select.columns) != 1:
        raise refuse(node, "The sub-query must give one column.", "Write x IN (SELECT code FROM lookup WHERE …).")
    value, (name, inner) = b.bind(node.this), derived.select.columns[0]
    (value, inner), _ = build.alike([value, inner], node)
    select = replace(derived.select, columns=((name, inner),))
    return Expr("value_in", BOOLEAN, (value,), select, combine((value,), nullable=True, domain=(False, True)))


def _select(b: Binder, node: exp.In, ctes: Mapping[str, Cte]) -> Derived:
    query = node.args["query"]
    return bind_derived(query, b.scope.world, ctes)
