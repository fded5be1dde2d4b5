"""The data quality and utility label of Article 78(3), Regulation (EU) 2025/327: metrics by element, versioned scheme.

No act under Article 78(6) fixes graphics or weights yet, so the label states what was measured, how, and the value;
levels follow from them by a scheme of our own (`catalog.quality_scheme`).
A poor label never keeps a dataset out of the catalogue (Recital 85).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from catalog.values import Said, check_iri, plain

SCHEME = "ehds-78-3/2"
"""The element groups of Article 78(3) as adopted in 2025; a delegated act (78(5)) would make a new version.

Version 1 had fewer metrics and no weights.
"""


class Element(StrEnum):
    """Element groups, by the letter of Article 78(3)."""

    DOCUMENTATION = "a"
    TECHNICAL_QUALITY = "b"
    QUALITY_MANAGEMENT = "c"
    COVERAGE = "d"
    ACCESS_AND_PROVISION = "e"
    MODIFICATIONS = "f"

    @property
    def label(self) -> Said:
        return _LABELS[self]


_LABELS = {
    Element.DOCUMENTATION: Said("Data documentation", "Documentation des données"),
    Element.TECHNICAL_QUALITY: Said("Technical quality", "Qualité technique"),
    Element.QUALITY_MANAGEMENT: Said("Data quality management", "Gestion de la qualité des données"),
    Element.COVERAGE: Said("Coverage", "Couverture"),
    Element.ACCESS_AND_PROVISION: Said("Access and provision", "Accès et mise à disposition"),
    Element.MODIFICATIONS: Said("Modifications", "Modifications apportées"),
}


class Dimension(StrEnum):
    """The six of technical quality, Article 78(3)(b)."""

    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
    ACCURACY = "accuracy"

    @property
    def label(self) -> Said:
        return _DIMENSIONS[self][0]

    @property
    def definition(self) -> Said:
        """What is measured."""
        return _DIMENSIONS[self][1]


_DIMENSIONS = {
    Dimension.COMPLETENESS: (
        Said("Completeness", "Complétude"),
        Said(
            "Cells that hold a value, of all cells; rows set aside because a required value is missing count.",
            "Cellules renseignées, sur toutes ; les lignes écartées faute d'une valeur obligatoire comptent.",
        ),
    ),
    Dimension.UNIQUENESS: (
        Said("Uniqueness", "Unicité"),
        Said(
            "Rows that repeat no other row of the same person, of all rows.",
            "Lignes qui ne répètent aucune autre ligne de la même personne, sur toutes les lignes.",
        ),
    ),
    Dimension.VALIDITY: (
        Said("Validity", "Validité"),
        Said(
            "Delivered cells of the declared type, form and list of values, of all delivered cells.",
            "Cellules livrées conformes au type, à la forme et à la liste de valeurs déclarés, sur toutes.",
        ),
    ),
    Dimension.CONSISTENCY: (
        Said("Consistency", "Cohérence"),
        Said(
            "Comparisons that agree: references found, order of dates, events within a life.",
            "Comparaisons qui concordent : références trouvées, ordre des dates, vie de la personne.",
        ),
    ),
    Dimension.TIMELINESS: (
        Said("Timeliness", "Actualité"),
        Said(
            "Points, of three, for the time from the newest data to the load: 1 month, 3 months, 6 months.",
            "Points, sur trois, selon le délai des dernières données au chargement : 1, 3 ou 6 mois.",
        ),
    ),
    Dimension.ACCURACY: (
        Said("Accuracy", "Exactitude"),
        Said(
            "Numbers and dates within their bounds and not in the future, of all that can be compared.",
            "Nombres et dates dans leurs bornes et non futurs, sur tous ceux qui se comparent.",
        ),
    ),
}


class LabelState(StrEnum):
    """Who stands behind the label: the holder alone, or the access body after a check (Article 78(4))."""

    SELF_DECLARED = "self-declared"
    UNDER_REVIEW = "under-review"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Metric:
    """One measured number of an element. `method` says how it was measured; `value` has the unit the method names.

    A value about few persons can disclose: the caller rounds it (`catalog.dataset.rounded_count`).
    """

    element: Element
    name: str
    method: str
    value: Decimal

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain(self.name, "the name of a metric"))
        object.__setattr__(self, "method", plain(self.method, "the method of a metric"))
        if not self.value.is_finite() or not int(self.value.as_tuple().exponent) >= -12 or abs(self.value) >= 10**15:
            raise ValueError(f"metric {self.name!r}: the value is finite, below 10^15, with at most 12 decimals")


@dataclass(frozen=True)
class QualityLabel:
    """Label of one dataset at one date. `documents` are pages that explain it; `iri` its own address, if it has one."""

    metrics: tuple[Metric, ...] = ()
    issued: date | None = None
    state: LabelState | None = None
    scheme: str | None = SCHEME
    documents: tuple[str, ...] = ()
    iri: str | None = None

    def __post_init__(self) -> None:
        metrics = sorted(self.metrics, key=lambda m: (m.element, m.name, m.method, m.value))
        names = [(m.element, m.name) for m in metrics]
        if len(set(names)) != len(names):
            raise ValueError("the label has two metrics of the same name in one element")
        object.__setattr__(self, "metrics", tuple(metrics))
        documents = {check_iri(d, "a document of the label") for d in self.documents}
        object.__setattr__(self, "documents", tuple(sorted(documents)))

    def of(self, element: Element) -> tuple[Metric, ...]:
        """The metrics of one element group."""
        return tuple(m for m in self.metrics if m.element is element)
