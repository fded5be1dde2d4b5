"""Arrow schemas of stored tables: dictionary columns, then the person key and the row rank."""

import pyarrow as pa

from catalog.schema import PERSON_KEY, ROW_RANK, ColumnType, Table, TableKind, index_columns

TYPES: dict[ColumnType, pa.DataType] = {
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.DECIMAL: pa.float64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.CODE: pa.string(),
    ColumnType.TEXT: pa.string(),
}

SQL_TYPES: dict[ColumnType, str] = {
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DOUBLE",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.CODE: "VARCHAR",
    ColumnType.TEXT: "VARCHAR",
}


def stored_schema(table: Table) -> pa.Schema:
    """Columns of the table's Parquet files, in their order."""
    fields = [pa.field(c.name, TYPES[c.type]) for c in table.columns]
    if table.kind is not TableKind.LOOKUP:
        fields += [pa.field(PERSON_KEY, pa.int64(), nullable=False), pa.field(ROW_RANK, pa.int32(), nullable=False)]
        fields += [pa.field(name, pa.int32(), nullable=False) for name in index_names(table)]
    return pa.schema(fields)


def index_names(table: Table) -> tuple[str, ...]:
    """Columns of all the table's contribution indexes."""
    names: list[str] = []
    for position, dimensions in enumerate(table.dimensions, start=1):
        group, row, cell = index_columns(position)
        names += [group, row] if table.index_values(dimensions) is None else [group, row, cell]
    return tuple(names)


def stored_sql_types(table: Table) -> dict[str, str]:
    """DuckDB's name of each stored column's type."""
    types = {c.name: SQL_TYPES[c.type] for c in table.columns}
    if table.kind is TableKind.LOOKUP:
        return types
    return types | {PERSON_KEY: "BIGINT", ROW_RANK: "INTEGER"} | dict.fromkeys(index_names(table), "INTEGER")
