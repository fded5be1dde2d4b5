"""A change of several snapshot records at once: noted whole in one file, then carried out until it is done.

Whoever finds the note carries it out; each step may be done again. A reader meets records from before or after, and
each names files that are there: what no record names any more is removed only when all records are written.
"""

import json
from collections.abc import Mapping

from pipelines.errors import StoreDamaged
from pipelines.store.layout import DatasetFolder, sync_folder, write_atomically


def note_change(folder: DatasetFolder, records: Mapping[str, str | None]) -> None:
    """From here on the change happens, whatever comes: each snapshot's new record, None to remove it."""
    write_atomically(folder.change, json.dumps({"records": records}, ensure_ascii=False).encode())


def finish_change(folder: DatasetFolder) -> None:
    """Carry out the change that is noted, if there is one; the caller holds the dataset's lock.

    The note stays until what no record names any more is gone: until `forget_change`.
    """
    if not folder.change.is_file():
        return
    for snapshot, record in _noted(folder).items():
        if record is None:
            folder.record(snapshot).unlink(missing_ok=True)
        else:
            write_atomically(folder.record(snapshot), record.encode())
    sync_folder(folder.snapshots)


def forget_change(folder: DatasetFolder) -> None:
    """The change is done, and so is the removal of what no record names any more: only then may the note go."""
    if folder.change.is_file():
        folder.change.unlink()
        sync_folder(folder.path)


def _noted(folder: DatasetFolder) -> dict[str, str | None]:
    try:
        records: dict[str, str | None] = json.loads(folder.change.read_bytes())["records"]
        return records
    except (ValueError, KeyError, TypeError):
        raise StoreDamaged(f"{folder.change}: not a noted change. Restore the file from a backup.") from None
