"""The privacy budget ledger: double entry in whole quanta, hash-chained.

Two sets of books, moved together:

    dataset   authority -> free -> allocated to a permit -> spent by it     (returned: allocated -> free)
    permit    authority -> available -> spent                               (returned: available -> authority)

A dataset's free amount can never go below zero, so permits together never get more than its capacity. A permit's
available amount can never go below zero, so its releases together never cost more than its limit, over all datasets: a
person's rows in all of them are one privacy unit. Postings are only ever added; a stranger can recompute every balance.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dataspace.domain.chain import Canonical, ChainHead, Finding, Link, link_hash, utc_text, verify_links
from dataspace.domain.errors import InsufficientBudget
from dataspace.domain.privacy import NOTHING, PrivacyLoss

Describe = Callable[[PrivacyLoss], str]
"""Puts an amount into words for a refusal."""


class AccountKind(StrEnum):
    AUTHORITY = "authority"
    DATASET_FREE = "dataset-free"
    DATASET_ALLOCATED = "dataset-allocated"
    DATASET_SPENT = "dataset-spent"
    PERMIT_AVAILABLE = "permit-available"
    PERMIT_SPENT = "permit-spent"


@dataclass(frozen=True, order=True)
class Account:
    """One account of the books; `dataset` and `permit` are empty where the kind has none."""

    kind: AccountKind
    dataset: str = ""
    permit: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.dataset, self.permit) if part)


AUTHORITY = Account(AccountKind.AUTHORITY)


class PostingKind(StrEnum):
    CAPACITY = "capacity"
    ALLOCATION = "allocation"
    CHARGE = "charge"
    RETURN = "return"


A = AccountKind
MOVES = {
    PostingKind.CAPACITY: {(A.AUTHORITY, A.DATASET_FREE)},
    PostingKind.ALLOCATION: {(A.DATASET_FREE, A.DATASET_ALLOCATED), (A.AUTHORITY, A.PERMIT_AVAILABLE)},
    PostingKind.CHARGE: {(A.DATASET_ALLOCATED, A.DATASET_SPENT), (A.PERMIT_AVAILABLE, A.PERMIT_SPENT)},
    PostingKind.RETURN: {(A.DATASET_ALLOCATED, A.DATASET_FREE), (A.PERMIT_AVAILABLE, A.AUTHORITY)},
}
"""Between which kinds of account each kind of posting moves an amount."""


@dataclass(frozen=True)
class Movement:
    """An amount that leaves `source` for `target`; `reference` is the dataset, permit or charge that caused it."""

    kind: PostingKind
    source: Account
    target: Account
    loss: PrivacyLoss
    reference: str


@dataclass(frozen=True)
class Posting:
    """A movement with its place in the chain."""

    seq: int
    at: datetime
    movement: Movement
    previous: str
    hash: str


@dataclass(frozen=True)
class Charge:
    """What one release costs; paid before any data are opened, kept whatever happens afterwards.

    `idempotency_key` is the caller's name for the attempt, unique within the permit: asking again with it finds this
    charge instead of making another.
    """

    id: str
    permit_id: str
    actor: str
    loss: PrivacyLoss
    fingerprint: str
    idempotency_key: str
    datasets: tuple[str, ...]
    charged_at: datetime

    def same_order(self, other: "Charge") -> bool:
        """True if both ask for the same thing at the same price under the same key."""
        mine = (self.permit_id, self.idempotency_key, self.fingerprint, self.loss, self.datasets)
        return mine == (other.permit_id, other.idempotency_key, other.fingerprint, other.loss, other.datasets)


@dataclass(frozen=True)
class Budget:
    """Where a permit stands: granted, spent by releases, returned after revocation or expiry."""

    limit: PrivacyLoss
    spent: PrivacyLoss
    returned: PrivacyLoss = NOTHING
    charges: int = 0
    releases: int = 0

    @property
    def remaining(self) -> PrivacyLoss:
        return self.limit - self.spent - self.returned


@dataclass(frozen=True)
class Allotment:
    """Where a dataset stands: its capacity, and what permits hold or spent of it."""

    capacity: PrivacyLoss
    allocated: PrivacyLoss

    @property
    def free(self) -> PrivacyLoss:
        return self.capacity - self.allocated


def opening(dataset: str, capacity: PrivacyLoss) -> list[Movement]:
    free = Account(A.DATASET_FREE, dataset)
    return [Movement(PostingKind.CAPACITY, AUTHORITY, free, capacity, dataset)]


def allocation(permit: str, datasets: Iterable[str], limit: PrivacyLoss) -> list[Movement]:
    """What a grant moves: the full limit in every dataset, since a permit may spend all of it on any one of them."""
    kind, available = PostingKind.ALLOCATION, Account(A.PERMIT_AVAILABLE, permit=permit)
    return [Movement(kind, AUTHORITY, available, limit, permit)] + [
        Movement(kind, Account(A.DATASET_FREE, d), Account(A.DATASET_ALLOCATED, d, permit), limit, permit)
        for d in datasets
    ]


def spending(charge: Charge) -> list[Movement]:
    kind, permit, loss = PostingKind.CHARGE, charge.permit_id, charge.loss
    available, spent = Account(A.PERMIT_AVAILABLE, permit=permit), Account(A.PERMIT_SPENT, permit=permit)
    return [Movement(kind, available, spent, loss, charge.id)] + [
        Movement(kind, Account(A.DATASET_ALLOCATED, d, permit), Account(A.DATASET_SPENT, d, permit), loss, charge.id)
        for d in charge.datasets
    ]


def giving_back(permit: str, available: PrivacyLoss, unspent: Mapping[str, PrivacyLoss]) -> list[Movement]:
    """What revocation or expiry moves: all that is left, in the permit's book and in each dataset's."""
    kind = PostingKind.RETURN
    return [Movement(kind, Account(A.PERMIT_AVAILABLE, permit=permit), AUTHORITY, available, permit)] + [
        Movement(kind, Account(A.DATASET_ALLOCATED, d, permit), Account(A.DATASET_FREE, d), loss, permit)
        for d, loss in sorted(unspent.items())
    ]


def seal(movements: Iterable[Movement], at: datetime, head: ChainHead) -> list[Posting]:
    """The postings that follow `head`; movements of nothing leave none."""
    postings: list[Posting] = []
    for movement in movements:
        if movement.loss == NOTHING:
            continue
        seq, previous = head.seq + 1, head.hash
        digest = link_hash(previous, content(seq, at, movement))
        postings.append(Posting(seq, at, movement, previous, digest))
        head = ChainHead(seq, digest)
    return postings


def content(seq: int, at: datetime, movement: Movement) -> Canonical:
    """What the hash of a posting covers; amounts as text, since they may pass what other languages' numbers hold."""
    return {
        "seq": seq,
        "at": utc_text(at),
        "kind": movement.kind.value,
        "source": str(movement.source),
        "target": str(movement.target),
        "pico_rho": str(movement.loss.pico_rho),
        "atto_delta": str(movement.loss.atto_delta),
        "reference": movement.reference,
    }


