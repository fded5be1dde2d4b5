"""The register as an Atom feed (RFC 4287): stable identifiers, everything escaped, nothing that XML cannot hold."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from dataspace.wire.public import RegisterEntry

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
FIRST_DAY = "2025-03-26"
"""Entry into force of Regulation (EU) 2025/327; part of the identifiers, which never change (RFC 4151)."""

BEGINNING = datetime(2025, 3, 26, tzinfo=UTC)

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(entries: list[RegisterEntry], public_url: str) -> bytes:
    """The feed of `entries`, newest change first."""
    register_namespace("", ATOM)
    feed = Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    base = public_url.rstrip("/")
    _text(feed, "id", _tag(base, "register"))
    _text(feed, "title", "Public register of secondary use of health data")
    _text(feed, "updated", _time(max((entry.updated_at for entry in entries), default=BEGINNING)))
    _link(feed, "self", f"{base}/register/feed.atom", MEDIA_TYPE)
    _link(feed, "alternate", f"{base}/register", "text/html")
    author = SubElement(feed, f"{{{ATOM}}}author")
    _text(author, "name", "Health data access body")
    for entry in entries:
        _entry(feed, entry, base)
    made: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return made


def _entry(feed: Element, entry: RegisterEntry, base: str) -> None:
    made = SubElement(feed, f"{{{ATOM}}}entry")
    _text(made, "id", _tag(base, f"register/{entry.number}"))
    _text(made, "title", f"{entry.number}: {entry.title} ({entry.state.replace('-', ' ')})")
    _text(made, "updated", _time(entry.updated_at))
    _text(made, "published", _time(entry.received_at))
    _link(made, "alternate", entry.url, "text/html")
    author = SubElement(made, f"{{{ATOM}}}author")
    _text(author, "name", entry.applicant)
    for purpose in entry.purposes:
        SubElement(made, f"{{{ATOM}}}category", {"term": purpose.letter, "label": purpose.text})
    _text(made, "summary", entry.lay_summary)
    content = [f"Datasets: {', '.join(entry.datasets)}."]
    if entry.permit_number and entry.valid_from and entry.valid_until:
        content.append(f"Permit {entry.permit_number}, {entry.valid_from.date()} until {entry.valid_until.date()}.")
    if entry.reasons:
        content.append(f"Reasons: {entry.reasons}")
    if entry.permit_reasons:
        content.append(f"Reasons for the permit's present state: {entry.permit_reasons}")
    _text(made, "content", "\n".join(content)).set("type", "text")


def _text(parent: Element, name: str, text: str) -> Element:
    made = SubElement(parent, f"{{{ATOM}}}{name}")
    made.text = _NOT_XML.sub("\ufffd", text)
    return made


def _link(parent: Element, rel: str, href: str, kind: str) -> None:
    SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": kind})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tag(base: str, what: str) -> str:
    return f"tag:{urlsplit(base).hostname},{FIRST_DAY}:{what}"
