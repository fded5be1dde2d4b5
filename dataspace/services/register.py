"""The public register (Art. 57(1)(j), 58(1)): who got access to which datasets, for which purposes, until when.

No login. It names the organisation and the lay summary; persons to have access, justifications and columns stay out.
"""

from dataclasses import dataclass
from datetime import datetime

from dataspace.domain.applications import AccessApplication, ApplicationState
from dataspace.domain.permits import DataPermit, PermitState
from dataspace.domain.purposes import Purpose
from dataspace.services.ports import Clock, UnitOfWork

_HIDDEN = frozenset({ApplicationState.DRAFT})
"""Applications are public from their receipt on; a draft was not received yet."""


@dataclass(frozen=True)
class RegisterRow:
    """One case as the public sees it; `permit…` fields are empty unless it was granted."""

    number: str
    title: str
    lay_summary: str
    organisation: str
    purposes: tuple[Purpose, ...]
    datasets: tuple[str, ...]
    state: ApplicationState
    received_at: datetime
    decided_at: datetime | None
    reasons: str
    permit_number: str | None = None
    permit_state: PermitState | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def list_register(uow: UnitOfWork, clock: Clock) -> list[RegisterRow]:
    """Every application received, newest first, with its decision."""
    now = clock.now()
    with uow.reading():
        permits = {permit.application: permit for permit in uow.permits.all()}
        organisations = {person.id: person.organisation.name for person in uow.accounts.all()}
        return [
            _row(application, organisations[application.applicant], permits.get(application.id), now)
            for application in uow.applications.all()
            if application.state not in _HIDDEN and application.submitted_at is not None
        ]


def _row(application: AccessApplication, organisation: str, permit: DataPermit | None, now: datetime) -> RegisterRow:
    form = application.form
    return RegisterRow(
        number=application.number,
        title=form.title,
        lay_summary=form.lay_summary,
        organisation=organisation,
        purposes=tuple(sorted(form.purposes)),
        datasets=form.scope.datasets,
        state=application.state,
        received_at=application.submitted_at or application.filed_at,
        decided_at=application.decided_at,
        reasons=application.reasons,
        permit_number=permit.number if permit else None,
        permit_state=permit.state(now) if permit else None,
        valid_from=permit.valid_from if permit else None,
        valid_until=permit.valid_until if permit else None,
    )
