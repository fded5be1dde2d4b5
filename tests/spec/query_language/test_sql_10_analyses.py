"""Statistical analyses: survival, incidence, two-way tables, regression. One in a query, beside its groups."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dataspace.domain.errors import InvalidPrice, InvalidQuery
from dataspace.domain.privacy import ByAccuracy, ByEpsilon, Price
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import ZeroNoise
from dataspace.dp.plan import MeasurementPlan, plan_query
from dataspace.sql import parse_query
from tests.reference.dp_cases import GUARANTEE, KEY, without_noise
from tests.reference.sql_cases import DICTIONARY, database

FIRST_FLU = (
    "(SELECT person, MIN(condition_start_date) AS flu FROM condition_occurrence WHERE condition_concept_id = 10 "
    "GROUP BY person)"
)


class Records:
    """One bucket of the records below."""

    buckets = 1

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def scan(self, sql: str, bucket: int, lookups: Mapping[str, pa.Table] | None = None) -> pa.Table:  # noqa: ARG002
        return self.connection.sql(sql).to_arrow_table()


PEOPLE = [(1, "F", 1950), (2, "M", 1980), (3, None, 2001), (4, "F", 1958), (5, "M", 1962), (6, "M", 1941)]
CONDITIONS = [
    (1, 10, date(2010, 1, 1)),
    (1, 10, date(2010, 1, 20)),
    (1, 12, date(2012, 5, 5)),
    (2, 10, date(2011, 1, 1)),
    (4, 12, date(2011, 6, 30)),
    (5, 10, date(2012, 12, 31)),
    (6, 10, date(1999, 1, 1)),
]
DRUGS = [
    (1, 50, 30, date(2012, 4, 25), 1.5),
    (2, 51, 60, date(2010, 2, 1), 2.0),
    (4, 50, 90, date(2013, 1, 1), 40.0),
    (5, 50, 120, date(2013, 1, 1), 41.0),
    (6, 50, None, date(2013, 1, 1), 41.0),
]


def plan_of(sql: str, price: Price | None = None) -> MeasurementPlan:
    return plan_query(parse_query(sql, DICTIONARY), DICTIONARY, price or ByEpsilon(Decimal(1)), GUARANTEE)


@pytest.fixture(scope="module")
def table() -> Callable[[str], list[tuple[Any, ...]]]:
    """The exact answer: columns in the order of the SELECT list, the value of each estimate."""
    records = Records(database({"person": PEOPLE, "condition_occurrence": CONDITIONS, "drug_exposure": DRUGS}))

    def ask(sql: str) -> list[tuple[Any, ...]]:
        plan = without_noise(plan_of(sql))
        release = measure(plan, aggregate(records, plan, KEY), ZeroNoise())  # type: ignore[arg-type]
        names = (*release.key_names, *release.aggregate_names)
        rows = [dict(zip(names, (*r.keys, *(e.value for e in r.estimates)), strict=True)) for r in release.rows]
        return [tuple(row[name] for name in release.output) for row in rows]

    return ask


def test_kaplan_meier_gives_survival_at_the_end_of_each_step(table):
    sql = (
        "SELECT KAPLAN_MEIER(date_diff('year', DATE '2010-01-01', COALESCE(flu, DATE '2013-01-01')), "
        "flu IS NOT NULL, 3, 1) "
        f"FROM person p LEFT JOIN {FIRST_FLU} AS f ON f.person = p.person WHERE year_of_birth > 1945"
    )
    assert table(sql) == [
        (1, pytest.approx(3 / 5), 5.0, 2.0),
        (2, pytest.approx(3 / 5 * 2 / 3), 3.0, 1.0),
        (3, pytest.approx(3 / 5 * 2 / 3), 2.0, 0.0),
    ]


def test_an_analysis_is_made_for_each_group(table):
    sql = (
        "SELECT sex, KAPLAN_MEIER(2020 - year_of_birth, sex = 'F', 80, 40) FROM person "
        "WHERE sex IN ('F', 'M') GROUP BY sex"
    )
    assert [row[:2] + row[3:] for row in table(sql)] == [
        ("F", 40, 2.0, 0.0),
        ("F", 80, 2.0, 2.0),
        ("M", 40, 3.0, 0.0),
        ("M", 80, 2.0, 0.0),
    ]


def test_incidence_splits_person_time_over_the_calendar(table):
    sql = (
        "SELECT INCIDENCE(DATE '2010-01-01', DATE '2012-12-31', flu, 'year', DATE '2010-01-01', DATE '2013-01-01') "
        f"FROM person p LEFT JOIN {FIRST_FLU} AS f ON f.person = p.person"
    )
    found = table(sql)
    # 1 and 6 were ill before or on their first day, 2 on the first day of 2011, 5 on the last day of all
    assert [(row[0], row[2], round(row[3] * 365.25)) for row in found] == [
        (date(2010, 1, 1), 1.0, 4 * 365),
        (date(2011, 1, 1), 1.0, 3 * 365),
        (date(2012, 1, 1), 1.0, 3 * 365),
    ]
    assert found[1][1] == pytest.approx(1 / (3 * 365) * 365.25)


def test_incidence_by_month_and_quarter_starts_where_it_is_told(table):
    sql = (
        "SELECT INCIDENCE(flu, flu + 40, NULLIF(flu, flu), '{}', DATE '2011-01-10', DATE '2011-04-20') "
        f"FROM {FIRST_FLU} AS f"
    )
    assert [row[0] for row in table(sql.format("quarter"))] == [date(2011, 1, 10), date(2011, 4, 1)]
    months = table(sql.format("month"))
    # at risk from 1 January to 9 February 2011
    assert [round(row[3] * 365.25) for row in months] == [22, 9, 0, 0]


def test_chi_square_shows_the_table_and_the_test(table):
    sql = "SELECT CHI_SQUARE(sex, year_of_birth > 1955) FROM person"
    found = table(sql)
    assert [row[:4] for row in found] == [
        ("F", False, 1.0, pytest.approx(0.8)),
        ("F", True, 1.0, pytest.approx(1.2)),
        ("M", False, 1.0, pytest.approx(1.2)),
        ("M", True, 2.0, pytest.approx(1.8)),
    ]
    statistic = 0.04 * (1 / 0.8 + 2 / 1.2 + 1 / 1.8)
    assert [row[4:6] for row in found] == [(pytest.approx(statistic), 1.0)] * 4
    assert found[0][6] > 0.5


def test_linear_regression_gives_coefficients_in_the_units_of_the_variables(table):
    sql = (
        "SELECT LINEAR_REGRESSION(CLAMP(x, 0, 400), CLAMP(born, 1940, 1990)) FROM (SELECT p.person, 7000 - 3.5 * "
        "year_of_birth AS x, year_of_birth AS born FROM person p WHERE year_of_birth < 1990) AS d"
    )
    [intercept, slope] = table(sql)
    assert intercept == ("(intercept)", pytest.approx(7000, rel=1e-3))
    assert slope == ("born", pytest.approx(-3.5, rel=1e-3))


def test_conditions_are_variables_of_zero_and_one(table):
    sql = "SELECT LINEAR_REGRESSION(year_of_birth, sex = 'F') FROM person"
    assert table(sql)[1] == ("sex = 'F'", pytest.approx((1950 + 1958) / 2 - (1980 + 1962 + 1941) / 3, rel=1e-3))


def test_logistic_regression_gives_log_odds_ratios(table):
    sql = "SELECT LOGISTIC_REGRESSION(year_of_birth > 1955, sex = 'F') FROM person WHERE sex IS NOT NULL"
    [intercept, female] = table(sql)
    assert intercept[1:] == (pytest.approx(0.693, abs=0.01), pytest.approx(2, rel=0.01))
    assert female[1:] == (pytest.approx(-0.693, abs=0.01), pytest.approx(0.5, rel=0.01))


@pytest.mark.parametrize(
    ("sql", "problem", "advice"),
    [
        ("SELECT KAPLAN_MEIER(dose, dose > 1, 10, 1) FROM drug_exposure", "one row of each person", "sub-query"),
        ("SELECT KAPLAN_MEIER(1, 2 > 1, 10, 3) FROM person", "1 to 1,000 steps", "multiple of the step"),
        ("SELECT KAPLAN_MEIER(1, 2 > 1, 10, year_of_birth) FROM person", "are constants", "3650, 30"),
        ("SELECT KAPLAN_MEIER(sex, 2 > 1, 10, 1) FROM person", "Text is used", "CAST"),
        ("SELECT KAPLAN_MEIER(year_of_birth) FROM person", "another number of arguments", "horizon"),
        ("SELECT COUNT(*), CHI_SQUARE(sex, sex = 'F') FROM person", "stands alone", "query of their own"),
        ("SELECT CHI_SQUARE(sex, sex) FROM person", "variable twice", "once"),
        ("SELECT CHI_SQUARE(sex, year_of_birth) FROM person", "2 to 20 values", "BIN"),
        ("SELECT CHI_SQUARE(sex, year_of_birth > 1955) + 1 FROM person", "computes with an analysis", "alone"),
        ("SELECT CHI_SQUARE(sex, year_of_birth > 1955) FILTER (WHERE sex = 'F') FROM person", "no FILTER", "WHERE"),
        ("SELECT LINEAR_REGRESSION(year_of_birth, sex) FROM person", "no place in a regression", "sex = 'F'"),
        ("SELECT LINEAR_REGRESSION(year_of_birth, 1) FROM person", "a constant", "intercept"),
        ("SELECT LINEAR_REGRESSION(year_of_birth, year_of_birth) FROM person", "variable twice", "once"),
        ("SELECT LINEAR_REGRESSION(n, year_of_birth) FROM person JOIN (SELECT person, SUM(drug_concept_id) AS n FROM "
         "drug_exposure GROUP BY person) d USING (person)", "no bounds", "CLAMP"),
        ("SELECT LOGISTIC_REGRESSION(year_of_birth, sex = 'F') FROM person", "condition is needed", "x = 1"),
        ("SELECT INCIDENCE(1, 2, 3, 'year', DATE '2010-01-01', DATE '2011-01-01') FROM person", "date is needed", ""),
        ("SELECT INCIDENCE(flu, flu, flu, 'day', DATE '2010-01-01', DATE '2011-01-01') FROM " + FIRST_FLU + " f",
         "not a unit", "'year'"),
        ("SELECT INCIDENCE(flu, flu, flu, 'year', DATE '2011-01-01', DATE '2011-01-01') FROM " + FIRST_FLU + " f",
         "do not span", "first day that is not counted"),
        ("SELECT sex AS time, KAPLAN_MEIER(year_of_birth, sex = 'F', 10, 1) FROM person GROUP BY 1",
         "same name", "another alias"),
        ("SELECT sex, KAPLAN_MEIER(year_of_birth, sex = 'F', 10, 1) FROM person GROUP BY 1 ORDER BY 1",
         "order of its own", "Sort"),
        ("SELECT c, KAPLAN_MEIER(1, 2 > 1, 10, 1) FROM (SELECT person, MIN(condition_concept_id) AS c FROM "
         "condition_occurrence GROUP BY person) x GROUP BY c", "not known beforehand", "code list"),
        ("SELECT sex FROM person WHERE CHI_SQUARE(sex, sex) > 1", "", ""),
    ],
)  # fmt: skip
def test_refusals_say_what_to_write_instead(sql: str, problem: str, advice: str) -> None:
    with pytest.raises(InvalidQuery) as refusal:
        parse_query(sql, DICTIONARY)
    assert problem in refusal.value.message
    assert advice in (refusal.value.hint or "")
    assert refusal.value.line == 1


def test_an_analysis_is_not_bought_by_accuracy() -> None:
    with pytest.raises(InvalidPrice, match="Ask by epsilon"):
        plan_of("SELECT CHI_SQUARE(sex, year_of_birth > 1955) FROM person", ByAccuracy(Decimal(10)))


def test_too_many_groups_are_refused_before_anything_is_paid() -> None:
    sql = "SELECT year_of_birth AS y, CHI_SQUARE(sex, BIN(2000 - year_of_birth, 0, 100, 1)) FROM person GROUP BY y"
    with pytest.raises(InvalidQuery):
        plan_of(sql)


def test_the_same_analysis_in_other_words_is_the_same_question() -> None:
    first = plan_of("SELECT sex, KAPLAN_MEIER(2020 - year_of_birth, sex = 'F', 80, 40) FROM person GROUP BY sex")
    again = plan_of(
        "select p.sex as s, kaplan_meier((2020) - p.year_of_birth, 'F' = p.sex, 80.0, 4e1) km from person p group by s"
    )
    other = plan_of("SELECT sex, KAPLAN_MEIER(2020 - year_of_birth, sex = 'F', 80, 20) FROM person GROUP BY sex")
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert again.query.output == ("s", "time", "survival", "at_risk", "events")
