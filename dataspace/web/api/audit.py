"""The audit trail, for those whose role allows it: searched a page at a time, or exported as a whole."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from catalog.spreadsheets import neutral
from dataspace.domain.audit_records import AuditFilter, kind_of, to_line
from dataspace.domain.events import AuditEntry, content
from dataspace.services import audit_trail
from dataspace.web.auth import CurrentActor, CurrentNode
from dataspace.wire import Plain, near
from dataspace.wire.ledger import AuditEventEntry

router = APIRouter(prefix="/audit", tags=["audit"])

COLUMNS = ("seq", "at", "kind", "actor", "subject", "details", "previous", "hash")

Name = Annotated[Plain | None, Query(max_length=100)]
After = Annotated[int, Query(ge=0, le=2**62, description="the last entry you have")]
Most = Annotated[int, Query(ge=1, le=audit_trail.PAGE)]


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Zoned = Annotated[datetime, AfterValidator(_zoned), AfterValidator(near)]
Time = Annotated[Zoned | None, Query(description="with zone; UTC where it has none")]


class Format(StrEnum):
    JSON_LINES = "jsonl"
    CSV = "csv"


def _filter(
    actor: Name = None,
    subject: Name = None,
    kind: Name = None,
    since: Annotated[Time, Query(alias="from")] = None,
    until: Annotated[Time, Query(alias="to")] = None,
) -> AuditFilter:
    return AuditFilter(actor, subject, kind_of(kind) if kind else None, since, until)


Wanted = Annotated[AuditFilter, Depends(_filter)]


@router.get("")
def search(
    node: CurrentNode, actor: CurrentActor, wanted: Wanted, after: After = 0, most: Most = audit_trail.PAGE
) -> list[AuditEventEntry]:
    """Entries in their order, at most 500; fewer than you asked for when these are the last. Reading is on record."""
    found = audit_trail.read_audit(node.unit_of_work(), node.clock, actor, wanted, after, most)
    return [AuditEventEntry.model_validate(_fields(entry)) for entry in found]


@router.get("/export", response_class=StreamingResponse)
def export(
    node: CurrentNode,
    actor: CurrentActor,
    wanted: Wanted,
    format: Format = Format.JSON_LINES,  # noqa: A002
) -> StreamingResponse:
    """All entries that fit, as JSON lines to recompute the chain from, or as CSV for a spreadsheet."""
    entries = audit_trail.export_audit(node.unit_of_work(), node.clock, actor, wanted)
    name = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    if format is Format.CSV:
        return StreamingResponse(_csv(entries), media_type="text/csv; charset=utf-8", headers=name)
    return StreamingResponse(map(to_line, entries), media_type="application/jsonl", headers=name)


def _csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        fields = _fields(entry) | {"details": json.dumps(dict(entry.event.details), sort_keys=True)}
        writer.writerow(neutral(str(fields[name])) for name in COLUMNS)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _fields(entry: AuditEntry) -> dict[str, object]:
    return {**content(entry.seq, entry.event), "previous": entry.previous, "hash": entry.hash}
