"""Data permits as documents that leave the node signed, visas for the persons they name, and the signed status list."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from dataspace import jose
from dataspace.domain import odrl
from dataspace.domain.actors import SYSTEM, Actor
from dataspace.domain.errors import NotFound, NotPermitted
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.identifiers import new_id
from dataspace.domain.ledger import Account, AccountKind, Posting, PostingKind, balances
from dataspace.domain.permissions import may_act_on_permit
from dataspace.domain.permit_document import Named, Parties, plain, signed_at, statement
from dataspace.domain.permits import DataPermit, PermitAction, PermitState, check_possible
from dataspace.domain.privacy import NOTHING, PrivacyLoss
from dataspace.services.duties import check_free_to_act
from dataspace.services.ports import Clock, UnitOfWork
from dataspace.services.signing import signing_key
from dataspace.services.signing_ports import Signatures

STATUS_LASTS = timedelta(days=7)
"""For how long after it was made a status list may be relied on."""

VISA_LASTS = timedelta(hours=24)
"""A visa is used without asking the node: it ends soon, so that a revocation takes effect."""


STATUS_FRESH = timedelta(seconds=30)
"""For how long a status list is served again while nothing was written: it takes reading the whole ledger."""


class Recent:
    """The status list made last, and what the books were when it was."""

    def __init__(self) -> None:
        self._made: tuple[object, datetime, str] | None = None

    def get(self, books: object, now: datetime, make: Callable[[], str]) -> str:
        """The last one if it is fresh and of these books, else a new one."""
        if self._made is not None:
            then, at, token = self._made
            if then == books and timedelta(0) <= now - at < STATUS_FRESH:
                return token
        token = make()
        self._made = books, now, token
        return token


@dataclass(frozen=True)
class Document:
    """A permit's signed statement: the compact JWS, what it says, and who the parties are."""

    permit: DataPermit
    parties: Parties
    claims: Mapping[str, Any]
    token: str

    @property
    def digest(self) -> str:
        """SHA-256 of the compact JWS, hexadecimal: what the printed permit quotes."""
        return sha256(self.token.encode()).hexdigest()


def permit_document(
    uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, keys: Signatures, issuer: str, form: str = "jws"
) -> Document:
    """The permit as a signed statement; the same bytes for the same permit and key.

    `form` is what is made of it, for the record. Raises NotFound also for a permit that `by` may not see.
    """
    key = signing_key(uow, clock, SYSTEM, keys)
    with uow:
        permit = _visible(uow, clock, by, permit_id)
        parties = _parties(uow, permit, issuer)
        details = {"number": permit.number, "format": form}
        uow.audit.append(AuditEvent(EventKind.DOCUMENT_ISSUED, by.id, permit.id, clock.now(), details))
        uow.commit()
    claims = {
        "iss": issuer,
        "sub": permit.number,
        "jti": f"{permit.id}.{permit.version}",
        "iat": max(_seconds(signed_at(permit)), key.since),
        "nbf": _seconds(permit.valid_from),
        "exp": _seconds(permit.valid_until),
        "permit": statement(permit, parties),
        "policy": odrl.agreement(permit, parties),
    }
    return Document(permit, parties, claims, keys.sign(jose.Typ.PERMIT, claims))


def visas(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str, keys: Signatures, issuer: str) -> list[str]:
    """One GA4GH visa (ControlledAccessGrants) for each dataset, for the person who asks and nobody else.

    Raises NotPermitted if the permit does not name `by`, WrongState if it is not active.
    """
    signing_key(uow, clock, SYSTEM, keys)
    now = clock.now()
    with uow:
        permit = _visible(uow, clock, by, permit_id)
        if by.id not in permit.persons:
            raise NotPermitted(f"a visa is for a person whom permit {permit.number} names; you are not (Art. 61(2))")
        check_possible(PermitAction.QUERY, permit, now)
        check_free_to_act(uow, by, now)
        details = {"number": permit.number, "format": "visa"}
        uow.audit.append(AuditEvent(EventKind.DOCUMENT_ISSUED, by.id, permit.id, now, details))
        uow.commit()
    header = {"jku": f"{issuer}/.well-known/jwks.json"}
    return [keys.sign(jose.Typ.VISA, _visa(permit, by, dataset, now, issuer), header) for dataset in permit.datasets]


