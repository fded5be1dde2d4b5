"""Hash chains: each entry's hash covers the one before, so that no entry can be changed, moved or left out unseen.

The hash of an entry is SHA-256 over the previous hash (hexadecimal), a line feed, and the entry's canonical JSON: keys
sorted, no spaces, ASCII only. Anyone can recompute it with any language's standard library.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

GENESIS = "0" * 64
"""What the first entry follows."""

Canonical = Mapping[str, str | int | Mapping[str, str]]


@dataclass(frozen=True)
class ChainHead:
    """The last entry's place and hash; (0, GENESIS) for an empty chain."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Link:
    """What a chain keeps about an entry besides its content."""

    seq: int
    content: Canonical
    previous: str
    hash: str


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be; `seq` is the entry's place, None if it concerns the whole."""

    text: str
    seq: int | None = None


def canonical_bytes(content: Canonical) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode(
        "ascii"
    )


def link_hash(previous: str, content: Canonical) -> str:
    return sha256(previous.encode("ascii") + b"\n" + canonical_bytes(content)).hexdigest()


def utc_text(at: datetime) -> str:
    """The one spelling of a time in canonical JSON: UTC, microseconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def verify_links(
    links: Iterable[Link], head: ChainHead | None = None, before: ChainHead | None = None
) -> tuple[Finding, ...]:
    """Everything wrong with the chain; `head` is what its last entry must be, to find entries cut off at the end.

    `before` is what the first link follows, if it is not the first entry of all.
    """
    findings: list[Finding] = []
    last = before or ChainHead()
    for link in links:
        if link.seq != last.seq + 1:
            findings.append(Finding(f"entry {link.seq} follows {last.seq}: entries are missing or moved", link.seq))
        if link.previous != last.hash:
            findings.append(Finding(f"entry {link.seq} does not follow from the entry before it", link.seq))
        if link.hash != link_hash(link.previous, link.content):
            findings.append(Finding(f"entry {link.seq} was changed after it was written", link.seq))
        last = ChainHead(link.seq, link.hash)
    if head is not None and head != last:
        findings.append(Finding(f"the chain ends at entry {last.seq}, its recorded head is entry {head.seq}"))
    return tuple(findings)
