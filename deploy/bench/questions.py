"""The questions of the benchmark: each as a validated query and as the unprotected SQL a user would have written."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.schema import Bounds, ColumnType, DatasetSchema, Table, TableKind
from dataspace.domain.privacy import ContributionBounds
from dataspace.domain.queries import Aggregate, AggregateKind, GroupKey, Query

STAYS = '"hospital"."stays"'
DICTIONARY = {
    "hospital": DatasetSchema(
        "hospital",
        (
            Table("stays", TableKind.EVENTS, (), rows_per_person=5, groups_per_person=4),
            Table("patients", TableKind.PERSONS, ()),
        ),
    )
}

REGION = GroupKey("region", ColumnType.CODE, tuple(f"R{i:02d}" for i in range(13)))
AGE = GroupKey("age", ColumnType.INTEGER, tuple(range(0, 100, 10)), person_level=True)
SEX = GroupKey("sex", ColumnType.CODE, ("F", "M"), person_level=True)
DIAGNOSIS = GroupKey("diagnosis", ColumnType.CODE, None)
STAY = Bounds(Decimal(0), Decimal(60))
PATIENTS = (Aggregate("patients", AggregateKind.PERSONS),)


@dataclass(frozen=True)
class Question:
    """`limit` is the largest ratio to the unprotected query that is acceptable."""

    name: str
    limit: float
    query: Query
    bounds: ContributionBounds
    plain: str


def _query(
    rows: str, keys: tuple[GroupKey, ...], aggregates: tuple[Aggregate, ...], tables: tuple[str, ...] = ("stays",)
) -> Query:
    names = (*(key.name for key in keys), *(a.name for a in aggregates))
    return Query(rows, rows, tuple(("hospital", t) for t in tables), frozenset(), keys, aggregates, names)


def _quartile(share: str) -> Aggregate:
    return Aggregate(f"q{share}", AggregateKind.QUANTILE, 0, STAY, quantile=Decimal(share))


QUESTIONS = (
    Question(
        "patients by region and age",
        0.35,
        _query(f"SELECT person_key, region AS k0, age AS k1 FROM {STAYS}", (REGION, AGE), PATIENTS),
        ContributionBounds(2, 1),
        f"SELECT region, age, count(DISTINCT person_key) FROM {STAYS} GROUP BY ALL",
    ),
    Question(
        "the same of one diagnosis",
        0.5,
        _query(
            f"SELECT person_key, region AS k0, age AS k1 FROM {STAYS} WHERE diagnosis = 'D010'", (REGION, AGE), PATIENTS
        ),
        ContributionBounds(2, 1),
        f"SELECT region, age, count(DISTINCT person_key) FROM {STAYS} WHERE diagnosis = 'D010' GROUP BY ALL",
    ),
    Question(
        "mean stay by region",
        2.0,
        _query(
            f"SELECT person_key, region AS k0, CAST(days AS DOUBLE) AS v0 FROM {STAYS}",
            (REGION,),
            (Aggregate("mean", AggregateKind.MEAN, 0, STAY),),
        ),
        ContributionBounds(1, 5),
        f"SELECT region, avg(days) FROM {STAYS} GROUP BY ALL",
    ),
    Question(
        "patients by diagnosis, groups unknown",
        0.5,
        _query(f"SELECT person_key, diagnosis AS k0 FROM {STAYS}", (DIAGNOSIS,), PATIENTS),
        ContributionBounds(4, 1),
        f"SELECT diagnosis, count(DISTINCT person_key) FROM {STAYS} GROUP BY ALL",
    ),
    Question(
        "quartiles of stay by sex",
        1.0,
        _query(
            f"SELECT person_key, sex AS k0, CAST(days AS DOUBLE) AS v0 FROM {STAYS}",
            (SEX,),
            (_quartile("0.25"), _quartile("0.5"), _quartile("0.75")),
        ),
        ContributionBounds(1, 5),
        f"SELECT sex, quantile_disc(days, [0.25, 0.5, 0.75]) FROM {STAYS} GROUP BY ALL",
    ),
    Question(
        "two tables joined on the person",
        0.8,
        _query(
            f'SELECT s.person_key, p.sex AS k0, s.region AS k1 FROM {STAYS} AS s JOIN "hospital"."patients" AS p '
            "ON s.person_key = p.person_key",
            (SEX, REGION),
            PATIENTS,
            ("stays", "patients"),
        ),
        ContributionBounds(2, 1),
        f'SELECT p.sex, s.region, count(DISTINCT s.person_key) FROM {STAYS} AS s JOIN "hospital"."patients" AS p '
        "ON s.person_key = p.person_key GROUP BY ALL",
    ),
)
