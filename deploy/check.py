"""`make check`: every check CI runs. Runs them all, reports them all, changes nothing."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str | Path]] = {
    "lint": [BIN / "ruff", "check", "-q", "."],
    "format": [BIN / "ruff", "format", "--check", "-q", "."],
    "types": [BIN / "mypy"],
    "imports": [BIN / "lint-imports"],
    "generated pages": [BIN / "python", "deploy/generate.py", "--check"],
}


def passes(name: str, command: list[str | Path]) -> bool:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    print(f"{'ok    ' if done.returncode == 0 else 'FAILED'}  {name}", flush=True)
    if done.returncode != 0:
        print((done.stdout + done.stderr).strip(), flush=True)
    return done.returncode == 0


def main() -> int:
    results = [passes(name, command) for name, command in CHECKS.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
