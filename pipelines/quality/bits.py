"""Many yes/no findings about a row in few BIGINT columns: one bit a finding."""

from collections.abc import Sequence

WORD_BITS = 62
"""Bits used of each BIGINT."""


def words(name: str, count: int) -> tuple[str, ...]:
    """Names of the columns that hold `count` findings; at least one."""
    return tuple(f"{name}{n}" for n in range(max(1, -(-count // WORD_BITS))))


def columns(name: str, conditions: Sequence[str], where: str = "true") -> str:
    """SELECT items that set a bit for each SQL condition that is true, in order, in rows `where` it is asked."""
    items = []
    for number, word in enumerate(words(name, len(conditions))):
        of_word = conditions[number * WORD_BITS : (number + 1) * WORD_BITS]
        bits = [f"CASE WHEN {condition} THEN {1 << bit} ELSE 0 END" for bit, condition in enumerate(of_word)]
        found = f"CAST({' + '.join(bits) or '0'} AS BIGINT)"
        items.append(f"{found if where == 'true' else f'CASE WHEN {where} THEN {found} ELSE 0 END'} AS {word}")
    return ", ".join(items)


def is_set(name: str, position: int) -> str:
    """SQL that is true where the finding at `position` was made."""
    return f"({name}{position // WORD_BITS} & {1 << (position % WORD_BITS)}) <> 0"


def none_set(name: str, count: int) -> str:
    """SQL that is true where none of `count` findings was made."""
    return " AND ".join(f"{word} = 0" for word in words(name, count))
