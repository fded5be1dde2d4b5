"""Keys of resources as references name them (SQL-on-FHIR's getReferenceKey)."""

from pipelines import sqltext as sql

ANY_TYPE = "[A-Z][A-Za-z]+"


def reference_key(reference: str, type_: str | None) -> str:
    """JSON text with the key of the resource a Reference points to, NULL if it has none or is of another type.

    `Patient/1`, `https://host/fhir/Patient/1`, either with `/_history/2`, and `urn:uuid:…`, whose type only the
    Reference's own `type` can tell. A search (`Patient?identifier=…`), a contained resource (`#1`) and a bare
    identifier name no key.
    """
    given = f"json_extract_string({reference}, '$.reference')"
    path = rf"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^?#]*/|/)?(?:{type_ or ANY_TYPE})/([^/?#|]+)(?:/_history/[^/?#|]+)?$"
    urn = r"^urn:(?:uuid|oid):([^?#|]+)$"
    other = f"coalesce(json_extract_string({reference}, '$.type') <> {sql.text(type_)}, false)" if type_ else "false"
    return (
        f"to_json(nullif(CASE WHEN starts_with({given}, 'urn:')"
        f" THEN CASE WHEN NOT {other} THEN regexp_extract({given}, {sql.text(urn)}, 1) END"
        f" ELSE regexp_extract({given}, {sql.text(path)}, 1) END, ''))"
    )
