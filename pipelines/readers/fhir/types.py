"""Types of columns: FHIR's primitive types, and the SQL that turns one element into a value of the engine's type."""

from pipelines import sqltext as sql
from pipelines.readers.fhir import elements as el
from pipelines.readers.fhir.values import Kind, Value, collection

TEXTS = "string code id uri url canonical oid uuid markdown base64Binary xhtml date dateTime instant time"

ENGINE_TYPES = {
    **dict.fromkeys(TEXTS.split(), "VARCHAR"),
    "boolean": "BOOLEAN",
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt", "integer64"), "BIGINT"),
    "decimal": "DOUBLE",
}
"""DuckDB's type for each FHIR type. Times stay text: one may be just a year, and carries the zone of who wrote it."""

ANSI_TYPES = {
    "CHARACTER VARYING": "VARCHAR", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "INTEGER": "BIGINT", "BIGINT": "BIGINT",
    "DOUBLE PRECISION": "DOUBLE", "DOUBLE": "DOUBLE", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP",
}  # fmt: skip
"""What the tag `ansi/type` of a column may ask for. DATE and TIMESTAMP are the calendar and the clock of who wrote."""

MANY = "more than one value where one is wanted"
OTHER = "a value that is not of the column's type"


def cast(element: str, type_: str) -> str:
    """A JSON value as a value of the engine's type, NULL if it is none."""
    text = el.as_text(element)
    match type_:
        case "VARCHAR":
            return text
        case "BOOLEAN":
            return f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false END"
        case "BIGINT":
            # a plain cast would round 1.5 to 2
            whole = "CASE WHEN regexp_full_match(t, '[+-]?[0-9]+([.]0*)?') THEN split_part(t, '.', 1) END"
            return f"TRY_CAST({_of_text(text, whole)} AS BIGINT)"
        case "DOUBLE":
            return _of_text(text, "CASE WHEN isfinite(TRY_CAST(t AS DOUBLE)) THEN TRY_CAST(t AS DOUBLE) END")
        case "DATE":
            day = f"regexp_extract(t, {sql.text('^([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?$')}, 1)"
            return f"TRY_CAST({_of_text(text, day)} AS DATE)"
        case _:
            return f"TRY_CAST({text} AS TIMESTAMP)"


def _of_text(text: str, use: str) -> str:
    return f"list_transform([{text}], lambda t: {use})[1]"


def column_value(value: Value, type_: str, *, many: bool) -> str:
    """The value of a column; with `many` a list of all elements."""
    if many:
        return f"list_transform({collection(value)}, lambda v: {cast('v', type_)})"
    native = {Kind.TRUTH: "BOOLEAN", Kind.NUMBER: "DOUBLE", Kind.TEXT: "VARCHAR"}
    if native.get(value.kind) == type_:
        return value.sql
    return el.let(el.single(collection(value)), lambda e: cast(e, type_))


def column_fault(value: Value, type_: str, *, many: bool) -> str:
    """Why a column has no value although its path found one; NULL if there is nothing to say."""
    if many or value.kind is not Kind.ELEMENTS:
        return "CAST(NULL AS VARCHAR)"
    missing = f"{column_value(value, type_, many=False)} IS NULL"
    return el.let(
        value.sql,
        lambda c: (
            f"CASE WHEN len({c}) > 1 THEN {sql.text(MANY)} WHEN len({c}) = 1 AND {missing} THEN {sql.text(OTHER)} END"
        ),
    )
