"""The catalogue record of a snapshot: what the plan says, and what the load measured, rounded.

Persons are counted in the record only with two digits that count, periods only in years that enough persons share, and
shares in whole hundredths, so that no single person shows.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.dataset import (
    Agent,
    ContactPoint,
    Dataset,
    Distribution,
    Kind,
    PeriodOfTime,
    Provenance,
    rounded_count,
)
from catalog.dictionary import coding_systems_of, variables_of
from catalog.quality import Element, Metric, QualityLabel
from catalog.values import Text
from catalog.vocabularies import (
    FHIR,
    HEALTH_THEMES,
    OMOP_CDM,
    AccessRight,
    DatasetType,
    Frequency,
    HealthCategory,
    language,
)
from pipelines.errors import PlanError
from pipelines.plan import Plan
from pipelines.store.record import Snapshot

STANDARDS = {"OMOP-CDM": OMOP_CDM, "FHIR": FHIR}
"""Names a plan may use under `conforms_to`; anything else is taken as an address."""

APPLY = {"en": "Access under a data permit", "fr": "Accès sur autorisation"}

METRICS = {
    "completeness": (Element.TECHNICAL_QUALITY, "Share of cells that hold a value, over all tables about persons"),
    "validity": (Element.TECHNICAL_QUALITY, "Share of delivered rows that passed every check of the ingestion plan"),
    "plausibility": (Element.TECHNICAL_QUALITY, "Share of numbers within their declared bounds"),
}
"""Element of Article 78(3) and method, by name of the summary's shares."""


def record_of(plan: Plan, snapshot: Snapshot, base_url: str) -> Dataset:
    """The catalogue record; raises PlanError if the facts in the plan's [catalogue] cannot stand in one."""
    try:
        return _record(plan, snapshot, base_url.rstrip("/"))
    except (ValueError, KeyError, TypeError) as failure:
        said = f"no such term: {failure}" if isinstance(failure, KeyError) else str(failure)
        raise PlanError(str(plan.file), f"{said}.", where="catalogue", mend="Mend the fact, or leave it out.") from None


def _record(plan: Plan, snapshot: Snapshot, base_url: str) -> Dataset:
    facts, day = plan.facts, snapshot.created_at.date()
    holder = _agent(plan.holder)
    return Dataset(
        iri=f"{base_url}/datasets/{plan.dataset}",
        identifier=(plan.dataset,),
        title=_texts({"en": plan.title} | _languages(facts.get("title", {}))),
        description=_texts({"en": plan.description or plan.title} | _languages(facts.get("description", {}))),
        access_rights=AccessRight.NON_PUBLIC,
        hdab=_agent(facts["hdab"]) if "hdab" in facts else None,
        custodian=holder,
        publisher=holder,
        health_category=tuple(HealthCategory[name] for name in facts.get("health_category", ())),
        health_theme=tuple(HEALTH_THEMES[name] for name in facts.get("health_theme", ())),
        has_structured_data=True,
        variables=variables_of(snapshot.schema),
        coding_system=coding_systems_of(snapshot.schema),
        contact_point=(Kind(email=facts["contact"]),) if "contact" in facts else (),
        keyword=_texts(facts.get("keyword", {})),
        type=tuple(DatasetType[name] for name in facts.get("type", ())),
        language=tuple(language(code) for code in facts.get("language", ())),
        conforms_to=tuple(STANDARDS.get(name, name) for name in facts.get("conforms_to", ())),
        accrual_periodicity=Frequency[facts["frequency"]] if "frequency" in facts else None,
        provenance=(Provenance(label=_texts(facts["provenance"])),) if "provenance" in facts else (),
        population_coverage=_texts(facts.get("population", {})),
        distribution=(Distribution(access_url=(f"{base_url}/datasets/{plan.dataset}",), title=_texts(APPLY)),),
        modified=day,
        **_measured(snapshot, day),
    )


def _measured(snapshot: Snapshot, day: date) -> dict[str, Any]:
    """What the load adds: rounded counts, the period, the quality label."""
    years = snapshot.metrics.get("years")
    period = (PeriodOfTime(date(years[0], 1, 1), date(years[1], 12, 31)),) if years else ()
    return {
        "number_of_records": two_digits(snapshot.metrics["rows"]),
        "number_of_unique_individuals": two_digits(snapshot.metrics["persons"]),
        "temporal": period,
        "quality": (quality_label(snapshot, day),),
        "version": snapshot.id,
    }


def quality_label(snapshot: Snapshot, day: date) -> QualityLabel:
    """The label of Article 78: shares in hundredths, and how many of the expectations hold."""
    summary = snapshot.metrics["summary"]
    metrics = [
        Metric(element, name, method, Decimal(f"{summary[name]:.2f}")) for name, (element, method) in METRICS.items()
    ]
    outcomes = snapshot.metrics["expectations"]
    if outcomes:
        held = sum(o["success"] for o in outcomes) / len(outcomes)
        method = f"Share of the {len(outcomes)} expectations of the ingestion plan that hold"
        metrics.append(Metric(Element.QUALITY_MANAGEMENT, "expectations", method, Decimal(f"{held:.2f}")))
    described = [c for table in snapshot.schema for c in table.columns]
    share = sum(bool(c.title and c.description) for c in described) / max(1, len(described))
    method = "Share of variables with a title and a description in the data dictionary"
    metrics.append(Metric(Element.DOCUMENTATION, "described variables", method, Decimal(f"{share:.2f}")))
    return QualityLabel(metrics=tuple(metrics), issued=day)


def two_digits(count: int) -> int:
    """A count with its first two digits; 0 below ten."""
    return rounded_count(count, to=max(10, 10 ** (len(str(count)) - 2)))


def _agent(facts: Mapping[str, Any]) -> Agent:
    name = facts.get("name", {})
    contact = ContactPoint(email=_tuple(facts.get("email")), page=_tuple(facts.get("page")))
    return Agent(name=_texts({"en": name} if isinstance(name, str) else name), contact=contact)


def _tuple(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _languages(value: Any) -> dict[str, Any]:
    return {"en": value} if isinstance(value, str) else dict(value)


def _texts(by_language: Mapping[str, Any]) -> tuple[Text, ...]:
    """Texts by language; a list under a language is several texts."""
    return tuple(
        Text(text.strip(), code)
        for code, value in by_language.items()
        for text in ([value] if isinstance(value, str) else value)
    )
