"""`python -m pipelines`: what a person sees, and the exit code."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.errors import CatalogError
from catalog.registry import FolderRegistry
from pipelines.cli import main_app
from pipelines.errors import PlanError
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PLAN, STAYS, write_clinic, write_plan


def invoke(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main_app(), [*arguments, "--store", str(folder / "store")])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_ingest_list_and_verify(tmp_path: Path) -> None:
    write_clinic(tmp_path, stays=[*STAYS, ("AB9", "2020-01-01", "CARD", "1", "1")])
    plan = str(write_plan(tmp_path))
    code, said = invoke(tmp_path, "ingest", plan, "--keys", str(tmp_path / "keys"), "--quick")
    assert code == 0, said
    assert "is current" in said
    assert "Rows in quarantine" in said
    assert "(current)" in invoke(tmp_path, "snapshots", "clinic")[1]
    assert invoke(tmp_path, "verify", "clinic")[0] == 0
    next((tmp_path / "store").glob("clinic/stay/*/*.parquet")).unlink()
    code, said = invoke(tmp_path, "verify", "clinic")
    assert code == 1
    assert "the file is missing" in said


def test_what_is_replaced_and_what_does_not_hold_is_said(tmp_path: Path) -> None:
    check = '\n[[tables.stay.checks]]\nname = "no ward twice"\nunique = ["ward"]\n'
    write_clinic(tmp_path)
    plan, keys = str(write_plan(tmp_path, PLAN + check)), str(tmp_path / "keys")
    first = " ".join(invoke(tmp_path, "ingest", plan, "--keys", keys)[1].split())
    assert "Check that does not hold, table stay: no ward twice: 3 of 4 rows" in first
    assert "Before, it was" not in first
    before = Store(tmp_path / "store").current("clinic").id
    write_clinic(tmp_path, stays=STAYS[:2])
    said = " ".join(invoke(tmp_path, "ingest", plan, "--keys", keys, "--quick")[1].split())
    assert f"Before, it was {before} of" in said
    assert "does not hold" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ingest", "none.toml"), "the plan cannot be read"),
        (("verify", "clinic"), "has no current snapshot"),
        (("verify", "clinic", "0123"), "has no snapshot '0123'"),
        (("snapshots", "clinic"), "has no current snapshot"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_one(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    code, output = invoke(tmp_path, *arguments)
    assert code == 1
    assert said in output
    assert len(output.strip().splitlines()) == 1


def test_a_plan_as_shipped_is_not_loaded_before_somebody_chose_a_domain(tmp_path: Path) -> None:
    write_clinic(tmp_path)
    plan = write_plan(tmp_path, PLAN.replace('domain = "tests"', 'domain = "check-your-domain"'))
    code, said = invoke(tmp_path, "ingest", str(plan), "--keys", str(tmp_path / "keys"), "--quick")
    assert code == 1
    assert "nobody has chosen the domain yet" in " ".join(said.split())


FACTS = """
[catalogue]
contact = "data@clinic.example.org"
health_category = ["EHRS"]
keyword = { en = ["wards"] }
type = ["PERSONAL_DATA"]
provenance.en = "From the clinic's own records."
[catalogue.hdab]
name = "Access body"
email = "access@hdab.example.org"
"""
HOLDER = 'name = "The clinic"\nemail = "data@clinic.example.org"'


def test_the_snapshot_before_stays_current_if_the_record_cannot_be_published(tmp_path: Path) -> None:
    write_clinic(tmp_path)
    store, keys, registry = Store(tmp_path / "store"), Keystore(tmp_path / "keys"), FolderRegistry(tmp_path / "records")
    good = PLAN.replace('name = "The clinic"', HOLDER) + FACTS
    first = ingest(load_plan(write_plan(tmp_path, good)), store, keys, registry, validate=False)
    assert first.record == tmp_path / "records" / "clinic.ttl"
    record = first.record.read_text(encoding="utf-8")
    write_clinic(tmp_path, stays=STAYS[:2])
    for broken, error in ((good.replace('"EHRS"', '"EHR"'), PlanError), (PLAN, CatalogError)):
        with pytest.raises(error):
            ingest(load_plan(write_plan(tmp_path, broken)), store, keys, registry, validate=False)
        assert store.current("clinic").id == first.snapshot.id
        assert first.record.read_text(encoding="utf-8") == record
    second = ingest(load_plan(write_plan(tmp_path, good)), store, keys, registry, validate=False)
    assert store.current("clinic").id == second.snapshot.id != first.snapshot.id


def test_counts_of_few_persons_are_not_published(tmp_path: Path) -> None:
    write_clinic(tmp_path)
    plan = load_plan(write_plan(tmp_path, PLAN.replace('name = "The clinic"', HOLDER) + FACTS))
    registry = FolderRegistry(tmp_path / "records")
    ingest(plan, Store(tmp_path / "store"), Keystore(tmp_path / "keys"), registry, validate=False)
    record = registry.get("clinic")
    assert (record.number_of_records, record.number_of_unique_individuals) == (0, 0)
    assert record.temporal == ()
