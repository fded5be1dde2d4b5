"""Recomputing a node's privacy ledger from its postings, with the standard library alone; the node is not trusted.

Each posting moves an amount from one account to another. Its hash covers the hash before it, so that none can be
changed, moved or left out; no account but the authority's may ever hold less than nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from dataspace import wire

GENESIS = "0" * 64
"""What the first posting follows."""

AUTHORITY = "authority"
"""The account that amounts come from; the only one without a balance of its own."""

MOVES = {
    "capacity": {("authority", "dataset-free")},
    "allocation": {("dataset-free", "dataset-allocated"), ("authority", "permit-available")},
    "charge": {("dataset-allocated", "dataset-spent"), ("permit-available", "permit-spent")},
    "return": {("dataset-allocated", "dataset-free"), ("permit-available", "authority")},
}
"""Between which kinds of account each kind of posting moves an amount."""


def posting_hash(posting: wire.Posting) -> str:
    """SHA-256 over the hash before, a line feed, and the canonical JSON of the posting."""
    covered = posting.model_dump(exclude={"previous", "hash"})
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(f"{posting.previous}\n{text}".encode()).hexdigest()


def verify(postings: Iterable[wire.Posting], seq: int, head: str) -> list[str]:
    """Everything wrong with the postings, whose entry `seq` must have the hash `head`; later ones may follow it."""
    faults: list[str] = []
    balances: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    last, previous, hashes = 0, GENESIS, {0: GENESIS}
    for posting in postings:
        faults += _broken_links(posting, last, previous) + _broken_move(posting) + _overdrawn(posting, balances)
        last, previous = posting.seq, posting.hash
        hashes[last] = previous
    if hashes.get(seq) != head:
        faults.append(f"entry {seq} is not the one whose hash the node published as its ledger's")
    return faults


def _broken_links(posting: wire.Posting, last: int, previous: str) -> list[str]:
    faults = []
    if posting.seq != last + 1:
        faults.append(f"entry {posting.seq} follows {last}: entries are missing or moved")
    if posting.previous != previous:
        faults.append(f"entry {posting.seq} does not follow from the entry before it")
    if posting.hash != posting_hash(posting):
        faults.append(f"entry {posting.seq} was changed after it was written")
    return faults


def _broken_move(posting: wire.Posting) -> list[str]:
    kinds = (posting.source.split("/")[0], posting.target.split("/")[0])
    whole = posting.pico_rho.isascii() and posting.pico_rho.isdigit()
    if kinds in MOVES.get(posting.kind, set()) and whole and posting.atto_delta.isdigit():
        return []
    return [f"entry {posting.seq} moves what no rule allows from {posting.source} to {posting.target}"]


def _overdrawn(posting: wire.Posting, balances: dict[str, list[int]]) -> list[str]:
    try:
        amounts = (int(posting.pico_rho), int(posting.atto_delta))
    except ValueError:
        return []
    for position, amount in enumerate(amounts):
        balances[posting.source][position] -= amount
        balances[posting.target][position] += amount
    if posting.source != AUTHORITY and min(balances[posting.source]) < 0:
        return [f"entry {posting.seq} takes more from {posting.source} than it holds"]
    return []
