"""Keys between tables: by name, then by looking whether the values of one column are all found in the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.schema import ColumnType
from pipelines.draft import names
from pipelines.draft.form import DraftColumn
from pipelines.draft.keys import is_unique, share_found
from pipelines.draft.looked import Looked
from pipelines.draft.measure import Look
from pipelines.draft.people import Whose
from pipelines.plan import LookupColumn

MOST_VALUES = 10_000
"""Codes of a lookup table that a column can take its closed list from: as many as one query may have groups."""

UNIQUE_SHARE = 0.8
"""Estimated share of distinct values from which on it is counted whether a column is unique."""


@dataclass(frozen=True)
class Link:
    """A delivered column of one table whose values are all found in a unique column of another."""

    table: str
    column: str
    target: str
    target_column: str
    lookup: LookupColumn
    is_public: bool
    is_short: bool

    def applied(self, column: DraftColumn) -> DraftColumn:
        """The column with what the link says of it."""
        if not self.is_public:
            said = f'foreign_key = {{ table = "{self.lookup.table}", column = "{self.lookup.code}" }}'
            return replace(column, remarks=(*column.remarks, f"every value is found in another table: {said}"))
        if self.is_short and column.plan.column.type in (ColumnType.CODE, ColumnType.INTEGER):
            bare = replace(column.plan.column, values=None)
            kept = tuple(r for r in column.remarks if "values" not in r and "list" not in r)
            return replace(column, plan=replace(column.plan, column=bare, values_from=self.lookup), remarks=kept)
        return replace(column, plan=replace(column.plan, references=self.lookup))


def find_links(
    look: Look, tables: Sequence[Looked], whose: Mapping[str, Whose], stored: Mapping[str, str]
) -> list[Link]:
    """Links between tables; a table of persons is linked by its person column, which needs none."""
    found = []
    for parent in tables:
        for target in _unique_columns(look, parent, whose[parent.name]):
            for child in tables:
                if child.name != parent.name:
                    found += _links(look, child, parent, target, whose, stored)
    return found


def _unique_columns(look: Look, table: Looked, whose: Whose) -> list[str]:
    likely = [
        c
        for c, f in table.facts.items()
        if c != whose.person and f.distinct >= UNIQUE_SHARE * table.rows and f.filled == table.rows > 0
        and (names.is_code(c) or names.is_record_number(c))
        and table.readings[c].type in (ColumnType.CODE, ColumnType.INTEGER)
    ]  # fmt: skip
    return [c for c in likely[:3] if is_unique(look, table.key(c))]


def _links(
    look: Look, child: Looked, parent: Looked, target: str, whose: Mapping[str, Whose], stored: Mapping[str, str]
) -> list[Link]:
    """Links of one child's columns to the target; public tables stand alone."""
    if whose[child.name].is_public:
        return []
    found = []
    for column, facts in child.facts.items():
        if column == whose[child.name].person or not facts.filled or not _is_said(child, column, parent, target):
            continue
        if child.readings[column].type is not parent.readings[target].type:
            continue
        if share_found(look, child.key(column), parent.key(target)) == 1:
            found.append(_link(child, column, parent, target, whose, stored))
    return found


def _is_said(child: Looked, column: str, parent: Looked, target: str) -> bool:
    """By name, or by the Table Schema."""
    said = any(
        (column,) == r.columns and r.table.lower() == parent.name.lower() and (target,) == r.targets
        for r in child.said.references
    )
    return said or names.points_to(column, parent.name, target)


def _link(
    child: Looked, column: str, parent: Looked, target: str, whose: Mapping[str, Whose], stored: Mapping[str, str]
) -> Link:
    columns = names.stored_names(tuple(parent.facts), "column")
    label = next((c for c in parent.facts if names.is_label(c) and c != target and not parent.facts[c].broken), None)
    lookup = LookupColumn(stored[parent.name], columns[target], columns[label] if label else None)
    return Link(
        child.name, column, parent.name, target, lookup, whose[parent.name].is_public, parent.rows <= MOST_VALUES
    )
