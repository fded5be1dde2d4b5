"""The statistical analyses of the outermost SELECT list: one in a query, in place of aggregates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlglot import exp

from catalog.schema import Bounds, Scalar
from dataspace.domain.analyses import AnalysisKind
from dataspace.domain.queries import GroupKey
from dataspace.sql import build, dates
from dataspace.sql.domains import public_domain
from dataspace.sql.measures import indicator, operand
from dataspace.sql.refusals import refuse
from dataspace.sql.scalars import Binder
from dataspace.sql.tree import Expr, Select

Node = exp.Expr

MAX_COVARIATES = 10
MAX_BINS, MAX_PERIODS, MAX_LEVELS = 1_000, 600, 20
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Argument:
    """A value column of an analysis; `name` is how its answer speaks of it."""

    name: str
    expr: Expr
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Draft:
    """An analysis before its value columns have numbers; see `dataspace.domain.analyses.Analysis`."""

    kind: AnalysisKind
    arguments: tuple[Argument, ...]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    levels: tuple[tuple[Scalar, ...], ...] = ()
    step: Decimal | None = None


@dataclass(frozen=True)
class Form:
    """How an analysis is written; `usage` and `meaning` are printed in the language reference."""

    usage: str
    meaning: str
    least: int
    most: int
    build: Callable[[Binder, list[Node], Sequence[Expr], Node], Draft]


def is_analysis(node: Node) -> bool:
    """True for a call of an analysis, whatever is around it."""
    return any(_named(n) in FORMS for n in node.walk(prune=lambda n: isinstance(n, exp.Subquery | exp.Select)))


def analysis(b: Binder, node: Node, where: Sequence[Expr]) -> Draft:
    """The analysis that a SELECT item asks for; `where` are the query's conditions, which narrow lists of values."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Filter):
        raise refuse(node, "An analysis takes no FILTER.", "Write the condition into WHERE.")
    form = FORMS.get(_named(node))
    if form is None:
        raise refuse(
            node, "An item of the SELECT list computes with an analysis.", "Select it alone; compute with its answer."
        )
    args = list(node.expressions)
    if not form.least <= len(args) <= form.most:
        raise refuse(node, f"{_named(node).upper()} has another number of arguments.", f"Write {form.usage}.")
    return form.build(b, args, where, node)


def check_analysis(draft: Draft, node: Node, select: Select, groups: Sequence[GroupKey]) -> None:
    """One row of each person, groups known beforehand, and no two columns of one name."""
    if not select.unique:
        raise refuse(
            node,
            "An analysis takes one row of each person, and this query may have several.",
            "Make one in a sub-query: FROM (SELECT person, MIN(date) AS first_day, … GROUP BY person).",
        )
    unknown = next((key for key in groups if key.domain is None), None)
    if unknown is not None:
        raise refuse(
            node,
            f"The groups {unknown.name!r} are not known beforehand.",
            "Use a column with a code list, BIN(x, lo, hi, width), or name the groups: WHERE x IN (…).",
        )
    taken = {key.name for key in groups} & {*draft.keys, *draft.columns}
    if taken or set(draft.keys) & set(draft.columns):
        raise refuse(node, "Two columns of the answer have the same name.", "Give the group another alias.")


def _named(node: Node) -> str:
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else ""


def _kaplan_meier(b: Binder, args: list[Node], _where: Sequence[Expr], node: Node) -> Draft:
    time = build.need_number(b.bind(args[0]), args[0])
    horizon, step = (_constant(b, arg) for arg in args[2:])
    if not 0 < step <= horizon or (horizon / step).denominator != 1 or horizon / step > MAX_BINS:
        raise refuse(
            node,
            f"The horizon is not 1 to {MAX_BINS:,} steps long.",
            "Write for example KAPLAN_MEIER(days, died, 3650, 30), with a horizon that is a multiple of the step.",
        )
    bounds = Bounds(Decimal(0), _decimal(horizon, node))
    arguments = Argument("time", time, bounds), Argument("event", indicator(b.condition(args[1]), node).expr)
    columns = ("survival", "at_risk", "events")
    return Draft(AnalysisKind.KAPLAN_MEIER, arguments, ("time",), columns, step=_decimal(step, node))


def _incidence(b: Binder, args: list[Node], _where: Sequence[Expr], node: Node) -> Draft:
    names = ("first", "last", "event")
    arguments = tuple(Argument(name, _day_number(b, arg)) for name, arg in zip(names, args, strict=False))
    unit = b.bind(args[3])
    if not (unit.is_literal and unit.value in ("year", "quarter", "month")):
        raise refuse(args[3], "The period is not a unit of the calendar.", "Write 'year', 'quarter' or 'month'.")
    since, until = (_literal_day(b, arg) for arg in args[4:])
    starts = _periods(since, until, dates.MONTHS[str(unit.value)])
    if not 2 <= len(starts) <= MAX_PERIODS + 1:
        raise refuse(
            node,
            f"The dates do not span 1 to {MAX_PERIODS:,} periods.",
            "Write INCIDENCE(first_day, last_day, event_day, 'year', DATE '2010-01-01', DATE '2020-01-01'); "
            "the last date is the first day that is not counted.",
        )
    return Draft(AnalysisKind.INCIDENCE, arguments, ("period",), ("rate", "events", "person_years"), (starts,))


