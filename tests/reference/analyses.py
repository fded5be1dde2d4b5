"""Slow, obvious twins of the statistical analyses without noise: plain Python over lists of rows."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, exp
from typing import TypeVar

Numbers = Sequence[float]
N = TypeVar("N", float, Fraction)


def kaplan_meier(rows: Sequence[tuple[float, bool]], step: Fraction, bins: int) -> list[tuple[float, int, int]]:
    """(survival, at risk, events) of each bin; times are rounded up to the end of their bin."""
    placed = [(max(1, ceil(Fraction(str(max(0.0, time))) / step)), event) for time, event in rows]
    found, survival = [], 1.0
    for place in range(1, bins + 1):
        at_risk = sum(1 for end, _ in placed if end >= place)
        events = sum(1 for end, event in placed if end == place and event)
        survival *= 1 - events / at_risk if at_risk else 1
        found.append((survival, at_risk, events))
    return found


def incidence(rows: Sequence[tuple[date, date, date | None]], starts: Sequence[date]) -> list[tuple[int, int]]:
    """(events, days at risk) of each period, counted day by day."""
    found = []
    for start, after in pairwise(starts):
        events = days = 0
        for first, last, event in rows:
            if event is not None and event < first:
                continue
            happened = event is not None and event <= last
            events += happened and start <= event < after
            until = event if happened else last
            day = first
            while day < until:
                days += start <= day < after
                day += timedelta(days=1)
        found.append((events, days))
    return found


def chi_square(table: Sequence[Sequence[int]]) -> float:
    """Pearson's statistic; cells that independence leaves empty add nothing."""
    total = sum(map(sum, table))
    down = [sum(row) for row in table]
    across = [sum(column) for column in zip(*table, strict=True)]
    statistic = 0.0
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            expected = down[i] * across[j] / total
            statistic += (count - expected) ** 2 / expected if expected else 0
    return statistic


def least_squares(outcome: Numbers, covariates: Sequence[Numbers]) -> list[float]:
    """Intercept and slopes, by exact elimination on the normal equations; `covariates` row by row."""
    rows = [[Fraction(1), *(Fraction(x) for x in row)] for row in covariates]
    size = len(rows[0])
    matrix = [[sum(row[i] * row[j] for row in rows) for j in range(size)] for i in range(size)]
    towards = [sum(row[i] * Fraction(y) for row, y in zip(rows, outcome, strict=True)) for i in range(size)]
    return [float(x) for x in solve(matrix, towards)]


def logistic(outcome: Sequence[bool], covariates: Sequence[Numbers]) -> list[float]:
    """Intercept and slopes of the largest likelihood, by Newton's method from zero."""
    rows = [[1.0, *row] for row in covariates]
    found = [0.0] * len(rows[0])
    for _ in range(40):
        chances = [1 / (1 + exp(-sum(b * x for b, x in zip(found, row, strict=True)))) for row in rows]
        size = range(len(found))
        gradient = [sum((y - p) * r[i] for y, p, r in zip(outcome, chances, rows, strict=True)) for i in size]
        matrix = [
            [sum(p * (1 - p) * r[i] * r[j] for p, r in zip(chances, rows, strict=True)) for j in size] for i in size
        ]
        found = [b + d for b, d in zip(found, solve(matrix, gradient), strict=True)]
    return found


def solve(matrix: list[list[N]], towards: list[N]) -> list[N]:
    """Gauss-Jordan elimination with the largest pivot."""
    rows = [[*row, right] for row, right in zip(matrix, towards, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda place: abs(rows[place][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for place in range(size):
            if place != column:
                factor = rows[place][column] / rows[column][column]
                rows[place] = [a - factor * b for a, b in zip(rows[place], rows[column], strict=True)]
    return [rows[i][-1] / rows[i][i] for i in range(size)]
