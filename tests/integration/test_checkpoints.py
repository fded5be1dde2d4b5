"""Checkpoints notice a database that was put back; signing keys are wrapped, rotated and refused when changed."""

import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from typer.testing import CliRunner

from dataspace import jose
from dataspace.bootstrap import bounding_secret, check_books, open_node
from dataspace.checkpoint_folder import CheckpointFolder
from dataspace.checkpoint_keeper import CheckpointKeeper
from dataspace.cli import app
from dataspace.domain.errors import NotPermitted, Unavailable, WrongState
from dataspace.pseudonyms import wrapping_of
from dataspace.services.checkpoints import compare_checkpoints, make_checkpoint
from dataspace.services.signing import rotate_signing_key
from dataspace.settings import Settings
from dataspace.signing import SigningKeys
from pipelines.keystore import PassphraseWrapping
from tests.api_node import ApiNode, make_api_node
from tests.fakes import FakeClock


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path / "node")


def checkpoint(api: ApiNode, *more: CheckpointFolder) -> str:
    node, people = api.node, api.people
    return make_checkpoint(
        people.uow, people.clock, node.signatures, "https://node.example", [*node.checkpoints, *more]
    )


def restored(api: ApiNode, between: Callable[[], object]) -> None:
    """Copy the database, let something happen, put the copy back."""
    file = Path(api.people.url.removeprefix("sqlite:///"))
    api.people.engine.dispose()
    shutil.copy(file, file.with_suffix(".backup"))
    between()
    api.people.engine.dispose()
    for name in (f"{file.name}-wal", f"{file.name}-shm"):
        (file.parent / name).unlink(missing_ok=True)
    shutil.copy(file.with_suffix(".backup"), file)


def test_an_older_backup_is_noticed_before_a_question_is_answered(api: ApiNode) -> None:
    def spend() -> None:
        api.people.charge(api.permit, 5)
        checkpoint(api)

    checkpoint(api)
    check_books(api.node)
    restored(api, spend)
    with pytest.raises(Unavailable, match="put back to an older state"):
        check_books(api.node)


def test_a_backup_that_was_continued_is_noticed_too(api: ApiNode) -> None:
    def spend() -> None:
        api.people.charge(api.permit, 5)
        checkpoint(api)

    checkpoint(api)
    restored(api, spend)
    for _ in range(3):
        api.people.charge(api.permit, 1)
    found = compare_checkpoints(api.people.uow, api.node.signatures, api.node.checkpoints)
    assert "is not the one it held" in found[0].text


def test_a_backup_as_new_as_the_last_checkpoint_is_taken(api: ApiNode) -> None:
    checkpoint(api)
    restored(api, lambda: None)
    check_books(api.node)


def test_a_witness_notices_what_was_put_back_with_the_node_s_own_folder(api: ApiNode, tmp_path: Path) -> None:
    witness = CheckpointFolder(tmp_path / "witness")

    def spend() -> None:
        api.people.charge(api.permit, 5)
        checkpoint(api, witness)

    restored(api, spend)
    shutil.rmtree(tmp_path / "node" / "checkpoints")
    check_books(api.node)
    (found,) = compare_checkpoints(api.people.uow, api.node.signatures, [witness])[:1]
    assert found.text.startswith(str(tmp_path / "witness"))


def test_a_checkpoint_that_the_node_did_not_sign_is_no_reason_to_go_on(api: ApiNode) -> None:
    checkpoint(api)
    folder = api.node.settings.checkpoints[0]
    (folder / f"{9:015d}-{9:015d}.jws").write_text("eyJ.eyJ.x")
    with pytest.raises(Unavailable, match="cannot be relied on"):
        check_books(api.node)
    assert api.client.get("/api/v1/ledger/checkpoint").status_code == 503


def test_a_checkpoint_says_what_the_postings_add_up_to(api: ApiNode) -> None:
    api.people.charge(api.permit, 5)
    claims = jose.verify(checkpoint(api), {k.kid: k for k in api.node.signatures.published()}, jose.Typ.CHECKPOINT)
    limit, capacity = api.permit.limit.pico_rho, claims["datasets"]["registry"]["capacity"]["pico_rho"]
    assert claims["datasets"]["registry"]["spent"] == {"pico_rho": "5", "atto_delta": "0"}
    assert claims["datasets"]["registry"]["allocated"]["pico_rho"] == str(limit - 5)
    with api.people.uow.reading() as uow:
        assert capacity == str(uow.ledger.allotment("registry").capacity.pico_rho)
        assert claims["ledger"] == {"seq": uow.ledger.head().seq, "hash": uow.ledger.head().hash}


def test_only_an_operator_rotates_signing_keys(api: ApiNode) -> None:
    with pytest.raises(NotPermitted):
        rotate_signing_key(api.people.uow, api.people.clock, api.people.decision_maker, api.node.signatures)
    assert api.node.signatures.published() == ()


