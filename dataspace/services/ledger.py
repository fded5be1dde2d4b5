"""Reading the privacy ledger: budgets, statements, capacities, and whether the books are sound."""

from dataclasses import dataclass

from dataspace.domain import events, ledger
from dataspace.domain.actors import Actor
from dataspace.domain.chain import ChainHead, Finding
from dataspace.domain.errors import NotFound
from dataspace.domain.ledger import Account, Allotment, Budget, Charge, Posting
from dataspace.domain.permissions import check_may_act_on_permit, may_act_on_permit
from dataspace.domain.permits import DataPermit, PermitAction
from dataspace.domain.privacy import NOTHING, PrivacyLoss
from dataspace.domain.releases import Release
from dataspace.services.ports import Clock, UnitOfWork


@dataclass(frozen=True)
class Line:
    """One charge of a permit, and what it paid for; no release if it was never finished."""

    charge: Charge
    release: Release | None


@dataclass(frozen=True)
class Verification:
    """What recomputing both chains found, and the heads that were reached; sound if there is no finding."""

    findings: tuple[Finding, ...]
    postings: ChainHead
    events: ChainHead

    @property
    def sound(self) -> bool:
        return not self.findings


def get_budget(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> Budget:
    """Granted, spent and remaining. Raises NotFound also for a permit that `by` may not see."""
    with uow.reading():
        return uow.ledger.budget(_visible(uow, clock, by, permit_id).id)


def get_statement(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> list[Line]:
    """Every charge of a permit in order, with its release."""
    with uow.reading():
        permit = _visible(uow, clock, by, permit_id)
        return [Line(charge, uow.releases.of_charge(charge.id)) for charge in uow.ledger.charges(permit.id)]


def get_allotment(uow: UnitOfWork, dataset_id: str) -> Allotment:
    """How much of a dataset's capacity permits hold or have spent; public."""
    with uow.reading():
        return uow.ledger.allotment(dataset_id)


def list_postings(uow: UnitOfWork, after: int, most: int) -> list[Posting]:
    """A page of the postings, in their order, from the one that follows entry `after` on; public.

    They name datasets, permits and charges by identifier, and no person.
    """
    with uow.reading():
        return list(uow.ledger.postings(after, most))


def verify(uow: UnitOfWork) -> Verification:
    """Recompute both chains and every balance, and compare them with the tables that decide, charges and releases."""
    with uow.reading():
        postings, posted_head = tuple(uow.ledger.postings()), uow.ledger.head()
        found = ledger.verify(postings, posted_head)
        if not found:
            found = _differences(ledger.balances(postings), uow.ledger.balances())
            found += ledger.compare_charges(postings, uow.ledger.all_charges())
        entries, trail_head = tuple(uow.audit.entries()), uow.audit.head()
        found += events.verify(entries, trail_head)
        found += events.compare_releases(entries, uow.releases.digests())
        return Verification(found, posted_head, trail_head)


def _differences(posted: dict[Account, PrivacyLoss], stored: dict[Account, PrivacyLoss]) -> tuple[Finding, ...]:
    return tuple(
        Finding(f"{account}: the postings add up to {ledger.as_rho(mine)}, the table says {ledger.as_rho(theirs)}")
        for account in sorted(posted.keys() | stored.keys())
        if (mine := posted.get(account, NOTHING)) != (theirs := stored.get(account, NOTHING))
    )


def _visible(uow: UnitOfWork, clock: Clock, by: Actor, permit_id: str) -> DataPermit:
    permit, now = uow.permits.get(permit_id), clock.now()
    if not may_act_on_permit(by, PermitAction.VIEW, permit, now):
        raise NotFound(f"there is no permit {permit_id}")
    check_may_act_on_permit(by, PermitAction.VIEW_BUDGET, permit, now)
    return permit
