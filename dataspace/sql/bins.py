"""CLAMP, BIN and AGE_BAND: ranges that the researcher states."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

from sqlglot import exp

from catalog.schema import Scalar
from dataspace.sql.build import DECIMAL, INTEGER, TEXT, literal, need_number, number_value
from dataspace.sql.facts import combine, ends
from dataspace.sql.refusals import refuse
from dataspace.sql.tree import Expr

MAX_BINS = 1_000


def clamp(args: list[Expr], node: exp.Expr) -> Expr:
    """CLAMP(x, lo, hi[, step]): the bounds of an aggregate's argument, or a held value anywhere else."""
    x = need_number(args[0], node)
    low, high, *rest = (_constant(a, node) for a in args[1:])
    if low >= high:
        raise refuse(node, "The lower bound of CLAMP is not below the upper one.", "Write CLAMP(x, lo, hi), lo < hi.")
    step = rest[0] if rest else x.facts.step
    if step is not None and step <= 0:
        raise refuse(node, "The step of CLAMP is above zero.", "Write CLAMP(x, 0, 100, 0.5).")
    known = replace(x.facts, low=low, high=high, step=step, domain=None, native=False)
    kind = INTEGER if x.type is INTEGER and low.denominator == high.denominator == 1 else DECIMAL
    return Expr("clamp", kind, (x,), (low, high, rest[0] if rest else None), known)


def _constant(expr: Expr, node: exp.Expr) -> Fraction:
    if expr.is_literal and expr.is_number:
        return number_value(expr)
    raise refuse(node, "Bounds and widths are constants.", "Write CLAMP(x, 0, 100) or BIN(x, 0, 100, 10).")


def age_band(args: list[Expr], node: exp.Expr) -> Expr:
    width = args[1] if len(args) > 1 else literal(10)
    return bins([args[0], literal(0), literal(100), width], node)


def bins(args: list[Expr], node: exp.Expr) -> Expr:
    """BIN(x, lo, hi, width): the band of a number as text; BIN(x, width) takes lo and hi from the dictionary."""
    x = need_number(args[0], node)
    if len(args) == 3:
        raise refuse(node, "BIN has two or four arguments.", "Write BIN(x, lo, hi, width) or BIN(x, width).")
    width = _constant(args[-1], node)
    if width <= 0:
        raise refuse(node, "The width of BIN is above zero.", "Write BIN(x, 0, 100, 10).")
    low, high = (_constant(args[1], node), _constant(args[2], node)) if len(args) == 4 else _own_range(x, width, node)
    number = ceil((high - low) / width)
    if not 1 <= number <= MAX_BINS:
        raise refuse(node, f"BIN makes 1 to {MAX_BINS:,} bands.", "Choose a wider band or a shorter range.")
    whole = x.type is INTEGER and low.denominator == width.denominator == 1
    labels = tuple(_label(low + i * width, min(low + (i + 1) * width, high), whole=whole) for i in range(number))
    below, above = f"<{_text(low)}", f"{_text(high)}+"
    known = combine((x,), domain=_reached(x, low, high, below, labels, above))
    return Expr("bin", TEXT, (x,), (low, high, width, below, labels, above), known)


def _own_range(x: Expr, width: Fraction, node: exp.Expr) -> tuple[Fraction, Fraction]:
    low, high = ends(x)
    if low is None or high is None:
        raise refuse(node, "The dictionary gives no bounds for this expression.", "Write BIN(x, lo, hi, width).")
    start = (low // width) * width
    return start, (high // width + 1) * width


def _label(low: Fraction, high: Fraction, *, whole: bool) -> str:
    if not whole:
        return f"[{_text(low)}, {_text(high)})"
    last = ceil(high) - 1
    return _text(low) if last == low else f"{_text(low)}-{last}"


def _text(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def _reached(
    x: Expr, low: Fraction, high: Fraction, below: str, labels: tuple[str, ...], above: str
) -> tuple[Scalar, ...]:
    """Bands that the dictionary's bounds leave possible beyond the stated range, and all stated ones."""
    least, most = ends(x)
    under = (below,) if least is None or least < low else ()
    over = (above,) if most is None or most >= high else ()
    return (*under, *labels, *over)
