"""Domain values as wire shapes."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from catalog.schema import Column, DatasetSchema, Table
from dataspace import wire
from dataspace.domain.applications import AccessApplication
from dataspace.domain.datasets import Dataset
from dataspace.domain.ledger import Budget, Posting, content
from dataspace.domain.opt_outs import Receipt
from dataspace.domain.permits import DataPermit, PermitState
from dataspace.domain.privacy import Guarantee, PrivacyLoss
from dataspace.domain.releases import Estimate, ReleaseTable
from dataspace.services.ledger import Verification
from dataspace.services.opt_outs import OptOutStatus
from dataspace.services.queries import Answered, Outlook

EpsilonOf = Callable[[PrivacyLoss, Guarantee], Decimal]
"""Epsilon of a loss at the guarantee's delta, rounded up."""


def dataset(entry: Dataset, schema: DatasetSchema) -> wire.DatasetEntry:
    return wire.DatasetEntry(
        id=entry.id,
        title=entry.title,
        holder=entry.holder,
        snapshot_id=entry.current or "",
        tables=[_table(table) for table in schema],
    )


def _table(table: Table) -> wire.TableEntry:
    return wire.TableEntry(
        name=table.name,
        kind=table.kind.value,
        title=table.title,
        description=table.description,
        rows_per_person=table.rows_per_person,
        groups_per_person=table.groups_per_person,
        columns=[_column(column) for column in table.columns],
    )


def _column(column: Column) -> wire.ColumnEntry:
    return wire.ColumnEntry(
        name=column.name,
        type=column.type.value,
        title=column.title,
        description=column.description,
        unit=column.unit,
        code_system=column.code_system,
        values={str(value.code): value.label for value in column.values} if column.values else None,
        low=str(column.bounds.low) if column.bounds else None,
        high=str(column.bounds.high) if column.bounds else None,
        person_level=column.person_level,
    )


def application(case: AccessApplication) -> wire.ApplicationEntry:
    form = case.form
    return wire.ApplicationEntry(
        id=case.id,
        number=case.number,
        title=form.title,
        applicant=case.applicant,
        purposes=sorted(purpose.letter for purpose in form.purposes),
        datasets=list(form.scope.datasets),
        state=case.state.value,
        version=case.version,
        requested=_guarantee(form.guarantee) if form.guarantee else None,
        reasons=case.reasons,
        kind=case.kind.value,
    )


def permit(entry: DataPermit, state: PermitState) -> wire.PermitEntry:
    return wire.PermitEntry(
        id=entry.id,
        number=entry.number,
        holder=entry.holder,
        persons=sorted(entry.persons),
        purposes=sorted(purpose.letter for purpose in entry.purposes),
        datasets=list(entry.datasets),
        columns=sorted(entry.columns),
        guarantee=_guarantee(entry.guarantee),
        valid_from=entry.valid_from,
        valid_until=entry.valid_until,
        state=state.value,
        conditions=list(entry.conditions),
    )


def ledger(state: Verification) -> wire.LedgerState:
    return wire.LedgerState(
        sound=state.sound,
        findings=[finding.text for finding in state.findings],
        postings=state.postings.seq,
        postings_hash=state.postings.hash,
        events=state.events.seq,
        events_hash=state.events.hash,
    )


def posting(entry: Posting) -> wire.Posting:
    covered = content(entry.seq, entry.at, entry.movement)
    return wire.Posting.model_validate({**covered, "previous": entry.previous, "hash": entry.hash})


def budget(entry: DataPermit, amounts: Budget, epsilon_of: EpsilonOf) -> wire.Budget:
    return wire.Budget(
        permit_id=entry.id,
        granted=_guarantee(entry.guarantee),
        limit=price(amounts.limit, entry.guarantee, epsilon_of),
        spent=price(amounts.spent, entry.guarantee, epsilon_of),
        remaining=price(amounts.remaining, entry.guarantee, epsilon_of),
        releases=amounts.releases,
    )


def price(loss: PrivacyLoss, guarantee: Guarantee, epsilon_of: EpsilonOf) -> wire.Price:
    return wire.Price(rho=_decimal(loss.rho), delta=_decimal(loss.delta), epsilon=epsilon_of(loss, guarantee))


def estimate(outlook: Outlook, epsilon_of: EpsilonOf) -> wire.QueryEstimate:
    plan = outlook.plan
    return wire.QueryEstimate(
        price=price(plan.loss, outlook.permit.guarantee, epsilon_of),
        affordable=outlook.affordable,
        half_widths=dict(zip(plan.query.aggregate_names, plan.expected, strict=True)),
        bounds=wire.Bounds(groups=plan.bounds.groups, rows=plan.bounds.rows),
        groups=None if plan.cells is None else len(plan.cells),
        notes=list(plan.notes),
        already_released=outlook.already_released,
    )


def answer(answered: Answered, epsilon_of: EpsilonOf) -> wire.Answer:
    release, table = answered.release, answered.table
    return wire.Answer(
        release_id=release.id,
        permit_id=release.permit_id,
        released_at=release.released_at,
        snapshots=dict(release.snapshots),
        output=list(table.output),
        key_names=list(table.key_names),
        aggregate_names=list(table.aggregate_names),
        rows=rows(table),
        notes=list(table.notes),
        bounds=wire.Bounds(groups=release.bounds.groups, rows=release.bounds.rows),
        charged=price(answered.charged, answered.permit.guarantee, epsilon_of),
        repeated=answered.repeated,
        budget=budget(answered.permit, answered.budget, epsilon_of),
    )


def rows(table: ReleaseTable) -> list[wire.Row]:
    return [
        wire.Row(
            keys=[_label(key) for key in row.keys],
            estimates=[_estimate(e) for e in row.estimates],
        )
        for row in table.rows
    ]


def _estimate(estimate: Estimate) -> wire.Estimate:
    return wire.Estimate(value=estimate.value, low=estimate.low, high=estimate.high, withheld=estimate.withheld)


def opt_out_receipt(receipt: Receipt) -> wire.OptOutReceipt:
    return wire.OptOutReceipt(
        **_choice(receipt).model_dump(), meaning=receipt.meaning, not_covered=list(receipt.not_covered)
    )


def opt_out_status(status: OptOutStatus) -> wire.OptOutStatus:
    return wire.OptOutStatus(
        opted_out=status.opted_out, at=status.at, history=[_choice(receipt) for receipt in status.history]
    )


def _choice(receipt: Receipt) -> wire.OptOutChoice:
    return wire.OptOutChoice(
        number=receipt.number, choice=receipt.choice.value, at=receipt.at, channel=receipt.channel.value
    )


def _label(value: object) -> wire.Label:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _guarantee(value: Guarantee) -> wire.Guarantee:
    return wire.Guarantee(epsilon=value.epsilon, delta=value.delta)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
