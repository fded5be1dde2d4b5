"""Typed expression -> DuckDB SQL that cannot fail, in one canonical spelling.

Each operation of `Expr.op` has one rule. Numbers are computed in DOUBLE, where overflow gives infinity instead of an
error; integers stay BIGINT as long as they are only compared, so that scans can skip row groups. The parts of AND, OR,
=, +, * and IN are sorted by their text: what differs only in their order prints equally.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from catalog.schema import ColumnType
from dataspace.domain.errors import InvalidQuery
from dataspace.sql.aggregates import Aggregation, Windowing
from dataspace.sql.tree import Expr, Select

if TYPE_CHECKING:
    from dataspace.sql.print_selects import Printer

MAX_LENGTH = 256 * 1024
TEXT_LIMIT = 1_000

_FIRST_DAY, _LAST_DAY = "DATE '0001-01-01'", "DATE '9999-12-31'"
_FIRST_TIME, _LAST_TIME = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59'"
MOMENTS = {ColumnType.DATE: (_FIRST_DAY, _LAST_DAY), ColumnType.TIMESTAMP: (_FIRST_TIME, _LAST_TIME)}
"""First and last moment of each type that may leave the database."""

_SAFE_MOMENTS = ("literal", "shifted", "shifted_by", "truncated", "to_date", "to_timestamp")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def constant(value: object) -> str:
    """A literal; decimals as DOUBLE, because DuckDB's DECIMAL arithmetic can overflow."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value) if value >= 0 else f"({value})"
    if isinstance(value, Decimal):
        return double_constant(Fraction(value))
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return text(str(value))


def double_constant(value: Fraction) -> str:
    shown = repr(float(value))
    shown = shown if "e" in shown else f"{shown}e0"
    return f"({shown})" if shown.startswith("-") else shown


class ExpressionPrinter:
    """Prints the expressions of one selection; `printer` knows the names of its sources."""

    def __init__(self, printer: "Printer") -> None:
        self.printer = printer

    def __call__(self, expr: Expr) -> str:
        """The expression as it is: BIGINT for native integers, DOUBLE for other numbers."""
        printed = _RULES[expr.op](self, expr)
        if len(printed) > MAX_LENGTH:
            raise InvalidQuery("An expression of the query is too large.", hint="Split it with a WITH query.")
        return printed

    def double(self, expr: Expr) -> str:
        """A number as DOUBLE."""
        if expr.is_literal and expr.is_number:
            return double_constant(Fraction(cast(Decimal, expr.value)))
        return f"CAST({self(expr)} AS DOUBLE)" if expr.facts.native else self(expr)

    def moment(self, expr: Expr) -> str:
        """A date or timestamp between year 1 and 9999; NULL for others, on which DuckDB's calendar would fail."""
        printed = self(expr)
        if expr.op in _SAFE_MOMENTS:
            return printed
        first, last = (_FIRST_DAY, _LAST_DAY) if expr.type is ColumnType.DATE else (_FIRST_TIME, _LAST_TIME)
        return f"CASE WHEN {printed} BETWEEN {first} AND {last} THEN {printed} END"

    def alike(self, args: tuple[Expr, ...]) -> list[str]:
        """Values of one type: all BIGINT or all DOUBLE."""
        numbers = [a for a in args if a.is_number]
        if all(a.facts.native for a in numbers):
            return [self(a) for a in args]
        return [self.double(a) if a.is_number else self(a) for a in args]


Rule = Callable[[ExpressionPrinter, Expr], str]


def _double(template: str) -> Rule:
    return lambda p, e: template.format(*(p.double(a) for a in e.args))


def _plain(template: str) -> Rule:
    return lambda p, e: template.format(*(p(a) for a in e.args))


def _moments(template: str) -> Rule:
    return lambda p, e: template.format(*(p.moment(a) for a in e.args), unit=_unit(e))


def _unit(expr: Expr) -> str:
    return text(str(expr.value)) if isinstance(expr.value, str) else ""