def balances(postings: Iterable[Posting]) -> dict[Account, PrivacyLoss]:
    """Balance of every account but the authority's, recomputed; raises ValueError if one is overdrawn."""
    totals: dict[Account, PrivacyLoss] = defaultdict(lambda: NOTHING)
    for posting in postings:
        _apply(totals, posting.movement)
    return dict(totals)


def verify(postings: Iterable[Posting], head: ChainHead | None = None) -> tuple[Finding, ...]:
    """Everything wrong with the ledger: broken chain, movements no rule allows, overdrawn accounts. Empty if sound."""
    postings = tuple(postings)
    links = (Link(p.seq, content(p.seq, p.at, p.movement), p.previous, p.hash) for p in postings)
    findings = list(verify_links(links, head))
    totals: dict[Account, PrivacyLoss] = defaultdict(lambda: NOTHING)
    for posting in postings:
        move = posting.movement
        if (move.source.kind, move.target.kind) not in MOVES[move.kind]:
            findings.append(Finding(f"entry {posting.seq} moves from {move.source} to {move.target}", posting.seq))
        try:
            _apply(totals, move)
        except ValueError:
            findings.append(Finding(f"entry {posting.seq} takes more from {move.source} than it holds", posting.seq))
    return tuple(findings)


def compare_charges(postings: Iterable[Posting], charges: Iterable[Charge]) -> tuple[Finding, ...]:
    """Charges that were not posted as they stand, and postings of charges that are gone."""
    posted: dict[str, set[Movement]] = defaultdict(set)
    for posting in postings:
        if posting.movement.kind is PostingKind.CHARGE:
            posted[posting.movement.reference].add(posting.movement)
    findings = [
        Finding(f"charge {charge.id} is not what was posted for it")
        for charge in charges
        if posted.pop(charge.id, set()) != set(spending(charge))
    ]
    return (*findings, *(Finding(f"charge {reference} was posted and is gone") for reference in sorted(posted)))


def as_rho(loss: PrivacyLoss) -> str:
    """The amount in plain decimals, for example "rho 0.12" or "rho 0.12 and delta 0.000001"."""
    rho = f"rho {_decimal(loss.pico_rho, 12)}"
    return f"{rho} and delta {_decimal(loss.atto_delta, 18)}" if loss.atto_delta else rho


def refusal(
    what: str, where: str, requested: PrivacyLoss, left: PrivacyLoss, advice: str, say: Describe = as_rho
) -> InsufficientBudget:
    """The error that names requested, remaining and missing amounts; all three are public."""
    missing = requested.beyond(left)
    message = f"{what} needs {say(requested)}, {where} has {say(left)} left, {say(missing)} missing; {advice}"
    return InsufficientBudget(message, requested=say(requested), remaining=say(left), missing=say(missing))


def _apply(totals: dict[Account, PrivacyLoss], move: Movement) -> None:
    if move.source.kind is not A.AUTHORITY:
        totals[move.source] = totals[move.source] - move.loss
    if move.target.kind is not A.AUTHORITY:
        totals[move.target] = totals[move.target] + move.loss


def _decimal(quanta: int, places: int) -> str:
    text = f"{quanta // 10**places}.{quanta % 10**places:0{places}d}"
    return text.rstrip("0").rstrip(".")
