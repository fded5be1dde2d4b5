"""The node's signing keys: made on first use, rotated by the operator, every new one on record."""

from dataspace import jose
from dataspace.domain.actors import Actor
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permissions import NodeAction, check_may
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.signing_ports import Signatures


def rotate_signing_key(uow: UnitOfWork, clock: Clock, by: Actor, keys: Signatures) -> jose.PublicKey:
    """Make a new key that signs from now on; the ones before stay published with the time they were in use.

    On record before it is stored: a key that nobody has seen made must not turn up.
    """
    check_may(by, NodeAction.ROTATE_SIGNING_KEY)
    before, key, now = keys.published(), keys.draw(), clock.now()
    details = {"kid": key.kid} | ({"retired": before[-1].kid} if before else {})
    with uow:
        uow.audit.append(AuditEvent(EventKind.SIGNING_KEY_ROTATED, by.id, key.kid, now, details))
        uow.commit()
    keys.keep(key, now)
    return keys.published()[-1]


def signing_key(uow: UnitOfWork, clock: Clock, by: Actor, keys: Signatures) -> jose.PublicKey:
    """The key that signs now; a node's first one is made here."""
    published = keys.published()
    return published[-1] if published else rotate_signing_key(uow, clock, by, keys)
