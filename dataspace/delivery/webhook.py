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
from urllib.parse import urlsplit

import httpx2

from dataspace.domain.outbox import Claimed, NotDelivered
from dataspace.services.outbox import Send

TIMEOUT_S = 20.0
ACCEPTED = range(200, 300)
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class WebhookRules:
    """Hosts that may be called, with TLS and at public addresses.

    Those that are also `internal` may be at private ones; this machine is called only if `loopback` says so, and is the
    only one without TLS. Link-local addresses, where clouds keep their credentials, are called under no rule.
    """

    hosts: frozenset[str]
    loopback: bool = False
    internal: frozenset[str] = frozenset()


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
    found = _addresses(host, port or 443)
    if rules.loopback and all(address.is_loopback for address in found):
        if parts.scheme not in ("http", "https"):
            raise NotDelivered("not-https")
        return
    if any(address.is_loopback or address.is_link_local or address.is_unspecified for address in found):
        raise NotDelivered("loopback-not-allowed")
    if parts.scheme != "https":
        raise NotDelivered("not-https")
    if host not in rules.internal and any(not address.is_global or address.is_multicast for address in found):
        raise NotDelivered("internal-address-not-allowed")


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotDelivered("host-not-found") from None
    return [_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]


def _plain(address: Address) -> Address:
    """The IPv4 address that is meant by an IPv6 one that is mapped (RFC 4291), 6to4 (3056) or translated (6052)."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
