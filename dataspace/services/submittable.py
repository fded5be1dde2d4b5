"""What must hold when an application is handed in, beyond its form: what it refers to exists, what it costs fits."""

from collections.abc import Mapping
from datetime import datetime

from catalog.schema import DatasetSchema
from dataspace.domain.actors import Actor
from dataspace.domain.applications import (
    AccessApplication,
    ApplicationForm,
    ApplicationKind,
    PlannedTable,
    Written,
    check_allowed,
    check_complete,
)
from dataspace.domain.errors import InvalidAnswers, InvalidApplication, InvalidInput
from dataspace.domain.forms import Kind, check_answers, form_of, values_of
from dataspace.domain.ledger import as_rho
from dataspace.domain.privacy import NOTHING, Guarantee, PrivacyLoss
from dataspace.domain.scopes import ColumnRef, listed, not_covered
from dataspace.domain.tabulations import plan_of
from dataspace.dp.plan import plan_query
from dataspace.dp.pricing import LEAST
from dataspace.services.ports import ToLimit, UnitOfWork
from dataspace.sql import parse_query


def check_submittable(
    uow: UnitOfWork, by: Actor, draft: AccessApplication, now: datetime, to_limit: ToLimit | None
) -> None:
    """Raises InvalidApplication, or InvalidAnswers with each field that is missing or does not fit."""
    written, form = draft.written, form_of(draft.written)
    if form is None:
        check_complete(written.form, by.organisation, now)
    else:
        check_answers(form, written)
        check_allowed(written.form, by.organisation, now)
        _check_attached(uow, draft)
    granted = _check_references(uow, written.form)
    if to_limit is not None:
        _check_capacity(uow, written.form, to_limit)
    if draft.kind is ApplicationKind.REQUEST:
        _check_tabulation(written.form, _schemas(uow, written.form), granted, to_limit)


def attached(written: Written) -> frozenset[str]:
    """Identifiers of the attachments that the answers name."""
    form = form_of(written)
    if form is None:
        return frozenset()
    values = values_of(form, written)
    fields = [address for address, field in form.fields() if field.kind is Kind.ATTACHMENT]
    return frozenset(one for address in fields for one in values.get(address, ()))


def _check_attached(uow: UnitOfWork, draft: AccessApplication) -> None:
    unknown = attached(draft.written) - {file.id for file in uow.attachments.of(draft.id)}
    if unknown:
        raise InvalidApplication(f"{len(unknown)} of the attachments named were not uploaded; upload them to this case")


def _schemas(uow: UnitOfWork, form: ApplicationForm) -> dict[str, DatasetSchema]:
    known = {dataset.id: dataset.current for dataset in uow.datasets.all()}
    return {d: uow.datasets.schema(d, s) for d, s in known.items() if s is not None and d in form.scope.datasets}


def _check_references(uow: UnitOfWork, form: ApplicationForm) -> frozenset[ColumnRef]:
    """The data asked for exist, column by column as returned."""
    return form.scope.expand(_schemas(uow, form))


def _check_capacity(uow: UnitOfWork, form: ApplicationForm, to_limit: ToLimit) -> None:
    """No dataset asked for has a capacity, whole and unspent, below the budget asked for; both are public."""
    if form.guarantee is None:
        return
    if form.guarantee.epsilon < LEAST:
        raise InvalidApplication(
            f"the budget asked for, {_said(form.guarantee)}, affords no question, which costs at least epsilon {LEAST};"
            " ask for more"
        )
    wanted = to_limit(form.guarantee)
    for dataset in (uow.datasets.get(name) for name in form.scope.datasets):
        if not wanted.fits_in(dataset.limit):
            raise InvalidApplication(
                f"the budget asked for, {_said(form.guarantee)} ({as_rho(wanted)}), is above all that permits on"
                f" dataset {dataset.id} may ever spend together, {_said(dataset.capacity)} ({as_rho(dataset.limit)});"
                " ask for less"
            )


def _check_tabulation(
    form: ApplicationForm,
    schemas: Mapping[str, DatasetSchema],
    columns: frozenset[ColumnRef],
    to_limit: ToLimit | None,
) -> None:
    """Every table is a query that can be answered, of data asked for, and all together fit the budget asked for."""
    if form.guarantee is None:
        raise InvalidApplication("ask for a privacy budget")
    plan_of(form.tabulation)
    losses = [_loss(table, form.guarantee, schemas, columns) for table in form.tabulation]
    total = sum(losses, NOTHING)
    if to_limit is not None and not total.fits_in(to_limit(form.guarantee)):
        raise InvalidApplication(
            f"the tables of the plan cost {as_rho(total)} together, above the budget asked for,"
            f" {_said(form.guarantee)} ({as_rho(to_limit(form.guarantee))}); lower their prices or ask for more"
        )


def _loss(
    table: PlannedTable, guarantee: Guarantee, schemas: Mapping[str, DatasetSchema], columns: frozenset[ColumnRef]
) -> PrivacyLoss:
    try:
        query = parse_query(table.sql, schemas)
        loss = plan_query(query, schemas, table.price, guarantee).loss
    except InvalidInput as error:
        raise _in_table(table, error.message) from error
    touched = query.columns | {(dataset, name, "") for dataset, name in query.tables}
    beyond = not_covered(touched, columns)
    if beyond:
        raise _in_table(table, f"it reads {listed(beyond)}, which you do not ask for; add it to the variables")
    return loss


def _in_table(table: PlannedTable, why: str) -> InvalidAnswers:
    return InvalidAnswers(
        f"table {table.name} of the tabulation plan cannot be made: {why}", ((f"tabulation.tables.{table.name}", why),)
    )


def _said(guarantee: Guarantee) -> str:
    return f"epsilon {guarantee.epsilon:f} at delta {guarantee.delta:f}"