def _same_type(template: str) -> Rule:
    return lambda p, e: template.format(*p.alike(e.args))


def _commuting(joint: str, texts: Callable[[ExpressionPrinter, Expr], list[str]]) -> Rule:
    return lambda p, e: "(" + joint.join(sorted(texts(p, e))) + ")"


def _chain(joint: str) -> Rule:
    """AND or OR: repeated parts count once."""

    def rule(p: ExpressionPrinter, e: Expr) -> str:
        parts = sorted({p(a) for a in e.args})
        return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"

    return rule


def _in(p: ExpressionPrinter, e: Expr) -> str:
    subject, *options = p.alike(e.args)
    return f"({subject} IN ({', '.join(sorted(set(options)))}))"


def _case(p: ExpressionPrinter, e: Expr) -> str:
    conditions = e.args[:-1:2]
    results = p.alike((*e.args[1:-1:2], e.args[-1]))
    whens = "".join(f" WHEN {p(c)} THEN {r}" for c, r in zip(conditions, results, strict=False))
    default = "" if e.args[-1].type is None else f" ELSE {results[-1]}"
    return f"CASE{whens}{default} END"


def _list(function: str, *, order_matters: bool) -> Rule:
    def rule(p: ExpressionPrinter, e: Expr) -> str:
        args = p.alike(e.args)
        return f"{function}({', '.join(args if order_matters else sorted(args))})"

    return rule


def _clamp(p: ExpressionPrinter, e: Expr) -> str:
    low, high = (double_constant(b) for b in cast(tuple[Fraction, ...], e.value)[:2])
    x = p.double(e.args[0])
    return f"CASE WHEN {x} < {low} THEN {low} WHEN {x} > {high} THEN {high} ELSE {x} END"


def _bin(p: ExpressionPrinter, e: Expr) -> str:
    low, high, width, below, labels, above = cast(
        tuple[Fraction, Fraction, Fraction, str, tuple[str, ...], str], e.value
    )
    x = p.double(e.args[0])
    position = f"({x} - {double_constant(low)}) * {double_constant(Fraction(width.denominator))}"
    index = f"TRY_CAST(floor({position} / {double_constant(Fraction(width.numerator))}) AS BIGINT) + 1"
    names = ", ".join(text(label) for label in labels)
    return (
        f"CASE WHEN {x} < {double_constant(low)} THEN {text(below)} WHEN {x} >= {double_constant(high)} "
        f"THEN {text(above)} ELSE list_extract([{names}], {index}) END"
    )


def _round_to(p: ExpressionPrinter, e: Expr) -> str:
    return f"round({p.double(e.args[0])}, {e.value})"


def _shifted(p: ExpressionPrinter, e: Expr) -> str:
    months, days, seconds = cast(tuple[int, int, int], e.value)
    amount = f"to_months({months})" if months else f"to_days({days})" if days else f"to_seconds({seconds})"
    return f"CAST({p.moment(e.args[0])} + {amount} AS {_kind(e)})"


def _shifted_by(p: ExpressionPrinter, e: Expr) -> str:
    days = f"TRY_CAST(TRY_CAST({p(e.args[1])} AS DECIMAL(5,0)) AS INTEGER)"
    return f"CAST({p.moment(e.args[0])} + to_days({days}) AS {_kind(e)})"


def _truncated(p: ExpressionPrinter, e: Expr) -> str:
    return f"CAST(date_trunc({_unit(e)}, {p.moment(e.args[0])}) AS {_kind(e)})"


def _kind(expr: Expr) -> str:
    return "DATE" if expr.type is ColumnType.DATE else "TIMESTAMP"


def _to_text(p: ExpressionPrinter, e: Expr) -> str:
    source = e.args[0]
    if not source.is_number or source.facts.native:
        return f"CAST({p(source)} AS VARCHAR)"
    if source.type is ColumnType.INTEGER:
        return f"CAST(TRY_CAST({p(source)} AS BIGINT) AS VARCHAR)"
    return f"CAST({p(source)} + 0e0 AS VARCHAR)"


