"""Aggregates and window functions inside the person-local part: one person's rows at a time.

All are deterministic: sums are exact in whole steps, and wherever the order of rows shows, ties are broken by the rows'
fixed rank within their person (the printer appends it).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlglot import exp

from catalog.schema import ColumnType
from dataspace.sql import build, facts
from dataspace.sql.build import BOOLEAN, DECIMAL, INTEGER, need_condition, need_number
from dataspace.sql.facts import DEFAULT_STEP, combine
from dataspace.sql.refusals import name_of, refuse
from dataspace.sql.scalars import Binder
from dataspace.sql.scope import is_person
from dataspace.sql.tree import Expr, Facts

MAX_OFFSET = 1_000
_FINE = Fraction(1, 10**6)


@dataclass(frozen=True)
class Aggregation:
    """How `Expr.args` of an aggregate read: the operand if any, the order keys, the filter if any.

    `order` holds (descending, NULLs first) per key; `step` the resolution at which a sum is exact.
    """

    function: str
    operand: bool = True
    distinct: bool = False
    filtered: bool = False
    step: Fraction = Fraction(1)
    order: tuple[tuple[bool, bool], ...] = ()


@dataclass(frozen=True)
class Windowing:
    """How `Expr.args` of a window function read: operands, partition keys beside the person, order keys."""

    function: str
    operands: int
    partition: int
    order: tuple[tuple[bool, bool], ...]
    frame: str = ""
    offset: int | None = None
    step: Fraction = Fraction(1)
    ties: bool = False


SIMPLE: dict[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.LogicalOr: "bool_or",
    exp.LogicalAnd: "bool_and",
}
ORDERED = (exp.First, exp.Last, exp.ArgMin, exp.ArgMax)
AGGREGATES = (*SIMPLE, exp.Count, exp.CountIf, *ORDERED)


def per_person(b: Binder, node: exp.Expr) -> Expr | None:
    """Rule for aggregates in a sub-query grouped by person; None for any other node."""
    if isinstance(node, exp.Filter):
        found = _aggregate(b, node.this, node)
        condition = need_condition(b.plain().bind(node.expression.this), node)
        spec = found.value
        assert isinstance(spec, Aggregation)  # noqa: S101
        known = replace(found.facts, nullable=found.facts.nullable or spec.function != "count")
        if spec.filtered:
            return replace(found, args=(*found.args[:-1], build.all_of([found.args[-1], condition])))
        return replace(found, args=(*found.args, condition), value=replace(spec, filtered=True), facts=known)
    return _aggregate(b, node, node) if isinstance(node, AGGREGATES) else None


def _aggregate(b: Binder, node: exp.Expr, place: exp.Expr) -> Expr:
    inner = b.plain()
    if isinstance(node, exp.Count):
        return _count(inner, node)
    if isinstance(node, exp.CountIf):
        hit = build.case([(inner.condition(node.this), build.literal(1))], build.NULL, node)
        return Expr("aggregate", INTEGER, (hit,), Aggregation("count"), _COUNTED)
    if isinstance(node, ORDERED):
        return _ordered(inner, node)
    if type(node) not in SIMPLE:
        raise refuse(place, f"{name_of(node)} cannot be computed per person.", "Use COUNT, SUM, AVG, MIN, MAX.")
    return _simple(SIMPLE[type(node)], inner.bind(node.this), node)


_COUNTED = Facts(low=Fraction(0), step=Fraction(1), nullable=False, native=True)


def _count(b: Binder, node: exp.Count) -> Expr:
    what = node.this
    if isinstance(what, exp.Star) or is_person(what):
        return Expr("aggregate", INTEGER, (), Aggregation("count", operand=False), _COUNTED)
    distinct = isinstance(what, exp.Distinct)
    if distinct:
        if len(what.expressions) != 1 or is_person(what.expressions[0]):
            raise refuse(node, "Inside one person this count says nothing.", "Use COUNT(DISTINCT x) of one column.")
        what = what.expressions[0]
    return Expr("aggregate", INTEGER, (b.bind(what),), Aggregation("count", distinct=distinct), _COUNTED)


def _simple(function: str, x: Expr, node: exp.Expr) -> Expr:
    known = _loose(x.facts)
    if function in ("bool_or", "bool_and"):
        return Expr("aggregate", BOOLEAN, (need_condition(x, node),), Aggregation(function), known)
    if function in ("min", "max"):
        if x.type is None:
            raise refuse(node, "NULL has no extremes.", "Name a column.")
        return Expr("aggregate", x.type, (x,), Aggregation(function), known)
    need_number(x, node)
    spec = Aggregation(function, step=sum_step(x))
    if function == "avg":
        return Expr("aggregate", DECIMAL, (x,), spec, replace(known, step=None, native=False))
    return Expr("aggregate", x.type, (x,), spec, sum_facts(x))


def _loose(known: Facts) -> Facts:
    return replace(known, person_level=False)


def sum_step(x: Expr) -> Fraction:
    """Resolution of an exact sum: that of the values, or a millionth where it is not known."""
    low, high = facts.ends(x)
    if low is not None and high is not None and high > low:
        return facts.resolution(low, high, x.facts.step or min(DEFAULT_STEP, _FINE))
    return x.facts.step or _FINE


def sum_facts(x: Expr) -> Facts:
    """A sum over an unknown number of rows is bounded on the side of zero at most."""
    low, high = facts.ends(x)
    return combine(
        (x,),
        low=Fraction(0) if low is not None and low >= 0 else None,
        high=Fraction(0) if high is not None and high <= 0 else None,
        step=sum_step(x),
        nullable=x.facts.nullable,
        person_level=False,
    )


def _ordered(b: Binder, node: exp.Expr) -> Expr:
    """first/last(x ORDER BY y) and arg_min/arg_max(x, y): rows with NULL in either are passed over."""
    if isinstance(node, exp.ArgMin | exp.ArgMax):
        x, keys = b.bind(node.this), [b.bind(node.expression)]
        order = [(isinstance(node, exp.ArgMax), False)]
    elif isinstance(node.this, exp.Order):
        x = b.bind(node.this.this)
        keys, order = order_by(b, node.this)
    else:
        raise refuse(node, "First and last need an order.", "Write first(x ORDER BY date_column).")
    if isinstance(node, exp.Last):
        order = [(not down, not first) for down, first in order]
    present = build.all_of([build.negate(build.is_null(e)) for e in (x, keys[0])])
    spec = Aggregation("first", order=tuple(order), filtered=True)
    return Expr("aggregate", x.type, (x, *keys, present), spec, replace(_loose(x.facts), nullable=True))


def order_by(b: Binder, node: exp.Expr) -> tuple[list[Expr], list[tuple[bool, bool]]]:
    """Keys of an ORDER BY with (descending, NULLs first) for each."""
    keys = [b.bind(o.this) for o in node.expressions]
    return keys, [(bool(o.args.get("desc")), bool(o.args.get("nulls_first"))) for o in node.expressions]


# -- windows ---------------------------------------------------------------------------------------------------------

_RANKS: dict[type[exp.Expr], str] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
_NEIGHBOURS: dict[type[exp.Expr], str] = {
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
    exp.LastValue: "last_value",
}
_SUMS: dict[type[exp.Expr], str] = {exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max"}
_FRAME_ENDS = {"UNBOUNDED": "UNBOUNDED", "CURRENT ROW": "CURRENT ROW"}


def windowed(definitions: dict[str, exp.Window]) -> Callable[[Binder, exp.Window], Expr]:
    """Rule for window functions; `definitions` are those of the WINDOW clause."""

    def rule(b: Binder, node: exp.Window) -> Expr:
        over = node
        if node.args.get("alias") is not None:
            named = definitions.get(node.alias.lower())
            if named is None or node.args.get("partition_by") or node.args.get("order") or node.args.get("spec"):
                raise refuse(node, "The window name is unknown or extended.", "Write OVER (PARTITION BY person …).")
            over = named
        return _window(b.plain(), node.this, over)

    return rule


def _window(b: Binder, call: exp.Expr, over: exp.Window) -> Expr:
    by = over.args.get("partition_by") or []
    persons = [p for p in by if is_person(p)]
    if not persons:
        raise refuse(call, "The window runs over several persons.", "Write OVER (PARTITION BY person ORDER BY …).")
    for column in persons:
        _check_own_person(b, column)
    partition = [b.bind(p) for p in by if not is_person(p)]
    order = over.args.get("order")
    keys, how = order_by(b, order) if order is not None else ([], [])
    frame = _frame(over.args.get("spec"), call)
    function, operand, offset, kind, known = _function(b, call, frame, ordered=bool(keys))
    whole = not keys and not frame and not partition and function in ("sum", "avg", "min", "max", "count")
    spec = Windowing(
        function,
        len(operand),
        len(partition),
        tuple(how),
        frame,
        offset,
        sum_step(operand[0]) if function in ("sum", "avg") else Fraction(1),
        ties=frame.startswith(" ROWS") or function in ("row_number", *_NEIGHBOURS.values()),
    )
    return Expr("window", kind, (*operand, *partition, *keys), spec, replace(known, person_level=whole))


def _check_own_person(b: Binder, node: exp.Expr) -> None:
    assert isinstance(node, exp.Column)  # noqa: S101
    scope, visible = b.scope.person(node)
    if scope is not b.scope or visible.optional:
        raise refuse(node, "This person may be missing.", "Partition by the person of the first table.")


def _function(
    b: Binder, call: exp.Expr, frame: str, *, ordered: bool
) -> tuple[str, list[Expr], int | None, ColumnType | None, Facts]:
    if type(call) in _RANKS:
        return _RANKS[type(call)], [], None, INTEGER, replace(_COUNTED, low=Fraction(1))
    if isinstance(call, exp.Count):
        counted = [] if isinstance(call.this, exp.Star) else [b.bind(call.this)]
        return "count", counted, None, INTEGER, _COUNTED
    if type(call) in _NEIGHBOURS:
        return _neighbour(b, call, frame, ordered=ordered)
    if type(call) not in _SUMS:
        raise refuse(
            call,
            f"{name_of(call)} is not a window function of the query language.",
            "Use row_number, rank, dense_rank, lag, lead, first_value, last_value, sum, count, min, max or avg.",
        )
    summed = _simple(_SUMS[type(call)], b.bind(call.this), call)
    known = replace(summed.facts, nullable=True)
    return _SUMS[type(call)], [summed.args[0]], None, summed.type, known


def _neighbour(
    b: Binder, call: exp.Expr, frame: str, *, ordered: bool
) -> tuple[str, list[Expr], int | None, ColumnType | None, Facts]:
    function = _NEIGHBOURS[type(call)]
    if not ordered:
        raise refuse(call, f"{function} needs an order.", "Write OVER (PARTITION BY person ORDER BY date_column).")
    if function == "last_value" and not frame:
        raise refuse(
            call,
            "Without a frame last_value is the current row.",
            "Use first_value with ORDER BY … DESC, or ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING.",
        )
    if call.args.get("default") is not None:
        raise refuse(call, f"{function} with a default is not part of the query language.", "Write COALESCE(lag(x) …).")
    x = b.bind(call.this)
    offset: object = None
    if function in ("lag", "lead"):
        given = call.args.get("offset")
        offset = 1 if given is None else (b.bind(given).value or 0)
    if offset is not None and not (type(offset) is int and 0 <= offset <= MAX_OFFSET):
        raise refuse(call, f"The offset is a constant from 0 to {MAX_OFFSET:,}.", "Write lag(x, 1).")
    return function, [x], offset, x.type, replace(x.facts, nullable=True)


def _frame(spec: exp.Expr | None, call: exp.Expr) -> str:
    if spec is None:
        return ""
    kind = str(spec.args.get("kind", "")).upper()
    ends = [_frame_end(spec, "start", kind, call), _frame_end(spec, "end", kind, call)]
    if kind not in ("ROWS", "RANGE"):
        raise refuse(call, "This kind of frame is not part of the query language.", "Use ROWS BETWEEN … AND ….")
    return f" {kind} BETWEEN {ends[0]} AND {ends[1]}"


def _frame_end(spec: exp.Expr, which: str, kind: str, call: exp.Expr) -> str:
    value, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "").upper()
    if value is None:
        return "CURRENT ROW"
    if isinstance(value, str):
        return " ".join(x for x in (_FRAME_ENDS.get(value.upper(), ""), side) if x)
    if kind == "ROWS" and isinstance(value, exp.Literal) and str(value.this).isdigit() and len(str(value.this)) < 5:
        return f"{int(value.this)} {side}"
    raise refuse(call, "The ends of a frame are constants in rows.", "Write ROWS BETWEEN 1 PRECEDING AND CURRENT ROW.")
