"""The label of a snapshot: every metric of the scheme that its record can tell, exact or rounded for publication."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.quality import Dimension, Element, Metric, QualityLabel
from catalog.quality_scheme import RULES, Rule, Unit
from catalog.schema import Column, ColumnType, TableKind
from pipelines.published import Rounding, published_persons
from pipelines.quality.dimensions import days_since, loaded_on, quality_of
from pipelines.quality.metrics import FEWEST_PERSONS, covered
from pipelines.store.record import Snapshot

Values = Mapping[str, float | None]

SHOW_AGES_FROM = 100
"""Published persons from which on ages and times are published."""


def label_of(snapshot: Snapshot, rounding: Rounding | None = None) -> QualityLabel:
    """The label: exact to hundredths for the holder; fit for publication with a rounding."""
    values = _values(snapshot, rounding)
    persons = published_persons(snapshot, rounding) if rounding else 0
    metrics = [
        Metric(rule.element, rule.name, rule.method.en, _shown(rule, value, rounding, persons))
        for rule in RULES
        if (value := values.get(rule.name)) is not None
    ]
    return QualityLabel(metrics=tuple(metrics), issued=snapshot.created_at.date())


def covered_years(snapshot: Snapshot, fewest: int = FEWEST_PERSONS) -> tuple[int, int] | None:
    """First and last year with enough persons; None if there is none."""
    tables = snapshot.metrics.get("tables", {}).values()
    if not any("years" in t for t in tables):
        years = snapshot.metrics.get("years")
        return (years[0], years[1]) if years else None
    found = [int(year) for t in tables for year in covered(t.get("years", {}), fewest)]
    return (min(found), max(found)) if found else None


def newest_month(snapshot: Snapshot, fewest: int = FEWEST_PERSONS) -> str | None:
    """The last month with enough persons, over all tables; None if there is none or the record is older."""
    tables = snapshot.metrics.get("tables", {}).values()
    return max((m for t in tables for m in covered(t.get("months", {}), fewest)), default=None)


def age_range(snapshot: Snapshot) -> tuple[int, int] | None:
    """The ages between which nine of ten persons are (5th to 95th percentile); None if not known."""
    ages = sorted((int(age), persons) for age, persons in snapshot.metrics.get("ages", {}).items())
    return (_percentile(ages, 0.05), _percentile(ages, 0.95)) if ages else None


def _percentile(ages: list[tuple[int, int]], share: float) -> int:
    wanted, seen = share * sum(persons for _, persons in ages), 0
    for age, persons in ages:
        seen += persons
        if seen >= wanted:
            return age
    return ages[-1][0]


def _shown(rule: Rule, value: float, rounding: Rounding | None, persons: int) -> Decimal:
    exact = Decimal(str(value))
    if rounding is None or rule.element in PLAN_ONLY or rule.stated:
        return round(exact, 4)
    figure = f"{rule.element.value} {rule.name}"
    if rule.unit is Unit.PERSONS:
        return Decimal(persons)
    if rule.unit is Unit.DAYS:
        return rounding.to_step(figure, exact, Decimal(30))
    if rule.unit is Unit.YEARS and rule.name != "period":
        return rounding.to_step(figure, exact, Decimal("0.5"))
    # timeliness is in thirds of points, and follows from months that enough persons share
    exact_enough = rule.unit is not Unit.SHARE or rule.name == Dimension.TIMELINESS
    return round(exact, 2) if exact_enough else rounding.share(figure, exact, persons)


PLAN_ONLY = (Element.DOCUMENTATION, Element.MODIFICATIONS)
"""Elements whose metrics follow from the plan alone, which is public."""


def _values(snapshot: Snapshot, rounding: Rounding | None) -> Values:
    fewest = rounding.fewest("persons of a period", FEWEST_PERSONS) if rounding else FEWEST_PERSONS
    stated = snapshot.metrics.get("stated", {})
    enough = rounding is None or published_persons(snapshot, rounding) >= SHOW_AGES_FROM
    return {
        **_documentation(snapshot, stated),
        **{d.value: share.value for d, share in quality_of(snapshot).dataset.items()},
        **_management(snapshot, stated),
        **_coverage(snapshot, stated, fewest, enough),
        **_access(snapshot, stated, fewest),
        **_modifications(snapshot, stated),
    }


def _documentation(snapshot: Snapshot, stated: Mapping[str, Any]) -> Values:
    columns = [c for table in snapshot.schema for c in table.columns]
    about_persons = [t for t in snapshot.schema if t.kind is not TableKind.LOOKUP]
    codes = [c for t in about_persons for c in t.columns if c.type is ColumnType.CODE]
    tables = snapshot.schema.tables
    return {
        "described variables": _share(sum(bool(c.title and c.description) for c in columns), len(columns)),
        "described tables": _share(sum(bool(t.title and t.description) for t in tables), len(tables)),
        "coded variables": _share(sum(_is_coded(c) for c in codes), len(codes)),
        "standards": _flag(stated, "standards"),
        "provenance": _flag(stated, "provenance"),
        "documents": _flag(stated, "documents"),
    }


def _is_coded(column: Column) -> bool:
    return column.code_system is not None or column.values is not None


def _management(snapshot: Snapshot, stated: Mapping[str, Any]) -> Values:
    outcomes = snapshot.metrics.get("expectations", ())
    day = loaded_on(snapshot)
    return {
        "expectations": _share(sum(o["success"] for o in outcomes), len(outcomes)),
        "reviewed": _days_before(stated.get("reviewed"), day),
        "audited": _days_before(stated.get("audited"), day),
        "bias examined": _days_before(stated.get("bias_examined"), day),
        "maturity": stated.get("maturity"),
    }


def _coverage(snapshot: Snapshot, stated: Mapping[str, Any], fewest: int, enough: bool) -> Values:
    years, stay = covered_years(snapshot, fewest), snapshot.metrics.get("stay", {})
    timed = stay.get("persons", 0)
    return {
        "period": years[1] - years[0] + 1 if years else None,
        "time in the dataset": stay["days"] / timed / 365.25 if timed and enough else None,
        "population": _flag(stated, "population"),
        "persons": snapshot.metrics["persons"],
        "less frequent sex": _less_frequent_sex(snapshot) if enough else None,
    }


def _less_frequent_sex(snapshot: Snapshot) -> float | None:
    place = snapshot.metrics.get("sex")
    table = snapshot.schema.table.get(place[0]) if place else None
    # rows are persons only in the table of persons
    if place is None or table is None or table.kind is not TableKind.PERSONS:
        return None
    codes = snapshot.metrics["tables"][table.name]["columns"].get(place[1], {}).get("codes", ())
    two = sorted(codes, reverse=True)[:2]
    return _share(two[-1], sum(two)) if len(two) == 2 else None


def _access(snapshot: Snapshot, stated: Mapping[str, Any], fewest: int) -> Values:
    newest = newest_month(snapshot, fewest)
    return {
        "days to inclusion": days_since(newest, loaded_on(snapshot)) if newest else None,
        "days to data": stated.get("days_to_data"),
    }


def _modifications(snapshot: Snapshot, stated: Mapping[str, Any]) -> Values:
    done = stated.get("modifications")
    if done is None:
        return {}
    columns = sum(len(t.columns) for t in snapshot.schema if t.kind is not TableKind.LOOKUP)
    return {
        "unchanged variables": _share(columns - len(done["generalised"]) - len(done["recoded"]), columns),
        "linkable": 1,
        "merged sources": len(stated.get("merged", ())),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _flag(stated: Mapping[str, Any], name: str) -> int | None:
    # a record of before says nothing, which is not the same as no
    return int(bool(stated.get(name))) if stated else None


def _days_before(day: str | None, loaded: date) -> int | None:
    return max(0, (loaded - date.fromisoformat(day)).days) if day else None
