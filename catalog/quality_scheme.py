"""Levels of the quality label: a table of metrics with weights, and nothing else decides.

The scheme is ours. Article 78(6) leaves graphics and technical rules to an implementing act that is not adopted; the
element groups are the Regulation's, the time scale is the one QUANTUM proposes. A new scheme gets a new version, and a
label always names the one it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from catalog.quality import SCHEME, Dimension, Element, QualityLabel
from catalog.values import Said


class Unit(StrEnum):
    """What a metric's value counts, and so how it is rounded and shown."""

    SHARE = "share"  # 0 to 1
    DAYS = "days"
    YEARS = "years"
    PERSONS = "persons"
    LEVEL = "level"  # 1 to 5
    FLAG = "flag"  # 1 yes, 0 no
    NUMBER = "number"


@dataclass(frozen=True)
class Rule:
    """One metric of the scheme.

    `weight` is its part within the element, 0 if it only informs. `stated` marks facts of the holder: not stated is
    scored as not met, while what could not be measured is left out. `steps` are (largest value, score) for times.
    """

    element: Element
    name: str
    title: Said
    method: Said
    unit: Unit
    weight: int = 1
    stated: bool = False
    steps: tuple[tuple[int, Decimal], ...] = ()

    def score(self, value: Decimal) -> Decimal:
        """From 0 to 1."""
        if self.steps:
            return next((score for largest, score in self.steps if value <= largest), Decimal(0))
        if self.unit is Unit.LEVEL:
            return min(Decimal(1), max(Decimal(0), (value - 1) / 4))
        if self.unit is Unit.YEARS:
            return min(Decimal(1), max(Decimal(0), value / LONG_PERIOD))
        return min(Decimal(1), max(Decimal(0), value))


LONG_PERIOD = 10
"""Years of coverage that score full."""

THIRD = Decimal("0.3333")
DELAY = ((31, Decimal(1)), (92, 2 * THIRD), (183, THIRD))
"""Days: under one month, three months, six months."""

REVIEWED = ((366, Decimal(1)), (731, Decimal("0.5")))
"""Days since a review: the description itself is checked yearly (Article 60(3))."""

A, B, C, D, E, F = Element

