"""A backup put back in place is noticed: what was spent after it is not spent again."""

import multiprocessing
import shutil
from pathlib import Path

import pytest

from dataspace.bootstrap import Node, check_books, open_node
from dataspace.domain.chain import ChainHead
from dataspace.domain.errors import Unavailable
from dataspace.high_water import SLOT, HighWater
from dataspace.settings import Settings
from tests.factories import Node as People
from tests.factories import make_charge


def head(seq: int) -> ChainHead:
    return ChainHead(seq, f"{seq:064x}")


def opened(home: Path) -> tuple[Node, People]:
    """A node as it starts, and people on its database."""
    node = open_node(Settings(home=home, key_root=home / "keys"))
    from dataspace.db import open_engine

    people = People(node.settings.database, open_engine(node.settings.database))
    return node, people


def test_a_restored_backup_is_refused_until_the_newest_copy_is_back(tmp_path: Path) -> None:
    node, people = opened(tmp_path)
    people.dataset()
    permit = people.permit()
    make_charge(node.unit_of_work(), people.order(permit, 5))
    check_books(node)
    backup, database = tmp_path / "backup", tmp_path / "accounts.db"
    shutil.copy(database, backup)
    make_charge(node.unit_of_work(), people.order(permit, 7))
    newest = shutil.copy(database, tmp_path / "newest")
    people.engine.dispose()
    shutil.copy(backup, database)
    with pytest.raises(Unavailable, match="older than what this node has answered"):
        check_books(open_node(node.settings))
    shutil.copy(newest, database)
    check_books(open_node(node.settings))


def test_another_history_of_the_same_length_is_refused(tmp_path: Path) -> None:
    node, people = opened(tmp_path)
    people.dataset()
    permit = people.permit()
    backup = shutil.copy(tmp_path / "accounts.db", tmp_path / "backup")
    make_charge(node.unit_of_work(), people.order(permit, 5))
    people.engine.dispose()
    shutil.copy(backup, tmp_path / "accounts.db")
    again = open_node(node.settings)
    # somebody works around the refusal with a node that keeps no note
    make_charge(people.uow, people.order(permit, 6))
    with pytest.raises(Unavailable, match="older than what this node has answered"):
        check_books(again)


def test_changes_before_the_note_existed_are_noted_at_the_start(tmp_path: Path) -> None:
    node, people = opened(tmp_path)
    people.dataset()
    assert node.high_water.read() == ChainHead()
    check_books(node)
    with people.uow.reading() as uow:
        assert node.high_water.read() == uow.ledger.head()


def test_the_note_is_never_lowered_and_survives_a_torn_slot(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "mark")
    for seq in (3, 7, 5, 12, 12, 1):
        mark.note(head(seq))
    assert mark.read() == head(12)
    body = bytearray((tmp_path / "mark").read_bytes())
    newest = body.index(b"12 ")
    body[newest + 20 : newest + SLOT] = bytes(SLOT - 20)
    (tmp_path / "mark").write_bytes(body)
    assert mark.read() == head(7)
    mark.note(head(13))
    assert mark.read() == head(13)
    assert (tmp_path / "mark").stat().st_size == 2 * SLOT


def test_processes_that_share_a_note_keep_the_highest(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "mark")
    running = [multiprocessing.get_context("spawn").Process(target=note_all, args=(mark, n)) for n in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert mark.read() == head(599)


def note_all(mark: HighWater, first: int) -> None:
    for seq in range(first, 600, 3):
        mark.note(head(seq))


def test_a_note_that_cannot_be_written_does_not_undo_a_charge(tmp_path: Path) -> None:
    HighWater(tmp_path / "no" / "folder" / "mark").note(head(1))
    assert HighWater(tmp_path / "no" / "folder" / "mark").read() == ChainHead()
