"""Keys wrapped by the transit engine of HashiCorp Vault or OpenBao: the wrapping key never leaves the service.

The service's policy needs `update` on <mount>/encrypt/<key> and <mount>/decrypt/<key>, and nothing else: without
`create`, a misspelt key name is an error and not a new key. Source: the transit engine's HTTP API, `associated_data`.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import KeystoreError
from pipelines.keystore.wrapping import NotUnwrapped

TIMEOUT = 10
"""Seconds to wait for an answer of the service."""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class VaultWrapping:
    """The transit key `key` under `mount`; `client` is a signed-in hvac client."""

    def __init__(self, client: Any, mount: str, key: str) -> None:
        self._client, self._mount, self._key = client, mount, key

    @property
    def name(self) -> str:
        return f"vault:{self._mount}/{self._key}"

    def wrap(self, plaintext: bytes, context: bytes) -> bytes:
        with self._refusals("wrap"):
            answer = self._client.secrets.transit.encrypt_data(
                self._key, plaintext=_text(plaintext), associated_data=_text(context), mount_point=self._mount
            )
        return str(answer["data"]["ciphertext"]).encode()

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        with self._refusals("unwrap"):
            answer = self._client.secrets.transit.decrypt_data(
                self._key, ciphertext=wrapped.decode(), associated_data=_text(context), mount_point=self._mount
            )
        return b64decode(answer["data"]["plaintext"])

    @contextmanager
    def _refusals(self, doing: str) -> Iterator[None]:
        """Errors of the service and of the way to it, in words of ours: theirs may quote the request."""
        failures, requests = import_module("hvac.exceptions"), import_module("requests.exceptions")
        where = f"the key service at {self._client.url}"
        try:
            yield
        except failures.InvalidRequest:
            if doing == "unwrap":
                raise NotUnwrapped("the key cannot be unwrapped") from None
            raise KeystoreError(f"{self.name}: {where} has no such transit key. Make it, or mend its name.") from None
        except (failures.Forbidden, failures.Unauthorized):
            raise KeystoreError(
                f"{self.name}: {where} did not allow to {doing} a key. Check VAULT_TOKEN, and that its policy grants "
                f"update on {self._mount}/encrypt/{self._key} and {self._mount}/decrypt/{self._key}."
            ) from None
        except failures.InvalidPath:
            raise KeystoreError(
                f"{self.name}: {where} has no such transit engine. Enable it, or mend its name."
            ) from None
        except failures.VaultDown:
            raise KeystoreError(f"{self.name}: {where} is sealed or down. Unseal it, and try again.") from None
        except (failures.VaultError, requests.RequestException) as failure:
            raise KeystoreError(
                f"{self.name}: {where} did not answer as it should ({type(failure).__name__}). Check VAULT_ADDR."
            ) from None


def open_vault(address: str, settings: Mapping[str, str]) -> VaultWrapping:
    """The wrapping of "mount/key", from VAULT_ADDR, VAULT_TOKEN and, where used, VAULT_NAMESPACE and VAULT_CACERT."""
    mount, _, key = address.rpartition("/")
    if not mount or not key:
        raise KeystoreError("A key service is named vault:MOUNT/KEY, as in vault:transit/pseudonyms.")
    url, token = settings.get("VAULT_ADDR", ""), settings.get("VAULT_TOKEN", "")
    if not url or not token:
        raise KeystoreError(f"vault:{address}: set VAULT_ADDR and VAULT_TOKEN, the key service's address and token.")
    _check_encrypted(url)
    try:
        hvac = import_module("hvac")
    except ModuleNotFoundError:
        raise KeystoreError("A key service needs the extra `vault`: install dataspace[vault].") from None
    client = hvac.Client(
        url=url, token=token, namespace=settings.get("VAULT_NAMESPACE"), verify=settings.get("VAULT_CACERT") or True,
        timeout=TIMEOUT,
    )  # fmt: skip
    return VaultWrapping(client, mount, key)


def _check_encrypted(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOCAL:
        raise KeystoreError("VAULT_ADDR must begin with https: keys and tokens do not cross a network in the clear.")


def _text(content: bytes) -> str:
    return b64encode(content).decode()
