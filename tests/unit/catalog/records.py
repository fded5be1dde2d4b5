"""Records for the tests: a data dictionary, and a non-public record that has everything Release 8 asks."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from catalog.dataset import (
    Activity,
    Agent,
    ContactPoint,
    Dataset,
    Distribution,
    Kind,
    PeriodOfTime,
    Provenance,
    Statement,
)
from catalog.dictionary import coding_systems_of, variables_of
from catalog.quality import Element, LabelState, Metric, QualityLabel
from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from catalog.values import Text, said
from catalog.vocabularies import (
    HEALTH,
    HEALTH_THEMES,
    OMOP_CDM,
    AccessRight,
    DatasetType,
    DistributionStatus,
    FileType,
    Frequency,
    HealthCategory,
    country,
    language,
)

SHAPES = Path(__file__).parents[3].parent / "shared" / "healthdcat-ap"
"""Folder of the official files, where a developer has them."""

SCHEMA = DatasetSchema(
    "bleeding",
    (
        Table(
            "person",
            TableKind.PERSONS,
            (
                Column(
                    "sex",
                    ColumnType.CODE,
                    title="Sex",
                    code_system="OMOP",
                    values=(CodedValue(8507, "Male"), CodedValue(8532, "Female")),
                    person_level=True,
                ),
                Column("birth_year", ColumnType.INTEGER, bounds=Bounds(Decimal(1900), Decimal(2025)), unit="year"),
            ),
            title="Persons",
        ),
        Table(
            "condition",
            TableKind.EVENTS,
            (
                Column("code", ColumnType.CODE, title="Diagnosis", code_system="ICD-10", description="Main diagnosis"),
                Column("started", ColumnType.DATE, bounds=Bounds(date(1990, 1, 1), date(2025, 12, 31))),
            ),
            rows_per_person=20,
        ),
    ),
)


def agent(name: str) -> Agent:
    return Agent(name=said(en=name), contact=ContactPoint(email=("contact@example.org",)))


def full_record() -> Dataset:
    """Every field of the table filled, valid as NON_PUBLIC."""
    form = Distribution(
        access_url=("https://node.example.org/apply",),
        title=said(en="Access under a data permit", fr="Accès avec autorisation"),
        description=said(en="Answers in a secure environment"),
        format=FileType.PARQUET,
        media_type="http://www.iana.org/assignments/media-types/application/vnd.apache.parquet",
        language=(language("ENG"),),
        status=DistributionStatus.COMPLETED,
        availability="http://publications.europa.eu/resource/authority/planned-availability/STABLE",
        rights=Provenance(label=said(en="Only under a data permit")),
        modified=date(2026, 11, 1),
    )
    period = PeriodOfTime(date(1990, 1, 1), date(2025, 12, 31))
    return Dataset(
        iri="https://node.example.org/datasets/bleeding",
        title=said(en="Gastrointestinal bleeding cohort", fr="Cohorte « saignements » digestifs"),
        description=said(en='Patients with a <b>bleed</b> & others; it\'s "synthetic".\nSecond line: größer, 中文.'),
        identifier=("bleeding",),
        access_rights=AccessRight.NON_PUBLIC,
        distribution=(form,),
        hdab=replace(agent("Health Data Access Body"), type=HEALTH + "publisher-type/national-authority"),
        health_category=(HealthCategory.EHRS, HealthCategory.MRMR),
        has_structured_data=True,
        variables=variables_of(SCHEMA),
        contact_point=(Kind(email="data@example.org", url="https://hospital.example.org/help", name="Help desk"),),
        keyword=(*said(en="bleeding", fr="saignement"), Text("OMOP")),
        type=(DatasetType.PERSONAL_DATA,),
        provenance=(Provenance(label=said(en="Electronic health records, pseudonymised")),),
        publisher=replace(
            agent("Hospital"), type=HEALTH + "publisher-type/healthcare-providers", description=Text("A note", "en")
        ),
        custodian=Agent(
            name=said(en="Hospital"),
            contact=ContactPoint(page=("https://hospital.example.org/contact",), telephone=("+33 1 00 00 00 00",)),
            iri="https://hospital.example.org/#organisation",
        ),
        hdab_coordinator=agent("Coordinating body"),
        health_theme=(HEALTH_THEMES["NONCOMMUNICABLE_DISEASES"],),
        coding_system=coding_systems_of(SCHEMA),
        code_values=("K92.2",),
        purpose=(Statement(description=said(en="Care of patients")),),
        legal_basis=(
            Statement(
                description=said(en="Public interest"),
                sources=("http://data.europa.eu/eli/reg/2016/679/oj",),
                iri="https://w3id.org/dpv/legal/eu/gdpr#A6-1-e",
            ),
        ),
        personal_data=("https://w3id.org/dpv/dpv-pd#Age", "https://w3id.org/dpv/dpv-pd#Gender"),
        quality=(
            QualityLabel(
                metrics=(
                    Metric(
                        Element.TECHNICAL_QUALITY, "completeness", "share of filled mandatory values", Decimal("0.99")
                    ),
                    Metric(Element.COVERAGE, "years covered", "last minus first year", Decimal(35)),
                ),
                issued=date(2026, 11, 20),
                state=LabelState.SELF_DECLARED,
                documents=("https://node.example.org/quality/bleeding",),
            ),
        ),
        min_typical_age=0,
        max_typical_age=100,
        number_of_records=12_340,
        number_of_unique_individuals=2_690,
        population_coverage=said(en="Patients of one hospital"),
        retention_period=PeriodOfTime(end=date(2045, 12, 31)),
        analytics=(Distribution(access_url=("https://node.example.org/analytics",), title=said(en="Yearly report")),),
        sample=(Distribution(access_url=("https://node.example.org/sample",), title=said(en="Synthetic sample")),),
        language=(language("ENG"), language("FRA")),
        conforms_to=(OMOP_CDM,),
        accrual_periodicity=Frequency.ANNUAL,
        temporal=(period,),
        temporal_resolution="P1D",
        is_referenced_by=("https://doi.org/10.1000/example",),
        relation=("https://node.example.org/datasets/other",),
        source=("https://hospital.example.org/warehouse",),
        landing_page=("https://node.example.org/datasets/bleeding",),
        page=("https://node.example.org/help",),
        generated_by=(Activity(label=said(en="Care"), types=(HEALTH + "health-activity/ROUTINE_RECORDS",)),),
        spatial=(country("FRA"),),
        alternative=said(en="GiBleed"),
        version="1.0",
        issued=date(2026, 11, 1),
        modified=date(2026, 11, 23),
    )
