"""The keystore: keys made once, wrapped, bound to their domain, readable by their owner alone."""

import shutil
from pathlib import Path

import pytest

from pipelines.errors import KeystoreError
from pipelines.keystore import Keystore


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    key = Keystore(tmp_path / "keys").key("hospital")
    again = Keystore(tmp_path / "keys").key("hospital")
    assert (again.secret, again.version) == (key.secret, 1)
    assert len(key.secret) == 32
    assert Keystore(tmp_path / "keys").key("insurer").secret != key.secret


def test_files_are_for_the_owner_alone_and_hold_no_key_in_the_clear(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    key = Keystore(folder).key("hospital")
    files = sorted(folder.iterdir())
    assert [f.name for f in files] == ["hospital.v1.json", "wrapping.key"]
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert key.secret not in file.read_bytes()
        assert key.secret.hex().encode() not in file.read_bytes()
    assert folder.stat().st_mode & 0o077 == 0


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital")
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)
    assert key.secret.hex()[:16] != key.id


def test_a_derived_key_depends_on_purpose_and_domain(tmp_path: Path) -> None:
    key = Keystore(tmp_path).key("hospital")
    assert key.derive("order") == key.derive("order")
    assert len({key.derive("order"), key.derive("other"), key.secret}) == 3


def test_a_key_file_put_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital")
    store.key("insurer")
    shutil.copy2(tmp_path / "hospital.v1.json", tmp_path / "insurer.v1.json")
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        store.key("insurer")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"nonce": "x", "wrapped": "!"}', b"\xff"])
def test_a_broken_key_file_is_told(tmp_path: Path, content: bytes) -> None:
    store = Keystore(tmp_path)
    store.key("hospital")
    (tmp_path / "hospital.v1.json").write_bytes(content)
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        store.key("hospital")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital")
    (tmp_path / "wrapping.key").chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        store.key("hospital")


def test_unknown_versions_and_odd_names_are_refused(tmp_path: Path) -> None:
    store = Keystore(tmp_path)
    store.key("hospital")
    with pytest.raises(KeystoreError, match="no key version 2"):
        store.key("hospital", 2)
    with pytest.raises(KeystoreError, match="lower-case"):
        store.key("../hospital")
