"""Joins: how rows of several tables meet, and the proof that they are always of one person."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from catalog.schema import PERSON
from dataspace.sql import build
from dataspace.sql.body import OUTSIDE, Body
from dataspace.sql.refusals import refuse
from dataspace.sql.scalars import operands
from dataspace.sql.scope import PERSON_NAMES, Visible, is_person, made_optional
from dataspace.sql.tree import Expr


def add_join(body: Body, join: exp.Join, visible: Visible) -> None:
    """One more source, checked to be of the same person as the others or a lookup table."""
    side, kind = str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper()
    if side in ("RIGHT", "FULL"):
        raise refuse(
            join, f"{side} JOIN is not part of the query language.", "Put the table to keep first: a LEFT JOIN b."
        )
    if kind in ("SEMI", "ANTI"):
        raise refuse(
            join, f"{kind} JOIN is not part of the query language.", "Write person [NOT] IN (SELECT person FROM …)."
        )
    if kind not in ("", "INNER", "CROSS", "OUTER"):
        raise refuse(join, f"{kind} JOIN is not part of the query language.", "Use JOIN or LEFT JOIN.")
    conditions = _using(body, join, visible)
    on = join.args.get("on")
    parts = operands(on, exp.And) if on is not None else []
    if side == "LEFT":
        _left(body, join, visible, parts, conditions)
        return
    body.inner.append(visible)
    body.where += conditions
    for part in parts:
        add_conjunct(body, part)
    _check_join(body, join, visible, explicit=on is not None or bool(join.args.get("using")))


def _check_join(body: Body, join: exp.Join, visible: Visible, *, explicit: bool) -> None:
    """A join with a condition must equate persons there; `FROM a, b WHERE …` is checked when WHERE is known."""
    others = [v for v in body.inner if v.personal and v is not visible]
    if (
        visible.personal
        and explicit
        and others
        and not any(body.person_of(v.id) == body.person_of(visible.id) for v in others)
    ):
        raise _unlinked(join, visible)


def _unlinked(node: exp.Expr, visible: Visible) -> Exception:
    return refuse(
        node,
        f"The join with {visible.alias!r} mixes rows of different persons.",
        "Write ON a.person = b.person (AND …), or USING (person).",
    )


def _using(body: Body, join: exp.Join, visible: Visible) -> list[Expr]:
    found: list[Expr] = []
    for name in join.args.get("using") or []:
        if name.name.lower() == PERSON:
            if not visible.personal:
                raise refuse(join, f"The table {visible.alias!r} has no person.", "Join it on its codes.")
            root = _first_person(body, join, visible)
            body.equate(visible.id, root.id)
            continue
        found.append(_same_name(body, name.name, visible, join))
    return found


def _first_person(body: Body, node: exp.Expr, visible: Visible) -> Visible:
    found = next((v for v in body.inner if v.personal and v is not visible), None)
    if found is None:
        raise refuse(node, "The first table has no person.", "Put a table about persons first.")
    return found


def _same_name(body: Body, name: str, visible: Visible, node: exp.Expr) -> Expr:
    owners = [v for v in body.scope.sources if name.lower() in v.columns]
    if visible not in owners or len(owners) < 2:
        advice = (
            "The person is called person here: USING (person)."
            if name.lower() in PERSON_NAMES
            else "Write ON a.x = b.y."
        )
        raise refuse(node, f"Column {name!r} is not in both tables.", advice)
    sides = [body.scope.column(exp.column(name, table=v.alias)) for v in (owners[0], visible)]
    return build.compare("eq", sides[0], sides[1], node)


def _left(body: Body, join: exp.Join, visible: Visible, parts: list[exp.Expr], conditions: list[Expr]) -> None:
    binder = body.binder(subqueries=False)
    linked = visible.personal and body.person_of(visible.id) != visible.id
    for part in parts:
        pair = _persons(part)
        if pair is None:
            conditions.append(binder.condition(part))
        else:
            linked = _link_left(body, pair, visible, part) or linked
    if visible.personal and not linked:
        raise _unlinked(join, visible)
    if not any(v.personal for v in body.inner):
        raise refuse(join, "A lookup table cannot be the left side of this join.", "Put the table about persons first.")
    visible.optional = True
    level = all(c.facts.person_level for c in conditions)
    visible.columns = made_optional(visible.columns, level)
    body.left.append((visible, conditions))


def _link_left(body: Body, pair: tuple[exp.Column, exp.Column], visible: Visible, node: exp.Expr) -> bool:
    found = [body.scope.person(c) for c in pair]
    others = [v for scope, v in found if v is not visible and scope is body.scope]
    if len(others) != 1 or others[0].optional or not visible.personal:
        raise refuse(
            node,
            "This does not tie the joined table to a person that is always there.",
            "Equate its person with that of the first table: LEFT JOIN b ON b.person = a.person.",
        )
    return True


def _persons(node: exp.Expr) -> tuple[exp.Column, exp.Column] | None:
    """Both sides of `a.person = b.person`."""
    if isinstance(node, exp.EQ) and is_person(node.this) and is_person(node.expression):
        return node.this, node.expression
    return None


def add_conjunct(body: Body, node: exp.Expr) -> None:
    """A condition of WHERE or of an inner join; equal persons are kept apart from the others."""
    pair = _persons(node)
    if pair is None:
        body.where.append(body.binder().condition(node))
        return
    (scope_a, a), (scope_b, b) = (body.scope.person(c) for c in pair)
    if scope_a is body.scope and scope_b is body.scope:
        _equate_here(body, a, b, node)
        return
    if scope_b is body.scope:
        scope_a, a, scope_b, b = scope_b, b, scope_a, a
    if scope_a is not body.scope or scope_b is not body.scope.parent or a.optional or b.optional:
        raise refuse(node, "EXISTS is tied to the person of the query right around it.", "Write b.person = a.person.")
    body.equate(a.id, OUTSIDE)


def _equate_here(body: Body, a: Visible, b: Visible, node: exp.Expr) -> None:
    if a.optional and b.optional:
        raise refuse(node, "Both persons may be missing.", "Equate with the person of the first table.")
    if a.optional or b.optional:
        missing = a if a.optional else b
        body.where.append(build.negate(Expr("unmatched", build.BOOLEAN, value=missing.id, facts=_SURE)))
    else:
        body.equate(a.id, b.id)


_SURE = replace(build.literal(True).facts, person_level=False, domain=(False, True))


def check_linked(body: Body, node: exp.Expr) -> None:
    """Refuse a selection whose inner sources are not all of one person."""
    persons = [v for v in body.inner if v.personal]
    if not persons:
        return
    for visible in persons[1:]:
        if body.person_of(visible.id) != body.person_of(persons[0].id):
            raise _unlinked(node, visible)
