"""Small constructors of typed expressions. They fix one form where SQL has several: `a > b` is built as `b < a`, NOT is
pushed down to the comparisons (valid with NULL too), BETWEEN is two comparisons."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import cast

from sqlglot import exp

from catalog.schema import ColumnType, Scalar
from dataspace.sql import facts
from dataspace.sql.refusals import refuse
from dataspace.sql.tree import Expr, Facts

BOOLEAN, INTEGER, DECIMAL = ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.DECIMAL
DATE, TIMESTAMP, TEXT, CODE = ColumnType.DATE, ColumnType.TIMESTAMP, ColumnType.TEXT, ColumnType.CODE

INT64 = 2**63
NULL = Expr("literal", None, facts=Facts(nullable=True, person_level=True, native=True))
MOMENTS = (DATE, TIMESTAMP)
_OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "le", "le": "lt", "same": "differs", "differs": "same"}


def is_text(expr: Expr) -> bool:
    return expr.type in (TEXT, CODE)


def literal(value: Scalar) -> Expr:
    """A constant; whole numbers are integers however they were written."""
    known = Facts(nullable=False, person_level=True, native=True, domain=(value,))
    if isinstance(value, bool):
        return Expr("literal", BOOLEAN, value=value, facts=known)
    if isinstance(value, str):
        return Expr("literal", TEXT, value=value, facts=known)
    if isinstance(value, datetime):
        return Expr("literal", TIMESTAMP, value=value, facts=replace(known, low=value, high=value))
    if isinstance(value, date):
        return Expr("literal", DATE, value=value, facts=replace(known, low=value, high=value))
    return _number(Decimal(value), known)


def _number(value: Decimal, known: Facts) -> Expr:
    exact = Fraction(value)
    known = replace(known, low=exact, high=exact, step=abs(exact) or Fraction(1))
    if exact.denominator == 1 and -INT64 <= exact < INT64:
        known = replace(known, domain=(int(exact),), step=Fraction(1))
        return Expr("literal", INTEGER, value=int(exact), facts=known)
    step = Fraction(1, 10 ** max(0, -int(value.as_tuple().exponent)))
    return Expr("literal", DECIMAL, value=value.normalize(), facts=replace(known, native=False, step=step))


def number_value(expr: Expr) -> Fraction:
    """Exact value of a numeric literal."""
    return Fraction(cast(Decimal, expr.value))


def need_number(expr: Expr, node: exp.Expr) -> Expr:
    if expr.is_number:
        return expr
    if expr.type is BOOLEAN:
        raise refuse(node, "A condition is used where a number is needed.", "Write CASE WHEN … THEN 1 ELSE 0 END.")
    if expr.type is None:
        raise refuse(node, "NULL is used where a number is needed.", "NULL may stand in CASE, COALESCE and IS NULL.")
    found = "A date" if expr.type in MOMENTS else "Text"
    raise refuse(node, f"{found} is used where a number is needed.", "Use year(d), date_diff('day', a, b) or CAST.")


def need_text(expr: Expr, node: exp.Expr) -> Expr:
    if is_text(expr):
        return expr
    raise refuse(node, "Something else than text is used where text is needed.", "Write CAST(x AS VARCHAR).")


def need_condition(expr: Expr, node: exp.Expr) -> Expr:
    if expr.type is BOOLEAN:
        return expr
    raise refuse(node, "A value is used where a condition is needed.", "Compare it: x = 1, x IS NOT NULL.")


def need_moment(expr: Expr, node: exp.Expr) -> Expr:
    """A date or timestamp; text literals in ISO form are taken as one."""
    if expr.type in MOMENTS:
        return expr
    if expr.is_literal and expr.type is TEXT:
        return moment_literal(str(expr.value), node)
    raise refuse(
        node, "Something else than a date is used where a date is needed.", "Use a date column or DATE '2020-12-31'."
    )


def moment_literal(text: str, node: exp.Expr) -> Expr:
    """The date or timestamp that a text literal writes."""
    try:
        return literal(date.fromisoformat(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refuse(node, "This text is not a date.", "Write dates as '2020-12-31'.") from None
    if found.tzinfo is not None:
        raise refuse(node, "Times have no zone here.", "Write '2020-12-31 08:00:00'.")
    return literal(found)


def as_timestamp(expr: Expr) -> Expr:
    if expr.type is TIMESTAMP:
        return expr
    if expr.is_literal and isinstance(expr.value, date):
        return literal(datetime(expr.value.year, expr.value.month, expr.value.day))  # noqa: DTZ001
    known = replace(expr.facts, domain=None, nullable=True)
    return Expr("to_timestamp", TIMESTAMP, (expr,), facts=known)


def alike(exprs: list[Expr], node: exp.Expr) -> tuple[list[Expr], ColumnType]:
    """The expressions with one common type: numbers with numbers, dates with dates, text with text."""
    types = {e.type for e in exprs if e.type is not None}
    if types & set(MOMENTS):
        exprs = [e if e.type is None else need_moment(e, node) for e in exprs]
        if TIMESTAMP in {e.type for e in exprs}:
            return [e if e.type is None else as_timestamp(e) for e in exprs], TIMESTAMP
        return exprs, DATE
    if not types:
        raise refuse(node, "Nothing but NULL is given.", "Give at least one value.")
    if types <= {INTEGER, DECIMAL}:
        return exprs, INTEGER if types == {INTEGER} else DECIMAL
    if types <= {TEXT, CODE}:
        return exprs, TEXT
    if types == {BOOLEAN}:
        return exprs, BOOLEAN
    raise refuse(
        node,
        "Values of different kinds are mixed: " + ", ".join(sorted(str(t) for t in types)) + ".",
        "Quote codes ('F'), leave numbers unquoted, or use CAST.",
    )


def compare(op: str, a: Expr, b: Expr, node: exp.Expr) -> Expr:
    """`op` is eq, ne, lt, le, gt, ge, same (IS NOT DISTINCT FROM) or differs."""
    if None in (a.type, b.type):
        raise refuse(node, "A comparison with NULL is never true.", "Write x IS NULL or x IS NOT NULL.")
    (a, b), _ = alike([a, b], node)
    if op in ("gt", "ge"):
        a, b, op = b, a, {"gt": "lt", "ge": "le"}[op]
    known = facts.combine((a, b), domain=(False, True))
    if op in ("same", "differs"):
        known = replace(known, nullable=False)
    return Expr(op, BOOLEAN, (a, b), facts=known)


def all_of(args: list[Expr]) -> Expr:
    return _chain("and", args)


def conjuncts(conditions: Iterable[Expr]) -> tuple[Expr, ...]:
    """The parts that must all be true, each once."""
    return tuple(dict.fromkeys(part for c in conditions for part in (c.args if c.op == "and" else (c,))))


def any_of(args: list[Expr]) -> Expr:
    """OR; equalities of one expression with constants become one IN."""
    options: dict[Expr, list[Expr]] = {}
    rest: list[Expr] = []
    for arg in (x for a in args for x in (a.args if a.op == "or" else (a,))):
        subject, constants = _choices(arg)
        if subject is None:
            rest.append(arg)
        else:
            options.setdefault(subject, []).extend(constants)
    return _chain("or", [*rest, *(one_of(s, c) for s, c in options.items())])


def _choices(expr: Expr) -> tuple[Expr | None, tuple[Expr, ...]]:
    if expr.op not in ("eq", "in"):
        return None, ()
    subject, *constants = sorted(expr.args, key=lambda a: a.is_literal) if expr.op == "eq" else expr.args
    return (None, ()) if subject.is_literal or not all(c.is_literal for c in constants) else (subject, tuple(constants))


def one_of(subject: Expr, constants: Iterable[Expr]) -> Expr:
    """subject IN (constants), all of one type already."""
    choices = tuple(dict.fromkeys(constants))
    known = facts.combine((subject,), domain=(False, True))
    return Expr("eq" if len(choices) == 1 else "in", BOOLEAN, (subject, *choices), facts=known)


def _chain(op: str, args: list[Expr]) -> Expr:
    flat = [x for a in args for x in (a.args if a.op == op else (a,))]
    unique = list(dict.fromkeys(flat))
    if len(unique) == 1:
        return unique[0]
    return Expr(op, BOOLEAN, tuple(unique), facts=facts.combine(unique, domain=(False, True)))


def negate(expr: Expr) -> Expr:
    """NOT, moved inwards."""
    if expr.op == "not":
        return expr.args[0]
    if expr.op in ("and", "or"):
        parts = [negate(a) for a in expr.args]
        return any_of(parts) if expr.op == "and" else all_of(parts)
    if expr.op in _OPPOSITE:
        args = expr.args[::-1] if expr.op in ("lt", "le") else expr.args
        return replace(expr, op=_OPPOSITE[expr.op], args=args)
    if expr.is_literal and isinstance(expr.value, bool):
        return literal(not expr.value)
    return Expr("not", BOOLEAN, (expr,), facts=replace(expr.facts, domain=(False, True)))


def is_null(expr: Expr) -> Expr:
    return Expr("is_null", BOOLEAN, (expr,), facts=facts.combine((expr,), nullable=False, domain=(False, True)))


def case(whens: list[tuple[Expr, Expr]], default: Expr, node: exp.Expr) -> Expr:
    """CASE with conditions; its value is one of the results."""
    results, kind = alike([*(r for _, r in whens), default], node)
    conditions = [c for c, _ in whens]
    known = facts.union(results, ())
    level = all(x.facts.person_level for x in (*conditions, *results))
    domain = _literal_domain(results)
    args = [x for pair in zip(conditions, results, strict=False) for x in pair]
    return Expr(
        "case",
        kind,
        (*args, results[-1]),
        facts=replace(known, nullable=_nullable(results), person_level=level, domain=domain),
    )


def _nullable(results: list[Expr]) -> bool:
    return any(r.facts.nullable for r in results)


def _literal_domain(results: list[Expr]) -> tuple[Scalar, ...] | None:
    """The values of results that are all constants (or chosen among constants), in the order written."""
    values: list[Scalar] = []
    for result in results:
        if result.type is None:
            continue
        if result.facts.domain is None or result.op not in ("literal", "case"):
            return None
        values += result.facts.domain
    return tuple(dict.fromkeys(values))


def coalesce(args: list[Expr], node: exp.Expr) -> Expr:
    args, kind = alike(args, node)
    known = facts.union(args)
    return Expr("coalesce", kind, tuple(args), facts=replace(known, nullable=all(a.facts.nullable for a in args)))


ARITHMETIC = {"add": facts.added, "sub": facts.subtracted, "mul": facts.multiplied, "div": facts.divided}


def arithmetic(op: str, a: Expr, b: Expr) -> Expr:
    """+, -, * and / of numbers, in DOUBLE."""
    kind = INTEGER if a.type is b.type is INTEGER and op != "div" else DECIMAL
    return Expr(op, kind, (a, b), facts=ARITHMETIC[op](a, b))


def minus(expr: Expr) -> Expr:
    if expr.is_literal:
        return literal(-Decimal(str(expr.value)))
    return Expr("neg", expr.type, (expr,), facts=facts.negated(expr))
