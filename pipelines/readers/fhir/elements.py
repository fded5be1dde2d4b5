"""SQL over FHIRPath collections: a list of JSON values, never NULL and never holding a JSON null.

Nothing here can fail on data. An element of FHIR is an array or one value, depending on the type it is part of; which
of the two is looked up in each value, so that no model of all resource types is needed.
"""

from collections.abc import Callable

from pipelines import sqltext as sql

NOTHING = "CAST([] AS JSON[])"

STRUCTURES = "('OBJECT', 'ARRAY')"

NUMBERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"


def key(name: str) -> str:
    """Literal of the JSON path to a member; `name` holds letters, digits and underscores only."""
    return sql.text(f'$."{name}"')


def elements(value: str) -> str:
    """The elements of a JSON value that may be NULL."""
    return _without_null(_spread(value))


def member(collection: str, name: str) -> str:
    """The elements called `name` of every element of a collection, which may here hold NULL."""
    found = f"list_transform({collection}, lambda m: json_extract(m, {key(name)}))"
    return _without_null(f"flatten(list_transform({found}, lambda v: {_spread('v')}))")


def _spread(value: str) -> str:
    # what json_extract gives is written without spaces, so its first sign tells an array
    return f"CASE WHEN starts_with(CAST({value} AS VARCHAR), '[') THEN json_extract({value}, '$[*]') ELSE [{value}] END"


def _without_null(listed: str) -> str:
    return f"list_filter({listed}, lambda n: n <> 'null')"


def joined(*collections: str) -> str:
    """One collection after the other."""
    return f"list_concat({', '.join(collections)})"


def union(left: str, right: str) -> str:
    """The elements of both, each once, in their order."""
    return let(joined(left, right), lambda c: f"list_filter({c}, lambda u, i: list_position({c}, u) = i)")


def let(value: str, use: Callable[[str], str]) -> str:
    """SQL that computes `value` once and uses it under a name several times."""
    return f"list_transform([{value}], lambda one: {use('one')})[1]"


def single(collection: str) -> str:
    """The only element, as JSON; NULL if there is none or more than one."""
    return let(collection, lambda c: f"CASE WHEN len({c}) = 1 THEN {c}[1] END")


def as_text(element: str) -> str:
    """Text of a primitive, NULL for objects."""
    return f"CASE WHEN json_type({element}) NOT IN {STRUCTURES} THEN json_extract_string({element}, '$') END"


def text_only(element: str) -> str:
    """Text of a JSON string, NULL for anything else."""
    return f"CASE WHEN json_type({element}) = 'VARCHAR' THEN json_extract_string({element}, '$') END"


def number_only(element: str) -> str:
    """A JSON number, NULL for anything else."""
    return (
        f"CASE WHEN json_type({element}) IN {NUMBERS} THEN TRY_CAST(json_extract_string({element}, '$') AS DOUBLE) END"
    )


def comparable(element: str) -> str:
    """Text that two elements share exactly if they are equal: their JSON, where 1 is 1.0 and never "1"."""
    return (
        f"CASE WHEN json_type({element}) IN {NUMBERS} THEN CAST({number_only(element)} AS VARCHAR)"
        f" ELSE CAST({element} AS VARCHAR) END"
    )
