"""The record of key use: one line for every key that was opened or made, chained by hashes, never rewritten.

An event is on disk before its key is handed out. It names the key and never holds a secret or an identifier. The chain
shows a line that was changed, added or taken out between others; lines cut off at the end show only against a hash
noted elsewhere, which `verify_key_log` takes as `seen`.
"""

import fcntl
import json
import os
import pwd
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pipelines.errors import KeystoreError

FILE = "audit.jsonl"
START = "0" * 64
"""Stands for the hash before the first event."""

TAIL = 65_536
"""Bytes read from the end to find the last event."""


@dataclass(frozen=True)
class KeyEvent:
    """One use of one key. `at` is ISO 8601 in UTC, `actor` the user of the operating system, `hash` covers `before`."""

    at: str
    actor: str
    domain: str
    version: int
    key: str
    purpose: str
    dataset: str
    before: str
    hash: str


def record_use(folder: Path, *, domain: str, version: int, key: str, purpose: str, dataset: str = "") -> KeyEvent:
    """Append an event, durable on return; other processes wait for their turn."""
    content: dict[str, str | int] = {
        "at": datetime.now(UTC).isoformat(),
        "actor": _actor(),
        "domain": domain,
        "version": version,
        "key": key,
        "purpose": purpose,
        "dataset": dataset,
    }
    try:
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as opened:
            if os.fstat(handle).st_mode & 0o022:
                raise KeystoreError(f"{folder / FILE}: others can write this log. Allow only its owner: chmod 600.")
            fcntl.flock(opened, fcntl.LOCK_EX)
            return _append(opened, content)
    except OSError as failure:
        raise KeystoreError(
            f"{folder / FILE}: the use of a key cannot be recorded: {failure.strerror}. No key was opened."
        ) from None


def read_key_log(folder: Path) -> Iterator[KeyEvent]:
    """Events, oldest first; raises KeystoreError at a line that is none."""
    for number, line in _lines(folder):
        event = _event(line)
        if event is None:
            raise KeystoreError(f"{folder / FILE}:{number}: not an event of the key log. Restore it from its backup.")
        yield event


def verify_key_log(folder: Path, seen: str | None = None) -> list[str]:
    """What is wrong with the log, one sentence each. `seen` is the hash of an event noted earlier, elsewhere."""
    found, before, met = list(_missing(folder)), START, seen in (None, START)
    for number, line in _lines(folder):
        event = _event(line)
        if event is None:
            found.append(f"{FILE}:{number}: not an event of the key log")
            continue
        if event.before != before:
            found.append(f"{FILE}:{number}: does not follow the line before")
        if event.hash != _hash({k: v for k, v in asdict(event).items() if k != "hash"}):
            found.append(f"{FILE}:{number}: the event was changed")
        before, met = event.hash, met or event.hash == seen
    return found if met else [*found, f"{FILE}: the event noted earlier is missing"]


def _missing(folder: Path) -> Iterator[str]:
    """Every key is on record before it exists."""
    if not (folder / FILE).is_file() and any(folder.glob("*.v*.json")):
        yield f"{FILE}: the log is missing, although there are keys"


def _lines(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; a last one without its end is no event: its writer was killed, and no key was handed out."""
    file = folder / FILE
    if not file.is_file():
        return
    with file.open("rb") as opened:
        yield from ((number, line) for number, line in enumerate(opened, start=1) if line.endswith(b"\n"))


def _append(opened: BinaryIO, content: dict[str, str | int]) -> KeyEvent:
    last = _last_line(opened)
    before = START if last is None else _event(last)
    if before is None:
        raise KeystoreError(f"{opened.name}: the last line is not an event of the key log. Restore it from its backup.")
    chained = {**content, "before": before if isinstance(before, str) else before.hash}
    event = KeyEvent(**chained, hash=_hash(chained))  # type: ignore[arg-type]
    opened.write(json.dumps(asdict(event), ensure_ascii=False).encode() + b"\n")
    opened.flush()
    os.fsync(opened.fileno())
    return event


def _last_line(opened: BinaryIO) -> bytes | None:
    """The last whole line; leaves the file at its end, without the remains of a writer that was killed."""
    size = opened.seek(0, os.SEEK_END)
    start = opened.seek(max(0, size - TAIL))
    tail = opened.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    opened.truncate(start + len(whole))
    opened.seek(start + len(whole))
    return whole.splitlines()[-1] if whole else None


def _event(line: bytes) -> KeyEvent | None:
    try:
        return KeyEvent(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _hash(content: dict[str, str | int]) -> str:
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _actor() -> str:
    # not getpass: the environment could name anyone
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
