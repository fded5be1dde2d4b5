"""Ranks of a person's groups and rows, against a slow and obvious twin."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ranks import group_ranks

Row = tuple[int, int]
"""A group's number and the keyed hash of the group, which is a function of the number."""


def obvious(persons: list[list[Row]]) -> list[tuple[int, int]]:
    found = []
    for rows in persons:
        groups = sorted({(order, cell) for cell, order in rows})
        seen: dict[int, int] = {}
        for cell, order in rows:
            seen[cell] = seen.get(cell, 0) + 1
            rank = groups.index((order, cell)) + 1
            found.append((rank if seen[cell] == 1 else -rank, seen[cell]))
    return found


hashes = st.sampled_from([0, 1, 2**63, 2**64 - 1, 5 << 60, (5 << 60) + 1])


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), max_size=12),
    st.lists(hashes, min_size=6, max_size=6),
)
def test_ranks_are_those_of_sorting_each_person_alone(persons: list[list[int]], orders: list[int]) -> None:
    rows = [[(cell, orders[cell]) for cell in person] for person in persons]
    flat = [row for person in rows for row in person]
    starts = np.concatenate(([0], np.cumsum([len(p) for p in rows], dtype=np.int64))).astype(np.int64)
    group, row = group_ranks(
        starts, np.array([c for c, _ in flat], dtype=np.int64), np.array([o for _, o in flat], dtype=np.uint64)
    )
    assert list(zip(group.tolist(), row.tolist(), strict=True)) == obvious(rows)


def test_a_group_is_counted_once_from_its_positive_row() -> None:
    group, row = group_ranks(np.array([0, 4]), np.array([7, 7, 9, 7]), np.array([3, 3, 1, 3], dtype=np.uint64))
    assert group.tolist() == [2, -2, 1, -2]
    assert row.tolist() == [1, 2, 1, 3]
    assert [g for g, _ in groupby(sorted(g for g in group.tolist() if g > 0))] == [1, 2]
