"""CAST: always the kind that gives NULL for a value that does not fit."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from sqlglot import exp

from dataspace.sql import build
from dataspace.sql.build import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, TIMESTAMP
from dataspace.sql.facts import combine, ends
from dataspace.sql.refusals import refuse
from dataspace.sql.tree import Expr

_T = exp.DataType.Type
TARGETS = {
    **dict.fromkeys((_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT), INTEGER),
    **dict.fromkeys((_T.FLOAT, _T.DOUBLE, _T.DECIMAL), DECIMAL),
    **dict.fromkeys((_T.VARCHAR, _T.TEXT, _T.CHAR), TEXT),
    _T.DATE: DATE,
    _T.TIMESTAMP: TIMESTAMP,
    _T.BOOLEAN: BOOLEAN,
}


def cast(expr: Expr, node: exp.Expr) -> Expr:
    """CAST(x AS type), x::type, DATE '…' and date(x)."""
    target = TARGETS.get(node.args["to"].this)
    if target is None:
        raise refuse(
            node,
            f"CAST to {str(node.args['to'].this.value)[:40]} is not part of the query language.",
            "Cast to INTEGER, DOUBLE, VARCHAR, DATE, TIMESTAMP or BOOLEAN.",
        )
    return convert(expr, target, node)


def convert(expr: Expr, target: object, node: exp.Expr) -> Expr:
    if expr.type is None:
        raise refuse(node, "NULL is cast.", "Write NULL without a type.")
    if expr.type is target or (target is DECIMAL and expr.is_number) or (target is TEXT and build.is_text(expr)):
        return replace(expr, type=DECIMAL) if target is DECIMAL and not expr.is_literal else expr
    if target in build.MOMENTS:
        return _to_moment(expr, target, node)
    if target is TEXT:
        return Expr("to_text", TEXT, (expr,), facts=combine((expr,)))
    if target is BOOLEAN:
        return build.compare("ne", build.need_number(expr, node), build.literal(0), node)
    if expr.type is BOOLEAN:
        return build.case([(expr, build.literal(1)), (build.negate(expr), build.literal(0))], build.NULL, node)
    if expr.type in build.MOMENTS:
        raise refuse(node, "A date is cast to a number.", "Use year(d) or date_diff('day', a, b).")
    return _to_number(expr, target)


def _to_moment(expr: Expr, target: object, node: exp.Expr) -> Expr:
    if expr.is_literal:
        found = build.need_moment(expr, node)
        return build.as_timestamp(found) if target is TIMESTAMP else to_date(found)
    if expr.type is TIMESTAMP:
        return to_date(expr)
    if expr.type is DATE:
        return build.as_timestamp(expr)
    kind = DATE if target is DATE else TIMESTAMP
    return Expr("parse", kind, (build.need_text(expr, node),), facts=combine((expr,), nullable=True))


def to_date(expr: Expr) -> Expr:
    """The day of a timestamp."""
    if expr.type is DATE:
        return expr
    if expr.is_literal:
        return build.literal(expr.value.date())  # type: ignore[attr-defined]
    return Expr(
        "to_date", DATE, (expr,), facts=combine((expr,), low=expr.facts.low, high=expr.facts.high, nullable=True)
    )


def _to_number(expr: Expr, target: object) -> Expr:
    if build.is_text(expr):
        whole = target is INTEGER
        known = combine((expr,), nullable=True, native=whole, step=Fraction(1) if whole else None)
        return Expr("parse", INTEGER if whole else DECIMAL, (expr,), facts=known)
    return whole_number(expr)


def whole_number(expr: Expr) -> Expr:
    """The nearest BIGINT of a number; NULL outside of its range."""
    if expr.facts.native:
        return expr
    low, high = ends(expr)
    known = combine(
        (expr,),
        low=None if low is None else Fraction(floor(low)),
        high=None if high is None else Fraction(ceil(high)),
        step=Fraction(1),
        native=True,
    )
    return Expr("whole", INTEGER, (expr,), facts=known)
