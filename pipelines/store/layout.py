"""Where things lie under the store's root, and how files get there: whole or not at all.

<root>/<dataset>/<table>/_delta_log/…, person_bucket=<n>/<version>-<hash>.parquet
                /_snapshots/<snapshot id>.json, current
                /_quarantine/<snapshot id>/<table>.parquet, refused/…
                /_erased/<key id>.bin      who must not come back, encrypted
                /_staging/<token>/…        only while an ingestion runs
                /_change.json              only while several records change at once
                /_lock
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import StoreBusy, StoreError

BUCKET_COLUMN = "person_bucket"


class DatasetFolder:
    """The folder of one dataset."""

    def __init__(self, root: Path, dataset: str) -> None:
        self.root, self.dataset = root, dataset
        self.path = root / dataset

    @property
    def snapshots(self) -> Path:
        return self.path / "_snapshots"

    @property
    def current(self) -> Path:
        return self.snapshots / "current"

    @property
    def change(self) -> Path:
        return self.path / "_change.json"

    @property
    def staging(self) -> Path:
        return self.path / "_staging"

    @property
    def quarantine(self) -> Path:
        return self.path / "_quarantine"

    @property
    def refused(self) -> Path:
        """Reports of the last delivery that was stopped."""
        return self.quarantine / "refused"

    @property
    def dry_run(self) -> Path:
        """Reports of the last run that stored nothing."""
        return self.quarantine / "dry-run"

    def record(self, snapshot_id: str) -> Path:
        return self.snapshots / f"{snapshot_id}.json"

    def table(self, table: str) -> Path:
        return self.path / table

    def tables(self) -> list[Path]:
        """Folders of stored tables: names of tables never start with an underscore."""
        if not self.path.is_dir():
            return []
        return sorted(p for p in self.path.iterdir() if p.is_dir() and not p.name.startswith("_"))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other ingestions of this dataset out; the lock dies with the process. Raises StoreBusy."""
        with self._writing():
            self.root.mkdir(parents=True, exist_ok=True)
            # for its owner alone, whatever is in it
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.snapshots.mkdir(exist_ok=True)
            handle = os.open(self.path / "_lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._take(handle)
                yield
            finally:
                os.close(handle)

    def _take(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"{self.path}: another ingestion of dataset {self.dataset!r} is running. Wait until it ends."
            ) from None

    @contextmanager
    def workspace(self, job: str, *, keeps: Callable[[Path, BaseException], bool] | None = None) -> Iterator[Path]:
        """The folder of one job on the store's own disk, removed at the end unless `keeps` says that it is of use.

        What killed runs left goes first; of the same job only where it may be of use.
        """
        folder = self.staging / job
        for leftover in self.staging.glob("*") if self.staging.is_dir() else ():
            if keeps is None or leftover != folder:
                shutil.rmtree(leftover, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        try:
            yield folder
        except BaseException as failure:
            if keeps is None or not keeps(folder, failure):
                shutil.rmtree(self.staging, ignore_errors=True)
            raise
        shutil.rmtree(self.staging, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A full or read-only disk, wherever it shows while the lock is held, is an error of the store."""
        try:
            yield
        except OSError as failure:
            reason = failure.strerror or "the disk is full or cannot be written"
            raise StoreError(f"{self.path}: the store cannot be written: {reason}. Nothing was changed.") from None


def write_atomically(file: Path, content: bytes) -> None:
    """Replace a file by one rename, durable before the name changes; only its owner may read it.

    Records hold counts and the secret of their rounding.
    """
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
        sync_folder(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def keep_report(source: Path, target: Path) -> Path:
    """Move a folder of reports out of the workspace, in place of an older one."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return target


def sync_file(file: Path) -> None:
    """Force a file's content to disk."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
