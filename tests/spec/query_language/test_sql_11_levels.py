"""ROLLUP, CUBE and GROUPING SETS: totals that add up, and a column that says what a row is the total of."""

from decimal import Decimal
from typing import Any

import pytest

from dataspace.domain.errors import InvalidQuery
from dataspace.domain.privacy import ByEpsilon, ContributionBounds
from dataspace.dp.bounding import aggregate
from dataspace.dp.engine import measure
from dataspace.dp.noise import OpenDPNoise, ZeroNoise
from dataspace.dp.plan import plan_query
from dataspace.dp.shape import presented
from dataspace.sql import parse_query
from tests.reference.dp_cases import GUARANTEE, KEY
from tests.reference.sql_cases import DICTIONARY, database
from tests.spec.query_language.test_sql_10_analyses import CONDITIONS, DRUGS, PEOPLE, Records


def table(sql: str, *, noisy: bool = False, bounds: ContributionBounds | None = None) -> list[tuple[Any, ...]]:
    """Columns in the order of the SELECT list, the value of each estimate."""
    records = Records(database({"person": PEOPLE, "condition_occurrence": CONDITIONS, "drug_exposure": DRUGS}))
    plan = plan_query(parse_query(sql, DICTIONARY), DICTIONARY, ByEpsilon(Decimal(20)), GUARANTEE, bounds)
    release = measure(plan, aggregate(records, plan, KEY), OpenDPNoise() if noisy else ZeroNoise())  # type: ignore[arg-type]
    release = presented(release, plan.query)
    names = (*release.key_names, *release.aggregate_names)
    rows = [dict(zip(names, (*r.keys, *(e.value for e in r.estimates)), strict=True)) for r in release.rows]
    return [tuple(row[name] for name in release.output) for row in rows]


OLD = "year_of_birth < 1960 AS old"


def test_rollup_adds_totals_of_the_keys_from_the_last_to_the_first() -> None:
    sql = f"SELECT sex, {OLD}, COUNT(DISTINCT person) FROM person WHERE sex IS NOT NULL GROUP BY ROLLUP(sex, old)"
    assert [(row[0], row[1], round(row[2], 6), row[3]) for row in table(sql)] == [
        ("F", False, 0, "sex, old"),
        ("F", True, 2, "sex, old"),
        ("F", None, 2, "sex"),
        ("M", False, 2, "sex, old"),
        ("M", True, 1, "sex, old"),
        ("M", None, 3, "sex"),
        (None, None, 5, "all"),
    ]


def test_the_level_tells_a_total_from_a_group_without_a_value() -> None:
    rows = table("SELECT sex, COUNT(*) AS n FROM person GROUP BY ROLLUP(sex)")
    assert [(row[0], round(row[1], 6), row[2]) for row in rows] == [
        ("F", 2, "sex"),
        ("M", 3, "sex"),
        (None, 1, "sex"),
        (None, 6, "all"),
    ]


def test_cube_has_every_combination_and_grouping_sets_only_those_named() -> None:
    select = f"SELECT {OLD}, sex, COUNT(*) FROM person WHERE sex IS NOT NULL GROUP BY "
    assert {row[3] for row in table(select + "CUBE(sex, old)")} == {"old, sex", "sex", "old", "all"}
    named = table(select + "GROUPING SETS ((sex), old)")
    assert sorted((row[3], str(row[0] if row[3] == "old" else row[1]), round(row[2], 6)) for row in named) == [
        ("old", "False", 2), ("old", "True", 3), ("sex", "F", 2), ("sex", "M", 3),
    ]  # fmt: skip
    assert {row[3] for row in table(select + "sex, ROLLUP(old)")} == {"old, sex", "sex"}


def test_means_sums_and_rates_of_a_total_are_those_of_all_its_records() -> None:
    sql = (
        "SELECT sex, AVG(days_supply), SUM(days_supply), COUNT(days_supply) FROM drug_exposure d "
        "JOIN person p ON p.person = d.person WHERE sex IS NOT NULL GROUP BY ROLLUP(sex)"
    )
    rows = {row[4] if row[0] is None else row[0]: row[1:4] for row in table(sql, bounds=ContributionBounds(1, 1))}
    assert rows["F"][1:] == (pytest.approx(120), pytest.approx(2))
    assert rows["all"][1:] == (pytest.approx(300), pytest.approx(4))


def test_noisy_totals_are_the_sums_of_their_noisy_groups() -> None:
    rows = table(f"SELECT sex, {OLD}, COUNT(*) FROM person GROUP BY CUBE(sex, old)", noisy=True)
    finest = [row for row in rows if row[3] == "sex, old"]
    for sex, old, total, level in rows:
        parts = [n for s, o, n, _ in finest if (s == sex or "sex" not in level) and (o == old or "old" not in level)]
        assert total == pytest.approx(sum(parts), abs=1e-6)


def test_the_same_levels_in_other_words_are_the_same_question() -> None:
    first = parse_query("SELECT sex, year_of_birth > 1960 AS y, COUNT(*) FROM person GROUP BY CUBE(sex, y)", DICTIONARY)
    second = parse_query(
        "SELECT year_of_birth > 1960 AS born, sex, COUNT(*) AS n FROM person "
        "GROUP BY GROUPING SETS ((), (sex), (born), (sex, born))",
        DICTIONARY,
    )
    plain = parse_query("SELECT sex, year_of_birth > 1960 AS y, COUNT(*) FROM person GROUP BY sex, y", DICTIONARY)
    assert first.fingerprint == second.fingerprint != plain.fingerprint
    assert second.output == ("born", "sex", "n", "level")


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("SELECT sex, MEDIAN(year_of_birth) FROM person GROUP BY ROLLUP(sex)", "do not add up"),
        ("SELECT year(drug_exposure_start_date) AS y, COUNT(DISTINCT person) FROM drug_exposure GROUP BY ROLLUP(y)",
         "several of these groups"),
        ("SELECT condition_concept_id AS c, COUNT(*) FROM condition_occurrence GROUP BY ROLLUP(c)", "known beforehand"),
        ("SELECT sex, CHI_SQUARE(year_of_birth > 1950, year_of_birth > 1960) FROM person GROUP BY ROLLUP(sex)",
         "at one level"),
        ("SELECT sex AS level, COUNT(*) FROM person GROUP BY ROLLUP(sex)", "column 'level' of its own"),
        ("SELECT sex, COUNT(*) FROM person GROUP BY sex WITH ROLLUP", "with rollup"),
        ("SELECT COUNT(*) FROM person GROUP BY GROUPING SETS (())", "name no key"),
        ("SELECT sex, COUNT(*) FROM person WHERE (sex, sex) = (1, 2) GROUP BY sex", "TUPLE"),
        ("SELECT COUNT(*) FROM (SELECT person, sex FROM person GROUP BY ROLLUP(person, sex)) x", "ROLLUP"),
    ],
)  # fmt: skip
def test_refusals(sql: str, problem: str) -> None:
    bounds = ContributionBounds(2, 1)
    with pytest.raises(InvalidQuery) as refusal:
        plan_query(parse_query(sql, DICTIONARY), DICTIONARY, ByEpsilon(Decimal(1)), GUARANTEE, bounds)
    assert problem in refusal.value.message
