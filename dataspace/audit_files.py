"""Archived parts of the audit trail as files: written whole or not at all, readable by the node alone."""

import os
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dataspace.domain.audit_records import ArchivedPart, from_lines, to_line
from dataspace.domain.errors import Unavailable
from dataspace.domain.events import AuditEntry


class AuditFiles:
    """`dataspace.services.ports.ArchiveFiles` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, entries: Sequence[AuditEntry], at: datetime) -> ArchivedPart:
        first, last = entries[0], entries[-1]
        body = b"".join(map(to_line, entries))
        name = f"audit-{first.seq:012d}-{last.seq:012d}.jsonl"
        try:
            self._keep(name, body)
        except OSError as error:
            raise Unavailable(f"the audit archive cannot be written ({error.strerror}); free its disk") from error
        return ArchivedPart(first.seq, last.seq, last.hash, name, sha256(body).hexdigest(), at)

    def read(self, part: ArchivedPart) -> list[AuditEntry]:
        """Raises ValueError if the file is missing or not what was archived."""
        try:
            body = (self._folder / Path(part.file).name).read_bytes()
        except OSError as error:
            raise ValueError(f"audit archive {part.file} cannot be read ({error.strerror})") from None
        if sha256(body).hexdigest() != part.sha256:
            raise ValueError(f"audit archive {part.file} was changed after it was written")
        return from_lines(body.splitlines())

    def _keep(self, name: str, body: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f"{name}.draft"
        with draft.open("wb") as file:
            draft.chmod(0o600)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
