"""The aggregates of the outermost SELECT list: what is measured with noise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor

from sqlglot import exp

from catalog.schema import Bounds
from dataspace.domain.analyses import AnalysisKind
from dataspace.domain.queries import AggregateKind
from dataspace.sql import build, facts
from dataspace.sql.build import need_number
from dataspace.sql.facts import DEFAULT_STEP, MAX_STEPS
from dataspace.sql.refusals import name_of, refuse
from dataspace.sql.scalars import Binder
from dataspace.sql.scope import is_person
from dataspace.sql.tree import Expr

Node = exp.Expr
_NAMED = ("proportion", "rate")
_ANALYSES = tuple(kind.value for kind in AnalysisKind)
HINTS = {
    exp.Min: "One person's value would be released; use QUANTILE(x, 0.01).",
    exp.Max: "One person's value would be released; use QUANTILE(x, 0.99).",
    exp.First: "Compute it in a sub-query grouped by person.",
    exp.Last: "Compute it in a sub-query grouped by person.",
    exp.ArgMin: "Compute it in a sub-query grouped by person.",
    exp.ArgMax: "Compute it in a sub-query grouped by person.",
    exp.LogicalOr: "Use COUNT(DISTINCT person) FILTER (WHERE …).",
    exp.LogicalAnd: "Use PROPORTION(condition).",
}


@dataclass(frozen=True)
class Operand:
    """A value column with the bounds it is clamped to and the step it is kept at."""

    expr: Expr
    bounds: Bounds
    step: Decimal


@dataclass(frozen=True)
class Measure:
    """An aggregate before its value columns have numbers; `counted` is a value of which only NULL or not matters."""

    kind: AggregateKind
    value: Operand | None = None
    counted: Expr | None = None
    quantile: Decimal | None = None
    denominator: Operand | None = None


def is_measure(node: Node) -> bool:
    """True if the expression aggregates."""
    return any(_aggregates(n) for n in node.walk(prune=lambda n: isinstance(n, exp.Subquery | exp.Select)))


def _aggregates(node: Node) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in (*_NAMED, *_ANALYSES)
    return isinstance(node, exp.AggFunc | exp.Filter | exp.WithinGroup)


def measure(b: Binder, node: Node) -> Measure:
    """The aggregate that a SELECT item asks for."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Filter):
        return _filtered(measure(b, node.this), b.condition(node.expression.this), node)
    if isinstance(node, exp.Anonymous):
        return _named(b, node)
    if isinstance(node, exp.Div):
        return _ratio(b, node)
    rule = _RULES.get(type(node))
    if rule is None:
        raise _unknown(node)
    return rule(b, node)


def _unknown(node: Node) -> Exception:
    if isinstance(node, exp.AggFunc):
        hint = HINTS.get(type(node), "Use COUNT, SUM, AVG, VARIANCE, STDDEV, MEDIAN, QUANTILE, PROPORTION or RATE.")
        return refuse(node, f"{name_of(node)} is not an aggregate that can be released.", hint)
    return refuse(
        node,
        "An item of the SELECT list computes with aggregates.",
        "Select the aggregates alone and compute with the released numbers; for a ratio write RATE(a, b).",
    )


def operand(x: Expr, node: Node) -> Operand:
    """Bounds and step of a value, from CLAMP or by interval arithmetic."""
    need_number(x, node)
    low, high = facts.ends(x)
    if low is None or high is None:
        raise refuse(
            node,
            "The data dictionary gives no bounds for this value, so one person's weight in it has no limit.",
            "State them: CLAMP(x, lo, hi).",
        )
    if max(abs(low), abs(high)) > 10**15:
        raise refuse(node, "The bounds of this value are too wide.", "State narrower ones: CLAMP(x, lo, hi).")
    stated = x.op == "clamp"
    if low == high:
        low, high = min(low, Fraction(0)), max(high, Fraction(0)) or Fraction(1)
    step = _step(x.facts.step, low, high)
    low, high = floor(low / step) * step, ceil(high / step) * step
    return Operand(x.args[0] if stated else x, Bounds(_decimal(low), _decimal(high)), _decimal(step))


