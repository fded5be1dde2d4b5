"""A snapshot under a later key version, without identifiers: as if it had been ingested under that version."""

from pathlib import Path

import pytest

from pipelines.errors import KeystoreError, PseudonymCollision, SnapshotNotFound, StoreBusy
from pipelines.keystore import Keystore, Rotation, read_key_log
from pipelines.pseudonyms import rekeyed
from pipelines.rekey import rekey, rekey_person_keys
from pipelines.store.collect import collect
from pipelines.store.erase import erase
from tests.unit.pipelines.clinic import Clinic
from tests.unit.pipelines.deliveries import PLAN

INDEXED = PLAN.replace('title = "A clinic"', 'title = "A clinic"', 1).replace(
    "rows_per_person = 5", 'rows_per_person = 5\ndimensions = [["ward"]]'
)


@pytest.fixture(params=[1, 1000], ids=["several buckets", "one bucket"])
def clinic(tmp_path: Path, request: pytest.FixtureRequest) -> Clinic:
    return Clinic(tmp_path, request.param, INDEXED)


def test_re_keyed_is_as_ingested_under_the_new_version(clinic: Clinic) -> None:
    old = clinic.deliver()
    assert old.schema.table["stay"].dimensions == (("ward",),)
    clinic.keys.rotate("tests", Rotation.CHAINED)
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert clinic.store.current("clinic") == new
    assert (new.key.version, new.key.id) == (2, clinic.keys.key("tests", 2, purpose="test").id)
    # the name follows from every byte stored: the same delivery under the new version is the same snapshot
    assert clinic.deliver().id == new.id
    assert [s.id for s in clinic.store.snapshots("clinic")] == [old.id, new.id]
    clinic.check_sound(clinic.keys)


def test_what_the_record_says_of_the_delivery_goes_along(clinic: Clinic) -> None:
    old = clinic.deliver(stays=[("AB1", "no date", "CARD", "1", "1"), ("AB2", "2020-01-01", "CARD", "1", "1")])
    assert old.table["stay"].quarantined == 1
    clinic.keys.rotate("tests", Rotation.CHAINED)
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert (new.plan_hash, new.sources, new.metrics, new.schema) == (
        old.plan_hash, old.sources, old.metrics, old.schema,
    )  # fmt: skip
    assert (new.table["stay"].quarantined, new.table["stay"].reasons) == (1, old.table["stay"].reasons)
    reports = clinic.store.folder("clinic").quarantine
    assert [f.name for f in (reports / new.id).iterdir()] == [f.name for f in (reports / old.id).iterdir()]


def test_two_steps_are_one(clinic: Clinic) -> None:
    clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)
    clinic.keys.rotate("tests", Rotation.CHAINED)
    assert rekey(clinic.store, "clinic", clinic.keys, 2).key.version == 2
    stepwise = rekey(clinic.store, "clinic", clinic.keys, 3)
    assert clinic.deliver().id == stepwise.id
    assert rekey(clinic.store, "clinic", clinic.keys) == stepwise


def test_person_keys_of_a_register_are_re_keyed_alike(clinic: Clinic) -> None:
    clinic.deliver()
    (before,) = next(iter(clinic.person("AB1").values()))
    clinic.keys.rotate("tests", Rotation.CHAINED)
    (after,) = next(iter(clinic.person("AB1", 2).values()))
    assert rekey_person_keys([before], clinic.keys, "tests", 1) == [after]
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert after in {row["person_key"] for row in clinic.rows(new.id)}


def test_no_key_before_and_no_pair_of_keys_stays_on_disk(clinic: Clinic) -> None:
    old = clinic.deliver()
    keys = {row["person_key"] for row in clinic.rows(old.id, "person")}
    clinic.keys.rotate("tests", Rotation.CHAINED)
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert not keys & {row["person_key"] for row in clinic.rows(new.id, "person")}
    assert not clinic.store.folder("clinic").staging.exists()
    done = collect(clinic.store, "clinic", ())
    assert done.snapshots == (old.id,)
    clinic.check_sound(clinic.keys)


def test_who_was_erased_does_not_come_back(clinic: Clinic) -> None:
    clinic.deliver()
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17", clinic.keys)
    clinic.keys.rotate("tests", Rotation.CHAINED)
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert len(clinic.rows(new.id, "person")) == 3
    assert new.erasures == ()
    clinic.check_sound(clinic.keys)


def test_a_fresh_version_needs_the_delivery_again(clinic: Clinic) -> None:
    old = clinic.deliver()
    clinic.keys.rotate("tests", Rotation.FRESH)
    with pytest.raises(KeystoreError, match="Ingest the delivery again"):
        rekey(clinic.store, "clinic", clinic.keys)
    assert clinic.store.current("clinic").id == old.id
    assert clinic.deliver().key.version == 2
    clinic.check_sound(clinic.keys)


def test_a_strange_keystore_is_refused(clinic: Clinic, tmp_path: Path) -> None:
    clinic.deliver()
    strange = Keystore(tmp_path / "strange")
    strange.key("tests", purpose="test")
    strange.rotate("tests", Rotation.CHAINED)
    with pytest.raises(KeystoreError, match="is not the key that made"):
        rekey(clinic.store, "clinic", strange)


def test_every_key_it_opens_is_on_record(clinic: Clinic) -> None:
    clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)
    rekey(clinic.store, "clinic", clinic.keys)
    events = [(e.version, e.purpose, e.dataset) for e in read_key_log(clinic.keys.folder)]
    assert events[-2:] == [(1, "re-key", "clinic"), (2, "re-key", "clinic")]


def test_two_persons_of_one_new_key_stop_it(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    old = clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)

    def colliding(key: object, since: int, person_keys: list[int]) -> list[int]:
        found = rekeyed(key, since, person_keys)  # type: ignore[arg-type]
        return [1] * len(found)

    monkeypatch.setattr("pipelines.rekey.rekeyed", colliding)
    with pytest.raises(PseudonymCollision, match=r"person keys would stand for more than one person"):
        rekey(clinic.store, "clinic", clinic.keys)
    assert clinic.store.current("clinic").id == old.id
    monkeypatch.undo()
    assert rekey(clinic.store, "clinic", clinic.keys).key.version == 2
    clinic.check_sound(clinic.keys)


def test_not_while_another_run_has_the_dataset(clinic: Clinic) -> None:
    with pytest.raises(SnapshotNotFound):
        rekey(clinic.store, "clinic", clinic.keys)
    clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)
    with clinic.store.folder("clinic").lock(), pytest.raises(StoreBusy):
        rekey(clinic.store, "clinic", clinic.keys)


def test_what_a_killed_run_left_in_the_workspace_is_not_taken_for_its_own(clinic: Clinic) -> None:
    old = clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)
    left = clinic.store.folder("clinic").staging / f"rekey-{old.id}" / "moved" / "stay" / "person_bucket=0"
    left.mkdir(parents=True)
    (left / "data_0.parquet").write_bytes(next(iter(clinic.files())).read_bytes())
    new = rekey(clinic.store, "clinic", clinic.keys)
    assert len(clinic.rows(new.id)) == len(clinic.rows(old.id))
    clinic.check_sound(clinic.keys)