def permit_status(uow: UnitOfWork, clock: Clock, keys: Signatures, issuer: str, register: object) -> str:
    """Every permit's state and amounts as of now, signed; public, so it names no person.

    The amounts are what the postings add up to at the entry that `ledger` names. The list vouches for `register`, the
    public register as it is served, and for the published keys, by their digests.
    """
    signing_key(uow, clock, SYSTEM, keys)
    now = clock.now()
    with uow.reading():
        head, permits = uow.ledger.head(), uow.permits.all()
        postings = list(uow.ledger.postings(most=head.seq))
    spent, returned = balances(postings), _returned(postings)
    claims = {
        "iss": issuer,
        "iat": _seconds(now),
        "exp": _seconds(now + STATUS_LASTS),
        "ledger": plain(head),
        "register_sha256": sha256(jose.canonical(register)).hexdigest(),
        "keys_sha256": sha256(jose.canonical(key_set(keys))).hexdigest(),
        "permits": {permit.number: _status(permit, now, spent, returned[permit.id]) for permit in permits},
    }
    return keys.sign(jose.Typ.STATUS, claims)


def books_at(uow: UnitOfWork, keys: Signatures) -> object:
    """What a status list is of: any change of a case, a permit or the keys makes it another."""
    with uow.reading():
        return uow.ledger.head(), uow.audit.head(), keys.published()


def key_set(keys: Signatures) -> dict[str, Any]:
    """The published keys as a JWKS (RFC 7517)."""
    return {"keys": [key.jwk() for key in keys.published()]}


def _status(
    permit: DataPermit, now: datetime, balance: Mapping[Account, PrivacyLoss], returned: PrivacyLoss
) -> dict[str, Any]:
    state, kind = permit.state(now), AccountKind
    since = {
        PermitState.REVOKED: permit.revoked_at,
        PermitState.SUSPENDED: permit.suspended_at,
        PermitState.EXPIRED: permit.valid_until,
    }.get(state)
    of_dataset = {d: balance.get(Account(kind.DATASET_SPENT, d, permit.id), NOTHING) for d in permit.datasets}
    return {
        "id": permit.id,
        "version": permit.version,
        "state": state.value,
        "since": _seconds(since or permit.valid_from),
        "valid_from": plain(permit.valid_from),
        "valid_until": plain(permit.valid_until),
        "datasets": {dataset: plain(spent) for dataset, spent in of_dataset.items()},
        "limit": plain(permit.limit),
        "spent": plain(balance.get(Account(kind.PERMIT_SPENT, permit=permit.id), NOTHING)),
        "returned": plain(returned),
    }


def _returned(postings: Iterable[Posting]) -> Mapping[str, PrivacyLoss]:
    """What each permit gave back of its own budget."""
    sums: dict[str, PrivacyLoss] = defaultdict(lambda: NOTHING)
    for posting in postings:
        source = posting.movement.source
        if posting.movement.kind is PostingKind.RETURN and source.kind is AccountKind.PERMIT_AVAILABLE:
            sums[source.permit] += posting.movement.loss
    return sums


def _visa(permit: DataPermit, by: Actor, dataset: str, now: datetime, issuer: str) -> dict[str, Any]:
    return {
        "iss": issuer,
        "sub": by.id,
        "jti": new_id("visa"),
        "iat": _seconds(now),
        "exp": _seconds(min(permit.valid_until, now + VISA_LASTS)),
        "ga4gh_visa_v1": {
            "type": "ControlledAccessGrants",
            "asserted": _seconds(permit.granted_at),
            "value": f"{issuer}/api/v1/datasets/{dataset}",
            "source": f"{issuer}/",
            "by": "dac",
        },
    }


def _parties(uow: UnitOfWork, permit: DataPermit, issuer: str) -> Parties:
    named = tuple(_named(uow.accounts.get(person)) for person in sorted(permit.persons))
    authority = uow.accounts.get(permit.granted_by).organisation.name
    return Parties(issuer, authority, _named(uow.accounts.get(permit.holder)), named)


def _named(person: Actor) -> Named:
    return Named(person.id, person.name, person.organisation.name)


def _visible(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> DataPermit:
    permit = uow.permits.get(permit_id)
    if not may_act_on_permit(by, PermitAction.VIEW, permit, clock.now()):
        raise NotFound(f"there is no permit {permit_id}")
    return permit


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
