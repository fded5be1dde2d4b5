"""Noise on the totals of an analysis, and the rows of its answer."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dataspace.domain.releases import ReleaseRow
from dataspace.dp.analyses.catalogue import method_of
from dataspace.dp.analyses.logistic import LogisticRegression
from dataspace.dp.analyses.method import Ints, Line, Method, Noisy
from dataspace.dp.measures import Channel
from dataspace.dp.noise import Noise
from dataspace.dp.plan import Cell, MeasurementPlan
from dataspace.dp.smallest import judged_lines
from dataspace.dp.totals import ExactTable


def analysed(plan: MeasurementPlan, totals: ExactTable, noise: Noise) -> list[ReleaseRow]:
    """The answer of each group: the group's values, then the analysis' own labels.

    A person is in one group, so a vector's sensitivity is the same over all groups together as in one.
    """
    assert plan.query.analysis is not None  # noqa: S101
    method = method_of(plan.query.analysis)
    if isinstance(method, LogisticRegression):
        answers = _in_rounds(plan, totals, method, noise)
    else:
        answers = _at_once(plan, totals, method, noise)
    judged = ((cell, judged_lines(lines, plan.min_cell) if plan.min_cell else lines) for cell, lines in answers)
    return [ReleaseRow((*cell, *line.labels), line.estimates) for cell, lines in judged for line in lines]


def _at_once(
    plan: MeasurementPlan, totals: ExactTable, method: Method, noise: Noise
) -> Iterator[tuple[Cell, list[Line]]]:
    """One vector a part over all groups, then group by group."""
    drawn = [_drawn(channel, exact, noise) for channel, exact in zip(plan.channels, totals.channels, strict=True)]
    for place, cell in enumerate(totals.cells):
        parts = [
            Noisy(numbers[place * part.width : (place + 1) * part.width], channel.scale)
            for part, channel, numbers in zip(method.parts, plan.channels, drawn, strict=True)
        ]
        yield cell, method.lines(parts)


def _in_rounds(
    plan: MeasurementPlan, totals: ExactTable, method: LogisticRegression, noise: Noise
) -> Iterator[tuple[Cell, list[Line]]]:
    """Rounds group by group: groups have no person in common."""

    def draw(number: int, exact: Ints) -> Noisy:
        channel = plan.channels[number]
        return Noisy(_drawn(channel, tuple(exact.tolist()), noise), channel.scale)

    for cell, people in zip(totals.cells, totals.people, strict=True):
        lines = method.fit(people, draw)
        if plan.min_cell:
            persons = draw(len(method.parts), np.array([len(people)])).numbers[0]
            lines = [replace(line, persons=persons) for line in lines]
        yield cell, lines


def _drawn(channel: Channel, exact: tuple[int, ...], noise: Noise) -> list[int]:
    return noise.gaussian(exact, channel.scale, channel.l2_squared, channel.rho)
