"""From where a request is said to come: its peer, unless a proxy that settings name says otherwise."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from dataspace.cli.serving import server_config
from dataspace.settings import Settings


def seen_client(trusted: str, peer: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address that the app sees of a request from `peer` with a header that says 203.0.113.9."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = server_config(FastAPI(), Settings(trusted_proxies=trusted))
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    config.app = app
    config.interface = "asgi3"
    config.load()
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    scope = {"type": "http", "scheme": "http", "client": (peer, 4711), "headers": headers}
    asyncio.run(config.loaded_app(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        ("", "127.0.0.1", "127.0.0.1"),
        ("", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7", "203.0.113.9"),
        ("10.0.0.0/8 192.0.2.7", "192.0.2.7", "203.0.113.9"),
        ("10.0.0.0/8 192.0.2.7", "10.1.2.3", "203.0.113.9"),
        ("192.0.2.7", "127.0.0.1", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.8", "192.0.2.8"),
    ],
)
def test_a_forwarded_address_counts_from_trusted_proxies_alone(
    trusted: str, peer: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen_client(trusted, peer, monkeypatch) == seen
