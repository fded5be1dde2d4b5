"""The small values every record is made of: text with its language, addresses (IRIs), slugs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
"""Identifier of a dataset in URLs, file names and queries: lower-case letters, digits, `-` and `_`, at most 64."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_IRI = re.compile(r"(?:https?://|urn:|mailto:|tel:)[^\x00-\x20<>\"{}|\\^`\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$&'*+/=?_~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# what XML 1.0 cannot hold, so that every record has all three RDF forms
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Said:
    """One sentence of the platform itself in the two languages of the portal."""

    en: str
    fr: str


@dataclass(frozen=True, order=True)
class Text:
    """A sentence of a record and its language (BCP 47, lower case), None where the language is unknown.

    Line ends become `\\n`. Markup is allowed and means nothing: whoever prints a text escapes it.
    """

    value: str
    language: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", plain(self.value, "a text"))
        if self.language is not None and not _LANGUAGE.fullmatch(self.language):
            raise ValueError(f"{self.language[:20]!r} is not a language tag; write it like 'en' or 'fr-be'")


def said(en: str | None = None, fr: str | None = None) -> tuple[Text, ...]:
    """The same text in English and French, either may be left out."""
    return tuple(Text(value, language) for value, language in ((en, "en"), (fr, "fr")) if value)


def text_in(texts: Iterable[Text], language: str) -> str:
    """The text in `language`, else in English, else any; empty if there is none."""
    ranked = sorted(texts, key=lambda t: (t.language != language, t.language != "en", t.language or "", t.value))
    return ranked[0].value if ranked else ""


def plain(value: str, what: str) -> str:
    """`value` with line ends as `\\n`. Raises ValueError if it is blank or holds control characters."""
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{what} is empty; leave the field out instead")
    if _FORBIDDEN.search(text):
        raise ValueError(f"{what} holds control characters; remove them")
    return text


def is_iri(value: str) -> bool:
    """True for an absolute address with a scheme that is safe to show as a link."""
    return _IRI.fullmatch(value) is not None


def check_iri(value: str, what: str) -> str:
    """`value` as a plain string. Raises ValueError if `is_iri` is false."""
    if not is_iri(value):
        raise ValueError(f"{what} is not an address; write it in full, like https://example.org/page")
    return str(value)


def check_email(value: str, what: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError(f"{what} is not an e-mail address; write it like name@example.org")
    return value


def is_slug(value: str) -> bool:
    return SLUG.fullmatch(value) is not None


def slug_of(iri: str) -> str:
    """Identifier for a dataset address: its last segment, cleaned; with a short hash where cleaning changed it."""
    tail = re.split(r"[/#:]", iri.rstrip("/#"))[-1]
    if is_slug(tail):
        return tail
    clean = re.sub(r"[^a-z0-9]+", "-", tail.lower()).strip("-")[:50].strip("-")
    return f"{clean or 'dataset'}-{sha256(iri.encode()).hexdigest()[:8]}"