def _chi_square(b: Binder, args: list[Node], where: Sequence[Expr], node: Node) -> Draft:
    arguments, levels = [], []
    names = [_name(arg, default) for arg, default in zip(args, ("first", "second"), strict=True)]
    for name, arg in zip(names, args, strict=True):
        expr = b.bind(arg)
        values = tuple(v for v in public_domain(expr, where) or () if v is not None)
        if not 2 <= len(values) <= MAX_LEVELS:
            raise refuse(
                arg,
                f"The table needs 2 to {MAX_LEVELS} values of each variable, known beforehand.",
                "Use a column with a code list, BIN(x, lo, hi, width), or name the values: WHERE x IN (…).",
            )
        places = [(build.compare("eq", expr, build.literal(v), arg), build.literal(i)) for i, v in enumerate(values)]
        arguments.append(Argument(name, build.case(places, build.NULL, arg)))
        levels.append(values)
    _check_different(arguments, node)
    columns = ("persons", "expected", "statistic", "degrees_of_freedom", "p_value")
    return Draft(AnalysisKind.CHI_SQUARE, tuple(arguments), tuple(names), columns, tuple(levels))


def _linear(b: Binder, args: list[Node], _where: Sequence[Expr], node: Node) -> Draft:
    arguments = [_variable(b, arg) for arg in args]
    _check_different(arguments, node)
    return Draft(AnalysisKind.LINEAR_REGRESSION, tuple(arguments), ("term",), ("coefficient",))


def _logistic(b: Binder, args: list[Node], _where: Sequence[Expr], node: Node) -> Draft:
    outcome = Argument(_name(args[0]), indicator(b.condition(args[0]), args[0]).expr)
    arguments = [outcome, *(_variable(b, arg) for arg in args[1:])]
    _check_different(arguments, node)
    return Draft(AnalysisKind.LOGISTIC_REGRESSION, tuple(arguments), ("term",), ("coefficient", "odds_ratio"))


def _variable(b: Binder, node: Node) -> Argument:
    """A number with bounds, or a condition as 0 and 1."""
    expr = b.bind(node)
    if build.is_text(expr):
        raise refuse(node, "Text has no place in a regression.", "Write a condition for each category: sex = 'F'.")
    found = indicator(expr, node) if expr.type is build.BOOLEAN else operand(expr, node)
    if expr.is_literal:
        raise refuse(node, "This variable is a constant.", "Leave it out; an intercept is always there.")
    return Argument(_name(node), found.expr, found.bounds)


def _check_different(arguments: Sequence[Argument], node: Node) -> None:
    for what in ([a.expr for a in arguments], [a.name for a in arguments]):
        if len(set(what)) < len(what):
            raise refuse(node, "The analysis names a variable twice.", "Name each variable once.")


def _name(node: Node, default: str | None = None) -> str:
    """What the answer calls an argument: its column, else its text."""
    while isinstance(node, exp.Paren) or (_named(node) == "clamp" and node.expressions):
        node = node.this if isinstance(node, exp.Paren) else node.expressions[0]
    return node.name.lower() if isinstance(node, exp.Column) else default or node.sql(dialect="duckdb")[:200]


def _constant(b: Binder, arg: Node) -> Fraction:
    found = b.bind(arg)
    if not (found.is_literal and found.is_number):
        raise refuse(arg, "Horizon and step are constants.", "Write KAPLAN_MEIER(days, died, 3650, 30).")
    return build.number_value(found)


def _decimal(value: Fraction, node: Node) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(exact) != value or abs(exact) > 10**12:
        raise refuse(node, "Horizon or step cannot be used.", "Write KAPLAN_MEIER(days, died, 3650, 30).")
    return exact


def _day_number(b: Binder, node: Node) -> Expr:
    """Days since 1970."""
    day = dates.truncated("day", build.need_moment(b.bind(node), node), node)
    return dates.difference("day", build.literal(EPOCH), day, node)


def _literal_day(b: Binder, node: Node) -> date:
    found = build.need_moment(b.bind(node), node)
    if not found.is_literal or not isinstance(found.value, date) or isinstance(found.value, datetime):
        raise refuse(node, "The calendar's ends are constants.", "Write dates: DATE '2010-01-01', DATE '2020-01-01'.")
    return found.value


def _periods(since: date, until: date, months: int) -> tuple[date, ...]:
    """First days of the periods from `since`, and `until`; whole calendar periods but for the ends."""
    starts = [since]
    while starts[-1] < until and len(starts) <= MAX_PERIODS + 1:
        number = (starts[-1].year * 12 + starts[-1].month - 1) // months * months + months
        starts.append(min(until, date(min(number // 12, 9999), number % 12 + 1, 1)))
    return tuple(starts)


FORMS: dict[str, Form] = {
    "kaplan_meier": Form(
        "KAPLAN_MEIER(time, event, horizon, step)", "survival at the end of each time step", 4, 4, _kaplan_meier
    ),
    "incidence": Form(
        "INCIDENCE(first_day, last_day, event_day, 'year', from, to)",
        "events per person-year of each calendar period; event_day is NULL without event",
        6,
        6,
        _incidence,
    ),
    "chi_square": Form("CHI_SQUARE(a, b)", "two-way table with a test of independence", 2, 2, _chi_square),
    "linear_regression": Form(
        "LINEAR_REGRESSION(y, x1, …)", "coefficients of least squares", 2, MAX_COVARIATES + 1, _linear
    ),
    "logistic_regression": Form(
        "LOGISTIC_REGRESSION(condition, x1, …)", "log odds ratios and odds ratios", 2, MAX_COVARIATES + 1, _logistic
    ),
}
