"""The catalogue record of a snapshot: what the plan says, and what the load measured, rounded.

Every figure about persons is rounded with a secret offset first (`pipelines.published`), periods and ages are those
that enough persons share, so that no single person shows.
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
)
from catalog.dictionary import coding_systems_of, variables_of
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
from pipelines.published import Rounding, published_persons, published_rows, rounding_of
from pipelines.quality.label import SHOW_AGES_FROM, age_range, covered_years, label_of
from pipelines.store.record import Snapshot

STANDARDS = {"OMOP-CDM": OMOP_CDM, "FHIR": FHIR}
"""Names a plan may use under `conforms_to`; anything else is taken as an address."""

NO_OPT_OUT = {
    "en": "Persons cannot be told apart in this dataset, so opting out cannot take effect in it (Article 71(8) EHDS)",
    "fr": "Les personnes ne peuvent être distinguées dans ce jeu de données : l'opposition ne peut s'y appliquer"
    " (article 71, paragraphe 8, EHDS)",
}
"""What the record says of a dataset whose plan states `opt_out_not_applicable`."""

APPLY = {"en": "Access under a data permit", "fr": "Accès sur autorisation"}


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
        distribution=(_distribution(plan, base_url),),
        modified=day,
        **_measured(snapshot),
    )


def _distribution(plan: Plan, base_url: str) -> Distribution:
    rights = Provenance(label=_texts(NO_OPT_OUT)) if plan.facts.get("opt_out_not_applicable") else None
    return Distribution(access_url=(f"{base_url}/datasets/{plan.dataset}",), title=_texts(APPLY), rights=rights)


def _measured(snapshot: Snapshot) -> dict[str, Any]:
    """What the load adds: rounded counts, the period, typical ages, the quality label."""
    rounding = rounding_of(snapshot)
    years = covered_years(snapshot, rounding.fewest("persons of a period"))
    period = (PeriodOfTime(date(years[0], 1, 1), date(years[1], 12, 31)),) if years else ()
    return {
        "number_of_records": published_rows(snapshot, rounding),
        "number_of_unique_individuals": published_persons(snapshot, rounding),
        "temporal": period,
        "quality": (label_of(snapshot, rounding),),
        "version": snapshot.id,
        **_typical_ages(snapshot, rounding),
    }


def _typical_ages(snapshot: Snapshot, rounding: Rounding) -> dict[str, int]:
    """Ages between which nine of ten persons are, in steps of five years; nothing where persons are few."""
    ages = age_range(snapshot)
    if ages is None or published_persons(snapshot, rounding) < SHOW_AGES_FROM:
        return {}
    low, high = (int(rounding.to_step("typical age", Decimal(age), Decimal(5))) for age in ages)
    return {"min_typical_age": low, "max_typical_age": high}


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
