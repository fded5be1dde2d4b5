"""What a node publishes for strangers to check, as files: fetched once, kept in a folder, read back."""

from dataclasses import dataclass, fields
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from typing import Any

import httpx2

from dataspace import jose
from dataspace.client.errors import DataspaceError, InvalidInput, Unreachable

NAMES = {
    "keys": "jwks.json",
    "register": "register.json",
    "status": "status.jws",
    "checkpoint": "checkpoint.jws",
    "postings": "postings.json",
}

ATTEMPTS = 5
"""How often the register and what vouches for it are fetched, in case a case moves on in between."""


@dataclass(frozen=True)
class PublicFiles:
    """The texts as the node sent them; `postings` are its pages put together."""

    keys: str
    register: str
    status: str
    checkpoint: str
    postings: str

    def write(self, folder: Path) -> None:
        """Put each into its file."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            (folder / NAMES[field.name]).write_text(getattr(self, field.name), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "PublicFiles":
        """Raises InvalidInput if one is missing."""
        missing = [name for name in NAMES.values() if not (folder / name).is_file()]
        if missing:
            raise InvalidInput(
                f"{folder} has no {', '.join(missing)}: give a folder that a cross-check downloaded into"
            )
        return cls(**{name: (folder / file).read_text(encoding="utf-8") for name, file in NAMES.items()})


def download(url: str, http: httpx2.Client | None = None) -> PublicFiles:
    """Fetch them without signing in; only public addresses are asked."""
    with http or httpx2.Client(base_url=url.rstrip("/"), timeout=120) as client:
        checkpoint = _get(client, "/api/v1/ledger/checkpoint")
        for _ in range(ATTEMPTS):
            register, keys = _register(client), _get(client, "/.well-known/jwks.json")
            status = _get(client, "/api/v1/permits/status")
            said = _said(status, keys)
            # a case that moved on in between makes them differ
            if (digest(register), digest(keys)) == (said.get("register_sha256"), said.get("keys_sha256")):
                break
        last = said["ledger"]["seq"] if said else None
        return PublicFiles(keys, register, status, checkpoint, _postings(client, last))


def digest(text: str) -> str:
    """SHA-256 of a JSON text in its one spelling; empty if it is no JSON."""
    try:
        return sha256(jose.canonical(loads(text))).hexdigest()
    except (ValueError, RecursionError):
        return ""


def _said(status: str, keys: str) -> dict[str, Any]:
    """Claims of the status list; none if it cannot be relied on, which the check says."""
    try:
        return jose.verify(status, jose.read_keys(keys), jose.Typ.STATUS)
    except jose.Refused:
        return {}


def _register(client: httpx2.Client) -> str:
    """Every entry of the register, whether the node sends them at once or in pages."""
    answer = loads(_get(client, "/api/v1/register"))
    if isinstance(answer, list):
        return dumps(answer, indent=0)
    entries = list(answer["entries"])
    while answer["next"] is not None:
        answer = loads(_get(client, f"/api/v1/register?after={answer['next']}"))
        entries += answer["entries"]
    return dumps(entries, indent=0)


def _postings(client: httpx2.Client, last: int | None) -> str:
    """All up to the entry that the status list vouches for; what follows is not signed yet."""
    every: list[dict[str, Any]] = []
    while page := loads(_get(client, f"/api/v1/ledger/postings?after={every[-1]['seq'] if every else 0}")):
        every += page
        if last is not None and every[-1]["seq"] >= last:
            return dumps(every[:last], indent=0)
    return dumps(every, indent=0)


def _get(client: httpx2.Client, address: str) -> str:
    try:
        response = client.get(address)
    except httpx2.TransportError as error:
        raise Unreachable(f"no answer from {client.base_url}: is the node running? ({error})") from error
    except httpx2.InvalidURL as error:
        raise InvalidInput(f"this is not an address of a node: {error}") from None
    if response.is_error:
        raise DataspaceError(f"{client.base_url} answered {response.status_code} for {address}: is it a node?")
    return response.text
