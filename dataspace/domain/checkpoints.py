"""Where the books stand at one moment: the heads of both chains, and every dataset's amounts as the postings add up.

A signed checkpoint that is kept apart from the database tells when the database was put back to an earlier state.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from dataspace.domain.chain import ChainHead, Finding
from dataspace.domain.ledger import Account, AccountKind, balances
from dataspace.domain.ledger import Posting as LedgerPosting
from dataspace.domain.privacy import NOTHING, PrivacyLoss

HashAt = Callable[[int], str | None]
"""Hash of the entry at a place of a chain, None if the chain does not reach that far."""


@dataclass(frozen=True)
class Figures:
    """What of a dataset's capacity is held by permits and not spent, and what was spent; whole quanta."""

    capacity: PrivacyLoss = NOTHING
    allocated: PrivacyLoss = NOTHING
    spent: PrivacyLoss = NOTHING


@dataclass(frozen=True)
class Checkpoint:
    """The last entry of the privacy ledger and of the audit trail, and what the ledger adds up to there."""

    at: datetime
    postings: ChainHead
    events: ChainHead
    datasets: tuple[tuple[str, Figures], ...]


def take(at: datetime, postings: Iterable[LedgerPosting], head: ChainHead, events: ChainHead) -> Checkpoint:
    """The checkpoint at `head`; postings that follow it are left alone."""
    return Checkpoint(at, head, events, figures(balances(p for p in postings if p.seq <= head.seq)))


def figures(totals: dict[Account, PrivacyLoss]) -> tuple[tuple[str, Figures], ...]:
    """Balances of all permits, dataset by dataset."""
    free, held, spent = (
        _by_dataset(totals, kind)
        for kind in (AccountKind.DATASET_FREE, AccountKind.DATASET_ALLOCATED, AccountKind.DATASET_SPENT)
    )
    names = sorted(free.keys() | held.keys() | spent.keys())
    return tuple((name, Figures(free[name] + held[name] + spent[name], held[name], spent[name])) for name in names)


def compare(checkpoint: Checkpoint, posting_hash: HashAt, event_hash: HashAt) -> tuple[Finding, ...]:
    """Whether the books still hold what the checkpoint says they held; empty if they do."""
    return _reached("privacy ledger", checkpoint.postings, posting_hash, checkpoint.at) + _reached(
        "audit trail", checkpoint.events, event_hash, checkpoint.at
    )


def _reached(book: str, head: ChainHead, hash_at: HashAt, at: datetime) -> tuple[Finding, ...]:
    found = ChainHead().hash if head.seq == 0 else hash_at(head.seq)
    when = f"the checkpoint of {at:%Y-%m-%d %H:%M:%S} UTC"
    if found is None:
        return (
            Finding(
                f"the {book} ends before entry {head.seq}, which it held at {when}: the database was put back to an"
                " older state, and what was spent since is missing; restore the newest backup"
            ),
        )
    if found != head.hash:
        return (Finding(f"entry {head.seq} of the {book} is not the one it held at {when}", head.seq),)
    return ()


def _by_dataset(totals: dict[Account, PrivacyLoss], kind: AccountKind) -> defaultdict[str, PrivacyLoss]:
    sums: defaultdict[str, PrivacyLoss] = defaultdict(lambda: NOTHING)
    for account, loss in totals.items():
        if account.kind is kind:
            sums[account.dataset] += loss
    return sums
