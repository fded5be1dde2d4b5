"""Postings of the ledger, chained one after another."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from dataspace.db import chains
from dataspace.db import tables as t
from dataspace.domain.chain import ChainHead
from dataspace.domain.ledger import Account, AccountKind, Movement, Posting, PostingKind, seal
from dataspace.domain.privacy import PrivacyLoss

CHAIN = "ledger"


def post(connection: Connection, movements: Iterable[Movement], at: datetime) -> ChainHead | None:
    """Append the movements to the chain; its new head, None if there was nothing to append."""
    posted = seal(movements, at, chains.locked_head(connection, CHAIN))
    if not posted:
        return None
    connection.execute(insert(t.postings), [_values(posting) for posting in posted])
    head = ChainHead(posted[-1].seq, posted[-1].hash)
    chains.move_head(connection, CHAIN, head)
    return head


def read(connection: Connection, after: int = 0, most: int | None = None) -> Iterator[Posting]:
    """Postings in their order, from the one that follows entry `after` on."""
    query = select(t.postings).where(t.postings.c.seq > after).order_by(t.postings.c.seq).limit(most)
    for row in connection.execute(query):
        yield _posting(row)


def _values(posting: Posting) -> dict[str, Any]:
    move = posting.movement
    return {
        "seq": posting.seq,
        "at": posting.at,
        "kind": move.kind.value,
        "source_kind": move.source.kind.value,
        "source_dataset": move.source.dataset,
        "source_permit": move.source.permit,
        "target_kind": move.target.kind.value,
        "target_dataset": move.target.dataset,
        "target_permit": move.target.permit,
        "loss_pico_rho": move.loss.pico_rho,
        "loss_atto_delta": move.loss.atto_delta,
        "reference": move.reference,
        "previous": posting.previous,
        "hash": posting.hash,
    }


def _posting(row: Row[Any]) -> Posting:
    source = Account(AccountKind(row.source_kind), row.source_dataset, row.source_permit)
    target = Account(AccountKind(row.target_kind), row.target_dataset, row.target_permit)
    loss = PrivacyLoss(row.loss_pico_rho, row.loss_atto_delta)
    movement = Movement(PostingKind(row.kind), source, target, loss, row.reference)
    return Posting(row.seq, row.at, movement, row.previous, row.hash)
