"""Sending a message to a webhook: HTTPS to a host that was named, signed as Standard Webhooks does.

The receiver recomputes HMAC-SHA256 with the shared secret over `webhook-id`, a full stop, `webhook-timestamp`, a full
stop, and the body; `webhook-signature` holds it as `v1,` and base64.
"""

import base64
import hmac
import ipaddress
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit

import httpx2

from dataspace.domain.outbox import Claimed, NotDelivered
from dataspace.services.outbox import Send

TIMEOUT_S = 20.0
ACCEPTED = range(200, 300)


@dataclass(frozen=True)
class WebhookRules:
    """Hosts that may be called; this machine only if `loopback` says so, and only there without TLS."""

    hosts: frozenset[str]
    loopback: bool = False


def webhook_sender(rules: WebhookRules, secret: str, now: Callable[[], float] = time.time) -> Send:
    """Posts one message; a redirection is a failure, and is not followed."""

    def send(claimed: Claimed) -> None:
        check_address(claimed.address, rules)
        body = payload(claimed)
        stamp = str(int(now()))
        headers = {
            "content-type": "application/json",
            "webhook-id": claimed.message.id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(secret, claimed.message.id, stamp, body),
        }
        try:
            with (
                httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", claimed.address, content=body, headers=headers) as response,
            ):
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotDelivered(type(error).__name__) from None
        if status not in ACCEPTED:
            raise NotDelivered(f"http-{status}")

    return send


def payload(claimed: Claimed) -> bytes:
    """The same bytes at every try."""
    message = claimed.message
    content = {
        "type": "deadline",
        "id": message.id,
        "timestamp": message.at.isoformat(),
        "data": {"title": message.subject, **message.facts},
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    covered = f"{message_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), covered, sha256).digest()).decode()


def check_address(url: str, rules: WebhookRules) -> None:
    """Raises NotDelivered for an address that no setting allows."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise NotDelivered("address-not-allowed") from None
    if host not in rules.hosts or parts.username is not None:
        raise NotDelivered("host-not-allowed")
    local = _addresses(host, port or 443)
    if any(address.is_loopback or address.is_link_local or address.is_unspecified for address in local):
        _check_local(parts, local, rules)
    elif parts.scheme != "https":
        raise NotDelivered("not-https")


def _check_local(
    parts: SplitResult, addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address], rules: WebhookRules
) -> None:
    if not rules.loopback or not all(address.is_loopback for address in addresses):
        raise NotDelivered("loopback-not-allowed")
    if parts.scheme not in ("http", "https"):
        raise NotDelivered("not-https")


def _addresses(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotDelivered("host-not-found") from None
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
