"""SQL-on-FHIR views evaluated by another implementation, `sqlonfhir`, for comparison with our SQL.

Where it departs from the specification it is set right here, each time with the case:

- `getReferenceKey` cuts after the first "/": a key of `https://host/fhir/Patient/1` would be "/host/fhir/Patient/1", of
  `Patient/1/_history/2` "1/_history/2", of `Practitioner?identifier=http://ids|7` "/ids|7"; `urn:uuid:…` would lose its
  first letter or more; a type is compared as a prefix (`Medication` would take `MedicationRequest/1`); without a
  reference it raises an IndexError.
- `join` of nothing is an empty text instead of nothing.
- The union of an element and an equal literal (`(id | 'a')`) keeps both, although they are equal.
- Constants are not put into the path of a forEachOrNull, and `%a` also replaces the beginning of `%ab`.
- A path with several values for one column raises; here and in our SQL the value is missing.
"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

from sqlonfhir.sqlonfhir import ViewDefinitionEvaluator, normalize

Row = dict[str, Any]


def rows_of(resources: Iterable[Any], definition: dict[str, Any]) -> list[Row]:
    """Rows of the view over resources of its type."""
    view = normalize(deepcopy(definition))
    evaluator = _Evaluator()
    found = (evaluator.call_fn(view, r, view) for r in resources if r["resourceType"] == definition["resource"])
    return [row for rows in found for row in rows]


def as_written(cell: Any) -> Any:
    """A value as text, the way a column of type string holds it; an object is no value."""
    if isinstance(cell, list):
        return [as_written(c) for c in cell]
    if isinstance(cell, bool):
        return str(cell).lower()
    return None if cell is None or isinstance(cell, dict) else str(cell)


class _Evaluator(ViewDefinitionEvaluator):  # type: ignore[misc]
    def column(self, expr: Any, resource: Any, view_definition: Any) -> list[Row]:
        return [{c["name"]: self._cell(c, resource, view_definition) for c in expr["column"]}]

    def _cell(self, column: Any, resource: Any, view_definition: Any) -> Any:
        values = self.eval_fhirpath(resource, self.replace_constants(column["path"], view_definition))
        values = [v for v in values if v is not None]
        if column.get("collection"):
            return values
        return values[0] if len(values) == 1 else None

    @staticmethod
    def get_reference_key(context: list[Any], type_: str | None = None) -> Any:
        return [k for k in (reference_key(r, type_) for r in context) if k is not None]


def reference_key(reference: Any, type_: str | None) -> str | None:
    """The key of the resource a Reference points to, if it is of the type."""
    text = reference.get("reference")
    if not isinstance(text, str):
        return None
    if text.startswith("urn:"):
        same = type_ is None or reference.get("type", type_) == type_
        return text.split(":", 2)[2] if same and text.startswith(("urn:uuid:", "urn:oid:")) else None
    parts = urlsplit(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        return None
    steps = parts.path.split("/_history/")[0].split("/")
    return steps[-1] if len(steps) > 1 and steps[-2] == (type_ or steps[-2]) else None