def _step(step: Fraction | None, low: Fraction, high: Fraction) -> Fraction:
    """The value's own step, fine enough for the bounds; for divisions 0.01 or a thousandth of the range."""
    if step is None or not _is_decimal(step):
        step = DEFAULT_STEP
        while step > (high - low) / 1000:
            step /= 10
    finer = facts.common_step((step, *(abs(x) for x in (low, high) if x)))
    if finer is not None and _is_decimal(finer) and (high - low) / finer <= MAX_STEPS:
        step = finer
    while (high - low) / step > MAX_STEPS:
        step *= 10
    return step


def _is_decimal(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _decimal(value: Fraction) -> Decimal:
    """Exact where it has a finite expansion, which steps and their multiples have."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(exact) != value:
        rounding = ROUND_FLOOR if value < 0 else ROUND_CEILING
        exact = exact.quantize(Decimal("1e-12"), rounding=rounding)
    return exact.normalize() + Decimal(0) if exact else Decimal(0)


def _filtered(found: Measure, condition: Expr, node: Node) -> Measure:
    if found.kind is AggregateKind.RATE or (found.value is None and found.counted is None):
        return _counted_if(found, condition, node)
    if found.counted is not None:
        return replace(found, counted=_where(found.counted, condition, node))
    assert found.value is not None  # noqa: S101
    return replace(found, value=replace(found.value, expr=_where(found.value.expr, condition, node)))


def _counted_if(found: Measure, condition: Expr, node: Node) -> Measure:
    if found.value is None or found.denominator is None:
        return replace(found, counted=build.case([(condition, build.literal(1))], build.NULL, node))
    value = replace(found.value, expr=_where(found.value.expr, condition, node))
    denominator = replace(found.denominator, expr=_where(found.denominator.expr, condition, node))
    return replace(found, value=value, denominator=denominator)


def _where(x: Expr, condition: Expr, node: Node) -> Expr:
    return build.case([(condition, x)], build.NULL, node)


def _count(b: Binder, node: exp.Count) -> Measure:
    what = node.this
    if isinstance(what, exp.Star):
        return Measure(AggregateKind.ROWS)
    if isinstance(what, exp.Distinct):
        if len(what.expressions) != 1 or not is_person(what.expressions[0]):
            raise refuse(
                node,
                "Different values cannot be counted privately.",
                "Use COUNT(DISTINCT person) (the person has this name in every table), or GROUP BY the value.",
            )
        return _persons(b, what.expressions[0])
    if is_person(what):
        raise refuse(node, "COUNT(person) counts rows.", "Write COUNT(DISTINCT person) for persons, COUNT(*) for rows.")
    x = b.bind(what)
    if x.is_literal and x.type is not None:
        return Measure(AggregateKind.ROWS)
    present = build.case([(build.negate(build.is_null(x)), build.literal(1))], build.NULL, node)
    return Measure(AggregateKind.ROWS, counted=x if x.is_number else present)


def _persons(b: Binder, node: exp.Column) -> Measure:
    scope, visible = b.scope.person(node)
    if scope is not b.scope:
        raise refuse(node, "This person is of another selection.", "Count the persons of this one.")
    if not visible.optional:
        return Measure(AggregateKind.PERSONS)
    there = build.negate(Expr("unmatched", build.BOOLEAN, value=visible.id, facts=build.literal(True).facts))
    return Measure(AggregateKind.PERSONS, counted=build.case([(there, build.literal(1))], build.NULL, node))


def _count_if(b: Binder, node: exp.CountIf) -> Measure:
    hit = build.case([(b.condition(node.this), build.literal(1))], build.NULL, node)
    return Measure(AggregateKind.ROWS, counted=hit)


def _simple(kind: AggregateKind) -> Callable[[Binder, Node], Measure]:
    def rule(b: Binder, node: Node) -> Measure:
        if isinstance(node.this, exp.Distinct):
            raise refuse(node, "DISTINCT is only for COUNT(DISTINCT person).", "Drop it, or group by person first.")
        if is_person(node.this):
            raise refuse(node, "The person key is never computed with.", "Use COUNT(DISTINCT person).")
        return Measure(kind, operand(b.bind(node.this), node))

    return rule


def _median(b: Binder, node: exp.Median) -> Measure:
    return Measure(AggregateKind.QUANTILE, operand(b.bind(node.this), node), quantile=Decimal("0.5"))


def _quantile(b: Binder, node: Node) -> Measure:
    share = _share(b, node.args.get("quantile") or node.args.get("expression"), node)
    return Measure(AggregateKind.QUANTILE, operand(b.bind(node.this), node), quantile=share)


def _within(b: Binder, node: exp.WithinGroup) -> Measure:
    call, order = node.this, node.expression
    if not isinstance(call, exp.PercentileCont) or not isinstance(order, exp.Order) or len(order.expressions) != 1:
        raise refuse(node, "This ordered aggregate is not part of the query language.", "Use QUANTILE(x, 0.5).")
    share = _share(b, call.this, node)
    if order.expressions[0].args.get("desc"):
        share = 1 - share
    return Measure(AggregateKind.QUANTILE, operand(b.bind(order.expressions[0].this), node), quantile=share)


def _share(b: Binder, node: Node | None, place: Node) -> Decimal:
    found = None if node is None else b.bind(node)
    if found is None or not found.is_literal or not found.is_number or not 0 < build.number_value(found) < 1:
        raise refuse(place, "The quantile is not a constant between 0 and 1.", "Write QUANTILE(x, 0.25).")
    return Decimal(str(found.value)).normalize()


def _named(b: Binder, node: exp.Anonymous) -> Measure:
    name, args = str(node.this).lower(), list(node.expressions)
    if name == "proportion" and len(args) == 1:
        return Measure(AggregateKind.PROPORTION, indicator(b.condition(args[0]), node))
    if name == "rate" and len(args) == 2:
        return Measure(
            AggregateKind.RATE,
            value=operand(b.bind(args[0]), args[0]),
            denominator=operand(b.bind(args[1]), args[1]),
        )
    if name in _NAMED:
        raise refuse(
            node,
            f"{name.upper()} has another number of arguments.",
            "Write PROPORTION(condition) or RATE(events, time).",
        )
    raise refuse(
        node, f"{name_of(node)} is not an aggregate that can be released.", "Use COUNT, SUM, AVG, MEDIAN or RATE."
    )


def indicator(condition: Expr, node: Node) -> Operand:
    """A condition as 1, 0 or NULL."""
    whens = [(condition, build.literal(1)), (build.negate(condition), build.literal(0))]
    return Operand(build.case(whens, build.NULL, node), Bounds(Decimal(0), Decimal(1)), Decimal(1))


def _ratio(b: Binder, node: exp.Div) -> Measure:
    """SUM(a) / SUM(b) and COUNT(*) / SUM(b) are rates."""
    top, bottom = _total(b, node.this), _total(b, node.expression)
    if top is None or bottom is None:
        raise _unknown(node)
    return Measure(AggregateKind.RATE, value=top, denominator=bottom)


def _total(b: Binder, node: Node) -> Operand | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Sum) and not isinstance(node.this, exp.Distinct):
        return operand(b.bind(node.this), node)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return operand(build.literal(1), node)
    return None


_RULES: dict[type[Node], Callable[..., Measure]] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _simple(AggregateKind.SUM),
    exp.Avg: _simple(AggregateKind.MEAN),
    exp.Variance: _simple(AggregateKind.VARIANCE),
    exp.Stddev: _simple(AggregateKind.STDDEV),
    exp.StddevSamp: _simple(AggregateKind.STDDEV),
    exp.Median: _median,
    exp.Quantile: _quantile,
    exp.PercentileCont: _quantile,
    exp.WithinGroup: _within,
}
