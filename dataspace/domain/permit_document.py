"""A data permit as the statement that leaves the node: everything the permit holds, in plain JSON values.

Every field of `DataPermit` is in the statement under its own name, unless `KEPT_BACK` says why not; one that is added
to the permit is stated without a change here. `ARTICLE_68_10` says which fields answer which letter of the law.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from dataspace.domain.chain import utc_text
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import PrivacyLoss
from dataspace.domain.purposes import Purpose

SCHEMA = 1
"""Version of the statement's layout; a member that is added does not change it."""

KEPT_BACK = {"granted_by": "a person of the access body; the body itself is named as the assigner"}

NESTED = "particulars"
"""A field of the permit whose own fields are members of the statement, beside the permit's."""

ARTICLE_68_10 = {
    "a": ("datasets", "columns", "snapshots", "snapshot_rule", "pseudonymised", "sources", "data_format", "population"),
    "b": ("purposes", "detailed_purpose"),
    "c": ("opt_out_exception",),
    "d": ("persons", "holder", "principal_investigator"),
    "e": ("valid_from", "valid_until"),
    "f": ("environment",),
    "g": ("fee_cents",),
    "h": ("conditions", "min_cell", "aggregates", "guarantee", "limit"),
}
"""Which members of the statement hold what Art. 68(10) asks for, by letter; those that this node's permits have."""

ENVIRONMENT = "queries only, answered with differential privacy; no row of the data leaves the node"
"""Technical characteristics of the environment (Art. 68(10)(f)) of every permit of this node."""


@dataclass(frozen=True)
class Named:
    """A person or body by name."""

    id: str
    name: str
    organisation: str


@dataclass(frozen=True)
class Parties:
    """Who a permit is between: the access body, the data user, and the persons who have access."""

    issuer: str
    authority: str
    holder: Named
    persons: tuple[Named, ...]


def statement(permit: DataPermit, parties: Parties) -> dict[str, Any]:
    """The permit in plain JSON values; amounts of privacy in whole quanta, as text."""
    values = {field.name: getattr(permit, field.name) for field in fields(permit) if field.name not in KEPT_BACK}
    particulars = plain(values.pop(NESTED, None)) or {}
    return (
        {name: _purposes(value) if name == "purposes" else plain(value) for name, value in values.items()}
        | particulars
        | {
            "schema": SCHEMA,
            "authority": parties.authority,
            "holder": plain(parties.holder),
            "persons": [plain(person) for person in parties.persons],
            "datasets": list(permit.datasets),
            "pseudonymised": True,
            "environment": particulars.get("environment") or ENVIRONMENT,
        }
    )


def signed_at(permit: DataPermit) -> datetime:
    """The time a document of the permit is of: its latest decision."""
    return max(at for at in (permit.granted_at, permit.suspended_at, permit.revoked_at) if at is not None)


def plain(value: object) -> Any:
    """A value of the domain in JSON: sets sorted, times in UTC, amounts as text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, PrivacyLoss):
        return {"pico_rho": str(value.pico_rho), "atto_delta": str(value.atto_delta)}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in sorted(value.items())}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _purposes(purposes: frozenset[Purpose]) -> list[dict[str, str]]:
    return [{"article": f"53(1)({purpose.letter})", "text": purpose.text} for purpose in sorted(purposes)]
