"""The error tree of this package.

CatalogError
├── MalformedSchema     a stored data dictionary cannot be read back
├── MalformedRecord     RDF that does not parse, is too large, or describes no dataset
├── RecordNotFound      the registry has no record under this identifier
├── RefusedIdentifier   an identifier that is not a slug
├── RecordNotValid      a record that may not be published; carries the findings
└── ShapesNotFound      the folder of official shapes is missing or incomplete

Every message says what happened, why, and what to do next, in public words: nothing from personal data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.findings import Finding


class CatalogError(Exception):
    """Base of the package's errors; `code` is stable and may be shown to programs."""

    code = "catalogue-error"


class MalformedSchema(CatalogError):
    code = "malformed-schema"


class MalformedRecord(CatalogError):
    """`line` is the line of the text where reading stopped, from 1, where the format lets it be known."""

    code = "malformed-record"

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class RecordNotFound(CatalogError):
    code = "record-not-found"


class RefusedIdentifier(CatalogError):
    code = "refused-identifier"


class RecordNotValid(CatalogError):
    """`findings` are those of severity violation."""

    code = "record-not-valid"

    def __init__(self, message: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(message)
        self.findings = findings


class ShapesNotFound(CatalogError):
    code = "shapes-not-found"
