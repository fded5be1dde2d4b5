"""Runs that are killed at a chosen step, to see what is left on disk; a crash cannot be tested within one process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

COUNTED = """
import os, signal, sys
from pathlib import Path
import pipelines.store.writer as writer


def counted(original, after):
    def call(*args, **kwargs):
        global calls
        result = original(*args, **kwargs) if after else None
        calls += 1
        if calls == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
        return result if after else original(*args, **kwargs)
    return call

# every step that changes what is on disk, before or after it has done so
os.fsync = counted(os.fsync, False)
Path.replace = counted(Path.replace, True)
writer.commit = counted(writer.commit, True)
"""

FORKED = """
# one start for many deaths: each run is a forked child of a parent that has no engine of its own
for argument in sys.argv[1:]:
    folder, _, at = argument.rpartition("@")
    calls, wanted = 0, int(at)
    child = os.fork()
    if child == 0:
        run(Path(folder))
        print(calls, flush=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def run_killed(script: str, runs: tuple[tuple[Path, int], ...], timeout: int) -> list[int]:
    """Call the script's `run` in each folder, killed at the step given (0: not).

    The script may count further steps with `counted`. Returns exit codes, after the steps of those runs that end.
    """
    command = [sys.executable, "-c", COUNTED + script + FORKED, *(f"{folder}@{at}" for folder, at in runs)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=True)
    return [int(line) for line in ended.stdout.split()]
