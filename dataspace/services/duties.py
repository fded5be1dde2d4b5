"""Separation of duties and exclusions, from what the database knows; used by every service that acts on a case."""

from collections.abc import Iterable
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction
from dataspace.domain.errors import InvalidApplication, NotPermitted
from dataspace.domain.exclusions import check_not_excluded
from dataspace.domain.permissions import (
    CaseFacts,
    check_may_act_on_application,
    check_may_act_on_permit,
    check_no_conflict,
)
from dataspace.domain.permits import DataPermit, PermitAction
from dataspace.domain.tabulations import NODE_USER
from dataspace.services.ports import UnitOfWork


def check_official(uow: UnitOfWork, by: Actor, action: ApplicationAction, application: AccessApplication) -> None:
    """Raises NotPermitted or WrongState; first who may at all, then who is too close to the case."""
    check_may_act_on_application(by, action, application)
    check_no_conflict(by, _facts(uow, application.form.scope.datasets, application.id))


def check_official_on_permit(
    uow: UnitOfWork, by: Actor, action: PermitAction, permit: DataPermit, now: datetime
) -> None:
    """The same for a permit: whoever kept out of its application keeps out of the permit too."""
    check_may_act_on_permit(by, action, permit, now)
    check_no_conflict_on_permit(uow, by, permit)


def check_no_conflict_on_permit(uow: UnitOfWork, by: Actor, permit: DataPermit) -> None:
    """The part of it that is neither action nor state: for acts on a permit that are not among its own actions."""
    check_no_conflict(by, _facts(uow, permit.datasets, permit.application))


def check_impartial(uow: UnitOfWork, by: Actor, application: AccessApplication) -> None:
    """Raises NotPermitted for an official who applied, is or was named, or is too close to the case (Art. 55(3))."""
    permits = uow.permits.of_application(application.id)
    named = application.form.persons.union(*(permit.persons for permit in permits))
    if by.id == application.applicant or by.id in named:
        raise NotPermitted(f"you are a party to case {application.number}; another official acts on it (Art. 55(3))")
    check_no_conflict(by, _facts(uow, application.form.scope.datasets, application.id))


def check_free_to_act(uow: UnitOfWork, by: Actor, now: datetime) -> None:
    """Raises NotPermitted while `by` is excluded (Art. 63(3))."""
    check_not_excluded(uow.exclusions.of([by.id]), now)


def check_can_be_named(uow: UnitOfWork, persons: frozenset[str], now: datetime) -> None:
    """Raises InvalidApplication if somebody cannot be given access: unknown, excluded (Art. 63(3)), the node itself."""
    if NODE_USER.id in persons:
        raise InvalidApplication("the node itself is given no access; name the natural persons who are to have it")
    active = {person.id: person.active for person in uow.accounts.all()}
    unknown = persons - active.keys()
    if unknown:
        raise InvalidApplication(f"{len(unknown)} of the persons named are not registered; register them first")
    inactive = sorted(person for person in persons if not active[person])
    if inactive:
        raise InvalidApplication(
            f"{len(inactive)} of the persons named are deactivated at this node; leave them out, or have them"
            f" reactivated: {', '.join(inactive)}"
        )
    excluded = {exclusion.person for exclusion in uow.exclusions.of(persons) if exclusion.in_force(now)}
    if excluded:
        raise InvalidApplication(
            f"{len(excluded)} of the persons named are excluded from access (Art. 63(3)); leave them out: "
            + ", ".join(sorted(excluded))
        )


def _facts(uow: UnitOfWork, datasets: Iterable[str], application_id: str) -> CaseFacts:
    named = list(datasets)
    return CaseFacts(
        holders=frozenset(uow.datasets.get(dataset).holder for dataset in named),
        preparers=frozenset().union(*(uow.datasets.preparers(dataset) for dataset in named)),
        recused=uow.decisions.recused(application_id),
    )