RULES: tuple[Rule, ...] = (
    Rule(A, "described variables", Said("Described variables", "Variables décrites"),
         Said("Share of variables with a title and a description in the data dictionary",
              "Part des variables qui ont un titre et une description dans le dictionnaire"), Unit.SHARE, 3),
    Rule(A, "described tables", Said("Described tables", "Tables décrites"),
         Said("Share of tables with a title and a description",
              "Part des tables qui ont un titre et une description"), Unit.SHARE),
    Rule(A, "coded variables", Said("Coded variables", "Variables codées"),
         Said("Share of codes with a code system or a list of values",
              "Part des codes qui ont une nomenclature ou une liste de valeurs"), Unit.SHARE, 2),
    Rule(A, "standards", Said("Standard data model", "Modèle de données standard"),
         Said("The holder names a standard the data conform to",
              "Le détenteur nomme un standard que les données suivent"), Unit.FLAG, stated=True),
    Rule(A, "provenance", Said("Provenance", "Provenance"),
         Said("The holder says where the data come from",
              "Le détenteur dit d'où viennent les données"), Unit.FLAG, stated=True),
    Rule(A, "documents", Said("Supporting documents", "Documents d'appui"),
         Said("The holder names supporting documents",
              "Le détenteur indique des documents d'appui"), Unit.FLAG, stated=True),
    *(Rule(B, d.value, d.label, d.definition, Unit.SHARE, 2 if d is Dimension.COMPLETENESS else 1) for d in Dimension),
    Rule(C, "expectations", Said("Expectations held", "Attentes tenues"),
         Said("Share of the expectations of the ingestion plan that hold",
              "Part des attentes du plan d'ingestion qui sont tenues"), Unit.SHARE, 3),
    Rule(C, "reviewed", Said("Last review", "Dernière revue"),
         Said("Days from the last review that the holder states to the load",
              "Jours entre la dernière revue déclarée et le chargement"), Unit.DAYS, stated=True, steps=REVIEWED),
    Rule(C, "audited", Said("Last audit", "Dernier audit"),
         Said("Days from the last audit that the holder states to the load",
              "Jours entre le dernier audit déclaré et le chargement"), Unit.DAYS, stated=True, steps=REVIEWED),
    Rule(C, "bias examined", Said("Bias examined", "Biais examinés"),
         Said("Days from the last examination of bias that the holder states to the load",
              "Jours entre le dernier examen des biais déclaré et le chargement"),
         Unit.DAYS, stated=True, steps=REVIEWED),
    Rule(C, "maturity", Said("Maturity", "Maturité"),
         Said("Maturity of the quality management that the holder states, 1 to 5",
              "Maturité de la gestion de la qualité déclarée, de 1 à 5"), Unit.LEVEL, stated=True),
    Rule(D, "period", Said("Period", "Période"),
         Said("Years from the first to the last that enough persons share; ten score full",
              "Années de la première à la dernière partagées par assez de personnes ; dix donnent le maximum"),
         Unit.YEARS, 2),
    Rule(D, "time in the dataset", Said("Time in the dataset", "Durée de présence"),
         Said("Mean years from a person's first to last event; ten score full",
              "Moyenne des années entre premier et dernier évènement d'une personne ; dix donnent le maximum"),
         Unit.YEARS, 2),
    Rule(D, "population", Said("Population described", "Population décrite"),
         Said("The holder says which population is covered",
              "Le détenteur dit quelle population est couverte"), Unit.FLAG, stated=True),
    Rule(D, "persons", Said("Persons", "Personnes"),
         Said("Persons; rounded when published", "Personnes ; arrondi si publié"), Unit.PERSONS, 0),
    Rule(D, "less frequent sex", Said("Less frequent sex", "Sexe le moins fréquent"),
         Said("Share of persons of the less frequent of two sexes",
              "Part des personnes du moins fréquent des deux sexes"), Unit.SHARE, 0),
    Rule(E, "days to inclusion", Said("Time to inclusion", "Délai d'inclusion"),
         Said("Days from the end of the newest month with enough persons to the load",
              "Jours entre la fin du dernier mois avec assez de personnes et le chargement"), Unit.DAYS, steps=DELAY),
    Rule(E, "days to data", Said("Time to the data", "Délai de mise à disposition"),
         Said("Usual days from a permit to the data, as the holder states",
              "Jours habituels entre autorisation et données, selon le détenteur"),
         Unit.DAYS, stated=True, steps=DELAY),
    Rule(F, "unchanged variables", Said("Unchanged variables", "Variables inchangées"),
         Said("Share of variables stored as delivered, neither made coarser nor recoded",
              "Part des variables gardées telles que livrées, ni généralisées ni recodées"), Unit.SHARE),
    Rule(F, "linkable", Said("Linkable", "Appariable"),
         Said("Persons have a pseudonym shared by the datasets of one domain",
              "Les personnes ont un pseudonyme commun aux jeux de données d'un domaine"), Unit.FLAG),
    Rule(F, "merged sources", Said("Merged sources", "Sources fusionnées"),
         Said("Sources merged before delivery, as the holder states",
              "Sources fusionnées avant livraison, selon le détenteur"), Unit.NUMBER, 0),
)  # fmt: skip
"""The scheme SCHEME."""

ELEMENT_WEIGHTS: Mapping[Element, int] = {A: 2, B: 3, C: 2, D: 1, E: 1, F: 1}

LEVELS = (Decimal("0.5"), Decimal("0.65"), Decimal("0.8"), Decimal("0.9"))
"""A score reaches one more level at each of these: level 1 to 5."""


@dataclass(frozen=True)
class Assessment:
    """`score` from 0 to 1 and `level` 1 to 5 of the whole; `elements` has the score of each that could be scored."""

    scheme: str
    score: Decimal
    level: int
    elements: Mapping[Element, Decimal]


def assess(label: QualityLabel) -> Assessment | None:
    """The levels of a label under its scheme; None if the scheme is another, or nothing was measured."""
    if label.scheme != SCHEME:
        return None
    values = {(m.element, m.name): m.value for m in label.metrics}
    scores = {element: _element(element, values) for element in Element}
    known = {element: score for element, score in scores.items() if score is not None}
    if not known:
        return None
    weight = sum(ELEMENT_WEIGHTS[element] for element in known)
    score = sum((known[e] * ELEMENT_WEIGHTS[e] for e in known), Decimal(0)) / weight
    return Assessment(SCHEME, score, level(score), known)


def level(score: Decimal) -> int:
    """1 to 5."""
    return 1 + sum(score >= threshold for threshold in LEVELS)


def _element(element: Element, values: Mapping[tuple[Element, str], Decimal]) -> Decimal | None:
    known = [(r, values.get((element, r.name))) for r in RULES if r.element is element]
    counted = [(r, value) for r, value in known if value is not None or r.stated]
    weight = sum(r.weight for r, _ in counted)
    scores = (Decimal(0) if value is None else r.score(value) * r.weight for r, value in counted)
    return sum(scores, Decimal(0)) / weight if weight else None
