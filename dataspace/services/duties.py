"""Separation of duties and exclusions, from what the database knows; used by every service that acts on a case."""

from collections.abc import Iterable
from datetime import datetime

from dataspace.domain.actors import Actor
from dataspace.domain.applications import AccessApplication, ApplicationAction
from dataspace.domain.errors import InvalidApplication
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
    check_no_conflict(by, _facts(uow, permit.datasets, permit.application))


def check_free_to_act(uow: UnitOfWork, by: Actor, now: datetime) -> None:
    """Raises NotPermitted while `by` is excluded (Art. 63(3))."""
    check_not_excluded(uow.exclusions.of([by.id]), now)


def check_can_be_named(uow: UnitOfWork, persons: frozenset[str], now: datetime) -> None:
    """Raises InvalidApplication if somebody cannot be given access: unknown, excluded (Art. 63(3)), the node itself."""
    if NODE_USER.id in persons:
        raise InvalidApplication("the node itself is given no access; name the natural persons who are to have it")
    unknown = persons - {person.id for person in uow.accounts.all()}
    if unknown:
        raise InvalidApplication(f"{len(unknown)} of the persons named are not registered; register them first")
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
