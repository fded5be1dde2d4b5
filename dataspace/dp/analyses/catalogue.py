"""The method of an analysis: from its public description to how it is measured."""

from datetime import date
from decimal import Decimal

from dataspace.domain.analyses import Analysis, AnalysisKind, Variable
from dataspace.domain.errors import InvalidQuery
from dataspace.dp.analyses.contingency import Independence
from dataspace.dp.analyses.incidence import Incidence
from dataspace.dp.analyses.linear import LinearRegression, Range
from dataspace.dp.analyses.logistic import LogisticRegression
from dataspace.dp.analyses.method import Method
from dataspace.dp.analyses.survival import Survival


def method_of(analysis: Analysis) -> Method | LogisticRegression:
    """How the analysis is measured and read; InvalidQuery if its public facts do not allow it."""
    kind, variables = analysis.kind, analysis.variables
    if kind is AnalysisKind.KAPLAN_MEIER:
        _, horizon = _ends(variables[0])
        step = analysis.step or Decimal(1)
        return Survival(step, int(horizon / step))
    if kind is AnalysisKind.INCIDENCE:
        return Incidence(tuple(day for day in analysis.levels[0] if isinstance(day, date)))
    if kind is AnalysisKind.CHI_SQUARE:
        return Independence(*analysis.levels)
    outcome, *covariates = variables
    ranges = tuple(_range(variable) for variable in covariates)
    if kind is AnalysisKind.LINEAR_REGRESSION:
        return LinearRegression(_range(outcome), ranges)
    return LogisticRegression(outcome.name, ranges)


def _range(variable: Variable) -> Range:
    low, high = _ends(variable)
    return Range(variable.name, float(low), float(high))


def _ends(variable: Variable) -> tuple[Decimal, Decimal]:
    bounds = variable.bounds
    if bounds is None or not isinstance(bounds.low, Decimal) or not isinstance(bounds.high, Decimal):
        raise InvalidQuery(f"{variable.name!r} needs public bounds.", hint="Write CLAMP(value, low, high).")
    if not bounds.low < bounds.high:
        raise InvalidQuery(f"{variable.name!r} has one possible value only.", hint="Leave it out.")
    return bounds.low, bounds.high
