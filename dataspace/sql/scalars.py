"""Scalar expressions: parsed node -> typed `Expr`. What has no rule here is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from dataspace.sql import build, casts, dates, functions
from dataspace.sql.build import BOOLEAN, need_condition, need_number, need_text
from dataspace.sql.facts import combine
from dataspace.sql.hints import NODE_HINTS
from dataspace.sql.refusals import name_of, refuse
from dataspace.sql.scope import Scope, is_person
from dataspace.sql.tree import Expr

MAX_WILDCARDS = 8


@dataclass(frozen=True)
class Binder:
    """Compiles the expressions of one clause.

    `aggregate`, `window` and `subquery` are the rules for these constructs where the clause may hold them, else None;
    `aliases` are names of the SELECT list that the clause may use.
    """

    scope: Scope
    aggregate: Callable[[Binder, exp.Expr], Expr | None] | None = None
    window: Callable[[Binder, exp.Window], Expr] | None = None
    subquery: Callable[[Binder, exp.Expr], Expr] | None = None
    aliases: Mapping[str, exp.Expr] = field(default_factory=dict)

    def plain(self) -> Binder:
        """The binder for the inside of an aggregate or window: columns and functions only."""
        return replace(self, aggregate=None, window=None, subquery=None)

    def bind(self, node: exp.Expr) -> Expr:
        """The typed expression of a node; InvalidQuery if it is outside of the language."""
        if self.aggregate is not None and (found := self.aggregate(self, node)) is not None:
            return found
        rule = RULES.get(type(node))
        if rule is not None:
            return rule(self, node)
        if type(node) in functions.ARGUMENTS or isinstance(node, exp.Anonymous):
            return functions.call(self.bind, node)
        raise self._misplaced(node)

    def condition(self, node: exp.Expr) -> Expr:
        return need_condition(self.bind(node), node)

    def _misplaced(self, node: exp.Expr) -> Exception:
        if isinstance(node, exp.AggFunc | exp.Filter | exp.WithinGroup):
            return refuse(
                node,
                f"The aggregate {name_of(node)} cannot stand here.",
                "Compute it in a sub-query grouped by person, or in the SELECT list.",
            )
        return refuse(node, f"{name_of(node)} cannot stand here.", NODE_HINTS.get(type(node)))


def _column(b: Binder, node: exp.Column) -> Expr:
    if is_person(node):
        raise refuse(
            node,
            "The person key is never shown or computed with.",
            "It may stand in COUNT(DISTINCT person), ON a.person = b.person, GROUP BY person of a sub-query, "
            "PARTITION BY person and person IN (SELECT person FROM …).",
        )
    name = node.name.lower()
    if not node.table and name in b.aliases and not b.scope.has(name):
        return replace(b, aliases={}).bind(b.aliases[name])
    return b.scope.column(node)


def _literal(_: Binder, node: exp.Literal) -> Expr:
    if node.is_string:
        return build.literal(str(node.this))
    try:
        value = Decimal(str(node.this))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > 300 or len(value.as_tuple().digits) > 40:
        raise refuse(node, "This number cannot be used.", "Write a number between -1e300 and 1e300.")
    return build.literal(value)


def _chain(kind: type[exp.Expr], join: Callable[[list[Expr]], Expr]) -> Callable[[Binder, exp.Expr], Expr]:
    def rule(b: Binder, node: exp.Expr) -> Expr:
        return join([b.condition(part) for part in operands(node, kind)])

    return rule


def operands(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """The parts of `a AND b AND c`, without recursion and without parentheses around parts."""
    stack, parts = [node], list[exp.Expr]()
    while stack:
        top = stack.pop()
        while isinstance(top, exp.Paren):
            top = top.this
        if isinstance(top, kind):
            stack += [top.args["expression"], top.this]
        else:
            parts.append(top)
    return parts


def _compare(op: str) -> Callable[[Binder, exp.Expr], Expr]:
    def rule(b: Binder, node: exp.Expr) -> Expr:
        left, right = node.this, node.args["expression"]
        if is_person(left) or is_person(right):
            raise refuse(
                node,
                "Persons are compared only where two tables are joined.",
                "Write FROM a JOIN b ON a.person = b.person, as a condition of its own joined by AND.",
            )
        return build.compare(op, b.bind(left), b.bind(right), node)

    return rule


def _between(b: Binder, node: exp.Between) -> Expr:
    middle, low, high = (b.bind(node.args[k]) for k in ("this", "low", "high"))
    return build.all_of([build.compare("le", low, middle, node), build.compare("le", middle, high, node)])


def _in(b: Binder, node: exp.In) -> Expr:
    if node.args.get("query") is not None:
        return _subquery(b, node)
    value = b.bind(node.this)
    options = [b.bind(e) for e in node.expressions]
    if any(not o.is_literal or o.type is None for o in options):
        raise refuse(
            node, "A list after IN holds constants only.", "Write x = a OR x = b for columns, IS NULL for NULL."
        )
    unified, _ = build.alike([value, *options], node)
    return build.one_of(unified[0], unified[1:])


def _subquery(b: Binder, node: exp.Expr) -> Expr:
    if b.subquery is None:
        raise refuse(
            node,
            "A sub-query cannot stand here.",
            "Join a sub-query grouped by person, or move the condition to WHERE.",
        )
    return b.subquery(b, node)


def _is(b: Binder, node: exp.Is) -> Expr:
    what = node.expression
    if isinstance(what, exp.Null):
        if is_person(node.this):
            return _unmatched(b, node.this)
        return build.is_null(b.bind(node.this))
    if isinstance(what, exp.Boolean):
        value = b.condition(node.this)
        return build.compare("same", value, build.literal(bool(what.this)), node)
    raise refuse(node, "IS compares with NULL, TRUE and FALSE only.", "Write = for other values.")


def _unmatched(b: Binder, node: exp.Column) -> Expr:
    scope, visible = b.scope.person(node)
    if not visible.optional or scope is not b.scope:
        raise refuse(node, "The person of this table is never NULL.", "Drop the condition.")
    known = combine((), nullable=False, person_level=False, domain=(False, True))
    return Expr("unmatched", BOOLEAN, value=visible.id, facts=known)


def _like(b: Binder, node: exp.Expr) -> Expr:
    value, pattern = need_text(b.bind(node.this), node), b.bind(node.args["expression"])
    if not pattern.is_literal or not isinstance(pattern.value, str):
        raise refuse(node, "The pattern of LIKE is a constant text.", "Write x LIKE 'E11%'.")
    if sum(pattern.value.count(c) for c in "%_") > MAX_WILDCARDS:
        raise refuse(node, f"A pattern has at most {MAX_WILDCARDS} wildcards.", "Use IN or several conditions.")
    op = "ilike" if isinstance(node, exp.ILike) else "like"
    return Expr(op, BOOLEAN, (value, pattern), facts=combine((value,), domain=(False, True)))


def _case(b: Binder, node: exp.Case) -> Expr:
    subject = None if node.args.get("this") is None else b.bind(node.args["this"])
    whens = []
    for branch in node.args["ifs"]:
        if subject is None:
            condition = b.condition(branch.this)
        else:
            condition = build.compare("eq", subject, b.bind(branch.this), branch)
        whens.append((condition, b.bind(branch.args["true"])))
    default = node.args.get("default")
    return build.case(whens, build.NULL if default is None else b.bind(default), node)


def _if(b: Binder, node: exp.If) -> Expr:
    default = node.args.get("false")
    whens = [(b.condition(node.this), b.bind(node.args["true"]))]
    return build.case(whens, build.NULL if default is None else b.bind(default), node)


def _arithmetic(op: str) -> Callable[[Binder, exp.Expr], Expr]:
    def rule(b: Binder, node: exp.Expr) -> Expr:
        left, right = node.this, node.args["expression"]
        if op in ("add", "sub") and isinstance(right, exp.Interval):
            return dates.plus_interval(b.bind(left), right, node, -1 if op == "sub" else 1)
        if op == "add" and isinstance(left, exp.Interval):
            return dates.plus_interval(b.bind(right), left, node, 1)
        a, c = b.bind(left), b.bind(right)
        if op in ("add", "sub") and (a.type in build.MOMENTS or c.type in build.MOMENTS):
            return dates.moved(op, a, c, node)
        return build.arithmetic(op, need_number(a, node), need_number(c, node))

    return rule


def _int_div(b: Binder, node: exp.IntDiv) -> Expr:
    a, c = need_number(b.bind(node.this), node), need_number(b.bind(node.expression), node)
    return functions.rounded("trunc", build.arithmetic("div", a, c))


def _mod(b: Binder, node: exp.Mod) -> Expr:
    return functions.modulo(need_number(b.bind(node.this), node), need_number(b.bind(node.expression), node))


def _pipe(b: Binder, node: exp.DPipe) -> Expr:
    return functions.joined([b.bind(node.this), b.bind(node.expression)], node)


RULES: dict[type[exp.Expr], Callable[..., Expr]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda _, node: build.literal(bool(node.this)),
    exp.Null: lambda *_: build.NULL,
    exp.Paren: lambda b, node: b.bind(node.this),
    exp.And: _chain(exp.And, build.all_of),
    exp.Or: _chain(exp.Or, build.any_of),
    exp.Not: lambda b, node: build.negate(b.condition(node.this)),
    exp.EQ: _compare("eq"),
    exp.NEQ: _compare("ne"),
    exp.LT: _compare("lt"),
    exp.LTE: _compare("le"),
    exp.GT: _compare("gt"),
    exp.GTE: _compare("ge"),
    exp.NullSafeEQ: _compare("same"),
    exp.NullSafeNEQ: _compare("differs"),
    exp.Between: _between,
    exp.In: _in,
    exp.Exists: _subquery,
    exp.Subquery: _subquery,
    exp.Is: _is,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Case: _case,
    exp.If: _if,
    exp.Add: _arithmetic("add"),
    exp.Sub: _arithmetic("sub"),
    exp.Mul: _arithmetic("mul"),
    exp.Div: _arithmetic("div"),
    exp.IntDiv: _int_div,
    exp.Mod: _mod,
    exp.Neg: lambda b, node: build.minus(need_number(b.bind(node.this), node)),
    exp.DPipe: _pipe,
    exp.Cast: lambda b, node: casts.cast(b.bind(node.this), node),
    exp.TryCast: lambda b, node: casts.cast(b.bind(node.this), node),
    exp.Window: lambda b, node: _windowed(b, node),
}


def _windowed(b: Binder, node: exp.Window) -> Expr:
    if b.window is None:
        raise refuse(
            node,
            "A window function cannot stand here.",
            "Compute it in a sub-query that keeps rows, then filter or aggregate around it.",
        )
    return b.window(b, node)
