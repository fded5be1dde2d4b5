"""The record of a snapshot: what was stored, from what, with which key, and the hash of every file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from catalog.errors import MalformedSchema
from catalog.schema import DatasetSchema
from catalog.serialise import schema_from_dict, schema_to_dict
from pipelines.errors import StoreDamaged
from pipelines.store.layout import DatasetFolder

FORMAT = 1
"""Version of the record's own layout."""


@dataclass(frozen=True)
class StoredFile:
    """One Parquet file; `path` starts at the table's folder, `bucket` is None for a lookup table."""

    path: str
    bucket: int | None
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class StoredTable:
    """One table of a snapshot.

    `delivered` counts rows read, `quarantined` those that failed a check, `reasons` the failures by column and reason
    (a row may fail several), `note` says why a table was delivered empty. Counts are the holder's, not for publication.
    """

    name: str
    version: int
    rows: int
    delivered: int
    quarantined: int
    files: tuple[StoredFile, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Key:
    """Which pseudonymisation key made the person keys; `id` names it without telling it.

    `normalise` are the plan's steps that identifiers went through first; None in records from before they were kept.
    """

    domain: str
    version: int
    id: str
    normalise: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Delivered:
    """One delivered file: name, SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Erasure:
    """Persons taken out of a stored snapshot: when, why, how many files were rewritten, and never who.

    `before` and `after` are the names that the content had and has (see `content_id`); `seal` is empty without a key.
    """

    at: datetime
    reason: str
    files: int
    before: str
    after: str
    seal: str = ""


@dataclass(frozen=True)
class Snapshot:
    """An immutable version of a dataset. `buckets` is a power of two; `metrics` are the data quality results.

    Only an erasure changes what is stored; it is noted, and the snapshot keeps its name. The metrics stay as measured.
    """

    id: str
    dataset: str
    created_at: datetime
    buckets: int
    key: Key
    plan_hash: str
    sources: tuple[Delivered, ...]
    schema: DatasetSchema
    tables: tuple[StoredTable, ...]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    erasures: tuple[Erasure, ...] = ()

    @cached_property
    def table(self) -> dict[str, StoredTable]:
        """Stored tables by name."""
        return {t.name: t for t in self.tables}


def snapshot_id(
    buckets: int, key: Key, schema: DatasetSchema, tables: tuple[StoredTable, ...], meaning: str | None = None
) -> str:
    """Short hex name that follows from the content and its meaning.

    Same schema, key, spelling of identifiers, recipe (`meaning`) and rows, same name.
    """
    content = {
        "schema": schema_to_dict(schema),
        "buckets": buckets,
        "key": key.id,
        "normalise": key.normalise,
        "meaning": meaning,
        "files": [[t.name, f.bucket, f.sha256] for t in tables for f in t.files],
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def content_id(snapshot: Snapshot) -> str:
    """The name that what is stored now would have: the snapshot's own, until an erasure."""
    return snapshot_id(
        snapshot.buckets, snapshot.key, snapshot.schema, snapshot.tables, snapshot.metrics.get("meaning")
    )


def to_json(snapshot: Snapshot) -> str:
    """The record as stored."""
    content = {
        "format": FORMAT,
        "id": snapshot.id,
        "dataset": snapshot.dataset,
        "created_at": snapshot.created_at.isoformat(),
        "buckets": snapshot.buckets,
        "key": asdict(snapshot.key),
        "plan_hash": snapshot.plan_hash,
        "sources": [asdict(s) for s in snapshot.sources],
        "schema": schema_to_dict(snapshot.schema),
        "tables": [asdict(t) for t in snapshot.tables],
        "metrics": snapshot.metrics,
        "erasures": [asdict(e) | {"at": e.at.isoformat()} for e in snapshot.erasures],
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def from_json(text: str, source: str) -> Snapshot:
    """The snapshot of a record; `source` is what a complaint names. Raises StoreDamaged."""
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise StoreDamaged(f"{source}: a record of format {content['format']}; this version reads {FORMAT}.")
        return Snapshot(
            id=content["id"],
            dataset=content["dataset"],
            created_at=datetime.fromisoformat(content["created_at"]),
            buckets=content["buckets"],
            key=_key(content["key"]),
            plan_hash=content["plan_hash"],
            sources=tuple(Delivered(**s) for s in content["sources"]),
            schema=schema_from_dict(content["schema"]),
            tables=tuple(_table(t) for t in content["tables"]),
            metrics=content["metrics"],
            erasures=tuple(_erasure(e) for e in content.get("erasures", ())),
        )
    except (ValueError, KeyError, TypeError, MalformedSchema):
        raise StoreDamaged(f"{source}: not a snapshot record. Restore the file from a backup.") from None


def _key(content: dict[str, Any]) -> Key:
    steps = content.get("normalise")
    return Key(**{**content, "normalise": None if steps is None else tuple(steps)})


def _table(content: dict[str, Any]) -> StoredTable:
    return StoredTable(**{**content, "files": tuple(StoredFile(**f) for f in content["files"])})


def _erasure(content: dict[str, Any]) -> Erasure:
    return Erasure(**{**content, "at": datetime.fromisoformat(content["at"])})


def snapshots(folder: DatasetFolder) -> list[Snapshot]:
    """Every snapshot of a dataset, oldest first."""
    records = folder.snapshots.glob("*.json") if folder.snapshots.is_dir() else ()
    found = [from_json(r.read_text(encoding="utf-8"), str(r)) for r in records if not r.name.startswith(".")]
    return sorted(found, key=lambda s: (s.created_at, s.id))
