"""The questions of the benchmark: each as a researcher sends it and as the unprotected SQL they would have written."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.domain.privacy import ContributionBounds


def _coded(name: str, kind: ColumnType, codes: list[str] | list[int], *, person_level: bool = False) -> Column:
    values = tuple(CodedValue(code, str(code)) for code in codes)
    return Column(name, kind, required=True, values=values, person_level=person_level)


REGION = _coded("region", ColumnType.CODE, [f"R{i:02d}" for i in range(13)])
AGE = _coded("age", ColumnType.INTEGER, list(range(0, 100, 10)), person_level=True)
SEX = _coded("sex", ColumnType.CODE, ["F", "M"], person_level=True)
DIAGNOSIS = Column("diagnosis", ColumnType.CODE, required=True)
DAYS = Column("days", ColumnType.INTEGER, required=True, bounds=Bounds(Decimal(0), Decimal(60)))

DICTIONARY = {
    "hospital": DatasetSchema(
        "hospital",
        (
            Table(
                "stays",
                TableKind.EVENTS,
                (REGION, AGE, SEX, DIAGNOSIS, DAYS),
                rows_per_person=5,
                groups_per_person=4,
                dimensions=(("region", "age"), ("region",), ("sex",)),
            ),
            Table("patients", TableKind.PERSONS, (SEX, AGE)),
        ),
    )
}


@dataclass(frozen=True)
class Question:
    """`limit` is the largest acceptable ratio to the unprotected query; `indexed` says if an index may be used."""

    name: str
    limit: float
    sql: str
    bounds: ContributionBounds
    plain: str
    indexed: bool = True


BY_REGION_AND_AGE = "SELECT region, age, COUNT(DISTINCT person) AS patients FROM stays GROUP BY region, age"
PLAIN_BY_REGION_AND_AGE = "SELECT region, age, count(DISTINCT person_key) FROM hospital.stays GROUP BY ALL"
ONE_DIAGNOSIS = "WHERE diagnosis = 'D010'"

QUESTIONS = (
    Question(
        "patients by region and age, declared",
        0.20,
        BY_REGION_AND_AGE,
        ContributionBounds(2, 1),
        PLAIN_BY_REGION_AND_AGE,
    ),
    Question(
        "the same ad hoc",
        0.35,
        BY_REGION_AND_AGE,
        ContributionBounds(2, 1),
        PLAIN_BY_REGION_AND_AGE,
        indexed=False,
    ),
    Question(
        "the same of one diagnosis",
        0.5,
        BY_REGION_AND_AGE.replace("GROUP", f"{ONE_DIAGNOSIS} GROUP"),
        ContributionBounds(2, 1),
        PLAIN_BY_REGION_AND_AGE.replace("GROUP", f"{ONE_DIAGNOSIS} GROUP"),
    ),
    Question(
        "mean stay by region",
        2.0,
        "SELECT region, AVG(days) AS mean FROM stays GROUP BY region",
        ContributionBounds(1, 5),
        "SELECT region, avg(days) FROM hospital.stays GROUP BY ALL",
    ),
    Question(
        "patients by diagnosis, groups unknown",
        0.5,
        "SELECT diagnosis, COUNT(DISTINCT person) AS patients FROM stays GROUP BY diagnosis",
        ContributionBounds(4, 1),
        "SELECT diagnosis, count(DISTINCT person_key) FROM hospital.stays GROUP BY ALL",
    ),
    Question(
        "quartiles of stay by sex",
        1.0,
        "SELECT sex, QUANTILE(days, 0.25) AS q1, MEDIAN(days) AS q2, QUANTILE(days, 0.75) AS q3"
        " FROM stays GROUP BY sex",
        ContributionBounds(1, 5),
        "SELECT sex, quantile_disc(days, [0.25, 0.5, 0.75]) FROM hospital.stays GROUP BY ALL",
    ),
    Question(
        "two tables joined on the person",
        0.8,
        "SELECT p.sex, s.region, COUNT(DISTINCT person) AS patients"
        " FROM stays s JOIN patients p ON p.person = s.person GROUP BY p.sex, s.region",
        ContributionBounds(2, 1),
        "SELECT p.sex, s.region, count(DISTINCT s.person_key) FROM hospital.stays s"
        " JOIN hospital.patients p ON s.person_key = p.person_key GROUP BY ALL",
    ),
)
