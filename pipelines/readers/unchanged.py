"""That delivered files stay what they are while they are read: each is read more than once, and hashed.

Told by size and times. A program that maps a file into memory and writes on while it is read can go unnoticed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import SourceError

Stamp = tuple[int, int, int, int]
"""Inode, size in bytes, and the times (ns) its bytes and its record in the file system last changed."""


@dataclass(frozen=True)
class Noted:
    """Files as they were when they were noted; None for one that held nothing or did not exist."""

    stamps: Mapping[Path, Stamp | None]

    def of(self, files: Iterable[Path]) -> "Noted":
        """The same about some of the files."""
        return Noted({file: self.stamps[file] for file in files})

    def check(self) -> None:
        """Raise SourceError if a file is no longer what it was."""
        changed = next((file for file, stamp in self.stamps.items() if _stamp(file) != stamp), None)
        if changed is not None:
            raise SourceError(f"{changed.name} changed while it was read; deliver it again.")


NOTHING_NOTED = Noted({})


def note(files: Iterable[Path]) -> Noted:
    """To be called before anything of the files is read."""
    return Noted({file: _stamp(file) for file in files})


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if found.st_size else None
