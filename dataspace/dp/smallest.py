"""The minimum cell size of a permit: what an answer withholds because it tells about too few persons.

Every number is judged by *noisy* counts alone, so this is post-processing: it costs nothing beyond the counts, and what
is withheld tells no more about anybody than the noisy counts do. It follows that a cell just below the size is shown
now and then, and one just above is withheld. Groups that had to be found are left out instead (`plan.Selection`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dataspace.domain.releases import Estimate, ReleaseRow
from dataspace.dp.analyses.method import Line

WITHHELD = Estimate(None, None, None, withheld=True)

Counted = Sequence[float | None]
"""For each aggregate of a row, the noisy number of rows or persons it is made of, None where that is not measured."""


def judged_row(row: ReleaseRow, persons: float, counted: Counted, least: int) -> ReleaseRow:
    """The row without its numbers if it tells about fewer than `least` persons, else without those that do.

    A number that is made of fewer rows than that is of fewer persons.
    """
    few = [persons < least or (number is not None and number < least) for number in counted]
    estimates = (WITHHELD if hide else estimate for hide, estimate in zip(few, row.estimates, strict=True))
    return replace(row, estimates=tuple(estimates))


def judged_lines(lines: Iterable[Line], least: int) -> list[Line]:
    """The lines of one group of an analysis; one whose persons are not counted is withheld.

    What all lines of the group go into goes with the first of them: from it the line could be computed.
    """
    found = list(lines)
    few = [line.persons is None or line.persons < least for line in found]
    return [
        _without(line, 0 if hide else line.own if any(few) else None) for line, hide in zip(found, few, strict=True)
    ]


def _without(line: Line, kept: int | None) -> Line:
    """The line with its first `kept` estimates, None for all."""
    if kept is None:
        return line
    return replace(line, estimates=(*line.estimates[:kept], *[WITHHELD] * len(line.estimates[kept:])))
