"""What shapes the numbers of an answer, in words: said with the estimate, and again with the answer."""

from decimal import Decimal
from fractions import Fraction

from dataspace.domain.populations import Population
from dataspace.domain.privacy import ContributionBounds
from dataspace.domain.queries import Query
from dataspace.dp.accuracy import half_width
from dataspace.dp.measures import Channel, Stream


def of_query(
    query: Query, bounds: ContributionBounds, streams: tuple[Stream, ...], threshold: int | None, min_cell: int
) -> tuple[str, ...]:
    """Bounds, clamps, levels; `threshold` is the least noisy number of persons of a group that had to be found."""
    notes = []
    if query.keys:
        notes.append(f"Each person counts in at most {bounds.groups} {_plural(bounds.groups, 'group')}.")
    if not query.one_row_counts:
        notes.append(f"At most {bounds.rows} {_plural(bounds.rows, 'row')} of a person count in each group.")
    if query.row_cap is not None:
        notes.append(f"Of each of the joined tables, {query.row_cap:,} rows of a person take part.")
    notes += [_clamped(stream) for stream in streams if stream.grid.high > stream.grid.low]
    if query.sets and min_cell:
        notes.append("Each level is measured by itself: if levels added up, what is withheld could be computed.")
    elif query.sets:
        notes.append("Each level is measured; then all numbers are replaced by the nearest ones that add up.")
    if threshold is not None:
        notes.append(f"A group is released if its noisy number of persons is at least {threshold}.")
    return tuple(dict.fromkeys(notes))


def of_min_cell(min_cell: int, added: Channel | None) -> tuple[str, ...]:
    """What the permit's minimum cell size does to the answer; `added` is a count of persons measured for it alone."""
    if not min_cell:
        return ()
    note = f"What is of fewer than {min_cell} persons, by a noisy count, is withheld: the permit's minimum cell size."
    if added is None:
        return (note,)
    width = half_width(added.scale)
    return note, f"The persons of each row are counted for that (±{width} at 95 %), within the price."


def of_population(population: Population | None) -> tuple[str, ...]:
    """Whom the permit is about."""
    if population is None:
        return ()
    return (f"Only persons of the permit's population count: {population.text}.",)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _clamped(stream: Stream) -> str:
    grid = stream.grid
    low, high, step = (_plain(n * grid.step) for n in (grid.low, grid.high, 1))
    width = f", read in bins of {_plain(stream.bins.width * grid.step)}" if stream.bins else ""
    return f"Values are clamped to {low} to {high} in steps of {step}{width}."


def _plain(number: Fraction) -> str:
    return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"
