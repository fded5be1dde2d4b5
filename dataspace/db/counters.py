"""Running numbers without gaps, one series for each kind and year."""

from sqlalchemy import Connection, insert, select, update

from dataspace.db import tables as t


def next_number(connection: Connection, prefix: str, year: int) -> str:
    """For example DP-2026-0001; the row stays locked until the transaction ends."""
    name = f"{prefix}-{year}"
    touched = connection.execute(
        update(t.counters).where(t.counters.c.name == name).values(value=t.counters.c.value + 1)
    )
    if touched.rowcount == 0:
        connection.execute(insert(t.counters).values(name=name, value=1))
    value = connection.execute(select(t.counters.c.value).where(t.counters.c.name == name)).scalar_one()
    return f"{name}-{value:04d}"
