"""Reading the privacy ledger: budgets, statements, capacities, and whether the books are sound."""

from dataclasses import dataclass

from dataspace.domain import events, ledger
from dataspace.domain.actors import Actor
from dataspace.domain.audit_records import ArchivedPart
from dataspace.domain.chain import ChainHead, Finding
from dataspace.domain.errors import NotFound
from dataspace.domain.events import AuditEntry
from dataspace.domain.ledger import Account, Allotment, Budget, Charge, Posting
from dataspace.domain.permissions import check_may_act_on_permit, may_act_on_permit
from dataspace.domain.permits import DataPermit, PermitAction
from dataspace.domain.privacy import NOTHING, PrivacyLoss
from dataspace.domain.releases import Release
from dataspace.services.ports import ArchiveFiles, Clock, UnitOfWork


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


def verify(uow: UnitOfWork, archive: ArchiveFiles | None = None) -> Verification:
    """Recompute both chains and every balance, and compare them with the tables that decide, charges and releases.

    `archive` holds the parts of the audit trail that left the table, if any did.
    """
    with uow.reading():
        postings, posted_head = tuple(uow.ledger.postings()), uow.ledger.head()
        found = ledger.verify(postings, posted_head)
        if not found:
            found = _differences(ledger.balances(postings), uow.ledger.balances())
            found += ledger.compare_charges(postings, uow.ledger.all_charges())
        moved, lost = _moved(uow.audit.archives(), archive)
        entries, trail_head = (*moved, *uow.audit.entries()), uow.audit.head()
        found += lost + events.verify(entries, trail_head)
        found += events.compare_releases(entries, uow.releases.digests())
        return Verification(found, posted_head, trail_head)


def _moved(
    parts: list[ArchivedPart], archive: ArchiveFiles | None
) -> tuple[tuple[AuditEntry, ...], tuple[Finding, ...]]:
    """Entries that left the table, and parts of them that cannot be read."""
    if archive is None:
        return (), tuple(Finding(f"audit archive {part.file} was not looked at") for part in parts)
    entries: list[AuditEntry] = []
    lost: list[Finding] = []
    for part in parts:
        try:
            entries += archive.read(part)
        except ValueError as error:
            lost.append(Finding(str(error)))
    return tuple(entries), tuple(lost)


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
