"""Plans: what a good one becomes, and what a bad one is told."""

from decimal import Decimal
from pathlib import Path

import pytest

from catalog.schema import CodedValue, ColumnType, TableKind
from pipelines.errors import PlanError
from pipelines.plan_file import load_plan, parse_plan
from tests.unit.pipelines.deliveries import PLAN

FILE = Path("clinic.toml")


def test_a_plan_becomes_a_data_dictionary() -> None:
    schema = parse_plan(PLAN, FILE).schema()
    assert [t.name for t in schema] == ["person", "stay", "ward"]
    assert schema.table["person"].kind is TableKind.PERSONS
    assert schema.table["person"].column["sex"].values == (CodedValue("F", "Female"), CodedValue("M", "Male"))
    assert schema.table["stay"].column["cost"].step == Decimal("0.01")
    assert schema.table["stay"].column["cost"].type is ColumnType.DECIMAL


def test_columns_of_a_table_of_persons_are_person_level() -> None:
    schema = parse_plan(PLAN, FILE).schema()
    assert all(c.person_level for c in schema.table["person"].columns)
    assert not any(c.person_level for c in schema.table["stay"].columns)


def test_the_hash_is_of_the_content_not_of_the_spelling() -> None:
    plan = parse_plan(PLAN, FILE)
    assert parse_plan("# a comment\n" + PLAN, FILE).hash == plan.hash
    assert parse_plan(PLAN.replace("step = 0.01", "step = 0.1"), FILE).hash != plan.hash


def test_the_person_and_identifier_columns_are_read_and_not_stored() -> None:
    person = parse_plan(PLAN, FILE).table["person"]
    assert person.delivered == ("person_id", "full_name", "sex", "birth_date")
    assert [c.name for c in person.columns] == ["sex", "year_of_birth"]


def line_of(text: str, wanted: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if wanted in line)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('type = "date"', 'type = "dat"', 'type = "dat"', "'dat' is not known"),
        ("required = true", "requird = true", "requird", "Did you mean 'required'?"),
        ("required = true", 'required = "yes"', 'required = "yes"', "is true or false"),
        ("bounds = [0, 10000]", "bounds = [10, 0]", "[tables.stay.columns.cost]", "above upper bound"),
        ("bounds = [0, 10000]", "bounds = [0]", "bounds = [0]", "a list of two"),
        ("bounds = [0, 10000]", 'bounds = ["a", "b"]', 'bounds = ["a"', "two numbers"),
        ("bounds = [2000-01-01, 2025-12-31]", "bounds = [1, 2]", "bounds = [1, 2]", "two dates"),
        ("step = 0.01", "step = 0", "[tables.stay.columns.cost]", "step must be above zero"),
        ("required = true", "decimal_comma = true", "decimal_comma", "has no decimals"),
        ('generalise = "year"', 'generalise = "century"', "century", "Choose one of year"),
        ('generalise = "year"', 'generalise = "month"', 'generalise = "month"', "does not make a column"),
        ('id = "clinic"', 'id = "The Clinic"', "The Clinic", "lower-case letters"),
        ('id = "clinic"', 'id = "main"', 'id = "main"', "taken by the query engine"),
        ('format = "duckdb"', 'format = "excel"', "excel", "Choose one of csv"),
        ("threshold = 0.5", "threshold = 5", "threshold = 5", "a share from 0 to 1"),
        ('table = "ward"', 'table = "wards"', "[tables.stay.columns.ward]", "no lookup table"),
        ('label = "name"', 'label = "nom"', "[tables.stay.columns.ward]", "column 'nom'"),
        ("[tables.stay.columns.nights]", "[tables.stay.columns.person_key]", "person_key]", "reserved"),
        ("[tables.stay.columns.nights]\n", "[tables.stay.columns.n]\nsource = 'person_id'\n", "source = 'p", "direct"),
        ('columns.ward]\ntype = "code"', 'columns.ward]\ntype = "text"', 'type = "text"', "free text"),
        ("rows_per_person = 5", "rows_per_person = 0", "[tables.stay]", "start at 1"),
        ('normalise = ["no-spaces", "upper"]', 'normalise = ["rot13"]', "rot13", "Choose among"),
    ],
)  # fmt: skip
def test_a_complaint_names_the_line_and_the_mend(old: str, new: str, key: str, said: str) -> None:
    text = PLAN.replace(old, new, 1)
    assert text != PLAN
    with pytest.raises(PlanError) as caught:
        parse_plan(text, FILE)
    assert said in str(caught.value)
    assert caught.value.line == line_of(text, key), str(caught.value)


def test_a_dataset_has_one_table_of_persons() -> None:
    second = '\n[tables.staff]\nkind = "persons"\nperson = "staff_id"\n[tables.staff.columns.role]\ntype = "code"\n'
    with pytest.raises(PlanError, match="at most one"):
        parse_plan(PLAN + second, FILE)


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"clinic.toml:3: not TOML"):
        parse_plan('\n[dataset]\nid = "clinic\n', FILE)
    with pytest.raises(PlanError, match="No such file"):
        load_plan(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(PlanError, match="not UTF-8"):
        load_plan(tmp_path / "latin.toml")


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="dataset: is missing"):
        parse_plan("", FILE)


def test_the_plan_of_the_demonstration_loads() -> None:
    plan = load_plan(Path(__file__).parents[3] / "deploy" / "demo" / "gibleed.toml")
    described = [c for table in plan.schema() for c in table.columns]
    assert all(c.title and c.description for c in described)
    assert plan.persons is not None
    assert plan.persons.column["year_of_birth"].generalise == "year"
