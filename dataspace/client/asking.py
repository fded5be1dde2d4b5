"""From what a person writes to the request that is sent; what cannot be sent is said plainly, before it travels."""

from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import ValidationError

from dataspace import wire
from dataspace.client.errors import InvalidInput

Number = str | int | float | Decimal
S = TypeVar("S", bound=wire.Shape)


def query_request(
    sql: str,
    epsilon: Number | None,
    rho: Number | None,
    accuracy: Number | None,
    groups: int | None,
    rows: int | None,
    purpose: str | None = None,
) -> wire.QueryRequest:
    """The request for a question; raises InvalidInput, with one sentence for each thing to mend."""
    if not sql.strip():
        raise InvalidInput("there is no SQL: write a SELECT")
    if (groups is None) != (rows is None):
        raise InvalidInput("give both groups and rows, or neither")
    given = {"epsilon": epsilon, "rho": rho, "accuracy": accuracy}
    prices = {name: _amount(name, value) for name, value in given.items() if value is not None}
    if len(prices) != 1:
        raise InvalidInput("give one price: epsilon, rho or accuracy" + (", not several" if prices else ""))
    bounds = None if groups is None else {"groups": groups, "rows": rows}
    return checked(wire.QueryRequest, {"sql": sql, "bounds": bounds, "purpose": purpose, **prices})


def application_request(fields: dict[str, Any]) -> wire.ApplicationRequest:
    """An application from the fields of a TOML or JSON file; raises InvalidInput."""
    return checked(wire.ApplicationRequest, fields)


def checked(shape: type[S], fields: dict[str, Any]) -> S:
    """`fields` as `shape`; raises InvalidInput naming each field that does not fit."""
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        raise InvalidInput(faults(error)) from None


def faults(error: ValidationError) -> str:
    """What does not fit, in one line, without the values that were given."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ").replace("Value error, ", "")
        for fault in error.errors(include_url=False, include_input=False)
    )


def _amount(name: str, value: Number) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount <= 0:
        raise InvalidInput(f"{name} is a number above 0")
    return amount