def test_a_signing_key_is_wrapped_and_for_its_owner_alone(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path / "keys" / "signing", wrapping_of(tmp_path / "keys"))
    drawn = keys.draw()
    keys.keep(drawn, FakeClock().now())
    (file,) = (tmp_path / "keys" / "signing").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert drawn.private["d"] not in file.read_text()
    assert drawn.private["d"] not in repr(drawn)
    again = SigningKeys(tmp_path / "keys" / "signing", wrapping_of(tmp_path / "keys"))
    assert again.sign(jose.Typ.STATUS, {"iat": 1}) == keys.sign(jose.Typ.STATUS, {"iat": 1})


def test_a_signing_key_that_was_changed_or_cannot_be_opened_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "signing"
    keys, clock = SigningKeys(folder, wrapping_of(tmp_path / "keys")), FakeClock()
    with pytest.raises(Unavailable, match="no signing key yet"):
        keys.sign(jose.Typ.STATUS, {})
    keys.keep(keys.draw(), clock.now())
    with pytest.raises(Unavailable, match="wrapped by key-file"):
        SigningKeys(folder, PassphraseWrapping(tmp_path / "other", "words")).sign(jose.Typ.STATUS, {})
    with pytest.raises(Unavailable, match="cannot be unwrapped"):
        SigningKeys(folder, wrapping_of(tmp_path / "another")).sign(jose.Typ.STATUS, {})
    clock.forward(days=-1)
    with pytest.raises(WrongState, match="clock"):
        keys.keep(keys.draw(), clock.now())
    (file,) = folder.iterdir()
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"kid": "other"}))
    with pytest.raises(Unavailable, match="was changed"):
        keys.published()
    file.write_text("{}")
    with pytest.raises(Unavailable, match="damaged"):
        keys.published()
    file.chmod(0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        keys.published()


def test_the_operator_s_commands(api: ApiNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path / "node"))
    bounding_secret(tmp_path / "node" / "keys")
    run = CliRunner().invoke
    api.node.signatures.keep(api.node.signatures.draw(), api.people.clock.now())
    # the machine's clock, not the test's, from here on
    first = run(app, ["keys", "signing", "rotate"])
    assert (first.exit_code, first.output.split()[1]) == (0, "signs")
    assert len(run(app, ["keys", "signing", "list"]).output.splitlines()) == 2
    made = run(app, ["ledger", "checkpoint", "--witness", str(tmp_path / "witness")])
    assert [file.read_text() for file in (tmp_path / "witness").iterdir()] == [made.output.strip()]
    assert "no checkpoint is newer" in run(app, ["ledger", "verify", "--witness", str(tmp_path / "witness")]).output
    assert run(app, ["audit", "verify"]).exit_code == 0
    (tmp_path / "node" / "checkpoints" / f"{10**9:015d}-{10**9:015d}.jws").write_text("x")
    for command in (["ledger", "verify"], ["audit", "verify"]):
        assert run(app, command).exit_code == 1


def test_a_permit_is_verified_from_files_alone(api: ApiNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = api.token(api.people.researcher)
    named = {
        "permit.jws": f"/api/v1/permits/{api.permit.id}/document",
        "jwks.json": "/.well-known/jwks.json",
        "status.jws": "/api/v1/permits/status",
    }
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for name, address in named.items():
        Path(name).write_text(api.client.get(address, headers=headers).text)
    command = ["verify-permit", "permit.jws", "--keys", "jwks.json", "--status", "status.jws", "--at"]
    done = CliRunner().invoke(app, [*command, "2026-11-24T00:00:00"])
    assert done.exit_code == 0, done.output
    assert f"permit {api.permit.number}" in done.output
    late = CliRunner().invoke(app, [*command, "2029-01-01T00:00:00"])
    assert late.exit_code == 1
    assert "(expired)" in late.output
    assert {file.name for file in elsewhere.iterdir()} == set(named)


def test_a_new_node_has_no_checkpoint_and_starts(tmp_path: Path) -> None:
    node = open_node(Settings(home=tmp_path / "new", release_grid_ms=0))
    check_books(node)
    assert node.checkpoints[0].newest() is None


def test_a_serving_node_keeps_checkpoints_and_hands_them_to_its_witness(api: ApiNode, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    settings = Settings(home=tmp_path / "node", witness=witness, release_grid_ms=0)
    node = replace(api.node, settings=settings)
    keeper = CheckpointKeeper(node, timedelta(milliseconds=20))
    keeper.start()
    assert len(list(witness.iterdir())) == 1
    api.people.charge(api.permit, 5)
    wait_until(lambda: len(list(witness.iterdir())) == 2)
    api.people.charge(api.permit, 5)
    keeper.stop()
    assert node.checkpoints[1].newest() == node.checkpoints[0].newest()
    assert len(list(witness.iterdir())) == 3


def test_a_witness_out_of_reach_stops_nothing(api: ApiNode, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    node = replace(api.node, settings=Settings(home=tmp_path / "node", witness=blocked / "x", release_grid_ms=0))
    CheckpointKeeper(node).keep()
    assert node.checkpoints[0].newest() is not None
    blocked.unlink()
    CheckpointKeeper(node).keep()
    assert node.checkpoints[1].newest() == node.checkpoints[0].newest()


def wait_until(reached: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not reached() and monotonic() < end:
        sleep(0.02)
    assert reached()