def _parse(p: ExpressionPrinter, e: Expr) -> str:
    kinds = {ColumnType.INTEGER: "BIGINT", ColumnType.DECIMAL: "DOUBLE", ColumnType.DATE: "DATE"}
    return f"TRY_CAST({p(e.args[0])} AS {kinds.get(cast(ColumnType, e.type), 'TIMESTAMP')})"


def _substr(p: ExpressionPrinter, e: Expr) -> str:
    start, length = cast(tuple[int, int], e.value)
    return f"substr({p(e.args[0])}, {start}, {length})"


def _joined(p: ExpressionPrinter, e: Expr) -> str:
    return f"left({' || '.join(p(a) for a in e.args)}, {TEXT_LIMIT})"


def _power(p: ExpressionPrinter, e: Expr) -> str:
    return f"nullif(power({p.double(e.args[0])}, {p.double(e.args[1])}), 'NaN'::DOUBLE)"


def _column(p: ExpressionPrinter, e: Expr) -> str:
    source, name = cast(tuple[int, str], e.value)
    return p.printer.column(source, name)


def _exists(p: ExpressionPrinter, e: Expr) -> str:
    return f"EXISTS ({p.printer.inside(cast(Select, e.value))})"


def _person_in(p: ExpressionPrinter, e: Expr) -> str:
    return f"({p.printer.person} IN ({p.printer.inside(cast(Select, e.value))}))"


def _value_in(p: ExpressionPrinter, e: Expr) -> str:
    return f"({p(e.args[0])} IN ({p.printer.inside(cast(Select, e.value))}))"


def exact_sum(p: ExpressionPrinter, x: Expr, step: Fraction, after: str) -> str:
    """Sum in whole steps: HUGEINT cannot overflow here, and its result does not depend on the order of rows."""
    if x.facts.native and step == 1:
        return f"CAST(SUM({p(x)}){after} AS DOUBLE)"
    whole = f"TRY_CAST(round({_scaled(p.double(x), 1 / step)}) AS BIGINT)"
    return _scaled(f"CAST(SUM({whole}){after} AS DOUBLE)", step)


def _scaled(printed: str, factor: Fraction) -> str:
    up = "" if factor.numerator == 1 else f" * {double_constant(Fraction(factor.numerator))}"
    down = "" if factor.denominator == 1 else f" / {double_constant(Fraction(factor.denominator))}"
    return f"({printed}{up}{down})" if up or down else printed


def _aggregate(p: ExpressionPrinter, e: Expr) -> str:
    spec = cast(Aggregation, e.value)
    after = f" FILTER (WHERE {p(e.args[-1])})" if spec.filtered else ""
    if not spec.operand:
        return f"COUNT(*){after}"
    x = e.args[0]
    if spec.function in ("sum", "avg"):
        total = exact_sum(p, x, spec.step, after)
        return total if spec.function == "sum" else f"({total} / NULLIF(COUNT({p(x)}){after}, 0))"
    if spec.function == "first":
        order = _order(p, e.args[1 : 1 + len(spec.order)], spec.order, p.printer.ties())
        return f"first({p(x)} ORDER BY {order}){after}"
    distinct = "DISTINCT " if spec.distinct else ""
    return f"{spec.function}({distinct}{p(x)}){after}"


def _order(p: ExpressionPrinter, keys: tuple[Expr, ...], how: tuple[tuple[bool, bool], ...], ties: list[str]) -> str:
    words = [
        f"{p(k)} {'DESC' if down else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
        for k, (down, first) in zip(keys, how, strict=True)
    ]
    return ", ".join([*words, *ties])


