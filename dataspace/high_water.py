"""How far the privacy ledger has come, kept beside the database, so that a restored backup is noticed.

A backup put back in place would forget what was spent after it, and the node would spend it again. After every commit
that moved a budget the ledger's newest entry is noted in this small file; a node whose ledger is behind it, or is
another one, does not start. The note is never lowered. Two slots are written in turn, each with a checksum: one that
was torn by a power cut leaves the one before.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from dataspace.domain.chain import ChainHead
from dataspace.domain.errors import Unavailable
from dataspace.logs import log

SLOT = 256
"""Bytes of a slot."""


class HighWater:
    """The note in one file; processes that share it take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> ChainHead:
        """The highest entry noted; the empty ledger's where none was."""
        try:
            body = self._path.read_bytes()
        except FileNotFoundError:
            return ChainHead()
        return _highest(body)

    def note(self, head: ChainHead) -> None:
        """Note the entry unless a higher one is. The commit stands already, so a full disk is only told to the log."""
        try:
            with self._held() as file:
                noted = _slots(os.pread(file, 2 * SLOT, 0))
                if head.seq > max(noted):
                    os.pwrite(file, _slot(head), SLOT * noted.index(min(noted)))
        except OSError as error:
            log.error("the ledger's high-water mark cannot be written", error_type=type(error).__name__)

    @contextmanager
    def _held(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def check(noted: ChainHead, reached: ChainHead, at_noted: str | None) -> None:
    """Raises Unavailable unless the ledger holds the noted entry; `at_noted` is its hash there, None if it has none."""
    if noted.seq == 0 or at_noted == noted.hash:
        return
    raise Unavailable(
        f"the accounts database is older than what this node has answered: its ledger ends at entry {reached.seq}, and"
        f" entry {noted.seq} with hash {noted.hash[:12]}… was reached before. What was spent since would be spent"
        " again, so no question is answered: restore the newest copy of the database"
    )


def _slot(head: ChainHead) -> bytes:
    text = f"{head.seq} {head.hash}"
    return f"{text} {sha256(text.encode()).hexdigest()}".encode().ljust(SLOT)


def _slots(body: bytes) -> list[int]:
    return [_head(body, at).seq for at in (0, SLOT)]


def _highest(body: bytes) -> ChainHead:
    return max((_head(body, at) for at in (0, SLOT)), key=lambda head: head.seq)


def _head(body: bytes, at: int) -> ChainHead:
    parts = body[at : at + SLOT].decode("ascii", "replace").split()
    if len(parts) != 3 or sha256(f"{parts[0]} {parts[1]}".encode()).hexdigest() != parts[2]:
        return ChainHead()
    return ChainHead(int(parts[0]), parts[1])
