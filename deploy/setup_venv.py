"""Set up `.venv` from `requirements.lock`: run by `make` with the system's Python, standard library only.

Every package is checked against the hashes in the lock file. A run that was interrupted is simply finished by the next
one: the stamp that says "complete" is written last and names the lock file's hash.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "complete"
OLDEST = (3, 11)


class SetupError(Exception):
    """Something a person has to mend; the message says what and how."""


def fingerprint() -> str:
    """What the environment was made from: the lock, the package's own metadata, the interpreter and the place."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_complete(wanted: str) -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text().strip() == wanted


def run(*command: str | Path, failure: str) -> None:
    """Run a step quietly; on failure show the last lines of what it printed."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise SetupError(f"{failure}\n{tail}")


def make_environment() -> None:
    """A fresh virtual environment; a half-made or foreign one is removed first."""
    STAMP.unlink(missing_ok=True)
    usable = PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0
    same = usable and subprocess.run([PYTHON, "-V"], capture_output=True, text=True).stdout.split()[-1:] == [
        sys.version.split()[0]
    ]
    if same:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    run(
        sys.executable, "-m", "venv", VENV,
        failure="could not create .venv: is the venv module installed (Debian: apt-get install python3-venv)?",
    )  # fmt: skip


def install_uv() -> Path | None:
    """The fast installer, pinned in the lock like everything else; None where no build of it fits this machine."""
    block = re.search(r"^uv==[^\n]*(?:\n    --hash[^\n]*)+", LOCK.read_text(), re.MULTILINE)
    if block is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(block.group(0) + "\n")
        pinned.flush()
        command = [
            PYTHON,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            pinned.name,
        ]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    uv = VENV / "bin" / "uv"
    return uv if done.returncode == 0 and uv.exists() else None


def install() -> None:
    """Everything in the lock, hashes required, then the project itself in place."""
    advice = "could not install the pinned packages: check the network and the package index, then run make again"
    uv = install_uv()
    pip = [uv, "pip"] if uv else [PYTHON, "-m", "pip", "--disable-pip-version-check"]
    target = ["--python", PYTHON] if uv else []
    run(*pip, "install", "-q", *target, "--require-hashes", "-r", LOCK, failure=advice)
    run(*pip, "install", "-q", *target, "--no-build-isolation", "--no-deps", "-e", ".", failure=advice)


def main() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(f"Python 3.11 or newer is needed, this is {found}: run make PYTHON=/path/to/python3.11")
    wanted = fingerprint()
    if is_complete(wanted):
        return
    if not os.access(ROOT, os.W_OK):
        raise SetupError(f"{ROOT} is read-only: clone the project to a folder you may write to")
    print("setting up .venv (once; about 1.6 GB, one to three minutes)", flush=True)
    make_environment()
    install()
    run(PYTHON, "-m", "dataspace.warm", failure="could not compile the bounding kernel")
    STAMP.write_text(wanted + "\n")


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"set-up failed: {error}")
    except OSError as error:
        sys.exit(
            f"set-up failed: {error.strerror}: {error.filename}: free the disk or make it writable, then run make again"
        )
    except KeyboardInterrupt:
        sys.exit("set-up interrupted: run make again to finish it")
