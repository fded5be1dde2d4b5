"""Ranks of a person's groups and of the rows in them, for the contribution index."""

import numpy as np

WORD = 64


def group_ranks(starts: np.ndarray, cells: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row, int32: the rank of its group, negative unless it is the group's first row, and its rank within it.

    `starts` (persons + 1) are where each person's rows begin, `cells` (rows, int64) the groups as numbers, `orders`
    (rows, uint64) the keyed hash of each group: groups are ranked by it, ties by the number of the group, the rows
    of a group in their own order.
    """
    persons = np.repeat(np.arange(len(starts) - 1, dtype=np.uint64), np.diff(starts))
    order = _order(persons, cells, orders)
    same_person = persons[order][1:] == persons[order][:-1]
    begins = np.concatenate(([True], ~same_person | (cells[order][1:] != cells[order][:-1])))
    groups = np.cumsum(begins)
    # a person's rows lie where they lay before, so the number of the group before theirs is found at their start
    first_group = groups[starts[:-1]] if len(groups) else groups
    rank = groups - first_group[persons[order].astype(np.int64)] + 1
    positions = np.arange(len(order))
    within = positions - np.flatnonzero(begins)[groups - 1] + 1
    group, row = np.empty(len(order), dtype=np.int32), np.empty(len(order), dtype=np.int32)
    group[order] = np.where(within == 1, rank, -rank)
    row[order] = within
    return group, row


def _order(persons: np.ndarray, cells: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Positions of the rows by person, keyed hash, group and their own order.

    Person and hash are packed into one word, which sorts three times as fast; where what is cut off of the hash would
    have told two groups of a person apart, all of it is sorted by.
    """
    bits = int(persons[-1]).bit_length() if len(persons) else 0
    packed = (persons << np.uint64(WORD - bits)) | (orders >> np.uint64(bits)) if bits else orders
    order = np.argsort(packed, kind="stable")
    alike = packed[order][1:] == packed[order][:-1]
    if (alike & (cells[order][1:] != cells[order][:-1])).any():
        return np.lexsort((cells, orders, persons))
    return order
