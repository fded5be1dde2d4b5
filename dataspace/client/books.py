"""What the postings of a privacy ledger add up to, by dataset and by permit, in whole quanta (pico-rho, atto-delta)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from dataspace import wire

Pair = tuple[int, int]
Balances = Mapping[str, Pair]
K = TypeVar("K")
ZERO: Pair = (0, 0)


class PermitBooks(NamedTuple):
    """A permit's amounts; `datasets` are (dataset, spent), sorted."""

    datasets: tuple[tuple[str, Pair], ...]
    limit: Pair
    spent: Pair
    returned: Pair


def balances(postings: Iterable[wire.Posting]) -> dict[str, Pair]:
    """Balance of every account."""
    totals: dict[str, Pair] = defaultdict(lambda: ZERO)
    for posting in postings:
        rho, delta = amount(posting)
        totals[posting.source] = _plus(totals[posting.source], (-rho, -delta))
        totals[posting.target] = _plus(totals[posting.target], (rho, delta))
    return totals


def amount(posting: wire.Posting) -> Pair:
    """What it moves; nothing if it does not say so in digits, which the chain's check reports."""
    digits = posting.pico_rho.isascii() and posting.pico_rho.isdigit() and posting.atto_delta.isdigit()
    return (int(posting.pico_rho), int(posting.atto_delta)) if digits and posting.atto_delta.isascii() else ZERO


def datasets(totals: Balances) -> dict[str, tuple[Pair, Pair, Pair]]:
    """Capacity, allocated and spent of each dataset."""
    found: dict[str, list[Pair]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    places = {"dataset-free": (0,), "dataset-allocated": (0, 1), "dataset-spent": (0, 2)}
    for account, held in totals.items():
        kind, *names = account.split("/")
        for place in places.get(kind, ()):
            found[names[0]][place] = _plus(found[names[0]][place], held)
    return {name: (three[0], three[1], three[2]) for name, three in found.items()}


def permits(postings: list[wire.Posting]) -> dict[str, PermitBooks]:
    """What each permit was granted, spent and gave back, and what it spent in each dataset."""
    totals, granted, returned = balances(postings), defaultdict[str, Pair](lambda: ZERO), dict[str, Pair]()
    covered: dict[str, set[str]] = defaultdict(set)
    for posting in postings:
        kind, *names = posting.target.split("/")
        if kind == "permit-available":
            granted[names[0]] = _plus(granted[names[0]], amount(posting))
        if kind == "dataset-allocated":
            covered[names[1]].add(names[0])
        if posting.source.startswith("permit-available/") and posting.kind == "return":
            permit = posting.source.split("/")[1]
            returned[permit] = _plus(returned.get(permit, ZERO), amount(posting))
    return {
        permit: PermitBooks(
            tuple((name, totals.get(f"dataset-spent/{name}/{permit}", ZERO)) for name in sorted(covered[permit])),
            limit,
            totals.get(f"permit-spent/{permit}", ZERO),
            returned.get(permit, ZERO),
        )
        for permit, limit in granted.items()
    }


def permit_charges(postings: Iterable[wire.Posting]) -> Iterator[tuple[wire.Posting, str]]:
    """Each posting that a permit pays for a release with, and the permit."""
    for posting in postings:
        kind, *names = posting.target.split("/")
        if kind == "permit-spent":
            yield posting, names[0]


def uneven_charges(postings: Iterable[wire.Posting]) -> Iterator[str]:
    """Charges that cost a permit something else than its datasets, or more than one permit."""
    moved: dict[str, list[tuple[str, Pair]]] = defaultdict(list)
    for posting in postings:
        if posting.kind == "charge":
            moved[posting.reference].append((posting.target, amount(posting)))
    for charge, moves in moved.items():
        payers = [target for target, _ in moves if target.startswith("permit-spent/")]
        permits = {target.split("/")[-1] for target, _ in moves}
        if len(payers) != 1 or len(permits) != 1 or len({pair for _, pair in moves}) != 1 or len(moves) < 2:
            yield f"charge {charge} does not cost its permit and its datasets the same"


def differences(what: str, who: str, said: Mapping[str, K], added: Mapping[str, K]) -> Iterator[str]:
    """Where a statement's amounts are not what the postings add up to."""
    for name in sorted(said.keys() | added.keys()):
        if name not in said:
            yield f"{what} {name} is in the postings, {who} does not name it"
        elif name not in added:
            yield f"{what} {name} is named by {who}, no posting is"
        elif said[name] != added[name]:
            yield f"{what} {name}: {who} says {said[name]}, the postings add up to {added[name]}"


def time(posting: wire.Posting) -> datetime | None:
    """When it was posted; None if it does not say so with its zone."""
    try:
        at = datetime.fromisoformat(posting.at)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _plus(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]
