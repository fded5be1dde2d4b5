"""OMOP as a whole: recognised, complete, and the same as the plans under deploy/plans."""

from pathlib import Path

import pytest

from catalog.schema import ColumnType, TableKind
from pipelines.draft.form import DraftTable, LeftOut
from pipelines.draft.omop import KNOWN, TABLES, VERSIONS, is_omop, omop_table, tables_in, version_of
from pipelines.draft.omop_plans import plan_files
from pipelines.plan_file import load_plan

PLANS = Path(__file__).parents[3] / "deploy" / "plans"


@pytest.mark.parametrize(("file", "text"), plan_files(PLANS).items(), ids=lambda x: getattr(x, "name", ""))
def test_the_plans_are_what_the_generator_writes(file: Path, text: str) -> None:
    # python -m pipelines.draft.omop_plans deploy/plans
    assert file.read_text(encoding="utf-8") == text
    load_plan(file)


def test_a_delivery_is_recognised_by_its_tables_in_any_case() -> None:
    assert is_omop([t.upper() for t in TABLES])
    assert is_omop(["PERSON", "visit_occurrence", "condition_occurrence", "concept", "death"])
    assert not is_omop(["person", "concept", "visits"])


@pytest.mark.parametrize(
    ("said", "columns", "version"),
    [
        ("v5.3.1", (), "5.3"),
        ("5.4", (), "5.4"),
        ("", ("ADMITTED_FROM_CONCEPT_ID",), "5.4"),
        ("", ("admitting_source_concept_id",), "5.3"),
    ],
)
def test_the_version_is_what_the_delivery_says_or_looks_like(said: str, columns: tuple[str, ...], version: str) -> None:
    assert version_of(said, columns) == version


def test_the_versions_have_their_tables() -> None:
    assert len(tables_in("5.4")) == 39
    assert set(tables_in("5.4")) - set(tables_in("5.3")) == {"episode", "episode_event"}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_column_is_kept_or_left_out_for_a_reason(version: str) -> None:
    for name in tables_in(version):
        made = omop_table(name, version)
        if isinstance(made, LeftOut):
            assert made.why
            continue
        kept = {c.plan.name for c in made.columns}
        out = {o.name for o in made.left_out} | set(made.plan.identifiers)
        assert not kept & out
        assert all(o.why for o in made.left_out)
        assert (made.plan.person is None) == (made.plan.kind is TableKind.LOOKUP)


def test_facts_refer_to_tables_columns_and_reasons_that_exist() -> None:
    for table, entry in TABLES.items():
        for column, fact in entry.get("columns", {}).items():
            if "out" in fact:
                assert fact["out"] in KNOWN["reasons"], f"{table}.{column}"
            if "references" in fact:
                target, _, code = fact["references"].partition(".")
                assert code in TABLES[target]["columns"], f"{table}.{column}"


def test_what_names_persons_or_professionals_is_not_in_a_plan() -> None:
    for version in VERSIONS:
        tables = [t for n in tables_in(version) if isinstance(t := omop_table(n, version), DraftTable)]
        stored = {(t.plan.name, c.plan.name) for t in tables for c in t.columns}
        assert not {
            (t, c) for t, c in stored if c.endswith("source_value") or c in ("note_text", "provider_name", "npi")
        }
        free = {(t.plan.name, c.plan.name) for t in tables for c in t.columns if c.plan.column.type is ColumnType.TEXT}
        assert {t for t, _ in free} <= {t.plan.name for t in tables if t.plan.kind is TableKind.LOOKUP}
