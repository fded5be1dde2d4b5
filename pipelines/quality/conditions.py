"""A row condition written by a data holder: SQL, but only the harmless part of it.

The engine's own parser makes the tree and every node must be on a list: no table, no sub-query, no function that reads
a file or a clock, nothing that can fail on a row. So a plan that came from elsewhere can be run.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from pipelines import sqltext as sql
from pipelines.engine import connect

FUNCTIONS = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "%",
        "~~",
        "!~~",
        "~~*",
        "!~~*",
        "abs",
        "ceil",
        "contains",
        "date_diff",
        "datediff",
        "day",
        "ends_with",
        "floor",
        "greatest",
        "isfinite",
        "isnan",
        "least",
        "left",
        "length",
        "lower",
        "month",
        "nullif",
        "prefix",
        "regexp_full_match",
        "regexp_matches",
        "right",
        "round",
        "starts_with",
        "strlen",
        "substr",
        "substring",
        "suffix",
        "trim",
        "upper",
        "year",
    ]
)
"""Functions and operators a condition may call; all depend on the row alone."""

OPERATORS = frozenset(
    ["OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT", "OPERATOR_COALESCE", "COMPARE_IN", "COMPARE_NOT_IN"]
)

CLASSES = frozenset(
    ["CONJUNCTION", "COMPARISON", "BETWEEN", "COLUMN_REF", "CONSTANT", "OPERATOR", "FUNCTION", "CAST", "CASE"]
)


def check_condition(condition: str, types: Mapping[str, str]) -> None:
    """Raise ValueError, saying what is wrong, unless this is a condition over columns of these SQL types."""
    with connect("100MB", 1) as engine:
        for expression in _expressions(_tree(engine, condition)):
            _check(expression, frozenset(types))
        _check_boolean(engine, condition, types)


def _tree(engine: duckdb.DuckDBPyConnection, condition: str) -> dict[str, Any]:
    parsed = json.loads(engine.execute("SELECT json_serialize_sql(?)", [f"SELECT ({condition})"]).fetchall()[0][0])
    if parsed["error"] or len(parsed["statements"]) != 1:
        raise ValueError("the condition is not one SQL expression")
    node: dict[str, Any] = parsed["statements"][0]["node"]
    alone = node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY" and len(node["select_list"]) == 1
    parts = ("where_clause", "group_expressions", "group_sets", "having", "qualify", "sample", "modifiers")
    if not alone or any(node.get(part) for part in parts) or node["cte_map"]["map"]:
        raise ValueError("the condition is not one SQL expression")
    tree: dict[str, Any] = node["select_list"][0]
    return tree


def _expressions(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "class" in tree and tree["class"] != "TYPE":
            yield tree
        for value in tree.values():
            yield from _expressions(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _expressions(value)


def _check(expression: dict[str, Any], columns: frozenset[str]) -> None:
    kind = expression["class"]
    if kind not in CLASSES or (kind == "OPERATOR" and expression["type"] not in OPERATORS):
        raise ValueError(f"the condition uses {expression['type'].lower().replace('_', ' ')}, which is not allowed")
    if kind == "COLUMN_REF" and not (len(names := expression["column_names"]) == 1 and names[0] in columns):
        raise ValueError(f"the condition names column {'.'.join(names)!r}, which this table has not")
    if kind == "FUNCTION":
        _check_function(expression)
    if kind == "CAST" and not (expression["try_cast"] or expression["child"]["class"] == "CONSTANT"):
        raise ValueError("the condition casts a column, which may fail on a row; write TRY_CAST")


def _check_function(call: dict[str, Any]) -> None:
    name = call["function_name"]
    if name not in FUNCTIONS or call["schema"] or call["catalog"] or call["filter"] or call["distinct"]:
        words = ", ".join(sorted(f for f in FUNCTIONS if f[0].isalpha()))
        raise ValueError(f"the condition calls {name!r}; allowed are {words}")


EXAMPLES = {"VARCHAR": "'a'", "DATE": "DATE '2000-01-01'", "TIMESTAMP": "TIMESTAMP '2000-01-01'", "BOOLEAN": "true"}
"""A value of each SQL type that is not a number."""


def _check_boolean(engine: duckdb.DuckDBPyConnection, condition: str, types: Mapping[str, str]) -> None:
    # computed on a row of examples: constants that fit no column fail here and not in the load
    row = ", ".join(f"CAST({EXAMPLES.get(type_, '1')} AS {type_}) AS {sql.name(name)}" for name, type_ in types.items())
    try:
        asked = engine.sql(f"SELECT ({condition}) AS holds FROM (SELECT {row}) AS row")
        found = asked.types[0]
        asked.fetchall()
    except duckdb.Error:
        raise ValueError("the condition compares or combines columns whose types do not fit") from None
    if str(found) != "BOOLEAN":
        raise ValueError("the condition is not true or false")
