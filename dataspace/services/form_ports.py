"""What the services of forms need from the database; see `dataspace.services.ports`."""

from typing import Protocol

from dataspace.domain.applications import Edition, Return
from dataspace.domain.attachments import Attachment
from dataspace.domain.events import AuditEvent


class Submissions(Protocol):
    """What was submitted and what was sent back, each for good. Their events are those of the application's change."""

    def add_edition(self, application_id: str, edition: Edition) -> None: ...
    def editions(self, application_id: str) -> list[Edition]:
        """Every submitted version of the form, oldest first."""
        ...

    def add_return(self, application_id: str, returned: Return) -> None: ...
    def returns(self, application_id: str) -> list[Return]:
        """Every notice that it was not complete, oldest first."""
        ...


class Attachments(Protocol):
    """Files of applications. Contents are read one at a time."""

    def add(self, attachment: Attachment, content: bytes, event: AuditEvent) -> None: ...
    def remove(self, attachment_id: str, event: AuditEvent) -> None: ...
    def of(self, application_id: str) -> list[Attachment]:
        """In the order in which they were added."""
        ...

    def content(self, attachment_id: str) -> bytes: ...
