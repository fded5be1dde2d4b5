"""What a check says about a record: one value a finding, in French and English."""

from dataclasses import dataclass
from enum import StrEnum

from catalog.values import Said


class Severity(StrEnum):
    """A violation keeps a record from being published; a warning is a recommended field that is missing or odd."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One remark on a record.

    `field` is the name in `catalog.dataset`, dotted below the dataset (`custodian.contact`), `term` the RDF property as
    a prefixed name. `message` says what is wrong, `mend` what to do. `detail` is the official validator's own sentence,
    where it gave one. `source` says who found it: `table` (our own check) or `shapes` (the official SHACL files).
    """

    severity: Severity
    field: str
    term: str
    message: Said
    mend: Said
    source: str = "table"
    detail: str = ""
