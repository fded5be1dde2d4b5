"""Opt-outs meet deliveries on the command line: whatever becomes of keys, nobody who opted out is in what is published.

Every permit is granted on a published snapshot, so that is where what was not linked stops.
"""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dataspace.bootstrap import Node, open_node
from dataspace.cli import app, register
from dataspace.cli.register import Register
from dataspace.domain.actors import SYSTEM, Actor, Role
from dataspace.domain.errors import DataspaceError, Unavailable, WrongState
from dataspace.domain.opt_outs import KeyName
from dataspace.domain.privacy import Guarantee
from dataspace.services import accounts, datasets, opt_outs
from dataspace.settings import Settings
from pipelines.cli import main_app
from pipelines.keystore import REGISTER_DOMAIN, open_keystore
from pipelines.pseudonyms import Pseudonymiser, nir_check_digits
from tests.factories import AUTHORITY, HOSPITAL
from tests.unit.pipelines.deliveries import PLAN, write_clinic, write_plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("DATASPACE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path / "home"))
    write_clinic(tmp_path)
    write_plan(tmp_path)
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> Actor:
    """Who enters choices, on a node with the registered dataset."""
    node = open_node(Settings())
    work, clock = node.unit_of_work(), node.clock
    accounts.register_person(
        work, clock, SYSTEM, name="Hanna Holder", organisation=HOSPITAL, roles=frozenset({Role.DATA_HOLDER})
    )
    capacity = Guarantee(Decimal(10), Decimal("0.00001"))
    datasets.register_dataset(
        work, clock, SYSTEM, dataset="clinic", title="A clinic", capacity=capacity, to_limit=node.limit_of,
        holder=HOSPITAL.name,
    )  # fmt: skip
    return accounts.register_person(
        work, clock, SYSTEM, name="Dario Desk", organisation=AUTHORITY, roles=frozenset({Role.HDAB_CITIZEN_DESK})
    )


def node() -> Node:
    return open_node(Settings())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def ingest(folder: Path, *more: str, code: int = 0) -> str:
    done = run("ingest", str(folder / "clinic.toml"), "--quick", *more)
    assert done.exit_code == code, done.output
    return done.output


def opt_out(desk: Actor, identifier: str = "ab-1") -> None:
    opt_outs.opt_out(node().unit_of_work(), node().clock, desk, node().pseudonyms, identifier)


def publish() -> None:
    done = run("dataset", "publish", "clinic")
    if done.exception:
        raise done.exception


def excluded() -> set[int]:
    """Persons whom a permit granted now on the published snapshot does not see."""
    made = node()
    with made.unit_of_work().reading() as work:
        snapshot = made.store.snapshot("clinic", work.datasets.get("clinic").current or "")
        return set(work.opt_outs.opted_out(KeyName(snapshot.key.domain, snapshot.key.id), made.clock.now()).tolist())


def person(*spellings: str) -> set[int]:
    """The person as the current snapshot's key and rule know them."""
    key = node().store.current("clinic").key
    known = Pseudonymiser(open_keystore().key(key.domain, key.version, purpose="test"), key.normalise or ())
    return {number for spelling in spellings if (number := known.person_key(spelling)) is not None}


@pytest.mark.parametrize("chained", [["--chained"], []])
def test_a_key_that_is_new_is_linked_at_the_next_ingestion(folder: Path, desk: Actor, chained: list[str]) -> None:
    ingest(folder)
    opt_out(desk, "ab 1")
    assert run("key", "rotate", "tests", *chained).exit_code == 0
    ingest(folder)
    publish()
    assert excluded() == person("AB1")


def test_an_ingestion_killed_before_the_link_cannot_be_published_and_is_linked_by_the_same_command(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt_out(desk)

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Register, "link", killed)
    run("ingest", str(folder / "clinic.toml"), "--quick")
    monkeypatch.undo()
    monkeypatch.setenv("DATASPACE_HOME", str(folder / "home"))
    assert node().store.current("clinic").id
    with pytest.raises(WrongState, match="not looked up in the opt-out register"):
        publish()
    assert "stored before" in ingest(folder)
    publish()
    assert excluded() == person("AB1")


def test_what_came_past_the_node_is_linked_before_it_is_published(folder: Path, desk: Actor) -> None:
    opt_out(desk)
    assert CliRunner().invoke(main_app(), ["ingest", str(folder / "clinic.toml"), "--quick"]).exit_code == 0
    with pytest.raises(WrongState):
        publish()
    ingest(folder)
    publish()
    assert excluded() == person("AB1")


def test_rows_added_to_what_was_not_linked_do_not_make_it_linked(folder: Path, desk: Actor) -> None:
    opt_out(desk)
    assert CliRunner().invoke(main_app(), ["ingest", str(folder / "clinic.toml"), "--quick"]).exit_code == 0
    write_clinic(folder, persons=[], stays=[("AB2", "2022-01-01", "NEUR", "1", "1")])
    assert "cannot be published" in " ".join(ingest(folder, "--append").split())
    with pytest.raises(WrongState):
        publish()


def test_a_choice_while_a_first_delivery_is_read_is_not_missed(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The domain is new, so the choice was not entered under its key; the second time there is a snapshot to see."""
    linking = Register.link

    def chosen_meanwhile(opened: Register, report: object) -> bool:
        # the register was read before, and this person was not looked for
        opt_out(desk)
        return linking(opened, report)  # type: ignore[arg-type]

    monkeypatch.setattr(Register, "link", chosen_meanwhile)
    ingest(folder)
    with pytest.raises(WrongState):
        publish()
    ingest(folder)
    publish()
    assert excluded() >= person("AB1")


def test_persons_whom_a_plan_tells_apart_by_spelling_are_all_found(folder: Path, desk: Actor) -> None:
    write_plan(folder, PLAN.replace('["no-spaces", "upper"]', "[]"))
    write_clinic(folder, persons=[("ab1", "Anna A", "1950-03-01", "F"), ("AB1", "Anna A", "1950-03-01", "F")], stays=[])
    ingest(folder)
    opt_out(desk, "ab-1")
    ingest(folder)
    publish()
    assert excluded() >= person("AB1", "ab1")


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_keystore_that_is_not_the_nodes_is_refused_before_anything_is_stored(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    opt_out(desk)
    if how == "environment":
        monkeypatch.setenv("DATASPACE_KEYSTORE", str(folder / "safe"))
    said = ingest(folder, *(["--keys", str(folder / "safe")] if how == "option" else []), code=1)
    assert "not the keystore of this node" in said
    assert not node().store.datasets()


def test_a_register_that_cannot_be_opened_is_not_taken_for_none(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt_out(desk)
    (folder / "home/keys/wrapping.key").chmod(0o644)
    done = run("ingest", str(folder / "clinic.toml"), "--quick")
    assert isinstance(done.exception, DataspaceError)
    assert not node().store.datasets()


def test_a_rekeyed_snapshot_is_linked(folder: Path, desk: Actor) -> None:
    ingest(folder)
    opt_out(desk)
    ingest(folder)
    assert run("key", "rotate", "tests", "--chained").exit_code == 0
    assert run("dataset", "rekey", "clinic").exit_code == 0
    publish()
    assert node().store.current("clinic").key.version == 2
    assert excluded() >= person("AB1")


@pytest.mark.parametrize("how", [[], ["--chained"]])
def test_the_registers_own_key_is_not_rotated(folder: Path, desk: Actor, how: list[str]) -> None:
    opt_out(desk)
    done = run("key", "rotate", REGISTER_DOMAIN, *how)
    assert done.exit_code == 1
    assert "every choice in it would be lost" in " ".join(done.output.split())
    ingest(folder)
    publish()
    assert excluded() >= person("AB1")


def test_a_register_whose_key_was_rotated_by_hand_is_refused(folder: Path, desk: Actor) -> None:
    opt_out(desk)
    keys = folder / "home/keys"
    (keys / f"{REGISTER_DOMAIN}.v2.json").write_bytes((keys / f"{REGISTER_DOMAIN}.v1.json").read_bytes())
    with pytest.raises(Unavailable):
        opt_out(desk, "AB2")


NATIONAL = "1841275141777"
WITH_CHECK = f"{NATIONAL}{nir_check_digits(NATIONAL):02d}"


@pytest.mark.parametrize(
    ("steps", "delivered", "said"),
    [
        ('["alphanumeric"]', WITH_CHECK, NATIONAL), ('["alphanumeric"]', NATIONAL, WITH_CHECK),
        ("[]", "AB2", "ab 2"), ("[]", "ab2", "AB2"), ('["upper"]', "AB2", "a-b 2"),
        ('["alphanumeric", "nir"]', "1/84/12/75/141/777", WITH_CHECK),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", ["choice", "ingestion"])
def test_a_person_is_found_however_they_spell_themselves(
    folder: Path, desk: Actor, steps: str, delivered: str, said: str, first: str
) -> None:
    write_plan(folder, PLAN.replace('["no-spaces", "upper"]', steps))
    write_clinic(folder, persons=[(delivered, "Anna A", "1950-03-01", "F"), ("XY9", "B", "1960-01-01", "M")], stays=[])
    if first == "choice":
        opt_out(desk, said)
    ingest(folder)
    if first == "ingestion":
        opt_out(desk, said)
    publish()
    assert excluded() >= person(delivered)
    assert not excluded() & person("XY9")


def test_the_same_rows_under_another_spelling_are_another_snapshot(folder: Path, desk: Actor) -> None:
    write_clinic(folder, stays=[], persons=[("AB1", "Anna A", "1950-03-01", "F"), ("AB2", "B", "1960-07-09", "M")])
    write_plan(folder, PLAN.replace('["no-spaces", "upper"]', "[]"))
    ingest(folder)
    before = node().store.current("clinic")
    write_plan(folder)
    ingest(folder)
    now = node().store.current("clinic")
    assert (before.key.normalise, now.key.normalise) == ((), ("no-spaces", "upper"))
    assert before.id != now.id
    write_clinic(folder, persons=[], stays=[("ab 2", "2022-01-01", "NEUR", "1", "1")])
    assert "is current" in ingest(folder, "--append")


def test_a_key_rotated_while_the_register_is_read_vouches_for_nobody(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(folder)
    opening = register.open_register

    def rotated_meanwhile(*arguments: Any) -> Register | None:
        opened = opening(*arguments)
        opt_out(desk)
        assert run("key", "rotate", "tests").exit_code == 0
        return opened

    monkeypatch.setattr(register, "open_register", rotated_meanwhile)
    assert "cannot be published" in " ".join(ingest(folder).split())
    with pytest.raises(WrongState):
        publish()


def test_rows_added_to_another_snapshot_than_the_one_looked_at_are_not_linked(
    folder: Path, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt_out(desk)
    ingest(folder)
    opening = register.open_register

    def replaced_meanwhile(*arguments: Any) -> Register | None:
        opened = opening(*arguments)
        write_clinic(folder, stays=[])
        assert CliRunner().invoke(main_app(), ["ingest", str(folder / "clinic.toml"), "--quick"]).exit_code == 0
        write_clinic(folder, persons=[], stays=[("AB2", "2022-01-01", "NEUR", "1", "1")])
        return opened

    monkeypatch.setattr(register, "open_register", replaced_meanwhile)
    assert "cannot be published" in " ".join(ingest(folder, "--append").split())
