"""Which data: sets of (dataset, table, column), with a shorthand for whole tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.schema import DatasetSchema, Table, TableKind
from dataspace.domain.errors import InvalidApplication

ColumnRef = tuple[str, str, str]
"""(dataset, table, column). As something a query touches, column "" is the table itself without any column."""

WHOLE_TABLE = "*"


@dataclass(frozen=True)
class Scope:
    """The data asked for; column `*` stands for all columns of the table."""

    columns: frozenset[ColumnRef] = frozenset()

    @classmethod
    def of(cls, *columns: ColumnRef) -> "Scope":
        return cls(frozenset(columns))

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(sorted({dataset for dataset, _, _ in self.columns}))

    def expand(self, schemas: Mapping[str, DatasetSchema]) -> frozenset[ColumnRef]:
        """Every column by name, and the public lookup tables of the datasets, which concern nobody.

        Raises InvalidApplication if something asked for does not exist. The shorthand ends here: a permit names columns
        one by one, so that a column added to a later snapshot is not in it.
        """
        unknown = [ref for ref in sorted(self.columns) if not _exists(ref, schemas)]
        if unknown:
            raise InvalidApplication(f"these data do not exist: {listed(unknown)}; see the dataset's dictionary")
        named = {(d, t, c) for d, t, c in self.columns if c != WHOLE_TABLE}
        whole = {(d, t, c) for d, t, star in self.columns if star == WHOLE_TABLE for c in schemas[d].table[t].column}
        public = {(d, t.name, c) for d in self.datasets for t in _lookups(schemas[d]) for c in t.column}
        return frozenset(named | whole | public)


def not_covered(columns: Iterable[ColumnRef], granted: frozenset[ColumnRef]) -> list[ColumnRef]:
    """What of `columns` is not in `granted`, sorted; a table without a column is covered by any of its columns."""
    tables = {(dataset, table) for dataset, table, _ in granted}
    return sorted(c for c in columns if not (c in granted or (c[2] == "" and c[:2] in tables)))


def listed(columns: Iterable[ColumnRef]) -> str:
    """At most five of them as text, and how many more."""
    names = [".".join(part for part in ref if part) for ref in columns]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _exists(ref: ColumnRef, schemas: Mapping[str, DatasetSchema]) -> bool:
    dataset, table, column = ref
    found = schemas[dataset].table.get(table) if dataset in schemas else None
    return found is not None and (column == WHOLE_TABLE or column in found.column)


def _lookups(schema: DatasetSchema) -> list[Table]:
    return [table for table in schema if table.kind is TableKind.LOOKUP]
