"""The variables of a dataset as its record shows them (CSVW): group, tables, columns. Frozen, well-formed, pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.schema import CodedValue
from catalog.tidy import tidy
from catalog.values import Text, plain

CODES_SHOWN = 500
"""A variable lists its coded values up to this many; a longer list is left to its coding system."""


@dataclass(frozen=True)
class Variable:
    """csvw:Column: one variable. `datatype` is a CSVW name (`string`, `integer`, `date`, …).

    `codes` is its closed list of values, `minimum` and `maximum` the declared public bounds, never measured ones.
    """

    name: str
    title: tuple[Text, ...] = ()
    description: tuple[Text, ...] = ()
    datatype: str | None = None
    property_url: str | None = None
    required: bool | None = None
    minimum: Decimal | date | None = None
    maximum: Decimal | date | None = None
    unit: str | None = None
    code_system: str | None = None
    codes: tuple[CodedValue, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(
            self,
            texts=("title", "description"),
            iris=("property_url",),
            strings=("name", "datatype", "unit", "code_system"),
        )
        codes = sorted(set(self.codes), key=lambda c: (isinstance(c.code, str), c.code, c.label))
        for coded in codes:
            plain(coded.label, f"the label of a code of variable {self.name!r}")
            plain(str(coded.code), f"a code of variable {self.name!r}")
        object.__setattr__(self, "codes", tuple(codes))
        for bound in (self.minimum, self.maximum):
            if isinstance(bound, Decimal) and (not bound.is_finite() or abs(int(bound.as_tuple().exponent)) > 30):
                raise ValueError(f"variable {self.name!r}: a bound is finite, with at most 30 digits around the point")


@dataclass(frozen=True)
class VariableTable:
    """csvw:Table: the variables of one table, in the holder's order. Foreign records may give it a title only."""

    name: str | None = None
    title: tuple[Text, ...] = ()
    description: tuple[Text, ...] = ()
    url: str | None = None
    keyword: tuple[Text, ...] = ()
    variables: tuple[Variable, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("title", "description", "keyword"), iris=("url",), strings=("name",))
        names = [variable.name for variable in self.variables]
        if len(set(names)) != len(names):
            raise ValueError(f"table {self.name!r} has two variables of the same name")


@dataclass(frozen=True)
class VariableGroup:
    """csvw:TableGroup: the data dictionary of a dataset as the catalogue shows it, tables in the holder's order."""

    title: tuple[Text, ...] = ()
    tables: tuple[VariableTable, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("title",))
        names = [table.name for table in self.tables if table.name]
        if len(set(names)) != len(names):
            raise ValueError("the variables have two tables of the same name")

    def __iter__(self) -> Iterator[tuple[VariableTable, Variable]]:
        return ((table, variable) for table in self.tables for variable in table.variables)
