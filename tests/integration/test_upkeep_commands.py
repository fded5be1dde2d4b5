"""The commands of upkeep: they parse, call one function and print; no identifier on the command line or the screen."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipelines.keystore import Rotation
from pipelines.upkeep import add_upkeep
from tests.unit.pipelines.clinic import Clinic
from tests.unit.pipelines.deliveries import STAYS

app = typer.Typer()
add_upkeep(app)


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path))
    return Clinic(tmp_path)


def told(*command: str, answers: str = "", code: int = 0) -> str:
    done = CliRunner().invoke(app, command, input=answers)
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_erase_asks_for_the_identifier_and_does_not_show_it(clinic: Clinic) -> None:
    name = clinic.deliver().id
    command = ("erase", str(clinic.plan.file), "--reason", "request 17")
    assert "all 1 snapshots of clinic, for good?" in told(*command, answers="ab 1\nn\n", code=1)
    assert len(clinic.rows(name, "person")) == 4
    said = told(*command, answers="ab 1\ny\n")
    assert "4 rows taken out of 1 snapshots, 2 files rewritten." in said
    assert "ab 1" not in said
    assert len(clinic.rows(name, "person")) == 3
    clinic.check_sound(clinic.keys)


def test_erase_takes_persons_from_a_file_under_every_key_version(clinic: Clinic, tmp_path: Path) -> None:
    first = clinic.deliver().id
    clinic.keys.rotate("tests", Rotation.CHAINED)
    told("rekey", "clinic")
    persons = tmp_path / "persons.txt"
    persons.write_text("AB1\nab2\n\n")
    said = told("erase", str(clinic.plan.file), "--reason", "request 17", "--yes", "--persons", str(persons))
    assert "of 2 snapshots" in said
    for name in (first, clinic.store.current("clinic").id):
        assert len(clinic.rows(name, "person")) == 2
    clinic.check_sound(clinic.keys)


def test_erase_without_identifiers_is_refused(clinic: Clinic, tmp_path: Path) -> None:
    clinic.deliver()
    (tmp_path / "empty").write_text("\n")
    for file, why in (("empty", "there is no identifier"), ("absent", "cannot be read")):
        command = ("erase", str(clinic.plan.file), "--reason", "x", "--persons", str(tmp_path / file))
        assert why in told(*command, code=1)


def test_erase_of_nobody_is_no_success(clinic: Clinic) -> None:
    name = clinic.deliver().id
    said = told("erase", str(clinic.plan.file), "--reason", "request 17", "--yes", answers="AB77\n", code=1)
    assert "No kept snapshot holds a row of these identifiers" in said
    assert not (clinic.store.folder("clinic").path / "_erased").exists()
    assert len(clinic.rows(name, "person")) == 4


def test_collect_says_what_would_go_until_it_is_told_to(clinic: Clinic) -> None:
    old = clinic.deliver().id
    kept = clinic.deliver(stays=STAYS[:-1]).id
    clinic.deliver(stays=STAYS[:-2])
    assert f"{old} 1 snapshots" in told("collect", "clinic", "--keep", kept)
    assert len(clinic.store.snapshots("clinic")) == 3
    assert "bytes removed" in told("collect", "clinic", "--keep", kept, "--yes")
    assert clinic.store.snapshots("clinic")[0].id == kept
    assert "0 snapshots" in told("collect", "clinic", "--keep", kept)
    clinic.check_sound()


def test_rotate_and_re_key(clinic: Clinic) -> None:
    clinic.deliver()
    assert "key version 2" in told("rotate-key", "tests", "--chained")
    assert "under key version 2, is current" in told("rekey", "clinic")
    assert "key version 3" in told("rotate-key", "tests")
    assert "Ingest the delivery again" in told("rekey", "clinic", code=1)


def test_the_key_log_is_checked(clinic: Clinic) -> None:
    clinic.deliver()
    said = told("key-log")
    assert said.startswith("2 uses of keys")
    last = said.split()[-1]
    clinic.deliver()
    told("key-log", "--seen", last)
    assert "missing" in told("key-log", "--seen", "0123", code=1)
