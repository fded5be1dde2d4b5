"""From an identifier to person keys, over a real store and keystore: every key the node uses, each by its own rule."""

import json
from pathlib import Path

import pytest

from dataspace.domain.errors import InvalidInput, Unavailable
from dataspace.domain.opt_outs import KeyName
from dataspace.pseudonyms import StorePseudonyms
from pipelines.ingest import ingest
from pipelines.keystore import REGISTER_DOMAIN, Keystore, Rotation
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser, nir_check_digits
from pipelines.store.reader import Store
from tests.unit.pipelines.deliveries import PLAN, write_clinic, write_plan

NUMBER = "1850578006084"
NIR = f"{NUMBER}{nir_check_digits(NUMBER)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    load(tmp_path, "clinic", "tests", '["no-spaces", "upper"]')
    return tmp_path


def load(folder: Path, dataset: str, domain: str, rule: str) -> str:
    plan = PLAN.replace('id = "clinic"', f'id = "{dataset}"').replace('domain = "tests"', f'domain = "{domain}"')
    plan = plan.replace('["no-spaces", "upper"]', rule)
    persons = [(NIR, "Anna Archambault", "1950-03-01", "F")]
    write_clinic(folder, persons=persons, stays=[(NIR, "2020-01-01", "CARD", "10.25", "1")])
    loaded = load_plan(write_plan(folder, plan))
    return ingest(loaded, Store(folder / "store"), Keystore(folder / "keys"), validate=False).snapshot.id


def stored_keys(folder: Path, dataset: str) -> set[int]:
    store = Store(folder / "store")
    current = store.current(dataset).id
    with store.open({dataset: current}, frozenset({(dataset, "person", "")})) as rows:
        return set(rows.scan(f'SELECT person_key FROM "{dataset}".person', None).column(0).to_pylist())


def pseudonyms(folder: Path) -> StorePseudonyms:
    return StorePseudonyms(Store(folder / "store"), folder / "keys")


def numbers(folder: Path, identifier: str, domain: str) -> set[int]:
    return {p.number for p in pseudonyms(folder).of(identifier).elsewhere if p.key.domain == domain}


def test_each_domain_knows_the_person_as_its_datasets_do(folder: Path) -> None:
    load(folder, "fund", "sante", '["nir"]')
    spelled = f" {NIR[:1]} {NIR[1:5]} {NIR[5:]} "
    assert numbers(folder, spelled, "tests") >= stored_keys(folder, "clinic")
    assert numbers(folder, spelled, "sante") == stored_keys(folder, "fund")
    assert numbers(folder, NUMBER, "sante") == stored_keys(folder, "fund")


def test_two_rules_in_one_domain_are_two_person_keys(folder: Path) -> None:
    load(folder, "other", "tests", "[]")
    assert numbers(folder, NIR.lower(), "tests") >= stored_keys(folder, "clinic") | stored_keys(folder, "other")


def test_a_record_that_does_not_say_its_rule_is_met_by_every_rule(folder: Path) -> None:
    for record in (folder / "store/clinic/_snapshots").glob("*.json"):
        content = json.loads(record.read_text())
        del content["key"]["normalise"]
        record.write_text(json.dumps(content))
    found = numbers(folder, f"{NIR[:3]} {NIR[3:]}", "tests")
    assert stored_keys(folder, "clinic") < found


def test_a_mistyped_number_is_told_by_the_domains_that_check_it(folder: Path) -> None:
    load(folder, "fund", "sante", '["nir"]')
    wrong = NUMBER + f"{(int(NIR[-2:]) % 97) + 1:02d}"
    known = pseudonyms(folder).of(wrong)
    assert known.refused == ("sante (nir)",)
    assert {person.key.domain for person in known.elsewhere} == {"tests"}


def test_before_any_dataset_the_person_is_in_the_register_alone(tmp_path: Path) -> None:
    known = pseudonyms(tmp_path).of(NIR)
    assert (known.elsewhere, known.refused) == (frozenset(), ())
    key = Keystore(tmp_path / "keys").key(REGISTER_DOMAIN, purpose="test")
    assert pseudonyms(tmp_path).register_key == KeyName(REGISTER_DOMAIN, key.id) == known.register.key


def test_a_domains_newest_key_counts_before_any_dataset_uses_it(folder: Path) -> None:
    keystore = Keystore(folder / "keys")
    keystore.rotate("tests", Rotation.FRESH)
    newest = keystore.key("tests", purpose="test")
    assert newest.version == 2
    expected = Pseudonymiser(newest, ("no-spaces", "upper")).person_key(NIR)
    assert numbers(folder, NIR, "tests") >= stored_keys(folder, "clinic") | {expected}


def test_older_snapshots_count_as_long_as_the_store_has_them(folder: Path) -> None:
    first = stored_keys(folder, "clinic")
    load(folder, "clinic", "moved", "[]")
    assert numbers(folder, NIR, "tests") >= first
    assert numbers(folder, NIR, "moved") >= stored_keys(folder, "clinic")


def test_nothing_but_signs_is_no_identifier(folder: Path) -> None:
    with pytest.raises(InvalidInput):
        pseudonyms(folder).of("   ")


def test_without_its_keys_the_register_records_nothing(folder: Path) -> None:
    (folder / "keys/wrapping.key").chmod(0o644)
    for call in (lambda: pseudonyms(folder).of(NIR), lambda: pseudonyms(folder).register_key):
        with pytest.raises(Unavailable, match="DATASPACE_KEY_ROOT") as failure:
            call()
        assert NUMBER not in failure.value.message
