"""The keystore: keys made once, wrapped, bound to their domain, readable by their owner alone."""

import json
import shutil
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from pipelines.errors import KeystoreError
from pipelines.keystore import Keystore, PassphraseWrapping, Rotation, open_keystore


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    key = Keystore(tmp_path / "keys").key("hospital", purpose="test")
    again = Keystore(tmp_path / "keys").key("hospital", purpose="test")
    assert (again.secret, again.version) == (key.secret, 1)
    assert len(key.secret) == 32
    assert Keystore(tmp_path / "keys").key("insurer", purpose="test").secret != key.secret


def test_files_are_for_the_owner_alone_and_hold_no_key_in_the_clear(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    key = Keystore(folder).key("hospital", purpose="test")
    files = sorted(folder.iterdir())
    assert [f.name for f in files] == ["audit.jsonl", "hospital.v1.json", "wrapping.key"]
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert key.secret not in file.read_bytes()
        assert key.secret.hex().encode() not in file.read_bytes()
    assert folder.stat().st_mode & 0o077 == 0


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital", purpose="test")
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)
    assert key.secret.hex()[:16] != key.id


def test_a_derived_key_depends_on_purpose_and_domain(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital", purpose="test")
    assert key.derive("order") == key.derive("order")
    assert len({key.derive("order"), key.derive("other"), key.secret}) == 3


def test_a_key_file_put_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital", purpose="test")
    store.key("insurer", purpose="test")
    shutil.copy2(tmp_path / "hospital.v1.json", tmp_path / "insurer.v1.json")
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        store.key("insurer", purpose="test")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"nonce": "x", "wrapped": "!"}', b"\xff"])
def test_a_broken_key_file_is_told(tmp_path: Path, content: bytes) -> None:
    store = Keystore(tmp_path)
    store.key("hospital", purpose="test")
    (tmp_path / "hospital.v1.json").write_bytes(content)
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        store.key("hospital", purpose="test")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital", purpose="test")
    (tmp_path / "wrapping.key").chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        store.key("hospital", purpose="test")


def test_unknown_versions_and_odd_names_are_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital", purpose="test")
    with pytest.raises(KeystoreError, match="no key version 2"):
        store.key("hospital", 2, purpose="test")
    with pytest.raises(KeystoreError, match="lower-case"):
        store.key("../hospital", purpose="test")


def test_the_first_layout_of_key_files_is_still_read(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    key = store.key("hospital", purpose="test")
    file = tmp_path / "hospital.v1.json"
    wrapped = b64decode(json.loads(file.read_text())["wrapped"])
    parts = {"nonce": b64encode(wrapped[:12]).decode(), "wrapped": b64encode(wrapped[12:]).decode()}
    file.write_text(json.dumps({"domain": "hospital", "version": 1, **parts}))
    assert store.key("hospital", purpose="test") == key


def test_a_fresh_rotation_has_nothing_to_do_with_the_key_before(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    first = store.key("hospital", purpose="test")
    assert store.rotate("hospital") == 2
    second = store.key("hospital", purpose="test")
    assert (second.version, second.before) == (2, None)
    assert second.secret != first.secret
    assert store.key("hospital", 1, purpose="test") == first
    assert store.rotation("hospital", 2) is Rotation.FRESH


def test_a_chained_rotation_brings_the_keys_before_along(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    first = store.key("hospital", purpose="test")
    store.rotate("hospital", Rotation.CHAINED)
    store.rotate("hospital", Rotation.CHAINED)
    third = store.key("hospital", purpose="test")
    assert third.version == 3
    assert third.before is not None
    assert third.before.before == first
    assert len({third.secret, third.before.secret, first.secret}) == 3
    assert first.secret.hex() not in repr(third)


def test_a_rotation_cannot_be_declared_another(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital", purpose="test")
    store.rotate("hospital", Rotation.CHAINED)
    file = tmp_path / "hospital.v2.json"
    file.write_text(file.read_text().replace('"chained"', '"fresh"'))
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        store.key("hospital", purpose="test")


def test_what_was_never_made_is_not_rotated(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="no key yet"):
        Keystore(tmp_path).rotate("hospital")


def test_a_passphrase_takes_the_place_of_the_key_file(tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    settings = {"DATASPACE_KEYSTORE": str(tmp_path / "keys"), "DATASPACE_KEYSTORE_PASSPHRASE_FILE": str(secret)}
    key = open_keystore(settings=settings).key("hospital", purpose="test")
    assert open_keystore(settings=settings).key("hospital", purpose="test") == key
    files = sorted((tmp_path / "keys").iterdir())
    assert [f.name for f in files] == ["audit.jsonl", "hospital.v1.json", "passphrase.json"]
    assert all(b"correct horse" not in f.read_bytes() and f.stat().st_mode & 0o077 == 0 for f in files)
    with pytest.raises(KeystoreError, match="not the keystore's passphrase"):
        Keystore(tmp_path / "keys", PassphraseWrapping(tmp_path / "keys", "wrong")).key("hospital", purpose="test")
    with pytest.raises(KeystoreError, match="opened with"):
        Keystore(tmp_path / "keys").key("hospital", purpose="test")
    with pytest.raises(KeystoreError, match="none was given"):
        Keystore(tmp_path / "keys").key("insurer", purpose="test")


def test_a_keystore_with_a_key_file_takes_no_passphrase(tmp_path: Path) -> None:
    Keystore(tmp_path).key("hospital", purpose="test")
    with pytest.raises(KeystoreError, match="takes no passphrase"):
        Keystore(tmp_path, PassphraseWrapping(tmp_path, "any")).key("insurer", purpose="test")


def test_the_environment_names_the_folder(tmp_path: Path) -> None:
    assert open_keystore(settings={"DATASPACE_KEYSTORE": str(tmp_path)}).folder == tmp_path
    assert open_keystore(settings={"DATASPACE_KEY_ROOT": str(tmp_path)}).folder == tmp_path
    assert open_keystore(settings={"DATASPACE_HOME": str(tmp_path)}).folder == tmp_path / "keys"
    assert open_keystore(tmp_path / "own", {"DATASPACE_HOME": str(tmp_path)}).folder == tmp_path / "own"
    with pytest.raises(KeystoreError, match="cannot be read"):
        open_keystore(settings={"DATASPACE_KEYSTORE_PASSPHRASE_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(("what", "mode"), [("", 0o777), ("", 0o720), ("audit.jsonl", 0o666)])
def test_a_keystore_others_can_write_is_refused(tmp_path: Path, what: str, mode: int) -> None:
    store = Keystore(tmp_path / "keys")
    store.key("hospital", purpose="test")
    (tmp_path / "keys" / what).chmod(mode)
    with pytest.raises(KeystoreError, match="Allow only its owner"):
        store.key("hospital", purpose="test")
