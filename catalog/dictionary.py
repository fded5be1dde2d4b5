"""From the data dictionary (`catalog.schema`) to what a record says about it: variables, coding systems, codes."""

from catalog.schema import CodedValue, Column, ColumnType, DatasetSchema, Table
from catalog.values import Text
from catalog.variables import CODES_SHOWN, Variable, VariableGroup, VariableTable
from catalog.vocabularies import coding_system

CSVW_TYPES = {
    ColumnType.BOOLEAN: "boolean",
    ColumnType.INTEGER: "integer",
    ColumnType.DECIMAL: "decimal",
    ColumnType.DATE: "date",
    ColumnType.TIMESTAMP: "datetime",
    ColumnType.CODE: "string",
    ColumnType.TEXT: "string",
}
"""CSVW datatype of each column type."""


def variables_of(schema: DatasetSchema, language: str = "en") -> VariableGroup:
    """The dictionary as the catalogue shows it. Reserved columns (person key, row rank) are not in the dictionary.

    `language` is the language of titles and descriptions. A missing title falls back to the name, a missing
    description to the title, since Release 8 asks for both.
    """
    tables = tuple(_table(table, language) for table in schema.tables if table.columns)
    return VariableGroup(title=(Text(f"Variables of {schema.dataset}", "en"),), tables=tables)


def coding_systems_of(schema: DatasetSchema) -> tuple[str, ...]:
    """Addresses of the coding systems its columns name, as far as the European list knows them; sorted."""
    named = {column.code_system for table in schema for column in table.columns if column.code_system}
    return tuple(sorted({address for name in named if (address := coding_system(name))}))


def _table(table: Table, language: str) -> VariableTable:
    title = table.title.strip() or table.name
    return VariableTable(
        name=table.name,
        title=(Text(title, language),),
        description=(Text(table.description, language),) if table.description.strip() else (),
        variables=tuple(_variable(column, language) for column in table.columns),
    )


def _variable(column: Column, language: str) -> Variable:
    title = column.title.strip() or column.name
    return Variable(
        name=column.name,
        title=(Text(title, language),),
        description=(Text(column.description.strip() or title, language),),
        datatype=_datatype(column),
        required=column.required,
        minimum=column.bounds.low if column.bounds else None,
        maximum=column.bounds.high if column.bounds else None,
        unit=column.unit or None,
        code_system=column.code_system or None,
        codes=_codes(column.values),
    )


def _datatype(column: Column) -> str:
    """A coded column of whole numbers is an integer to people who read the data."""
    whole = column.values and all(isinstance(value.code, int) for value in column.values)
    return "integer" if column.type is ColumnType.CODE and whole else CSVW_TYPES[column.type]


def _codes(values: tuple[CodedValue, ...] | None) -> tuple[CodedValue, ...]:
    """Codes with a label each, so that they can be found by either."""
    if values is None or len(values) > CODES_SHOWN:
        return ()
    return tuple(CodedValue(value.code, value.label.strip() or str(value.code)) for value in values)
