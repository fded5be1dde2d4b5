"""Signed checkpoints of the books: made, kept apart from the database, and compared with it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from dataspace import jose
from dataspace.domain import checkpoints
from dataspace.domain.actors import SYSTEM
from dataspace.domain.audit_records import AuditFilter
from dataspace.domain.chain import ChainHead, Finding
from dataspace.domain.checkpoints import Checkpoint, Figures
from dataspace.domain.errors import Unavailable
from dataspace.domain.permit_document import plain
from dataspace.domain.privacy import PrivacyLoss
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.signing import signing_key
from dataspace.services.signing_ports import CheckpointStore, Signatures

OLDEST = timedelta(minutes=10)
"""A published checkpoint that the books have moved past is replaced when it is older than this."""


def make_checkpoint(
    uow: UnitOfWork, clock: Clock, keys: Signatures, issuer: str, stores: Iterable[CheckpointStore]
) -> str:
    """Sign where the books stand, and keep it in every store; returns the compact JWS."""
    signing_key(uow, clock, SYSTEM, keys)
    with uow.reading():
        head, events = uow.ledger.head(), uow.audit.head()
        checkpoint = checkpoints.take(clock.now(), uow.ledger.postings(most=head.seq), head, events)
    token = keys.sign(jose.Typ.CHECKPOINT, claims(checkpoint, issuer))
    for store in stores:
        store.add((checkpoint.postings.seq, checkpoint.events.seq), token)
    return token


def published_checkpoint(
    uow: UnitOfWork, clock: Clock, keys: Signatures, issuer: str, store: CheckpointStore, oldest: timedelta = OLDEST
) -> str:
    """The newest checkpoint; a new one if there is none, or if it is old and the books have moved on."""
    newest = store.newest()
    if newest is not None:
        checkpoint = _own(store, newest, keys)
        with uow.reading():
            moved = (uow.ledger.head(), uow.audit.head()) != (checkpoint.postings, checkpoint.events)
        if not moved or clock.now() - checkpoint.at < oldest:
            return newest
    return make_checkpoint(uow, clock, keys, issuer, [store])


def hand_to_witnesses(keys: Signatures, store: CheckpointStore, witnesses: Iterable[CheckpointStore]) -> None:
    """Keep the newest checkpoint of `store` in every other one too. Raises Unavailable if one cannot be reached."""
    newest = store.newest()
    if newest is None:
        return
    checkpoint = _own(store, newest, keys)
    for witness in witnesses:
        witness.add((checkpoint.postings.seq, checkpoint.events.seq), newest)


def compare_checkpoints(uow: UnitOfWork, keys: Signatures, stores: Iterable[CheckpointStore]) -> tuple[Finding, ...]:
    """Whether the database holds all that the newest checkpoint of each store says it held; empty if so."""
    return tuple(finding for store in stores for finding in _compare_newest(uow, keys, store))


def read(token: str, keys: Signatures) -> Checkpoint:
    """Raises jose.Refused for one that this node did not sign."""
    said = jose.verify(token, {key.kid: key for key in keys.published()}, jose.Typ.CHECKPOINT)
    return Checkpoint(
        at=datetime.fromtimestamp(said["iat"], UTC),
        postings=ChainHead(**said["ledger"]),
        events=ChainHead(**said["audit"]),
        datasets=tuple((name, _figures(amounts)) for name, amounts in said["datasets"].items()),
    )


def claims(checkpoint: Checkpoint, issuer: str) -> dict[str, Any]:
    """What a checkpoint's JWS says."""
    return {
        "iss": issuer,
        "iat": int(checkpoint.at.timestamp()),
        "ledger": plain(checkpoint.postings),
        "audit": plain(checkpoint.events),
        "datasets": {name: plain(amounts) for name, amounts in checkpoint.datasets},
    }


def _own(store: CheckpointStore, token: str, keys: Signatures) -> Checkpoint:
    try:
        return read(token, keys)
    except jose.Refused as refused:
        raise Unavailable(f"{store.name}: the newest checkpoint cannot be relied on: {refused.message}") from None


def _compare_newest(uow: UnitOfWork, keys: Signatures, store: CheckpointStore) -> tuple[Finding, ...]:
    newest = store.newest()
    if newest is None:
        return ()
    try:
        checkpoint = read(newest, keys)
    except jose.Refused as refused:
        return (Finding(f"{store.name}: the newest checkpoint cannot be relied on: {refused.message}"),)
    with uow.reading():

        def posting_hash(seq: int) -> str | None:
            return next((posting.hash for posting in uow.ledger.postings(seq - 1, 1)), None)

        def event_hash(seq: int) -> str | None:
            there = next(iter(uow.audit.search(AuditFilter(), seq - 1, 1)), None)
            if there is not None and there.seq > seq:
                # archived since: the archive and what is left are one chain, which verifying the trail proves
                return checkpoint.events.hash
            return None if there is None else there.hash

        found = checkpoints.compare(checkpoint, posting_hash, event_hash)
    return tuple(Finding(f"{store.name}: {finding.text}", finding.seq) for finding in found)


def _figures(amounts: dict[str, dict[str, str]]) -> Figures:
    return Figures(**{name: PrivacyLoss(int(a["pico_rho"]), int(a["atto_delta"])) for name, a in amounts.items()})
