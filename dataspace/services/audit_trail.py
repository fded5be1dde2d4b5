"""Reading the audit trail, which is itself on record, and moving what is past its retention to a file."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile

from dataspace.domain.actors import Actor
from dataspace.domain.audit_records import SHORTEST_RETENTION, ArchivedPart, AuditFilter
from dataspace.domain.chain import ChainHead
from dataspace.domain.errors import InvalidInput, Unavailable
from dataspace.domain.events import AuditEntry, AuditEvent, EventKind, verify_after
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import ArchiveFiles, Clock, UnitOfWork

TRAIL = "audit-trail"
"""Subject of the events about the trail itself."""

PAGE = 500
LARGEST_PART = 100_000
"""Entries moved to one file at a time."""


def read_audit(
    uow: UnitOfWork, clock: Clock, by: Actor, wanted: AuditFilter, after: int, most: int
) -> list[AuditEntry]:
    """Entries in their order that follow entry `after`; that they were read is on record in the same transaction."""
    check_may(by, NodeAction.READ_AUDIT)
    details = wanted.said | {"after": str(after)}
    with uow:
        found = uow.audit.search(wanted, after, most)
        uow.audit.append(AuditEvent(EventKind.AUDIT_READ, by.id, TRAIL, clock.now(), details))
        uow.commit()
    return found


def export_audit(uow: UnitOfWork, clock: Clock, by: Actor, wanted: AuditFilter) -> Iterator[AuditEntry]:
    """All entries that fit, up to the export itself, which is put on record before the first of them is read."""
    check_may(by, NodeAction.READ_AUDIT)
    with uow:
        uow.audit.append(AuditEvent(EventKind.AUDIT_EXPORTED, by.id, TRAIL, clock.now(), wanted.said))
        last = uow.audit.head().seq
        uow.commit()
    return _pages(uow, wanted, last)


def archive_audit(
    uow: UnitOfWork, clock: Clock, by: Actor, files: ArchiveFiles, retention: timedelta
) -> ArchivedPart | None:
    """Move the oldest entries, all older than `retention`, to a file that was read back and verified.

    None if no entry is so old. Nothing leaves the table before the file is safe; run again after a crash.
    """
    check_may(by, NodeAction.ARCHIVE_AUDIT)
    if retention < SHORTEST_RETENTION:
        raise InvalidInput(f"the audit trail is kept for at least {SHORTEST_RETENTION.days} days (Art. 73(1)(e))")
    now = clock.now()
    with uow.reading():
        before = _moved_so_far(uow)
        oldest = uow.audit.search(AuditFilter(), before.seq, LARGEST_PART)
    old = list(takewhile(lambda entry: entry.event.at < now - retention, oldest))
    if not old:
        return None
    part = files.write(old, now)
    if verify_after(files.read(part), before, ChainHead(old[-1].seq, old[-1].hash)):
        raise Unavailable("the archive of the audit trail does not hold what was written; nothing left the table")
    with uow:
        if _moved_so_far(uow) != before:
            raise Unavailable("someone else archives the audit trail at this moment; run it again")
        details = {"file": part.file, "sha256": part.sha256, "first": str(part.first), "last": str(part.last)}
        uow.audit.archive(part, AuditEvent(EventKind.AUDIT_ARCHIVED, by.id, TRAIL, now, details))
        uow.commit()
    return part


def _moved_so_far(uow: UnitOfWork) -> ChainHead:
    parts = uow.audit.archives()
    return ChainHead(parts[-1].last, parts[-1].last_hash) if parts else ChainHead()


def _pages(uow: UnitOfWork, wanted: AuditFilter, last: int) -> Iterator[AuditEntry]:
    after = 0
    while after < last:
        with uow.reading():
            page = uow.audit.search(wanted, after, PAGE)
        yield from (entry for entry in page if entry.seq <= last)
        if len(page) < PAGE:
            return
        after = page[-1].seq
