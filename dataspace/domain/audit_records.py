"""Searching the audit trail, and the form in which its oldest part is kept in a file.

A file holds entries one after another as JSON lines: what the hash of an entry covers, the hash before it, and its own.
Files and table together are one chain, which anybody can recompute.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataspace.domain.chain import canonical_bytes
from dataspace.domain.errors import InvalidInput
from dataspace.domain.events import AuditEntry, AuditEvent, EventKind, content

SHORTEST_RETENTION = timedelta(days=366)
"""Access logs are kept for at least one year (Art. 73(1)(e))."""


@dataclass(frozen=True)
class AuditFilter:
    """What is looked for; None stands for all. `since` is included, `until` is not."""

    actor: str | None = None
    subject: str | None = None
    kind: EventKind | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput("the period looked at ends before it begins: `from` is earlier than `to`")

    @property
    def said(self) -> dict[str, str]:
        """The filter in words, for the record of who looked at what."""
        named = {"actor": self.actor, "subject": self.subject, "kind": self.kind}
        times = {"from": self.since, "to": self.until}
        return {name: str(value) for name, value in named.items() if value is not None} | {
            name: at.isoformat() for name, at in times.items() if at is not None
        }


@dataclass(frozen=True)
class ArchivedPart:
    """Entries `first` to `last` of the trail, moved to `file`; `last_hash` is what the next entry follows."""

    first: int
    last: int
    last_hash: str
    file: str
    sha256: str
    archived_at: datetime


def kind_of(name: str) -> EventKind:
    """Raises InvalidInput for what is no kind of event."""
    try:
        return EventKind(name)
    except ValueError:
        raise InvalidInput("there is no such kind of event; they are named like query-charged") from None


def to_line(entry: AuditEntry) -> bytes:
    """One entry in canonical JSON, with a line feed."""
    covered = dict(content(entry.seq, entry.event))
    return canonical_bytes(covered | {"previous": entry.previous, "hash": entry.hash}) + b"\n"


def from_lines(lines: Iterable[bytes]) -> list[AuditEntry]:
    """Raises ValueError for what no node wrote."""
    return [_entry(json.loads(line)) for line in lines]


def _entry(fields: dict[str, object]) -> AuditEntry:
    try:
        at, details = datetime.fromisoformat(str(fields["at"])), fields["details"]
        if not isinstance(details, dict) or not isinstance(fields["seq"], int):
            raise ValueError("a field is not what it should be")
        event = AuditEvent(EventKind(str(fields["kind"])), str(fields["actor"]), str(fields["subject"]), at, details)
        return AuditEntry(fields["seq"], event, str(fields["previous"]), str(fields["hash"]))
    except KeyError as error:
        raise ValueError(f"a field is missing: {error}") from None
