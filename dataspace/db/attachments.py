"""Files of applications, with their contents in the database."""

from sqlalchemy import Connection, delete, insert, select

from dataspace.db import tables as t
from dataspace.domain.attachments import Attachment, FileKind
from dataspace.domain.errors import NotFound
from dataspace.domain.events import AuditEvent
from dataspace.services.ports import AuditTrail


class SqlAttachments:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, attachment: Attachment, content: bytes, event: AuditEvent) -> None:
        self._connection.execute(
            insert(t.attachments).values(
                id=attachment.id,
                application=attachment.application,
                field=attachment.field,
                name=attachment.name,
                kind=attachment.kind.value,
                size=attachment.size,
                sha256=attachment.sha256,
                content=content,
                added_at=attachment.added_at,
                added_by=attachment.added_by,
            )
        )
        self._audit.append(event)

    def remove(self, attachment_id: str, event: AuditEvent) -> None:
        self._connection.execute(delete(t.attachments).where(t.attachments.c.id == attachment_id))
        self._audit.append(event)

    def of(self, application_id: str) -> list[Attachment]:
        columns = [column for column in t.attachments.c if column.name != "content"]
        query = select(*columns).where(t.attachments.c.application == application_id)
        return [
            Attachment(
                row.id, row.application, row.field, row.name, FileKind(row.kind), row.size, row.sha256, row.added_at,
                row.added_by,
            )
            for row in self._connection.execute(query.order_by("added_at", "id"))
        ]  # fmt: skip

    def content(self, attachment_id: str) -> bytes:
        query = select(t.attachments.c.content).where(t.attachments.c.id == attachment_id)
        found = self._connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound("there is no such attachment")
        return bytes(found)
