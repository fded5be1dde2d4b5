"""The command line as an operator meets it: the pages' commands run as written, mistakes end in one clear line."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from dataspace.cli import main

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "deploy/README.md").read_text()

Run = Callable[..., tuple[int, str]]


def blocks(terminal: str) -> str:
    """The commands of the operator's page that belong to one terminal."""
    return "".join(re.findall(rf"<!-- {terminal} terminal -->\n```sh\n(.*?)```", PAGE, re.DOTALL))


def shell(script: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATASPACE_")}
    return subprocess.run(
        ["sh", "-eu", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a node made by the page's first terminal, and what the second one printed."""
    folder, port = tmp_path_factory.mktemp("page"), free_port()

    def here(script: str) -> str:
        script = script.replace("$PWD/.dataspace", str(folder)).replace("$PWD/.venv/bin", str(BIN))
        return script.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace('"$DELIVERY"', '"$DELIVERY" --quick')

    first = here(blocks("first")).replace("dataspace serve", f"exec dataspace serve --port {port}")
    log = folder / "serve.log"
    with log.open("w") as said:
        server = subprocess.Popen(["sh", "-eu", "-c", first], cwd=ROOT, stdout=said, stderr=said)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/v1/health", server, log)
        done = shell(here(blocks("second")))
        assert done.returncode == 0, done.stdout + done.stderr
        yield folder, done.stdout
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_the_operators_page_leads_from_nothing_to_an_answer(walked: tuple[Path, str]) -> None:
    _, said = walked
    year = time.gmtime().tm_year
    assert re.search(rf"DAA-{year}-0001 submitted", said)
    assert re.search(rf"permit DP-{year}-0001", said)
    assert re.search(rf"active\s+DP-{year}-0001", said)
    assert re.search(r"sex\s+patients\s+patients_low\s+patients_high", said)
    assert re.search(r"spent +rho 0\.0*[1-9]", said)
    assert said.count("sound: ") == 2


def test_keys_are_the_owners_alone(walked: tuple[Path, str]) -> None:
    assert stat.S_IMODE((walked[0] / "own-keys").stat().st_mode) == 0o700


def test_the_pipelines_found_the_nodes_folders(walked: tuple[Path, str]) -> None:
    own = walked[0] / "own"
    assert (own / "store/gibleed").is_dir()
    assert (own / "catalogue/gibleed.ttl").is_file()


def test_the_readme_says_how_to_get_a_token(walked: tuple[Path, str]) -> None:
    found = re.search(r"  ```sh\n(  export DATASPACE_HOME=.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    keys, home = str(walked[0] / "own-keys"), str(walked[0] / "own")
    script = found.group(1).replace(".dataspace/demo/keys", keys).replace(".dataspace/demo", home)
    done = shell(script.replace(".venv/bin", str(BIN)))
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "applicant" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("ehds_")


def test_every_command_of_make_serve_takes_a_port() -> None:
    done = subprocess.run(["make", "-n", "serve", "PORT=8001"], cwd=ROOT, capture_output=True, text=True)
    assert "serve --demo --port 8001" in done.stdout


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process; returns its exit code and everything it said."""
    for name in [name for name in os.environ if name.startswith("DATASPACE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path / "node"))
    monkeypatch.setenv("DATASPACE_TOKEN", "ehds_x")

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dataspace", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = "".join(capsys.readouterr())
        code = ended.value.code
        # What sys.exit is given besides a number is what Python prints at the end.
        return (code, said) if isinstance(code, int) else (1 if code else 0, said + str(code or ""))

    return command


REGISTER = ("dataset", "register", "x", "--title", "t", "--holder", "h")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dataset", "list"), "there is no node at"),
        (("dataset", "publish", "x"), "there is no node at"),
        (("audit", "verify"), "there is no node at"),
        (("person", "list"), "there is no node at"),
        (("person", "token", "prs_x"), "there is no node at"),
        ((*REGISTER, "--epsilon", "-1"), "epsilon must be above 0"),
        ((*REGISTER, "--epsilon", "abc"), "are numbers"),
        ((*REGISTER, "--epsilon", "50"), "at most 20"),
        ((*REGISTER, "--epsilon", "15"), "at most epsilon 10"),
        ((*REGISTER, "--delta", "2"), "delta must be"),
        (("person", "add", "", "--organisation", "", "--role", "applicant"), "an organisation has a name"),
        (("estimate", "SELECT 1", "--epsilon", "abc"), "epsilon is a number"),
        (("estimate", "SELECT 1", "--epsilon", "1", "--groups", "2"), "both groups and rows"),
        (("query", "SELECT 1"), "give one price"),
        (("query", "@nowhere.sql", "--epsilon", "1"), "No such file"),
        (("application", "apply", "nowhere.toml"), "No such file"),
        (("serve", "--host", "host.invalid"), "another with --host"),
    ],
)
def test_a_mistake_is_one_line_and_makes_nothing(
    tmp_path: Path, run: Run, arguments: tuple[str, ...], said: str
) -> None:
    code, output = run(*arguments)
    assert code == 1
    assert said in output
    assert len(output.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_does_not_exist_is_a_usage_error(run: Run) -> None:
    code, output = run("serve", "--port", "99999")
    assert code == 2
    assert "65535" in output


def test_a_taken_port_says_how_to_choose_another(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = run("serve", "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert "make serve PORT=" in output


def test_a_forgotten_key_folder_makes_no_second_secret(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASPACE_KEY_ROOT", str(tmp_path / "keys"))
    person = ("person", "add", "A. Holder", "--organisation", "A Hospital", "--role", "data-holder")
    assert run(*person)[0] == 0
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    monkeypatch.delenv("DATASPACE_KEY_ROOT")
    for command in (person, ("dataset", "list"), ("serve", "--port", "0")):
        code, output = run(*command)
        assert code == 1
        assert "DATASPACE_KEY_ROOT" in output
    assert not (tmp_path / "node/keys").exists()


@pytest.mark.parametrize("name", ["GiBleed", "a/b", "", "a b", "é", "-a"])
def test_a_dataset_is_named_by_a_slug(run: Run, name: str) -> None:
    assert run("person", "add", "A. Holder", "--organisation", "h", "--role", "data-holder")[0] == 0
    code, output = run("dataset", "register", "--title", "t", "--holder", "h", "--", name)
    assert code == 1
    assert "lower-case" in output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b"title = ", "cannot be read"),
        ("a.json", b"[]", "holds no fields"),
        ("a.json", b'{"title": "x"}', "purposes: Field required"),
        ("a.toml", b"\xff", "not text"),
    ],
)
def test_an_application_file_that_cannot_be_used(
    tmp_path: Path, run: Run, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, output = run("application", "apply", str(tmp_path / name))
    assert code == 1
    assert said in output
    assert "pydantic" not in output


def test_the_pipelines_use_the_nodes_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from pipelines.cli import main_app
    from tests.unit.pipelines.deliveries import write_clinic, write_plan

    write_clinic(tmp_path)
    plan = str(write_plan(tmp_path))
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATASPACE_KEY_ROOT", str(tmp_path / "keys"))
    app = main_app()
    ran = CliRunner().invoke(app, ["ingest", plan, "--quick"])
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "home/store/clinic").is_dir()
    assert (tmp_path / "keys/wrapping.key").is_file()
    monkeypatch.setenv("DATASPACE_STORE_ROOT", str(tmp_path / "elsewhere"))
    assert "has no current snapshot" in CliRunner().invoke(app, ["snapshots", "clinic"]).output
