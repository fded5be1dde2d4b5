"""Opting out at the access body's desk, on a real database: receipts, status at a date, rekeying, who may."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Actor
from dataspace.domain.errors import InvalidInput, NotPermitted, Unavailable
from dataspace.domain.events import EventKind
from dataspace.domain.opt_outs import Channel, Choice, KeyName, PersonKey
from dataspace.services import opt_outs
from tests.factories import Node, make_node
from tests.fakes import REGISTER_KEY, REGISTRY_KEY, FakePseudonyms

KNOWN = FakePseudonyms()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return make_node(tmp_path)


def status(node: Node, identifier: str = "P 7", **at: float) -> bool:
    when = node.clock.now() + timedelta(**at)
    return opt_outs.opt_out_status(node.uow, node.clock, node.desk, KNOWN, identifier, at=when).opted_out


def out_under(node: Node, key: KeyName) -> list[int]:
    with node.uow.reading() as uow:
        return uow.opt_outs.opted_out(key, node.clock.now()).tolist()


def test_a_receipt_says_when_and_what_it_means(node: Node) -> None:
    receipt = node.opt_out()
    assert (receipt.choice, receipt.at, receipt.channel) == (
        Choice.OPT_OUT,
        node.clock.now(),
        Channel.AT_ACCESS_BODY,
    )
    assert "Permits approved earlier go on" in receipt.meaning
    assert receipt.number.startswith("OO-2026-")


def test_the_status_at_a_date_is_answered_for_every_date(node: Node) -> None:
    assert not status(node)
    node.opt_out()
    node.clock.forward(days=10)
    node.come_back()
    node.clock.forward(days=10)
    node.opt_out()
    assert [status(node, days=days) for days in (-21, -20, -11, -10, -1, 0)] == [False, True, True, False, False, True]
    asked = opt_outs.opt_out_status(node.uow, node.clock, node.desk, KNOWN, "p7")
    assert [choice.choice for choice in asked.history] == [Choice.OPT_OUT, Choice.WITHDRAWAL, Choice.OPT_OUT]


def test_one_person_in_any_spelling_and_nobody_else(node: Node) -> None:
    node.opt_out("P 7")
    assert status(node, "p7")
    assert not status(node, "P 8")


def test_the_person_is_entered_under_every_key_whose_rule_the_identifier_passes(node: Node) -> None:
    node.opt_out("P 7")
    receipt = node.opt_out("P 77")
    assert receipt.not_covered == ("ids (one digit)",)
    assert out_under(node, REGISTRY_KEY) == [7, 77]
    assert out_under(node, KeyName("ids", "key7")) == [7]
    assert out_under(node, KNOWN.register_key) == [-77, -7]


def test_choosing_again_is_the_same_answer_and_a_new_receipt(node: Node) -> None:
    receipts = [node.opt_out(), node.opt_out(), node.come_back(), node.come_back("P 9")]
    assert len({receipt.number for receipt in receipts}) == 4
    assert [receipt.choice for receipt in receipts[2:]] == [Choice.WITHDRAWAL] * 2
    assert out_under(node, REGISTRY_KEY) == []


@pytest.mark.parametrize("bad", ["", "   ", " - ", "x" * 101, "P 7\nP 8", "P\0007", "\ud800", "Müller"])
def test_what_cannot_be_an_identifier_is_refused_and_never_repeated(node: Node, bad: str) -> None:
    for call in (opt_outs.opt_out, opt_outs.withdraw_opt_out, opt_outs.opt_out_status):
        with pytest.raises(InvalidInput) as refused:
            call(node.uow, node.clock, node.desk, KNOWN, bad)
        assert "Müller" not in refused.value.message
        assert bad.strip() == "" or bad not in refused.value.message


def test_a_number_that_fails_a_check_is_refused_unless_it_may_be_accepted_in_part(node: Node) -> None:
    with pytest.raises(
        InvalidInput, match=r"does not pass the check of ids \(one digit\): look for a typing error"
    ) as no:
        opt_outs.opt_out(node.uow, node.clock, node.desk, KNOWN, "P 77")
    assert "77" not in no.value.message
    assert out_under(node, REGISTRY_KEY) == []


@pytest.mark.parametrize("person", ["holder", "researcher", "assessor", "decision_maker"])
def test_only_the_citizens_desk_hears_and_writes(node: Node, person: str) -> None:
    actor: Actor = getattr(node, person)
    calls: list[Callable[[], object]] = [
        lambda: opt_outs.opt_out(node.uow, node.clock, actor, KNOWN, "P 7"),
        lambda: opt_outs.withdraw_opt_out(node.uow, node.clock, actor, KNOWN, "P 7"),
        lambda: opt_outs.opt_out_status(node.uow, node.clock, actor, KNOWN, "P 7"),
        lambda: opt_outs.rekey_opt_outs(node.uow, node.clock, actor, REGISTRY_KEY, REGISTRY_KEY, lambda n: [n]),
    ]
    for call in calls:
        with pytest.raises(NotPermitted):
            call()


def test_the_operator_of_the_machine_hears_no_identifier(node: Node) -> None:
    with pytest.raises(NotPermitted, match="hdab-citizen-desk"):
        opt_outs.opt_out(node.uow, node.clock, SYSTEM, KNOWN, "P 7")


def test_every_choice_and_every_look_is_on_record_without_saying_about_whom(node: Node) -> None:
    first, second = node.opt_out("P 123456"), node.come_back("P 123456")
    status(node, "P 123456")
    with node.uow.reading() as uow:
        entries = [entry.event for entry in uow.audit.entries() if "opt-out" in entry.event.kind]
    assert [(event.kind, event.subject) for event in entries] == [
        (EventKind.OPT_OUT_RECORDED, first.number),
        (EventKind.OPT_OUT_WITHDRAWN, second.number),
        (EventKind.OPT_OUT_READ, "opt-outs"),
    ]
    assert {event.actor for event in entries} == {node.desk.id}
    assert "123456" not in repr(entries)


def test_a_choice_and_its_event_are_one_transaction(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr("dataspace.db.audit.SqlAuditTrail.append", full)
    with pytest.raises(Unavailable):
        node.opt_out()
    monkeypatch.undo()
    assert out_under(node, REGISTRY_KEY) == []


def test_rekeying_carries_every_choice_with_its_time_and_twice_is_once(node: Node) -> None:
    node.opt_out("P 1")
    node.opt_out("P 2")
    node.clock.forward(days=1)
    node.come_back("P 2")
    node.opt_out("P 3")
    new = KeyName("tests", "key2")

    def rekey() -> int:
        # nobody under the new key is number 3
        return opt_outs.rekey_opt_outs(
            node.uow, node.clock, SYSTEM, REGISTRY_KEY, new, lambda n: [] if n == 3 else [n * 1000]
        )

    assert (rekey(), rekey()) == (3, 0)
    with node.uow.reading() as uow:
        histories = {n: uow.opt_outs.history(PersonKey(REGISTRY_KEY, n)) for n in (1, 2)}
        for number, history in histories.items():
            moved = [replace(entry, person=PersonKey(new, number * 1000)) for entry in history]
            assert uow.opt_outs.history(PersonKey(new, number * 1000)) == moved
        assert uow.opt_outs.opted_out(new, node.clock.now() - timedelta(days=1)).tolist() == [1000, 2000]
        assert uow.opt_outs.opted_out(new, node.clock.now()).tolist() == [1000]
        assert uow.opt_outs.opted_out(REGISTRY_KEY, node.clock.now()).tolist() == [1, 3]


def test_a_key_is_not_rekeyed_to_itself(node: Node) -> None:
    node.opt_out()
    with pytest.raises(InvalidInput, match="not to itself"):
        opt_outs.rekey_opt_outs(node.uow, node.clock, SYSTEM, REGISTRY_KEY, REGISTRY_KEY, lambda n: [n + 1])


def test_rekeying_more_than_a_page(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opt_outs, "PAGE", 2)
    for number in range(7):
        node.opt_out(f"P {number}")
    new = KeyName("late", "k")
    assert opt_outs.rekey_opt_outs(node.uow, node.clock, SYSTEM, REGISTER_KEY, new, lambda n: [-n]) == 7
    assert out_under(node, new) == list(range(7))
    # choices made meanwhile follow at the next run
    node.opt_out("P 8")
    assert opt_outs.rekey_opt_outs(node.uow, node.clock, SYSTEM, REGISTER_KEY, new, lambda n: [-n]) == 1


def test_the_published_count_is_rounded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opt_outs, "ROUNDED_TO", 4)
    counts = []
    for number in range(7):
        node.opt_out(f"P {number}")
        counts.append(opt_outs.count_opt_outs(node.uow, node.clock, KNOWN))
    assert counts == [0, 4, 4, 4, 4, 8, 8]
    node.come_back("P 6")
    node.come_back("P 5")
    assert opt_outs.count_opt_outs(node.uow, node.clock, KNOWN) == 4


def test_no_permit_is_granted_while_an_opt_out_is_being_written(node: Node) -> None:
    node.dataset()
    granted: list[object] = []
    case = node.proposed()
    with node.uow as uow:
        uow.opt_outs.hold()
        from dataspace.services import permits

        grant = threading.Thread(
            target=lambda: granted.append(
                permits.grant_permit(node.uow, node.clock, node.decision_maker, case.id, to_limit=node.to_limit)
            )
        )
        grant.start()
        grant.join(0.3)
        assert granted == []
        node.clock.forward(seconds=5)
        uow.commit()
    grant.join(10)
    assert [permit.granted_at for permit in granted] == [node.clock.now()]  # type: ignore[attr-defined]


def test_the_register_holds_no_identifier(node: Node, tmp_path: Path) -> None:
    node.opt_out("P 98765432109")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"P98765432109" not in stored
    assert b"P 98765432109" not in stored
    with sqlite3.connect(tmp_path / "accounts.db") as connection:
        columns = [row[1] for row in connection.execute("pragma table_info(opt_outs)")]
    assert columns == ["seq", "domain", "key_id", "person_key", "choice", "at", "channel", "receipt"]
