"""An application's form and other answers as JSON, and back."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dataspace.domain.applications import NO_ANSWERS, Answers, ApplicationForm, Period, PlannedTable
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, ByRho, Guarantee, Price
from dataspace.domain.purposes import LegalBasis, Purpose
from dataspace.domain.scopes import Scope

FORM_VERSION = 2
"""Written into each stored form; a reader of an older one converts it."""


def form_to_dict(form: ApplicationForm) -> dict[str, Any]:
    guarantee, period = form.guarantee, form.period
    return {
        "version": FORM_VERSION,
        "title": form.title,
        "purposes": sorted(form.purposes),
        "scope": sorted(list(ref) for ref in form.scope.columns),
        "justification": form.justification,
        "lay_summary": form.lay_summary,
        "legal_basis": form.legal_basis,
        "persons": sorted(form.persons),
        "guarantee": guarantee and [str(guarantee.epsilon), str(guarantee.delta)],
        "period": period and [period.start.isoformat(), period.end.isoformat()],
        "acting_for": form.acting_for,
        "tabulation": [
            {"name": table.name, "sql": table.sql, "price": _price(table.price), "description": table.description}
            for table in form.tabulation
        ],
    }


def form_from_dict(record: dict[str, Any]) -> ApplicationForm:
    guarantee, period, basis = record["guarantee"], record["period"], record["legal_basis"]
    return ApplicationForm(
        title=record["title"],
        purposes=frozenset(Purpose(letter) for letter in record["purposes"]),
        scope=Scope(frozenset((d, table, c) for d, table, c in record["scope"])),
        justification=record["justification"],
        lay_summary=record["lay_summary"],
        legal_basis=LegalBasis(basis) if basis else None,
        persons=frozenset(record["persons"]),
        guarantee=Guarantee(Decimal(guarantee[0]), Decimal(guarantee[1])) if guarantee else None,
        period=Period(*(datetime.fromisoformat(text) for text in period)) if period else None,
        acting_for=record["acting_for"],
        # forms of version 1 knew no tabulation plan
        tabulation=tuple(
            PlannedTable(table["name"], table["sql"], _priced(table["price"]), table["description"])
            for table in record.get("tabulation", [])
        ),
    )


def answers_to_dict(answers: Answers) -> dict[str, Any]:
    if answers == NO_ANSWERS:
        return {}
    return {"form": answers.form, "version": answers.version, "values": dict(answers.values)}


def answers_from_dict(record: dict[str, Any]) -> Answers:
    return Answers(**record) if record else NO_ANSWERS


def _price(price: Price) -> list[str]:
    match price:
        case ByEpsilon(epsilon):
            return ["epsilon", str(epsilon)]
        case ByRho(rho):
            return ["rho", str(rho)]
        case ByAccuracy(half_width):
            return ["accuracy", str(half_width)]


def _priced(stored: list[str]) -> Price:
    kind, amount = stored
    if kind == "rho":
        return ByRho(Fraction(amount))
    return ByEpsilon(Decimal(amount)) if kind == "epsilon" else ByAccuracy(Decimal(amount))
