"""Interval arithmetic: bounds and steps of expressions, from public facts only.

A wrong bound would not harm privacy, because the engine clamps every value to the bounds it was told, but it would bias
answers; so bounds here are always outer bounds, and None where nothing is known.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor, gcd

from dataspace.sql.tree import Expr, Facts, Limit

MAX_STEPS = 2**40
"""A range is kept at no more than this many fixed-point steps, so that sums of many rows stay exact in 64 bits."""

HORIZON = 10**30
"""Bounds and steps beyond it, or finer than one part of it, count as unknown."""

DEFAULT_STEP = Fraction(1, 100)


def combine(args: Iterable[Expr], **changes: object) -> Facts:
    """Facts of a function that gives NULL exactly for a NULL argument; ranges only as `changes` say."""
    args = tuple(args)
    base: dict[str, object] = {
        "nullable": any(a.facts.nullable for a in args),
        "person_level": all(a.facts.person_level for a in args),
    }
    return Facts(**(base | {name: _small(value) for name, value in changes.items()}))  # type: ignore[arg-type]


def _small(value: object) -> object:
    """Forget numbers beyond use, so that x * x of x * x of … cannot grow without end."""
    if isinstance(value, Fraction) and (abs(value) > HORIZON or value.denominator > HORIZON):
        return None
    return value


def number(value: Limit | None) -> Fraction | None:
    return value if isinstance(value, Fraction) else None


def ends(expr: Expr) -> tuple[Fraction | None, Fraction | None]:
    """Numeric bounds; each None if unknown."""
    return number(expr.facts.low), number(expr.facts.high)


def _maybe(op: Callable[[Fraction, Fraction], Fraction], a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else op(a, b)


def common_step(steps: Iterable[Fraction | None]) -> Fraction | None:
    """The largest step of which all given ones are multiples."""
    result: Fraction | None = None
    for step in steps:
        if step is None:
            return None
        result = step if result is None else fraction_gcd(result, step)
    return result


def fraction_gcd(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)


def added(a: Expr, b: Expr) -> Facts:
    (al, ah), (bl, bh) = ends(a), ends(b)
    low, high = _maybe(lambda x, y: x + y, al, bl), _maybe(lambda x, y: x + y, ah, bh)
    return combine((a, b), low=low, high=high, step=common_step((a.facts.step, b.facts.step)))


def subtracted(a: Expr, b: Expr) -> Facts:
    (al, ah), (bl, bh) = ends(a), ends(b)
    low, high = _maybe(lambda x, y: x - y, al, bh), _maybe(lambda x, y: x - y, ah, bl)
    return combine((a, b), low=low, high=high, step=common_step((a.facts.step, b.facts.step)))


def multiplied(a: Expr, b: Expr) -> Facts:
    corners = _corners(a, b, lambda x, y: x * y)
    step = _maybe(lambda x, y: x * y, a.facts.step, b.facts.step)
    return combine((a, b), low=min(corners, default=None), high=max(corners, default=None), step=step)


def divided(a: Expr, b: Expr) -> Facts:
    """A divisor whose range holds zero gives no bounds; zero itself gives NULL."""
    (bl, bh), corners = ends(b), list[Fraction]()
    if bl is not None and bh is not None and (bl > 0 or bh < 0):
        corners = _corners(a, b, lambda x, y: x / y)
    step = a.facts.step / abs(bl) if bl is not None and bl == bh and bl and a.facts.step else None
    nullable = a.facts.nullable or b.facts.nullable or not corners
    return combine(
        (a, b), low=min(corners, default=None), high=max(corners, default=None), step=step, nullable=nullable
    )


def _corners(a: Expr, b: Expr, op: Callable[[Fraction, Fraction], Fraction]) -> list[Fraction]:
    (al, ah), (bl, bh) = ends(a), ends(b)
    if al is None or ah is None or bl is None or bh is None:
        return []
    return [op(x, y) for x in (al, ah) for y in (bl, bh)]


def negated(a: Expr) -> Facts:
    low, high = ends(a)
    flipped = (-high if high is not None else None, -low if low is not None else None)
    return combine((a,), low=flipped[0], high=flipped[1], step=a.facts.step)


def absolute(a: Expr) -> Facts:
    low, high = ends(a)
    if low is None or high is None:
        return combine((a,), low=Fraction(0), step=a.facts.step)
    least = Fraction(0) if low <= 0 <= high else min(abs(low), abs(high))
    return combine((a,), low=least, high=max(abs(low), abs(high)), step=a.facts.step)


def stepped(a: Expr, step: Fraction) -> Facts:
    """Rounding to multiples of `step`, down, up or to the nearest."""
    low, high = ends(a)
    return combine(
        (a,),
        low=None if low is None else floor(low / step) * step,
        high=None if high is None else ceil(high / step) * step,
        step=step,
    )


def monotone(a: Expr, function: Callable[[float], float], **changes: object) -> Facts:
    """An increasing real function that is computed in floating point: bounds widened by a hair."""
    low, high = (_image(function, end) for end in ends(a))
    margin = Fraction(1, 10**9)
    widened = (None if low is None else low - abs(low) * margin, None if high is None else high + abs(high) * margin)
    return combine((a,), low=widened[0], high=widened[1], **changes)


def _image(function: Callable[[float], float], end: Fraction | None) -> Fraction | None:
    try:
        return None if end is None else Fraction(function(float(end))).limit_denominator(10**12)
    except (ValueError, OverflowError):
        return None


def union(args: Iterable[Expr], conditions: Iterable[Expr] = ()) -> Facts:
    """Facts of an expression whose value is one of `args`, chosen by `conditions`."""
    args = tuple(args)
    known = tuple(a for a in args if a.type is not None)
    return combine(
        (*args, *conditions),
        low=_extreme(min, (a.facts.low for a in known)),
        high=_extreme(max, (a.facts.high for a in known)),
        step=common_step(a.facts.step for a in known),
        nullable=any(a.facts.nullable for a in args),
        native=all(a.facts.native for a in known),
    )


def _extreme(choose: Callable[[list[Limit]], Limit], limits: Iterable[Limit | None]) -> Limit | None:
    found = list(limits)
    present = [moment(x) for x in found if x is not None]
    return choose(present) if present and len(present) == len(found) else None


def least(args: tuple[Expr, ...]) -> Facts:
    """LEAST ignores NULL: it is at most any argument that cannot be NULL, at least the smallest lower bound."""
    facts = union(args)
    highs = [h for a in args if not a.facts.nullable and (h := number(a.facts.high)) is not None]
    return _with(facts, high=min(highs) if highs else facts.high, nullable=all(a.facts.nullable for a in args))


def greatest(args: tuple[Expr, ...]) -> Facts:
    facts = union(args)
    lows = [low for a in args if not a.facts.nullable and (low := number(a.facts.low)) is not None]
    return _with(facts, low=max(lows) if lows else facts.low, nullable=all(a.facts.nullable for a in args))


def _with(facts: Facts, **changes: object) -> Facts:
    from dataclasses import replace

    return replace(facts, **changes)  # type: ignore[arg-type]


def moment(limit: Limit) -> Limit:
    """A timestamp's bound as a plain date, so that dates and timestamps compare."""
    return limit.date() if isinstance(limit, datetime) else limit


def days_between(start: Expr, end: Expr) -> tuple[Fraction | None, Fraction | None]:
    """Bounds of the number of days from `start` to `end`."""
    sl, sh, el, eh = (_day(x) for x in (start.facts.low, start.facts.high, end.facts.low, end.facts.high))
    return (
        None if el is None or sh is None else Fraction((el - sh).days),
        None if eh is None or sl is None else Fraction((eh - sl).days),
    )


def _day(limit: Limit | None) -> date | None:
    found = None if limit is None else moment(limit)
    return found if isinstance(found, date) else None


def shifted(limit: Limit | None, days: int) -> date | None:
    """A date bound moved by whole days; None beyond the calendar."""
    day = _day(limit)
    try:
        return None if day is None else day + timedelta(days=days)
    except OverflowError:
        return None


def resolution(low: Fraction, high: Fraction, step: Fraction | None) -> Fraction:
    """Fixed-point step for a clamped value: the expression's own, else 0.01; coarser when the range needs it."""
    step = DEFAULT_STEP if step is None else step
    while (high - low) / step > MAX_STEPS:
        step *= 10
    return step
