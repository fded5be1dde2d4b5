"""The ledger's arithmetic and hash chain, without a database."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from dataspace.domain.chain import GENESIS, ChainHead, utc_text
from dataspace.domain.ledger import (
    AUTHORITY,
    MOVES,
    Account,
    AccountKind,
    Charge,
    Movement,
    Posting,
    PostingKind,
    allocation,
    as_rho,
    balances,
    giving_back,
    opening,
    refusal,
    seal,
    spending,
    verify,
)
from dataspace.domain.privacy import NOTHING, PrivacyLoss

AT = datetime(2026, 11, 23, 9, 30, 0, 5, tzinfo=UTC)
CHARGE = Charge("chg", "pmt", "rita", PrivacyLoss(30, 1), "q", "k", ("a", "b"), AT)
BOOKS = [
    *opening("a", PrivacyLoss(100, 9)),
    *opening("b", PrivacyLoss(100, 9)),
    *allocation("pmt", ("a", "b"), PrivacyLoss(50, 2)),
    *spending(CHARGE),
    *giving_back("pmt", PrivacyLoss(20, 1), {"a": PrivacyLoss(20, 1), "b": PrivacyLoss(20, 1)}),
]


def sealed() -> list[Posting]:
    return seal(BOOKS, AT, ChainHead())


def head(postings: list[Posting]) -> ChainHead:
    return ChainHead(postings[-1].seq, postings[-1].hash)


def test_a_sound_ledger_has_no_findings_and_adds_up() -> None:
    postings = sealed()
    assert verify(postings, head(postings)) == ()
    totals = balances(postings)
    assert totals[Account(AccountKind.DATASET_FREE, "a")] == PrivacyLoss(70, 8)
    assert totals[Account(AccountKind.DATASET_SPENT, "b", "pmt")] == PrivacyLoss(30, 1)
    assert totals[Account(AccountKind.DATASET_ALLOCATED, "b", "pmt")] == NOTHING
    assert totals[Account(AccountKind.PERMIT_AVAILABLE, permit="pmt")] == NOTHING


def test_a_stranger_can_recompute_a_hash_with_nothing_but_a_standard_library() -> None:
    first = sealed()[0]
    content = {
        "at": "2026-11-23T09:30:00.000005Z",
        "atto_delta": "9",
        "kind": "capacity",
        "pico_rho": "100",
        "reference": "a",
        "seq": 1,
        "source": "authority",
        "target": "dataset-free/a",
    }
    text = GENESIS + "\n" + json.dumps(content, separators=(",", ":"), sort_keys=True)
    assert first.hash == sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("place", range(len(BOOKS)))
@pytest.mark.parametrize(
    "mutate",
    [
        lambda p: replace(p, seq=p.seq + 1),
        lambda p: replace(p, at=p.at.replace(microsecond=6)),
        lambda p: replace(p, previous="f" * 64),
        lambda p: replace(p, hash="f" * 64),
        lambda p: replace(p, movement=replace(p.movement, kind=next(k for k in PostingKind if k != p.movement.kind))),
        lambda p: replace(p, movement=replace(p.movement, source=Account(AccountKind.DATASET_FREE, "z"))),
        lambda p: replace(p, movement=replace(p.movement, target=Account(AccountKind.DATASET_FREE, "z"))),
        lambda p: replace(p, movement=replace(p.movement, loss=p.movement.loss + PrivacyLoss(1))),
        lambda p: replace(p, movement=replace(p.movement, loss=p.movement.loss + PrivacyLoss(0, 1))),
        lambda p: replace(p, movement=replace(p.movement, reference="other")),
    ],
)
def test_any_change_of_any_posting_is_found(place: int, mutate: object) -> None:
    postings = sealed()
    end = head(postings)
    postings[place] = mutate(postings[place])  # type: ignore[operator]
    assert verify(postings, end)


@pytest.mark.parametrize("place", range(len(BOOKS)))
def test_a_posting_left_out_is_found_even_the_last(place: int) -> None:
    postings = sealed()
    end = head(postings)
    del postings[place]
    assert verify(postings, end)


@pytest.mark.parametrize("place", range(len(BOOKS) - 1))
def test_two_postings_exchanged_are_found(place: int) -> None:
    postings = sealed()
    end = head(postings)
    postings[place], postings[place + 1] = postings[place + 1], postings[place]
    assert verify(postings, end)


def test_a_well_chained_overdraft_is_found() -> None:
    postings = seal([*opening("a", PrivacyLoss(10)), *allocation("pmt", ("a",), PrivacyLoss(11))], AT, ChainHead())
    assert [finding.text for finding in verify(postings)] == ["entry 3 takes more from dataset-free/a than it holds"]


def test_a_well_chained_movement_against_the_rules_is_found() -> None:
    refund = Movement(
        PostingKind.RETURN, AUTHORITY, Account(AccountKind.PERMIT_AVAILABLE, permit="pmt"), PrivacyLoss(1), "pmt"
    )
    assert "moves from authority to permit-available/pmt" in verify(seal([refund], AT, ChainHead()))[0].text


def test_nothing_returns_from_spent() -> None:
    spent = {AccountKind.DATASET_SPENT, AccountKind.PERMIT_SPENT}
    assert set(MOVES) == set(PostingKind)
    assert not [source for moves in MOVES.values() for source, _ in moves if source in spent]


def test_a_movement_of_nothing_leaves_no_posting() -> None:
    assert seal(giving_back("pmt", NOTHING, {"a": NOTHING}), AT, ChainHead()) == []


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (PrivacyLoss(120_000_000_000), "rho 0.12"),
        (PrivacyLoss(10**12), "rho 1"),
        (PrivacyLoss(1), "rho 0.000000000001"),
        (PrivacyLoss(0), "rho 0"),
        (PrivacyLoss(2 * 10**12, 10**12), "rho 2 and delta 0.000001"),
    ],
)
def test_amounts_in_words(loss: PrivacyLoss, text: str) -> None:
    assert as_rho(loss) == text


def test_a_refusal_names_requested_remaining_and_missing() -> None:
    error = refusal("this query", "permit DP-1", PrivacyLoss(12 * 10**10), PrivacyLoss(5 * 10**10), "ask for less")
    assert error.message == "this query needs rho 0.12, permit DP-1 has rho 0.05 left, rho 0.07 missing; ask for less"
    assert (error.requested, error.remaining, error.missing) == ("rho 0.12", "rho 0.05", "rho 0.07")


def test_times_have_one_spelling() -> None:
    assert utc_text(AT) == "2026-11-23T09:30:00.000005Z"
