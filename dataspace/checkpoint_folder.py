"""Checkpoints in a folder, apart from the database; a witness is such a folder that another machine keeps."""

import os
import re
from pathlib import Path

from dataspace.domain.errors import Unavailable

_NAME = re.compile(r"(\d{15})-(\d{15})\.jws")


class CheckpointFolder:
    """`dataspace.services.ports.CheckpointStore`: one file a checkpoint, named by its places in both chains."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return str(self._folder)

    def add(self, places: tuple[int, int], token: str) -> None:
        """Keep a checkpoint, durably; one at the same places is kept as it is."""
        file = self._folder / f"{places[0]:015d}-{places[1]:015d}.jws"
        draft = self._folder / f".{file.name}.{os.urandom(8).hex()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("x", encoding="ascii") as opened:
                opened.write(token)
                opened.flush()
                os.fsync(opened.fileno())
            try:
                file.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        except OSError as failure:
            raise Unavailable(f"{self._folder}: no checkpoint can be kept here: {failure.strerror}") from None

    def newest(self) -> str | None:
        """The one furthest along in the ledger, then in the audit trail."""
        named = [file for file in self._folder.glob("*.jws") if _NAME.fullmatch(file.name)]
        # names are places of one length each, so their order is the books'
        last = max(named, key=lambda file: file.name, default=None)
        return None if last is None else last.read_text(encoding="utf-8", errors="replace")
