"""Heads of the hash chains. Moving a head locks its row, so that entries are written one after another."""

from sqlalchemy import Connection, insert, select, update

from dataspace.db import tables as t
from dataspace.domain.chain import ChainHead


def head(connection: Connection, name: str) -> ChainHead:
    row = connection.execute(select(t.chains.c.seq, t.chains.c.hash).where(t.chains.c.name == name)).one_or_none()
    return ChainHead(row.seq, row.hash) if row else ChainHead()


def locked_head(connection: Connection, name: str) -> ChainHead:
    """The head, ours to move until the transaction ends."""
    same = update(t.chains).where(t.chains.c.name == name).values(seq=t.chains.c.seq)
    row = connection.execute(same.returning(t.chains.c.seq, t.chains.c.hash)).one_or_none()
    if row is not None:
        return ChainHead(row.seq, row.hash)
    first = ChainHead()
    connection.execute(insert(t.chains).values(name=name, seq=first.seq, hash=first.hash))
    return first


def move_head(connection: Connection, name: str, to: ChainHead) -> None:
    connection.execute(update(t.chains).where(t.chains.c.name == name).values(seq=to.seq, hash=to.hash))
