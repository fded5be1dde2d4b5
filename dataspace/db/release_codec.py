"""A release as JSON text and back, exactly: every value returns with its type, every float bit for bit."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from catalog.schema import Scalar
from dataspace.domain.privacy import ContributionBounds, PrivacyLoss
from dataspace.domain.releases import Estimate, Release, ReleaseRow, ReleaseTable


def dumps(release: Release) -> str:
    record = {
        "id": release.id,
        "permit_id": release.permit_id,
        "sql": release.sql,
        "fingerprint": release.fingerprint,
        "snapshots": dict(release.snapshots),
        "bounds": asdict(release.bounds),
        "loss": asdict(release.loss),
        "table": _table_to_dict(release.table),
        "released_at": release.released_at.isoformat(),
    }
    return json.dumps(record, sort_keys=True, allow_nan=False)


def loads(text: str) -> Release:
    record = json.loads(text)
    return Release(
        id=record["id"],
        permit_id=record["permit_id"],
        sql=record["sql"],
        fingerprint=record["fingerprint"],
        snapshots=record["snapshots"],
        bounds=ContributionBounds(**record["bounds"]),
        loss=PrivacyLoss(**record["loss"]),
        table=_table_from_dict(record["table"]),
        released_at=datetime.fromisoformat(record["released_at"]),
    )


def snapshots_of(text: str) -> dict[str, str]:
    """The snapshots a release was measured on, by dataset, without building the whole of it."""
    snapshots: dict[str, str] = json.loads(text)["snapshots"]
    return snapshots


def _table_to_dict(table: ReleaseTable) -> dict[str, Any]:
    return {
        "output": list(table.output),
        "key_names": list(table.key_names),
        "aggregate_names": list(table.aggregate_names),
        "rows": [
            [[_key_to_json(key) for key in row.keys], [_estimate_to_json(e) for e in row.estimates]]
            for row in table.rows
        ],
        "notes": list(table.notes),
    }


def _table_from_dict(record: dict[str, Any]) -> ReleaseTable:
    return ReleaseTable(
        output=tuple(record["output"]),
        key_names=tuple(record["key_names"]),
        aggregate_names=tuple(record["aggregate_names"]),
        rows=tuple(
            ReleaseRow(
                tuple(_key_from_json(key) for key in keys),
                tuple(_estimate_from_json(numbers) for numbers in estimates),
            )
            for keys, estimates in record["rows"]
        ),
        notes=tuple(record["notes"]),
    )


def _key_to_json(key: Scalar | None) -> Any:
    """Text, whole numbers, booleans and None as they are; the rest as {type: text}."""
    if isinstance(key, Decimal):
        return {"decimal": str(key)}
    # A datetime is a date, so it is asked first.
    if isinstance(key, datetime):
        return {"datetime": key.isoformat()}
    return {"date": key.isoformat()} if isinstance(key, date) else key


_READERS: dict[str, Callable[[str], Scalar]] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def _key_from_json(value: Any) -> Scalar | None:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        key: Scalar = _READERS[kind](text)
        return key
    scalar: Scalar | None = value
    return scalar


def _estimate_to_json(estimate: Estimate) -> list[Any]:
    numbers = [_number_to_json(n) for n in (estimate.value, estimate.low, estimate.high, estimate.scale)]
    return [*numbers, True] if estimate.withheld else numbers


def _estimate_from_json(parts: list[Any]) -> Estimate:
    """Four numbers, and a fifth part only where they are withheld."""
    value, low, high, scale = (_number_from_json(n) for n in parts[:4])
    return Estimate(value, low, high, scale, withheld=len(parts) > 4)


def _number_to_json(number: float | None) -> Any:
    """JSON has no infinities; Python writes every other float so that it reads back the same."""
    return {"float": repr(number)} if isinstance(number, float) and not math.isfinite(number) else number


def _number_from_json(value: Any) -> float | None:
    number: float | None = float(value["float"]) if isinstance(value, dict) else value
    return number
