"""What a holder may demand in `[[tables.NAME.checks]]`, and how a mistake is told."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.schema import Column, ColumnType, TableKind
from pipelines.errors import PlanError
from pipelines.plan import Check, ColumnPlan, Plan, SourcePlan, TablePlan
from pipelines.plan_checks import KINDS, check_fits, check_targets, parse_check
from pipelines.plan_section import Section
from pipelines.quality.conditions import check_condition

TYPES = {"cost": "DOUBLE", "nights": "BIGINT", "day": "DATE", "ward": "VARCHAR"}


def section(text: str) -> Section:
    return Section(tomllib.loads(text, parse_float=Decimal), (), text, "plan.toml")


def parsed(text: str) -> Check:
    return parse_check(section(f'name = "a check"\n{text}'))


def table(*checks: Check, kind: TableKind = TableKind.EVENTS, name: str = "stay") -> TablePlan:
    types = {
        "cost": ColumnType.DECIMAL, "nights": ColumnType.INTEGER, "day": ColumnType.DATE, "ward": ColumnType.CODE,
    }  # fmt: skip
    columns = tuple(ColumnPlan(Column(name, type_), name) for name, type_ in types.items())
    return TablePlan(name, kind, name, columns, person="person_id", checks=checks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('order = ["day", "day"]', {"columns": ("day", "day")}),
        ('unique = ["day"]', {"columns": ("day",), "per_person": False}),
        ('unique = ["person", "day"]', {"columns": ("day",), "per_person": True}),
        ('complete = "ward"\nat_least = 0.9', {"columns": ("ward",), "at_least": Decimal("0.9")}),
        ('between = "cost"\nlow = 0\nhigh = 9.5', {"low": 0, "high": Decimal("9.5")}),
        ('one_of = "nights"\nvalues = [1, 2]', {"columns": ("nights",), "values": (1, 2)}),
        ('matches = "ward"\npattern = "[A-Z]+"', {"text": "[A-Z]+"}),
        ('holds = """nights = 0\n OR cost > 0"""', {"text": "nights = 0 OR cost > 0", "columns": ()}),
        ('found_in = "ward"\ntable = "ward"\nkey = "code"', {"table": "ward", "keys": ("code",)}),
        ('fresh = "day"\ndays = 400', {"columns": ("day",), "high": 400}),
        ("rows = [1, 10]", {"low": 1, "high": 10}),
        ('rows = [1, 10]\non_failure = "stop"', {"stop": True}),
    ],
)
def test_every_kind_is_read(text: str, expected: dict[str, object]) -> None:
    check = parsed(text)
    assert {name: getattr(check, name) for name in expected} == expected
    assert check.kind == text.split(" = ")[0]


def test_the_page_of_the_module_names_every_kind() -> None:
    from pipelines import plan_checks

    assert all(f"    {kind} = " in str(plan_checks.__doc__) for kind in KINDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('form = "x"', "a check has one of the keys"),
        ('order = ["day"]', "names two columns"),
        ('unique = ["person"]', "at least one column"),
        ('between = "cost"', "needs low, high, or both"),
        ('between = "cost"\nlow = 3\nhigh = 2', "above high"),
        ('between = "cost"\nlow = true', "a number or a date"),
        ('one_of = "ward"\nvalues = []', "a list of texts or whole numbers"),
        ('one_of = "ward"\nvalues = [true]', "a list of texts or whole numbers"),
        ('matches = "ward"\npattern = "(?=x)"', "not a regular expression of RE2"),
        ('found_in = ["ward", "day"]\ntable = "x"\nkey = "code"', "for each column"),
        ('fresh = "day"\ndays = -1', "not below zero"),
        ("rows = [10, 1]", "the fewest rows and the most"),
        ("rows = [1, 10]\nat_least = 0.5", "unknown key"),
        ('complete = "ward"\nat_least = 2', "a share from 0 to 1"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said) as failure:
        parsed(text)
    assert str(failure.value).startswith("plan.toml")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check("c", "complete", ("nobody",)), "which this table has not"),
        (Check("c", "matches", ("nights",), text="x"), "which is of type integer"),
        (Check("c", "fresh", ("ward",), high=3), "which is of type code"),
        (Check("c", "between", ("day",), low=3), "limits and values"),
        (Check("c", "one_of", ("nights",), values=("a",)), "limits and values"),
        (Check("c", "holds", text="nobody > 1"), "names column 'nobody'"),
    ],
)
def test_a_check_must_fit_its_table(check: Check, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        check_fits(check, table(check), section("checks = []"))


def test_a_lookup_table_has_no_person() -> None:
    check = Check("c", "unique", ("day",), per_person=True)
    check_fits(check, table(check), section("checks = []"))
    with pytest.raises(PlanError, match="a lookup table has none"):
        check_fits(check, table(check, kind=TableKind.LOOKUP), section("checks = []"))


@pytest.mark.parametrize(
    ("target", "key", "said"), [("nowhere", "code", "no table of this plan"), ("stay", "code", "has no column 'code'")]
)
def test_a_reference_must_lead_somewhere(target: str, key: str, said: str) -> None:
    check = Check("c", "found_in", ("ward",), table=target, keys=(key,))
    plan = Plan(Path("p"), "", "d", "D", "", {}, SourcePlan("csv", "."), "tests", (), (table(check),))
    with pytest.raises(PlanError, match=said):
        check_targets(plan, section("[tables.stay]\nchecks = []"))


@pytest.mark.parametrize(
    "condition",
    [
        "nights = 0 OR cost > 0",
        "day > DATE '2020-01-01' AND ward LIKE 'A%'",
        "CASE WHEN nights > 1 THEN cost > 0 ELSE true END",
        "try_cast(ward AS BIGINT) > 3",
        "coalesce(nights, 0) BETWEEN 0 AND 9 AND ward IN ('A', 'B')",
    ],
)
def test_conditions_about_the_row_are_allowed(condition: str) -> None:
    check_condition(condition, TYPES)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("1) FROM range(3) WHERE (1=1", "not one SQL expression"),
        ("nights = 1; DROP TABLE stay", "not one SQL expression"),
        ("nights = 1 --", "not one SQL expression"),
        ("nights > 1) AS a, (SELECT 2", "not one SQL expression"),
        ("nights > ALL (SELECT 1)", "subquery"),
        ("EXISTS (SELECT 1)", "subquery"),
        ("read_text('/etc/passwd') = 'a'", "calls 'read_text'"),
        ("now() > day", "calls 'now'"),
        ("random() < 0.5", "calls 'random'"),
        ("count(*) > 1", "calls 'count_star'"),
        ("sum(cost) OVER () > 1", "window aggregate"),
        ("$1 = 2", "parameter"),
        ("COLUMNS('.*') > 1", "star"),
        ("CAST(ward AS BIGINT) > 3", "write TRY_CAST"),
        ("other.nights > 1", "which this table has not"),
        ("cost > 'a'", "types do not fit"),
        ("regexp_matches(ward, '[')", "types do not fit"),
        ("nights + 1", "not true or false"),
    ],
)
def test_conditions_about_anything_else_are_refused(condition: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_condition(condition, TYPES)