def _window(p: ExpressionPrinter, e: Expr) -> str:
    spec = cast(Windowing, e.value)
    operand, rest = e.args[: spec.operands], e.args[spec.operands :]
    partition, keys = rest[: spec.partition], rest[spec.partition :]
    over = f"PARTITION BY {', '.join([p.printer.person, *sorted(p(x) for x in partition)])}"
    order = _order(p, keys, spec.order, p.printer.ties() if spec.ties else [])
    over = f" OVER ({over}{f' ORDER BY {order}' if order else ''}{spec.frame})"
    if spec.function in ("sum", "avg"):
        total = exact_sum(p, operand[0], spec.step, over)
        return total if spec.function == "sum" else f"({total} / NULLIF(COUNT({p(operand[0])}){over}, 0))"
    inside = ", ".join(p.alike(operand[:1]) + ([str(spec.offset)] if spec.offset is not None else []))
    if not operand and spec.function == "count":
        inside = "*"
    return f"{spec.function}({inside}){over}"


_RULES: dict[str, Rule] = {
    "column": _column,
    "literal": lambda _, e: constant(e.value),
    "and": _chain(" AND "),
    "or": _chain(" OR "),
    "not": _plain("(NOT {})"),
    "eq": _commuting(" = ", lambda p, e: p.alike(e.args)),
    "ne": _commuting(" <> ", lambda p, e: p.alike(e.args)),
    "same": _commuting(" IS NOT DISTINCT FROM ", lambda p, e: p.alike(e.args)),
    "differs": _commuting(" IS DISTINCT FROM ", lambda p, e: p.alike(e.args)),
    "lt": _same_type("({} < {})"),
    "le": _same_type("({} <= {})"),
    "in": _in,
    "is_null": _plain("({} IS NULL)"),
    "unmatched": lambda p, e: f"({p.printer.person_of(cast(int, e.value))} IS NULL)",
    "like": _plain("({} LIKE {})"),
    "ilike": _plain("({} ILIKE {})"),
    "case": _case,
    "coalesce": _list("COALESCE", order_matters=True),
    "least": _list("least", order_matters=False),
    "greatest": _list("greatest", order_matters=False),
    "add": _commuting(" + ", lambda p, e: [p.double(a) for a in e.args]),
    "mul": _commuting(" * ", lambda p, e: [p.double(a) for a in e.args]),
    "sub": _double("({} - {})"),
    "div": _double("({} / NULLIF({}, 0e0))"),
    "mod": _double("({} % NULLIF({}, 0e0))"),
    "neg": _double("(-{})"),
    "abs": _double("abs({})"),
    "sign": _double("CAST(sign({}) AS DOUBLE)"),
    "floor": _double("floor({})"),
    "ceil": _double("ceil({})"),
    "trunc": _double("trunc({})"),
    "round": _double("round({})"),
    "round_to": _round_to,
    "exp": _double("exp({})"),
    "ln": _double("CASE WHEN {0} > 0e0 THEN ln({0}) END"),
    "sqrt": _double("CASE WHEN {0} >= 0e0 THEN sqrt({0}) END"),
    "power": _power,
    "clamp": _clamp,
    "bin": _bin,
    "whole": _double("TRY_CAST({} AS BIGINT)"),
    "parse": _parse,
    "to_text": _to_text,
    "to_date": _moments("CAST({} AS DATE)"),
    "to_timestamp": _moments("CAST({} AS TIMESTAMP)"),
    "lower": _plain("lower({})"),
    "upper": _plain("upper({})"),
    "trim": _plain("trim({})"),
    "length": _plain("length({})"),
    "right": lambda p, e: f"right({p(e.args[0])}, {e.value})",
    "substr": _substr,
    "joined": _joined,
    "starts_with": _plain("starts_with({}, {})"),
    "ends_with": _plain("ends_with({}, {})"),
    "contains": _plain("contains({}, {})"),
    "part": _moments("date_part({unit}, {})"),
    "truncated": _truncated,
    "boundaries": _moments("date_diff({unit}, {}, {})"),
    "complete_units": _moments("date_sub({unit}, {}, {})"),
    "shifted": _shifted,
    "shifted_by": _shifted_by,
    "exists": _exists,
    "person_in": _person_in,
    "value_in": _value_in,
    "aggregate": _aggregate,
    "window": _window,
}
