"""An ingestion that was interrupted goes on with what is finished, unless the delivery or the plan has changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import loading
from pipelines.errors import DeliveryRefused, SourceError
from pipelines.ingest import IngestReport, ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.progress import Step, silent
from pipelines.store.reader import Store
from pipelines.store.verify import verify
from tests.unit.pipelines.deliveries import PERSONS, PLAN, write_plan

CSV_PLAN = PLAN.replace('format = "duckdb"\nlocation = "clinic.duckdb"', 'format = "csv"\nlocation = "delivery"')
PERSON_ROWS = "person_id,full_name,birth_date,sex\n" + "".join(",".join(p) + "\n" for p in PERSONS)
STAY_ROWS = "person_id,day,ward,cost,nights\nAB1,2020-01-01,CARD,10.25,1\nAB2,2021-05-06,NEUR,0.1,3\n"
WARD_ROWS = "code,name,open\nCARD,Cardiology,yes\nNEUR,Neurology,yes\n"

Run = Callable[..., IngestReport]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Run:
    (tmp_path / "delivery").mkdir()
    for name, text in (("person", PERSON_ROWS), ("stay", STAY_ROWS), ("ward", WARD_ROWS)):
        (tmp_path / "delivery" / f"{name}.csv").write_text(text)

    def go(progress: Callable[[Step], None] = silent, plan: str = CSV_PLAN) -> IngestReport:
        loaded = load_plan(write_plan(tmp_path, plan))
        return ingest(loaded, store, Keystore(tmp_path / "keys"), progress=progress, validate=False)

    return go


def interrupted_at(doing: str) -> Callable[[Step], None]:
    def tell(step: Step) -> None:
        if step.doing == doing:
            raise KeyboardInterrupt

    return tell


def interrupt(run: Run, doing: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(interrupted_at(doing))


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tables that are mapped."""
    names: list[str] = []
    original = loading.map_table

    def counted(source: object, how: loading.Reading, *others: object) -> object:
        names.append(how.plan.name)
        return original(source, how, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "map_table", counted)
    return names


def test_what_is_finished_is_not_done_again(run: Run, store: Store, mapped: list[str], tmp_path: Path) -> None:
    interrupt(run, "validate")
    assert sorted(mapped) == ["person", "stay", "ward"]
    mapped.clear()
    report = run()
    assert mapped == []
    assert verify(store, "clinic", report.snapshot.id) == []
    assert not store.folder("clinic").staging.exists()
    # and it is what a run without interruption gives
    assert run().repeated


def test_nothing_waits_that_was_not_searched_for_identifiers(run: Run, store: Store, mapped: list[str]) -> None:
    interrupt(run, "search")
    assert not store.folder("clinic").staging.exists()
    run()
    assert sorted(mapped) == ["person", "person", "stay", "stay", "ward", "ward"]


def test_a_delivery_that_changed_meanwhile_is_read_anew(run: Run, store: Store, tmp_path: Path) -> None:
    interrupt(run, "validate")
    file = tmp_path / "delivery/stay.csv"
    before = file.stat()
    file.write_text(STAY_ROWS.replace("10.25", "99.75"))
    # same name, size and time: only the content tells
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = run()
    clean = Store(tmp_path / "clean")
    again = ingest(load_plan(tmp_path / "clinic.toml"), clean, Keystore(tmp_path / "keys"), validate=False)
    assert report.snapshot.id == again.snapshot.id


@pytest.mark.parametrize("doing", ["map", "search", "sort"])
def test_a_delivery_replaced_while_it_is_read_is_refused(run: Run, store: Store, tmp_path: Path, doing: str) -> None:
    file, replaced = tmp_path / "delivery/stay.csv", []

    def tell(step: Step) -> None:
        if step.doing == doing and not replaced:
            replaced.append(file.write_text(STAY_ROWS.replace("10.25", "99.75")))

    with pytest.raises(SourceError, match=r"stay.csv changed while it was read"):
        run(tell)
    assert not store.folder("clinic").staging.exists()
    assert not store.folder("clinic").current.exists()
    assert not run().repeated


def test_what_was_read_of_another_file_is_not_gone_on_with(run: Run, store: Store, tmp_path: Path) -> None:
    """The file is put back before the run is interrupted: only its times tell."""
    file = tmp_path / "delivery/stay.csv"

    def tell(step: Step) -> None:
        if step.doing == "map" and step.done is None:
            file.write_text(STAY_ROWS.replace("10.25", "99.75"))
        if step.doing == "search":
            file.write_text(STAY_ROWS)
        if step.doing == "sort":
            raise KeyboardInterrupt

    with pytest.raises(SourceError, match="changed while it was read"):
        run(tell)
    assert not store.folder("clinic").staging.exists()


def test_another_plan_starts_anew(run: Run, mapped: list[str]) -> None:
    interrupt(run, "validate")
    mapped.clear()
    run(plan=CSV_PLAN.replace("bounds = [0, 10000]", "bounds = [0, 20000]"))
    assert sorted(mapped) == ["person", "stay", "ward"]


def test_a_refused_delivery_leaves_nothing_to_go_on_with(run: Run, store: Store, tmp_path: Path) -> None:
    (tmp_path / "delivery/stay.csv").write_text(STAY_ROWS + "AB1,x,CARD,1,1\nAB1,x,CARD,1,1\nAB1,x,CARD,1,1\n")
    with pytest.raises(DeliveryRefused):
        run()
    assert not store.folder("clinic").staging.exists()


def test_progress_counts_the_rows(run: Run) -> None:
    told: list[Step] = []
    run(told.append)
    assert [s.doing for s in told if s.done is None] == [
        "pseudonymise", "map", "map", "map", "search", "sort", "validate", "store", "publish",
    ]  # fmt: skip
    assert told[-4].done == told[-4].rows == len(PERSONS) + 2 if told[-4].doing == "sort" else True
    assert {s.table: s.rows for s in told if s.doing == "map"} == {"ward": 2, "person": 4, "stay": 2}
