"""ROLLUP, CUBE and GROUPING SETS: taken out of GROUP BY before anything is compiled; their keys stay in it."""

from dataclasses import dataclass
from itertools import combinations, product

from sqlglot import exp

from dataspace.sql.refusals import refuse

MAX_SETS = 16

LEVEL = "level"
"""Label column of the answer: by which keys a row is grouped."""

Nodes = tuple[exp.Expr, ...]
_LEVELS = exp.Rollup | exp.Cube | exp.GroupingSets


@dataclass(frozen=True)
class Grouping:
    """Grouping sets as positions in the GROUP BY list, the finest first."""

    sets: tuple[tuple[int, ...], ...]


def take_grouping(tree: exp.Select) -> Grouping | None:
    """Replace levels in GROUP BY by the plain list of their keys; None if there are none."""
    group = tree.args.get("group")
    if group is None or not any(isinstance(part, _LEVELS) for part in group.expressions):
        return None
    chosen = [_sets(part) for part in group.expressions]
    found = [tuple(dict.fromkeys(key for part in parts for key in part)) for parts in product(*chosen)]
    keys = list(dict.fromkeys(key for some in found for key in some))
    sets = sorted({tuple(sorted(keys.index(key) for key in some)) for some in found}, key=lambda s: (-len(s), s))
    if not keys:
        raise refuse(group, "The grouping sets name no key.", "Leave out GROUP BY for one total.")
    if len(sets) > MAX_SETS:
        raise refuse(group, f"GROUP BY asks for more than {MAX_SETS} levels.", "Name the ones you need: GROUPING SETS.")
    group.set("expressions", keys)
    return Grouping(tuple(sets))


def _sets(part: exp.Expr) -> list[Nodes]:
    """The sets that one item of GROUP BY stands for."""
    if isinstance(part, exp.GroupingSets):
        return [some for item in part.expressions for some in _one(item)]
    items = [_keys(item) for item in part.expressions] if isinstance(part, exp.Rollup | exp.Cube) else []
    if isinstance(part, exp.Rollup):
        return [_joined(items[:size]) for size in range(len(items), -1, -1)]
    if isinstance(part, exp.Cube):
        if 2 ** len(items) > MAX_SETS:
            raise refuse(part, f"CUBE asks for more than {MAX_SETS} levels.", "Name the ones you need: GROUPING SETS.")
        return [_joined(some) for size in range(len(items), -1, -1) for some in combinations(items, size)]
    return [(part,)]


def _one(item: exp.Expr) -> list[Nodes]:
    """An item of GROUPING SETS: a key, a list of keys, or levels again."""
    return _sets(item) if isinstance(item, _LEVELS) else [_keys(item)]


def _keys(item: exp.Expr) -> Nodes:
    if isinstance(item, exp.Tuple):
        return tuple(item.expressions)
    return (item.this if isinstance(item, exp.Paren) else item,)


def _joined(items: "list[Nodes] | tuple[Nodes, ...]") -> Nodes:
    return tuple(key for keys in items for key in keys)
