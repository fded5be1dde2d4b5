"""What an interrupted ingestion has finished, so that the next run of the same delivery goes on from there.

One JSON line a finished piece, forced to disk after the piece itself. Only pieces that were searched for identifiers
are entered; everything else in the workspace is removed before a run goes on.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.readers import SourceFile
from pipelines.store.files import WrittenFile
from pipelines.store.layout import sync_folder

NAME = "journal.jsonl"


@dataclass(frozen=True)
class MadeFile:
    """What a bucket gave for one table: its file, if it has rows, and how many delivered rows were kept."""

    table: str
    file: WrittenFile | None
    rows: int


class Journal:
    """The journal of one workspace. Entries are read once; `enter` adds one, durable when it returns."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._entries = _read(workspace / NAME)
        self._entering = Lock()

    @property
    def is_empty(self) -> bool:
        """True if no piece is finished."""
        return not any(entry.startswith("mapped ") for entry in self._entries)

    def mapped(self, table: str) -> int | None:
        """Rows kept of a table that is mapped and searched, None if it is not."""
        found = self._entries.get(f"mapped {table}")
        return None if found is None else int(found["rows"])

    def enter_mapped(self, table: str, rows: int) -> None:
        self._enter(f"mapped {table}", {"rows": rows})

    def bucket(self, bucket: int) -> list[MadeFile] | None:
        """What a finished bucket gave, None if it is not finished."""
        found = self._entries.get(f"bucket {bucket}")
        made = [_made(self.workspace, entry) for entry in found["made"]] if found else []
        # files that were on their way into the store when the run ended are not there any more
        there = all(m.file is None or m.file.path.is_file() for m in made)
        return made if found and there else None

    def enter_bucket(self, bucket: int, made: Iterable[MadeFile]) -> None:
        self._enter(f"bucket {bucket}", {"made": [_entry(self.workspace, m) for m in made]})

    def is_of(self, files: tuple[SourceFile, ...]) -> bool:
        """True if the journal was begun with these very files."""
        return self._entries.get("sources") == {"files": _named(files)}

    def enter_sources(self, files: tuple[SourceFile, ...]) -> None:
        if "sources" not in self._entries:
            self._enter("sources", {"files": _named(files)})

    def forget(self) -> None:
        """Begin anew."""
        self._entries = {}
        (self.workspace / NAME).unlink(missing_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what no entry vouches for; a journal that cannot vouch for its sources vouches for nothing."""
        if "sources" not in self._entries:
            self._entries = {}
            (self.workspace / NAME).unlink(missing_ok=True)
        kept = {self.workspace / NAME, *self._vouched()}
        for path in sorted(self.workspace.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept and not kept.intersection(path.parents):
                path.unlink()

    def _vouched(self) -> set[Path]:
        """Folders of mapped tables, and files of finished buckets."""
        folders = {
            self.workspace / "mapped" / e.removeprefix("mapped ") for e in self._entries if e.startswith("mapped ")
        }
        made = [m for e in self._entries.values() for m in e.get("made", ())]
        return folders | {self.workspace / m["file"]["path"] for m in made if m["file"]}

    def _enter(self, name: str, entry: dict[str, Any]) -> None:
        with self._entering, (self.workspace / NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"entry": name, **entry}) + "\n")
            file.flush()
            os.fsync(file.fileno())
            sync_folder(self.workspace)
            self._entries[name] = entry


def _named(files: tuple[SourceFile, ...]) -> list[list[Any]]:
    return [[f.name, f.sha256, f.size] for f in files]


def job_name(*parts: str) -> str:
    """Name of the workspace of one delivery under one plan: the same for a run that goes on."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _read(file: Path) -> dict[str, dict[str, Any]]:
    entries = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            entry = json.loads(line)
            entries[entry.pop("entry")] = entry
        except (ValueError, KeyError, AttributeError):
            # the line that was being written when the run ended
            break
    return entries


def _entry(workspace: Path, made: MadeFile) -> dict[str, Any]:
    file = asdict(made.file) | {"path": made.file.path.relative_to(workspace).as_posix()} if made.file else None
    return {"table": made.table, "rows": made.rows, "file": file}


def _made(workspace: Path, entry: dict[str, Any]) -> MadeFile:
    file = entry["file"]
    stored = WrittenFile(**(file | {"path": workspace / file["path"]})) if file else None
    return MadeFile(entry["table"], stored, entry["rows"])
