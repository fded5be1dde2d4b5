"""What an applicant writes, from its wire shape and back."""

from decimal import Decimal
from fractions import Fraction

from pydantic import JsonValue

from dataspace import wire
from dataspace.domain.actors import Actor
from dataspace.domain.applications import (
    Answers,
    ApplicationForm,
    ApplicationKind,
    Period,
    PlannedTable,
    Written,
)
from dataspace.domain.errors import InvalidApplication
from dataspace.domain.forms import definition
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, ByRho, Guarantee, Price
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope
from dataspace.wire import forms as shapes


def written(content: shapes.Content, applicant: Actor) -> Written:
    """Raises InvalidApplication for a period or budget that makes no sense."""
    form = definition(content.kind, content.form_version)
    named = {applicant.id} if content.kind == "access-application" else set()
    answered = ((section, field, value) for section, of in content.answers.items() for field, value in of.items())
    flat = {f"{section}.{field}": value for section, field, value in answered}
    heart = ApplicationForm(
        title=content.title,
        purposes=frozenset(Purpose(letter) for letter in content.purposes),
        scope=Scope.of(*content.columns),
        justification=content.justification,
        lay_summary=content.lay_summary,
        legal_basis=LegalBasis(content.legal_basis) if content.legal_basis else None,
        persons=frozenset(named | set(content.persons)),
        guarantee=guarantee(content.requested) if content.requested else None,
        period=_period(content),
        acting_for=content.acting_for,
        tabulation=tuple(_planned(table) for table in content.tabulation),
    )
    return Written(heart, Answers(form.name, form.version, flat))


def content_of(kind: ApplicationKind, paper: Written) -> shapes.Kept:
    """The wire shape of what was written; of a short application without answers."""
    heart = paper.form
    return shapes.Kept(
        kind=kind.value,
        form_version=paper.answers.version or None,
        title=heart.title,
        purposes=sorted(purpose.value for purpose in heart.purposes),
        columns=sorted(heart.scope.columns),
        justification=heart.justification,
        lay_summary=heart.lay_summary,
        legal_basis=heart.legal_basis.value if heart.legal_basis else None,
        persons=sorted(heart.persons),
        acting_for=heart.acting_for,
        requested=_requested(heart.guarantee),
        valid_from=heart.period.start if heart.period else None,
        valid_until=heart.period.end if heart.period else None,
        tabulation=[_table(table) for table in heart.tabulation],
        answers=_nested(paper.answers),
    )


def guarantee(requested: wire.Guarantee) -> Guarantee:
    """Raises InvalidApplication for a budget that cannot be granted."""
    try:
        return Guarantee(requested.epsilon, requested.delta)
    except ValueError as error:
        raise InvalidApplication(f"the budget asked for cannot be granted: {error}") from None


def _requested(value: Guarantee | None) -> wire.Guarantee | None:
    return wire.Guarantee(epsilon=value.epsilon, delta=value.delta) if value else None


def _period(content: shapes.Content) -> Period | None:
    if content.valid_from is None and content.valid_until is None:
        return None
    if content.valid_from is None or content.valid_until is None:
        raise InvalidApplication("say both from when and until when: valid_from and valid_until")
    return Period(content.valid_from, content.valid_until)


def _planned(table: shapes.PlannedTable) -> PlannedTable:
    return PlannedTable(table.name, table.sql, _price(table), table.description)


def _price(table: shapes.PlannedTable) -> Price:
    if table.epsilon is not None:
        return ByEpsilon(table.epsilon)
    return ByRho(Fraction(table.rho)) if table.rho is not None else ByAccuracy(table.accuracy or Decimal(0))


def _table(table: PlannedTable) -> shapes.PlannedTable:
    match table.price:
        case ByEpsilon(amount):
            price = {"epsilon": amount}
        case ByRho(rho):
            price = {"rho": Decimal(rho.numerator) / Decimal(rho.denominator)}
        case ByAccuracy(amount):
            price = {"accuracy": amount}
    return shapes.PlannedTable(name=table.name, sql=table.sql, description=table.description, **price)


def _nested(answers: Answers) -> dict[str, dict[str, JsonValue]]:
    nested: dict[str, dict[str, JsonValue]] = {}
    for address, value in answers.values.items():
        section, field = address.split(".", 1)
        nested.setdefault(section, {})[field] = value
    return nested
