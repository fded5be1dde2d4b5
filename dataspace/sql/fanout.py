"""How many rows of one person a query can make of joined tables, and the public caps that keep that bounded.

Tables with many rows a person multiply when they are joined: six of forty rows make four thousand million. Which rows
are there is data, so what a join costs would tell about it, and could fill the memory. Each such table therefore takes
part with the first rows of a person only, in keyed-hash order, so many that their product stays within `MOST_ROWS`.
"""

from dataspace.domain.errors import InvalidQuery
from dataspace.sql.tree import DerivedSource, Expr, Select, TableSource, selects

MOST_ROWS = 1_000_000
"""Rows that the joins of a query may make of one person's rows, lookup tables aside."""

MOST_TABLES = 8
"""Tables with many rows a person in one query."""

MOST_LOOKUPS = 4
"""Lookup tables in one query."""


def weighing(select: Select) -> tuple[TableSource, ...]:
    """Tables whose rows make the rows of the selection: those with many rows a person, not yet brought to one."""
    found: list[TableSource] = []
    for source in select.sources:
        if isinstance(source, TableSource):
            found += [source] if source.personal and not source.unique else []
        elif not source.unique:
            found += weighing(source.select)
    return tuple(found)


def caps(select: Select) -> dict[int, int]:
    """Rows of a person that each table takes part with, by the source's number; tables that stand alone have no cap.

    Raises InvalidQuery if so many tables are joined that next to nothing of each would be left.
    """
    found: dict[int, int] = {}
    for part in selects(select):
        _check_tied(part)
        _cap(part, found)
    if _lookups(select) > MOST_LOOKUPS:
        raise InvalidQuery(
            f"The query joins more than {MOST_LOOKUPS} lookup tables.", hint="Filter by code instead of by label."
        )
    return found


def _cap(select: Select, found: dict[int, int]) -> None:
    """Caps of the tables that this selection's joins multiply; a table in several selections keeps its lowest."""
    tables = weighing(select)
    if len(tables) > MOST_TABLES:
        raise InvalidQuery(
            f"The query joins {len(tables)} tables with many rows a person; {MOST_TABLES} is the limit.",
            hint="Group each by person in a sub-query, or use person IN (SELECT person FROM …).",
        )
    if len(tables) > 1:
        cap = _root(len(tables))
        for table in tables:
            found[table.id] = min(cap, found.get(table.id, cap))


def _check_tied(select: Select) -> None:
    """Every lookup that is joined to something is tied to a value of it by an equality.

    Without one, each row meets the whole lookup. A selection over lookups alone starts from one of them.
    """
    on = {join.source.id: join.on for join in select.left}
    lookups = [source for source in select.sources if not source.personal]
    for source in lookups if select.personal else lookups[1:]:
        conditions = (*select.where, *on.get(source.id, ()))
        if not any(_ties(condition, source.id) for condition in conditions):
            name = f"table {source.table.name!r}" if isinstance(source, TableSource) else "sub-query"
            raise InvalidQuery(
                f"Lookup {name} is joined without an equality to a column of another table.",
                hint="Write ON lookup.code = t.code; further conditions may follow.",
            )


def _ties(condition: Expr, lookup: int) -> bool:
    if condition.op != "eq":
        return False
    sides = [{n.value[0] for n in a.walk() if n.op == "column" and isinstance(n.value, tuple)} for a in condition.args]
    return any(own == {lookup} and other and lookup not in other for own, other in (sides, sides[::-1]))


def _root(tables: int) -> int:
    """The largest whole number whose power does not pass MOST_ROWS."""
    cap: int = round(MOST_ROWS ** (1.0 / tables))
    return cap if cap**tables <= MOST_ROWS else cap - 1


def _lookups(select: Select) -> int:
    own = sum(1 for source in select.sources if isinstance(source, TableSource) and not source.personal)
    return own + sum(_lookups(source.select) for source in select.sources if isinstance(source, DerivedSource))
