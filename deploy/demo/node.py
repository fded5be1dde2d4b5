"""The demo's node: its folder, its settings, and its server as a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataspace.settings import Mode, Settings

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("DATASPACE_DEMO_HOME", ROOT / ".dataspace" / "demo"))


class DemoError(Exception):
    """Something a person has to mend; the message says what and how."""


def settings(home: Path) -> Settings:
    """Those of the embedded node; noise and mode may come from the environment, for the demo's own test."""
    mode = Mode.TEST if os.environ.get("DATASPACE_MODE") == "test" else Mode.DEMO
    return Settings(mode=mode, home=home, key_root=home / "keys", release_grid_ms=50 if mode is Mode.TEST else 250)


@contextmanager
def fresh_home(final: Path) -> Iterator[Path]:
    """A folder that takes the place of an earlier demo's only when the whole path was walked."""
    if is_served(final):
        raise DemoError("the demo node is being served (make serve): stop that first, then run make demo again")
    draft = final.with_name(final.name + ".draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
    except OSError as error:
        raise DemoError(
            f"{draft.parent} cannot be written ({error.strerror}): free the disk or make it writable"
        ) from None
    try:
        yield draft
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def is_served(home: Path) -> bool:
    """True if the process named in the serve file is alive."""
    try:
        os.kill(int((home / "serve.pid").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


class Server:
    """`dataspace serve` as a process on a free port of 127.0.0.1."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """Address of the API; waits until the server listens."""
        self._ready.wait(60)
        found = re.search(r"http://127\.0\.0\.1:\d+", "\n".join(self._said))
        if found is None:
            raise DemoError("the API did not start: " + (self._said[-1] if self._said else "it said nothing"))
        return found.group(0)

    def _read(self) -> None:
        for said in self._process.stdout or ():
            self._said.append(said.strip())
            if "http://" in said:
                self._ready.set()
        self._ready.set()


@contextmanager
def server(home: Path, chosen: Settings) -> Iterator[Server]:
    """Started at once, so that it is up when ingestion is done; stopped whatever happens."""
    environment = os.environ | {
        "DATASPACE_HOME": str(home),
        "DATASPACE_MODE": chosen.mode.value,
        "DATASPACE_KEY_ROOT": str(home / "keys"),
        "DATASPACE_NOISE": chosen.noise,
        "DATASPACE_RELEASE_GRID_MS": str(chosen.release_grid_ms),
    }
    command = [sys.executable, "-m", "dataspace.cli", "serve", "--port", "0"]
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield Server(process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
