"""Erasure of a person: out of every kept snapshot, off the disk, and nobody else's rows change."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.errors import ErasedPersons, SnapshotNotFound, StoreBusy, StoreDamaged, StoreError
from pipelines.keystore import Keystore, Rotation
from pipelines.store.erase import erase, keys_in_use
from pipelines.store.erased import readmit
from pipelines.store.record import content_id
from pipelines.store.verify import verify
from pipelines.upkeep import person_keys
from tests.unit.pipelines.clinic import Clinic
from tests.unit.pipelines.deliveries import PERSONS, PLAN, STAYS


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def test_the_person_is_gone_from_every_snapshot_and_the_others_are_as_before(clinic: Clinic) -> None:
    names = [clinic.deliver().id, clinic.deliver(stays=[*STAYS[:-1], ("AB4", "2022-05-06", "", "", "")]).id]
    person = clinic.person("AB1")
    (gone,) = next(iter(person.values()))
    before = {(name, table): clinic.rows(name, table) for name in names for table in ("person", "stay", "ward")}
    done = erase(clinic.store, "clinic", person, "request 17")
    assert done.snapshots == tuple(names)
    # one file of persons, which the snapshots share, and one of stays in each
    assert (done.files, done.rows) == (3, 1 + 3 + 3)
    for (name, table), rows in before.items():
        assert clinic.rows(name, table) == [row for row in rows if row.get("person_key") != gone]
    clinic.check_sound()


def test_only_files_that_held_the_person_are_rewritten_and_their_bytes_are_gone(clinic: Clinic) -> None:
    clinic.deliver()
    before = {file: file.read_bytes() for file in clinic.files()}
    person = clinic.person("AB1")
    (gone,) = next(iter(person.values()))
    holding = {f for f in before if gone in (pq.ParquetFile(f).read().to_pydict().get("person_key") or [])}
    assert 0 < len(holding) < len(before)
    erase(clinic.store, "clinic", person, "request 17")
    assert {f for f in before if not f.exists()} == holding
    assert all(f.read_bytes() == content for f, content in before.items() if f not in holding)
    # no commit before the erasure is left that would name what is no more
    for table in ("person", "stay"):
        log = [f.read_text() for f in (clinic.path(table) / "_delta_log").glob("*.json")]
        added = {json.loads(line)["add"]["path"] for text in log for line in text.splitlines() if '"add"' in line}
        assert not {f.name for f in holding} & {Path(path).name for path in added}


def test_what_is_left_is_what_a_delivery_without_the_person_would_have_stored(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, bucket_rows=1000)
    name = clinic.deliver().id
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17")
    left = clinic.store.snapshot("clinic", name)
    without = clinic.deliver(PERSONS[1:], [s for s in STAYS if s[0].upper() != "AB1"])
    assert content_id(left) == without.id
    clinic.check_sound()


def test_the_record_says_when_and_why_and_never_who(clinic: Clinic) -> None:
    name = clinic.deliver().id
    person = clinic.person("AB2")
    (gone,) = next(iter(person.values()))
    erase(clinic.store, "clinic", person, "request 17", clinic.keys)
    record = clinic.store.snapshot("clinic", name)
    (note,) = record.erasures
    assert (note.reason, note.files, note.before, note.after) == ("request 17", 2, name, content_id(record))
    text = clinic.store.folder("clinic").record(name).read_text()
    assert str(gone) not in text
    assert (gone % 2**64).to_bytes(8, "big").hex() not in text
    clinic.check_sound(clinic.keys)


def test_a_permit_s_snapshot_is_read_as_before_without_the_person(clinic: Clinic) -> None:
    old, _ = clinic.deliver().id, clinic.deliver(stays=STAYS[:-1])
    erase(clinic.store, "clinic", clinic.person("AB3"), "request 17")
    with clinic.store.open({"clinic": old}, frozenset({("clinic", "person", "sex")})) as rows:
        found = rows.scan('SELECT sex FROM "clinic"."person"', None)
    assert sorted(found.column("sex").to_pylist()) == ["F", "M", "M"]


def test_one_after_the_other(clinic: Clinic) -> None:
    name = clinic.deliver().id
    for number, identifier in enumerate(("AB1", "AB2", "AB3", "AB4"), start=1):
        erase(clinic.store, "clinic", clinic.person(identifier), f"request {number}", clinic.keys)
        clinic.check_sound(clinic.keys)
        assert len(clinic.rows(name, "person")) == 4 - number
    assert clinic.rows(name) == []
    assert len(clinic.store.snapshot("clinic", name).erasures) == 4
    # life goes on, without them
    newcomer = ("AB9", "Iris Ivanov", "1970-01-01", "F")
    assert len(clinic.rows(clinic.deliver([*PERSONS[:3], newcomer]).id, "person")) == 1
    clinic.check_sound(clinic.keys)


def test_who_is_not_there_changes_nothing(clinic: Clinic) -> None:
    name = clinic.deliver().id
    before = clinic.store.folder("clinic").record(name).read_bytes()
    assert erase(clinic.store, "clinic", clinic.person("AB9"), "request 17").files == 0
    assert clinic.store.folder("clinic").record(name).read_bytes() == before


def test_every_key_version_in_use_must_be_given(clinic: Clinic) -> None:
    clinic.deliver()
    clinic.keys.rotate("tests", Rotation.CHAINED)
    clinic.deliver()
    assert [key.version for key in keys_in_use(clinic.store, "clinic")] == [1, 2]
    with pytest.raises(StoreError, match="under key version 2"):
        erase(clinic.store, "clinic", clinic.person("AB1"), "request 17")
    both = clinic.person("AB1") | clinic.person("AB1", 2)
    assert len(erase(clinic.store, "clinic", both, "request 17").snapshots) == 2
    clinic.check_sound()


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(clinic: Clinic, reason: str) -> None:
    clinic.deliver()
    with pytest.raises(StoreError, match="one line"):
        erase(clinic.store, "clinic", clinic.person("AB1"), reason)


def test_a_reason_that_names_the_person_is_refused(clinic: Clinic) -> None:
    clinic.deliver()
    person = clinic.person("AB1")
    (gone,) = next(iter(person.values()))
    with pytest.raises(StoreError, match="must not name the person") as refused:
        erase(clinic.store, "clinic", person, f"erase {gone}")
    assert str(abs(gone)) not in str(refused.value)


def test_not_while_another_run_has_the_dataset(clinic: Clinic) -> None:
    with pytest.raises(SnapshotNotFound):
        erase(clinic.store, "clinic", {}, "request 17")
    clinic.deliver()
    with clinic.store.folder("clinic").lock(), pytest.raises(StoreBusy):
        erase(clinic.store, "clinic", clinic.person("AB1"), "request 17")


def edited(change: Callable[[dict[str, object]], object]) -> Callable[[Clinic, str], None]:
    def on_disk(clinic: Clinic, name: str) -> None:
        file = clinic.store.folder("clinic").record(name)
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    return on_disk


def forge(content: dict[str, object], clinic: Clinic, name: str) -> None:
    """What one who can write the store would do: call a change an erasure, with every hash right."""
    record = clinic.store.snapshot("clinic", name)
    note = replace(record.erasures[-1], before=record.erasures[-1].after)
    content["erasures"] = [*content["erasures"], {**vars(note), "at": note.at.isoformat()}]  # type: ignore[misc]


TAMPERED: dict[str, tuple[Callable[[Clinic, str], None], str]] = {
    "the note is taken out": (edited(lambda c: c.update(erasures=[])), "does not give its name"),
    "another content before": (
        edited(lambda c: c["erasures"][0].update(before="0" * 16)),  # type: ignore[index]
        "does not follow from what was before",
    ),
    "another content after": (
        edited(lambda c: c["erasures"][0].update(after="0" * 16)),  # type: ignore[index]
        "does not give its name",
    ),
    "another reason": (
        edited(lambda c: c["erasures"][0].update(reason="x")),  # type: ignore[index]
        "is not sealed",
    ),
    "an erasure made up": (
        lambda clinic, name: edited(lambda c: forge(c, clinic, name))(clinic, name),
        "is not sealed",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_change_after_an_erasure_is_found(clinic: Clinic, how: str) -> None:
    name = clinic.deliver().id
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17", clinic.keys)
    tamper, said = TAMPERED[how]
    tamper(clinic, name)
    assert any(said in problem for problem in verify(clinic.store, "clinic", name, clinic.keys))


def test_an_erased_file_that_is_changed_or_put_back_is_found(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, bucket_rows=1000)
    name = clinic.deliver().id
    kept = {file: file.read_bytes() for file in clinic.files()}
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17")
    back = next(file for file in kept if not file.exists())
    back.write_bytes(kept[back])
    assert any("no record names this file" in problem for problem in verify(clinic.store, "clinic", name))
    back.unlink()
    new = next(file for file in clinic.files() if file not in kept)
    new.chmod(0o600)
    new.write_bytes(new.read_bytes()[:-1] + b"x")
    assert any("not what was stored" in problem for problem in verify(clinic.store, "clinic", name))


def test_another_keystore_does_not_vouch_for_a_snapshot(clinic: Clinic, tmp_path: Path) -> None:
    name = clinic.deliver().id
    assert verify(clinic.store, "clinic", name, clinic.keys) == []
    strange = Keystore(tmp_path / "strange")
    assert any("no key version 1" in p for p in verify(clinic.store, "clinic", name, strange))
    strange.key("tests", purpose="test")
    assert any("is another key" in p for p in verify(clinic.store, "clinic", name, strange))


def test_a_person_is_found_however_each_snapshot_of_one_key_spelled_them(tmp_path: Path) -> None:
    """Two plans, one key, two spellings: the person has two person keys under it."""
    persons = [("ab1", "Anna Archambault", "1950-03-01", "F"), ("AB2", "Boris Bellanger", "1960-07-09", "M")]
    rule = 'normalise = ["no-spaces", "upper"]'
    for steps in ("[]", '["upper"]'):
        clinic = Clinic(tmp_path, plan=PLAN.replace(rule, f"normalise = {steps}"))
        clinic.deliver(persons, [])
    found = person_keys(clinic.store, "clinic", ("upper",), clinic.keys, ["ab1"])
    assert [len(keys) for keys in found.values()] == [2]
    erase(clinic.store, "clinic", found, "request 17", clinic.keys)
    assert [len(clinic.rows(s.id, "person")) for s in clinic.store.snapshots("clinic")] == [1, 1]
    clinic.check_sound(clinic.keys)


def test_a_record_that_does_not_say_its_spelling_is_tried_by_every_rule(clinic: Clinic) -> None:
    name = clinic.deliver().id
    record = clinic.store.folder("clinic").record(name)
    content = json.loads(record.read_text())
    del content["key"]["normalise"]
    record.write_text(json.dumps(content))
    (known,) = next(iter(clinic.person("AB1").values()))
    # the plan has changed since
    found = person_keys(clinic.store, "clinic", (), clinic.keys, ["ab1"])
    assert known in next(iter(found.values()))


def test_erased_persons_do_not_come_back_until_they_are_readmitted(clinic: Clinic) -> None:
    erased = clinic.deliver()
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17", clinic.keys)
    more = [*PERSONS, ("AB9", "Iris Ivanov", "1970-01-01", "F")]
    for persons in (PERSONS, more):
        again = clinic.deliver(persons)
        assert again.id != erased.id
        keys = {row["person_key"] for row in clinic.rows(again.id, "person")}
        assert not keys & {key for (key,) in clinic.person("AB1").values()}
        assert len(keys) == len(persons) - 1
    folder, key = clinic.store.folder("clinic"), clinic.keys.key("tests", purpose="test")
    with folder.lock():
        assert readmit(folder, key, clinic.person("AB1")[key.id]) == 1
    assert len(clinic.rows(clinic.deliver(more).id, "person")) == len(more)
    clinic.check_sound(clinic.keys)


def test_erased_persons_stay_away_when_the_key_is_chained(clinic: Clinic) -> None:
    clinic.deliver()
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17", clinic.keys)
    clinic.keys.rotate("tests", Rotation.CHAINED)
    assert len(clinic.rows(clinic.deliver().id, "person")) == 3


def test_the_list_of_erased_persons_names_nobody_and_is_bound_to_its_key(clinic: Clinic, tmp_path: Path) -> None:
    clinic.deliver()
    persons = clinic.person("AB1")
    erase(clinic.store, "clinic", persons, "request 17", clinic.keys)
    (file,) = (clinic.store.folder("clinic").path / "_erased").iterdir()
    ((key,),) = persons.values()
    for order in ("big", "little"):
        assert key.to_bytes(8, order, signed=True) not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreDamaged, match="list of erased persons"):
        clinic.deliver()


def test_without_the_keys_a_delivery_that_would_undo_an_erasure_is_refused(clinic: Clinic) -> None:
    """The name that follows from the content is taken by what is left of it, and permits hold that name."""
    erased = clinic.deliver()
    erase(clinic.store, "clinic", clinic.person("AB1"), "request 17")
    with pytest.raises(ErasedPersons, match="Deliver it without them"):
        clinic.deliver()
    assert clinic.store.current("clinic").id == erased.id
    assert len(clinic.rows(erased.id, "person")) == 3
