"""What a compiled path is: a collection, or one truth, number or text where that is known beforehand (NULL: empty)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pipelines import sqltext as sql
from pipelines.readers.fhir import elements as el
from pipelines.readers.fhir.tree import PathError


class Kind(StrEnum):
    ELEMENTS = "elements"
    TRUTH = "truth value"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Value:
    """`sql` is of type JSON[], BOOLEAN, DOUBLE or VARCHAR."""

    sql: str
    kind: Kind


def literal(value: str | Decimal | bool | None) -> Value:
    match value:
        case None:
            return Value(el.NOTHING, Kind.ELEMENTS)
        case bool():
            return Value(str(value).lower(), Kind.TRUTH)
        case Decimal():
            return Value(f"CAST({value} AS DOUBLE)", Kind.NUMBER)
        case str():
            return Value(sql.text(value), Kind.TEXT)


def collection(value: Value) -> str:
    """Any value as a collection."""
    if value.kind is Kind.ELEMENTS:
        return value.sql
    return el.let(value.sql, lambda v: f"CASE WHEN {v} IS NULL THEN {el.NOTHING} ELSE [to_json({v})] END")


def truth(value: Value) -> str:
    """Singleton evaluation: a truth value is itself, any other single element is true, several are no truth."""
    match value.kind:
        case Kind.TRUTH:
            return value.sql
        case Kind.ELEMENTS:
            return el.let(
                el.single(value.sql),
                lambda e: (
                    f"CASE WHEN json_type({e}) = 'BOOLEAN' THEN CAST({e} AS BOOLEAN) ELSE {e} IS NOT NULL OR NULL END"
                ),
            )
        case _:
            return f"(({value.sql}) IS NOT NULL OR NULL)"


def number(value: Value) -> str:
    match value.kind:
        case Kind.NUMBER:
            return value.sql
        case Kind.ELEMENTS:
            return el.let(el.single(value.sql), el.number_only)
        case _:
            raise PathError(f"a {value.kind} is no number")


def text(value: Value) -> str:
    match value.kind:
        case Kind.TEXT:
            return value.sql
        case Kind.ELEMENTS:
            return el.let(el.single(value.sql), el.text_only)
        case _:
            raise PathError(f"a {value.kind} is no text")


def _comparables(value: Value) -> str:
    """A list of texts, NULL if the value is empty."""
    match value.kind:
        case Kind.ELEMENTS:
            listed = f"list_transform({value.sql}, lambda c: {el.comparable('c')})"
            return f"nullif({listed}, CAST([] AS VARCHAR[]))"
        case Kind.TEXT:
            return _listed(f"to_json({value.sql})")
        case _:
            return _listed(value.sql)


def _listed(value: str) -> str:
    return el.let(f"CAST({value} AS VARCHAR)", lambda v: f"CASE WHEN {v} IS NOT NULL THEN [{v}] END")


def equal(left: Value, right: Value) -> Value:
    return Value(f"({_comparables(left)} = {_comparables(right)})", Kind.TRUTH)


def ordered(operator: str, left: Value, right: Value) -> Value:
    """`<` and its like over two numbers or two texts; dates are text and so in order as long as they are as precise."""
    kinds = {left.kind, right.kind}
    if Kind.TRUTH in kinds or kinds == {Kind.NUMBER, Kind.TEXT}:
        raise PathError(f"a {left.kind} cannot be compared by {operator!r} with a {right.kind}")
    tries = []
    if Kind.TEXT not in kinds:
        tries.append(f"{number(left)} {operator} {number(right)}")
    if Kind.NUMBER not in kinds:
        tries.append(f"{text(left)} {operator} {text(right)}")
    return Value(f"coalesce({', '.join(tries)})", Kind.TRUTH)


def calculated(operator: str, left: Value, right: Value) -> Value:
    """Arithmetic on numbers, and `+` where one side is known to be text; no number where there is none."""
    if operator == "+" and Kind.TEXT in (left.kind, right.kind):
        return Value(f"({text(left)} || {text(right)})", Kind.TEXT)
    divisor = f"nullif({number(right)}, 0)" if operator == "/" else number(right)
    return Value(f"({number(left)} {operator} {divisor})", Kind.NUMBER)
