"""What a draft is made of: the plan's own parts, each with remarks for the holder who will edit them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.plan import ColumnPlan, SourcePlan, TablePlan

SEEN = (
    "A first ingestion plan, written by looking at the delivery. Read it line by line before it is used: what could "
    'not be told for sure is marked "check:". A plan is public: no value that few persons share may be written into it.'
)
"""How a draft begins."""

CHECK = "check: "
"""What a remark begins with if the holder has to decide something."""

NO_DOMAIN = "check-your-domain"
"""Pseudonymisation domain of a plan for which nobody has chosen one yet."""


def open_questions(plan: str) -> int:
    """Marked lines of a plan's text."""
    return sum(f"# {CHECK.strip()}" in line for line in plan.splitlines())


@dataclass(frozen=True)
class LeftOut:
    """A delivered table, or a column of one, that the draft does not read, and why; `is_empty` if it has no rows."""

    name: str
    why: str
    is_empty: bool = False


def by_reason(left_out: Iterable[LeftOut]) -> Iterator[tuple[str, str]]:
    """Names with one reason together, and the reason; in the order of the first."""
    names: dict[str, list[str]] = {}
    for left in left_out:
        names.setdefault(left.why, []).append(left.name)
    yield from ((", ".join(listed), why) for why, listed in names.items())


@dataclass(frozen=True)
class DraftColumn:
    """A column of the plan and the remarks above it."""

    plan: ColumnPlan
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftTable:
    """A table of the plan; `plan.columns` is empty, `columns` has them with their remarks.

    `no_person` is true if rows seem to be about persons and no column says about whom.
    """

    plan: TablePlan
    columns: tuple[DraftColumn, ...]
    remarks: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    no_person: bool = False


@dataclass(frozen=True)
class About:
    """What the holder says about the dataset: nothing of it can be seen in the files."""

    id: str
    title: str
    holder: Mapping[str, Any]
    domain: str
    public: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Draft:
    """A whole draft; `source.location` is as it will stand in the plan."""

    about: About
    source: SourcePlan
    tables: tuple[DraftTable, ...]
    normalise: tuple[str, ...] = ()
    description: str = ""
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()
    head: str = SEEN
