"""The record of key use: one line a use, chained, and no secret in it."""

import getpass
import json
import multiprocessing
from pathlib import Path

import pytest

from pipelines.errors import KeystoreError
from pipelines.keystore import Keystore, Rotation, read_key_log, verify_key_log


def lines(folder: Path) -> list[str]:
    return (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)


def test_every_use_says_who_opened_which_key_for_what(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital", purpose="ingest", dataset="stays")
    made, used = read_key_log(tmp_path)
    assert made.purpose == "make the key: ingest"
    assert (used.domain, used.version, used.key, used.purpose, used.dataset) == (
        "hospital", 1, key.id, "ingest", "stays",
    )  # fmt: skip
    assert used.actor == getpass.getuser()
    assert verify_key_log(tmp_path) == []


def test_a_chained_key_is_several_uses(tmp_path: Path) -> None:
    keys = Keystore(tmp_path)
    keys.key("hospital", purpose="first")
    keys.rotate("hospital", Rotation.CHAINED)
    keys.key("hospital", purpose="second")
    used = [(e.version, e.purpose) for e in read_key_log(tmp_path)]
    assert used[2:] == [(2, "make the key: rotate (chained)"), (1, "second"), (2, "second")]


def test_the_log_holds_no_secret(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital", purpose="test")
    text = (tmp_path / "audit.jsonl").read_bytes()
    assert key.secret not in text
    assert key.secret.hex().encode() not in text
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o077 == 0


def some_uses(folder: Path, uses: int = 4) -> None:
    for number in range(uses):
        Keystore(folder).key("hospital", purpose=f"use {number}")


@pytest.mark.parametrize("changed", ["purpose", "actor", "at", "key", "before", "hash"])
def test_a_changed_event_is_found(tmp_path: Path, changed: str) -> None:
    some_uses(tmp_path)
    content = lines(tmp_path)
    event = json.loads(content[2])
    content[2] = json.dumps(event | {changed: "0" * len(event[changed])}) + "\n"
    (tmp_path / "audit.jsonl").write_text("".join(content))
    assert any(":3:" in problem or ":4:" in problem for problem in verify_key_log(tmp_path))


@pytest.mark.parametrize("damage", ["removed", "swapped", "inserted", "not an event"])
def test_lines_that_do_not_follow_are_found(tmp_path: Path, damage: str) -> None:
    some_uses(tmp_path)
    first, second, third, *rest = lines(tmp_path)
    changed = {
        "removed": [first, third],
        "swapped": [first, third, second],
        "inserted": [first, second, second, third],
        "not an event": [first, second, "{}\n", third],
    }[damage]
    (tmp_path / "audit.jsonl").write_text("".join([*changed, *rest]))
    assert verify_key_log(tmp_path)


def test_a_log_cut_short_shows_against_a_hash_noted_elsewhere(tmp_path: Path) -> None:
    some_uses(tmp_path)
    noted = list(read_key_log(tmp_path))[-1].hash
    assert verify_key_log(tmp_path, seen=noted) == []
    (tmp_path / "audit.jsonl").write_text("".join(lines(tmp_path)[:-1]))
    assert verify_key_log(tmp_path) == []
    assert verify_key_log(tmp_path, seen=noted) == ["audit.jsonl: the event noted earlier is missing"]


def test_half_a_line_of_a_killed_writer_is_no_event(tmp_path: Path) -> None:
    some_uses(tmp_path)
    with (tmp_path / "audit.jsonl").open("a") as log:
        log.write('{"at": "2026-')
    assert verify_key_log(tmp_path) == []
    some_uses(tmp_path, 1)
    assert verify_key_log(tmp_path) == []
    assert len(lines(tmp_path)) == 6


def test_no_key_is_handed_out_if_its_use_cannot_be_recorded(tmp_path: Path) -> None:
    some_uses(tmp_path)
    (tmp_path / "audit.jsonl").unlink()
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(KeystoreError, match="No key was opened"):
        Keystore(tmp_path).key("hospital", purpose="test")


def test_an_odd_last_line_stops_the_log(tmp_path: Path) -> None:
    some_uses(tmp_path)
    with (tmp_path / "audit.jsonl").open("a") as log:
        log.write("{}\n")
    with pytest.raises(KeystoreError, match="not an event"):
        Keystore(tmp_path).key("hospital", purpose="test")


def test_processes_at_once_make_one_chain(tmp_path: Path) -> None:
    started = multiprocessing.get_context("spawn")
    workers = [started.Process(target=some_uses, args=(tmp_path, 25)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert {w.exitcode for w in workers} == {0}
    assert verify_key_log(tmp_path) == []
    # one key was made, however many tried
    used = [e for e in read_key_log(tmp_path) if not e.purpose.startswith("make")]
    assert (len(used), len({e.key for e in used})) == (75, 1)


def test_a_log_taken_away_beside_keys_is_told(tmp_path: Path) -> None:
    assert verify_key_log(tmp_path) == []
    Keystore(tmp_path).key("hospital", purpose="test")
    (tmp_path / "audit.jsonl").unlink()
    assert verify_key_log(tmp_path) == ["audit.jsonl: the log is missing, although there are keys"]
