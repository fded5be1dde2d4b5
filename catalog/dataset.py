"""A dataset's record in HealthDCAT-AP words: frozen values, well-formed from construction.

Well-formed is not complete: a holder may save a draft. `catalog.validation` says what a record of its access level
still lacks, and the registry publishes none that lacks a mandatory field. A tuple of values without an order of its own
is kept sorted and without doubles, as RDF keeps none; only tables and variables have an order.

Every part may have its own address (`iri`); without one it lives below the dataset's (`…/dataset#custodian`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from catalog.quality import QualityLabel
from catalog.schema import CodedValue
from catalog.tidy import tidy
from catalog.values import Text, check_iri, slug_of
from catalog.variables import VariableGroup
from catalog.vocabularies import EHDS_REGULATION, AccessRight, DataTheme

_DURATION = re.compile(r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")


@dataclass(frozen=True)
class PeriodOfTime:
    """dct:PeriodOfTime: first and last day, either may be open."""

    start: date | None = None
    end: date | None = None
    iri: str | None = None

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise ValueError("a period has a first or a last day")
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"the period starts on {self.start}, after its end on {self.end}")


@dataclass(frozen=True)
class ContactPoint:
    """cv:ContactPoint: how an agent is reached. Release 8 asks for an e-mail address or a page."""

    email: tuple[str, ...] = ()
    page: tuple[str, ...] = ()
    telephone: tuple[str, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, iris=("page",), strings=("telephone",), emails=("email",))


@dataclass(frozen=True)
class Kind:
    """vcard:Kind: whom to ask about the dataset. Release 8 asks for an e-mail address or a page."""

    email: str | None = None
    url: str | None = None
    name: str | None = None
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, iris=("url",), strings=("name",), emails=("email",))


@dataclass(frozen=True)
class Agent:
    """foaf:Agent: holder (custodian), publisher, health data access body. `type` is of the list publisher-type."""

    name: tuple[Text, ...] = ()
    contact: ContactPoint | None = None
    type: str | None = None
    description: Text | None = None
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("name",), iris=("type",))


@dataclass(frozen=True)
class Statement:
    """A node that is said in words: purpose (dpv:Purpose), legal basis (dpv:LegalBasis). `sources` are laws."""

    description: tuple[Text, ...] = ()
    sources: tuple[str, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("description",), iris=("sources",))


@dataclass(frozen=True)
class Provenance:
    """dct:ProvenanceStatement: where the data come from, in words."""

    label: tuple[Text, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("label",))


@dataclass(frozen=True)
class Activity:
    """prov:Activity: what made the data. `types` are of the list health-activity."""

    label: tuple[Text, ...] = ()
    types: tuple[str, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(self, texts=("label",), iris=("types",))


@dataclass(frozen=True)
class Distribution:
    """dcat:Distribution: a form in which the data, a sample, or an analysis of them can be had or asked for."""

    access_url: tuple[str, ...] = ()
    title: tuple[Text, ...] = ()
    description: tuple[Text, ...] = ()
    applicable_legislation: tuple[str, ...] = (EHDS_REGULATION,)
    format: str | None = None
    media_type: str | None = None
    language: tuple[str, ...] = ()
    status: str | None = None
    availability: str | None = None
    rights: Provenance | None = None
    modified: date | None = None
    iri: str | None = None

    def __post_init__(self) -> None:
        tidy(
            self,
            texts=("title", "description"),
            iris=(
                "access_url",
                "applicable_legislation",
                "format",
                "media_type",
                "language",
                "status",
                "availability",
            ),
        )


@dataclass(frozen=True)
class Dataset:
    """dcat:Dataset, one catalogue record. Field by field: the table in `catalog.fields`.

    `number_of_records` and `number_of_unique_individuals` describe persons: they arrive rounded (`rounded_count`).
    Raises ValueError, naming the field, on a value that cannot stand in any record.
    """

    iri: str
    title: tuple[Text, ...] = ()
    description: tuple[Text, ...] = ()
    identifier: tuple[str, ...] = ()
    access_rights: AccessRight | None = None
    applicable_legislation: tuple[str, ...] = (EHDS_REGULATION,)
    distribution: tuple[Distribution, ...] = ()
    theme: tuple[str, ...] = (DataTheme.HEAL,)
    hdab: Agent | None = None
    health_category: tuple[str, ...] = ()
    has_structured_data: bool | None = None
    variables: VariableGroup | None = None
    contact_point: tuple[Kind, ...] = ()
    keyword: tuple[Text, ...] = ()
    type: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    publisher: Agent | None = None
    custodian: Agent | None = None
    hdab_coordinator: Agent | None = None
    health_theme: tuple[str, ...] = ()
    coding_system: tuple[str, ...] = ()
    code_values: tuple[str, ...] = ()
    purpose: tuple[Statement, ...] = ()
    legal_basis: tuple[Statement, ...] = ()
    personal_data: tuple[str, ...] = ()
    quality: tuple[QualityLabel, ...] = ()
    min_typical_age: int | None = None
    max_typical_age: int | None = None
    number_of_records: int | None = None
    number_of_unique_individuals: int | None = None
    population_coverage: tuple[Text, ...] = ()
    retention_period: PeriodOfTime | None = None
    analytics: tuple[Distribution, ...] = ()
    sample: tuple[Distribution, ...] = ()
    language: tuple[str, ...] = ()
    conforms_to: tuple[str, ...] = ()
    accrual_periodicity: str | None = None
    temporal: tuple[PeriodOfTime, ...] = ()
    temporal_resolution: str | None = None
    is_referenced_by: tuple[str, ...] = ()
    relation: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    landing_page: tuple[str, ...] = ()
    page: tuple[str, ...] = ()
    generated_by: tuple[Activity, ...] = ()
    spatial: tuple[str, ...] = ()
    alternative: tuple[Text, ...] = ()
    version: str | None = None
    issued: date | None = None
    modified: date | None = None

    def __post_init__(self) -> None:
        check_iri(self.iri, "the address (iri) of the dataset")
        if "#" in self.iri:
            raise ValueError("the address (iri) of the dataset has no '#': its parts live below it")
        tidy(self, texts=_TEXTS, iris=_IRIS, strings=("identifier", "code_values", "version"), nodes=_NODES)
        _check_counts(self)
        if self.temporal_resolution is not None and not _DURATION.fullmatch(self.temporal_resolution):
            raise ValueError("temporal_resolution is a duration like P1D or PT1H")
        _check_parts(self)

    @property
    def id(self) -> str:
        """Identifier in URLs, file names and queries: a slug, from the last segment of the address."""
        return slug_of(self.iri)


_TEXTS = ("title", "description", "keyword", "population_coverage", "alternative")
_IRIS = (
    "applicable_legislation",
    "theme",
    "health_category",
    "type",
    "health_theme",
    "coding_system",
    "personal_data",
    "language",
    "conforms_to",
    "accrual_periodicity",
    "is_referenced_by",
    "relation",
    "source",
    "landing_page",
    "page",
    "spatial",
)
_NODES = (
    "distribution",
    "contact_point",
    "provenance",
    "purpose",
    "legal_basis",
    "quality",
    "analytics",
    "sample",
    "temporal",
    "generated_by",
)


def rounded_count(n: int, to: int = 10, at_least: int = 10) -> int:
    """A count fit for a public record: the nearest multiple of `to`, 0 below `at_least`.

    Rounding hides single persons only if it is coarse against the changes an observer sees; where a count follows a
    snapshot that may differ by one person from the last, use a noised count and round that.
    """
    if n < 0 or to < 1 or at_least < 0:
        raise ValueError("a count and a threshold are not negative, and rounding is to whole multiples from 1")
    return 0 if n < at_least else (n + to // 2) // to * to


def _check_counts(dataset: Dataset) -> None:
    for name in ("min_typical_age", "max_typical_age", "number_of_records", "number_of_unique_individuals"):
        value = getattr(dataset, name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**18):
            raise ValueError(f"{name} is a whole number from 0")
    low, high = dataset.min_typical_age, dataset.max_typical_age
    if low is not None and high is not None and low > high:
        raise ValueError(f"min_typical_age {low} is above max_typical_age {high}")


def _check_parts(dataset: Dataset) -> None:
    """One address describes one thing, and none of them the dataset itself or a place below it."""
    seen: dict[str, object] = {}
    for part in _parts(dataset):
        iri = part.iri
        if iri is None:
            continue
        check_iri(iri, f"the address of a {type(part).__name__}")
        if iri == dataset.iri or iri.startswith(dataset.iri + "#"):
            raise ValueError(f"the address of a {type(part).__name__} is the dataset's own; leave it out")
        if seen.setdefault(iri, part) != part:
            raise ValueError(f"two descriptions of {iri}: give them different addresses or make them equal")


def _parts(value: Any) -> Iterator[Any]:
    """All nodes below `value` that may have their own address, depth first."""
    for field in fields(value):
        inner = getattr(value, field.name)
        for item in inner if isinstance(inner, tuple) else (inner,):
            if is_dataclass(item) and not isinstance(item, Text | CodedValue) and hasattr(item, "iri"):
                yield item
                yield from _parts(item)
