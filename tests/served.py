"""Nodes in processes of their own: several that serve one accounts database, and lives that end at any moment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

NODE = """
import sys
from datetime import datetime
from pathlib import Path
from dataspace.bootstrap import Node
from dataspace.db import SqlUnitOfWork, open_engine
from dataspace.dp.bounding import warm
from dataspace.dp.noise import OpenDPNoise
from dataspace.high_water import HighWater
from dataspace.services.queries import Engine
from dataspace.settings import Settings
from tests.api_node import MemoryStore
from tests.fakes import FakeClock, FakePseudonyms


def node_on(url, home, at):
    engine, store, clock = open_engine(url), MemoryStore(), FakeClock(datetime.fromisoformat(at))
    mark = HighWater(Path(home) / "ledger.high-water").note
    return Node(
        settings=Settings(home=Path(home), release_grid_ms=0),
        unit_of_work=lambda: SqlUnitOfWork(engine, mark),
        store=store,
        clock=clock,
        engine=Engine(store=store, noise=OpenDPNoise(), secret=b"a secret of 32 bytes for testing"),
        pseudonyms=FakePseudonyms(),
    )
"""

SERVER = f"""{NODE}
import socket
import uvicorn
from dataspace import logs
from dataspace.web.app import create_app

url, home, at = sys.argv[1:]
logs.configure()
node = node_on(url, home, at)
warm()
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(2048)
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(create_app(node), log_config=None, access_log=False, server_header=False)
uvicorn.Server(config).run(sockets=[listener])
"""

LIVES = f"""{NODE}
import json
import os
import signal
import tempfile
import time
from fractions import Fraction
from dataspace.bootstrap import check_books
from dataspace.domain.privacy import ByRho
from dataspace.services import accounts, queries
from tests.factories import make_node

url, home, at, permit, token, rho = sys.argv[1:]


def warm_up():
    # what a first question loads is loaded before the lives begin, which are short
    with tempfile.TemporaryDirectory() as folder:
        made = make_node(Path(folder))
        made.dataset()
        question = queries.Question("SELECT COUNT(DISTINCT person) AS n FROM person", ByRho(Fraction(rho)))
        node = node_on(made.url, folder, at)
        queries.run_query(made.uow, node.clock, made.researcher, made.permit().id, question, "key-warm", node.engine)
        made.engine.dispose()


def live(first, ready):
    node = node_on(url, home, at)
    check_books(node)
    actor = accounts.identify_token(node.unit_of_work(), node.clock, token).actor
    os.write(ready, b"!")
    for n in range(first, first + 1000):
        sql = f"SELECT COUNT(DISTINCT person) AS n FROM person WHERE birth_year > {{n}}"
        question = queries.Question(sql, ByRho(Fraction(rho)))
        done = queries.run_query(node.unit_of_work(), node.clock, actor, permit, question, f"key-{{n}}", node.engine)
        os.write(1, (json.dumps([n, done.release.id]) + "\\n").encode())
        os.write(ready, b"!")


warm_up()
for line in sys.stdin:
    first, answers, seconds = line.split()
    begun, ready = os.pipe()
    child = os.fork()
    if child == 0:
        live(int(first), ready)
        os._exit(0)
    os.close(ready)
    # until its books are verified and so many questions are answered
    for _ in range(1 + int(answers)):
        os.read(begun, 1)
    os.close(begun)
    time.sleep(float(seconds))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.write(1, (json.dumps(os.waitstatus_to_exitcode(status)) + "\\n").encode())
"""


@contextmanager
def servers(number: int, url: str, home: Path, at: str) -> Iterator[list[str]]:
    """Addresses of `number` server processes on one accounts database."""
    with _started(SERVER, [url, str(home), at], number) as running:
        ports = [process.stdout.readline().strip() for process in running if process.stdout]
        yield [f"http://127.0.0.1:{port}" for port in ports]


class Lives:
    """Lives of a node that asks one question after another, each killed at a chosen moment."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._order, self._told = process.stdin, process.stdout

    def live(self, first: int, answers: int, seconds: float) -> tuple[list[tuple[int, str]], int]:
        """What it answered from question `first` on, killed so many seconds after so many answers, and how it ended."""
        self._order.write(f"{first} {answers} {seconds:.4f}\n")
        self._order.flush()
        answered = []
        while isinstance(told := json.loads(self._told.readline()), list):
            answered.append((told[0], told[1]))
        return answered, told


@contextmanager
def lives(url: str, home: Path, at: str, permit: str, token: str, rho: str) -> Iterator[Lives]:
    with _started(LIVES, [url, str(home), at, permit, token, rho], 1) as [process]:
        yield Lives(process)


@contextmanager
def _started(script: str, arguments: list[str], number: int) -> "Iterator[list[subprocess.Popen[str]]]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(number)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()
