"""What is proposed or wanted, in lines: nobody decides on, or accepts, terms that were not shown."""

from collections.abc import Iterator
from typing import Any

from dataspace.wire import Shape
from dataspace.wire import decisions as shapes


def euro(cents: int) -> str:
    return f"EUR {cents // 100}.{cents % 100:02d}"


def intended(said: shapes.Proposal | shapes.Offer) -> Iterator[str]:
    """A proposal or an offer with all its terms, its fee line by line and its tabulation plan."""
    yield f"{said.outcome}: {said.reasons}"
    if said.criteria:
        yield f"  criteria that fail: {', '.join(said.criteria)}"
    yield from stated(said.terms)
    for line in said.fee.lines:
        yield f"  {euro(line.cents):>16}  {line.activity}  {line.holder}".rstrip()
    yield f"  {euro(said.fee.total_cents):>16}  in all, {euro(said.fee.holders_cents)} to data holders"
    for table in said.plan.tabulations if said.plan else ():
        yield f"  table {table.name}, epsilon {table.epsilon}: {table.sql}"


def wanted(change: shapes.PermitChange) -> Iterator[str]:
    """A change of a permit with all that it would change."""
    yield f"{change.id}  {change.kind}  {change.state}  {change.reasons}"
    members = ("columns", "persons", "persons_leaving", "conditions", "valid_until", "assessment", "decision")
    yield from stated(change, members)


def stated(shape: Shape, members: tuple[str, ...] = ()) -> Iterator[str]:
    """A line for each member that differs from what stands where nothing is said."""
    for name, field in type(shape).model_fields.items():
        value = getattr(shape, name)
        if (not members or name in members) and value and value != field.default:
            yield f"  {name.replace('_', ' ')}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, Shape):
        return ", ".join(f"{name} {inner}" for name, inner in value.model_dump().items())
    if isinstance(value, list):
        return ", ".join(".".join(item) if isinstance(item, tuple) else str(item) for item in value)
    return str(value)
