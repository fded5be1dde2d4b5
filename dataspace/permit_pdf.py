"""A permit in print (PDF): a reading copy that quotes the digest of the signed statement; same permit, same bytes.

The standard fonts of PDF are used, so that nothing has to be embedded: they hold the letters of Western Europe
(Windows-1252). A letter they lack is printed as its base letter; the signed statement has the exact spelling.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from dataspace.domain.permit_document import ENVIRONMENT, signed_at
from dataspace.domain.permit_words import PROHIBITED, PURPOSES, Language, member, word
from dataspace.services.documents import Document

ENCODING = "windows-1252"
PRINTED = (
    frozenset(
        {"id", "number", "version", "application", "schema", "reasons", "granted_at", "suspended_at", "revoked_at"}
    )
    | frozenset({"authority", "holder", "persons", "purposes", "valid_from", "valid_until", "opt_out_exception"})
    | frozenset({"datasets", "columns", "snapshots", "snapshot_rule", "pseudonymised", "environment"})
    | frozenset({"guarantee", "limit", "conditions"})
)
"""Members of the statement with a place of their own; what else it holds is printed under "Further terms"."""


def permit_pdf(document: Document, language: Language) -> bytes:
    """The permit as a PDF file."""
    paper = _Paper(document, language)
    paper.print_all()
    return bytes(paper.output())


class _Paper(FPDF):
    def __init__(self, document: Document, language: Language) -> None:
        super().__init__(format="A4")
        self._document, self._language = document, language
        self.core_fonts_encoding = ENCODING
        self.set_creation_date(signed_at(document.permit).astimezone(UTC).replace(microsecond=0))
        self.set_lang(language.value)
        self.set_title(f"{self._word('title')} {document.permit.number}")
        self.set_producer("dataspace")
        self.set_margins(20, 20)
        self.set_auto_page_break(auto=True, margin=22)
        self.alias_nb_pages("{nb}")

    def footer(self) -> None:
        """Number of the permit, of the page, and how many there are."""
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        number = self._document.permit.number
        self.cell(0, 8, _printable(f"{number} - {self._word('page').format(self.page_no(), '{nb}')}"), align="C")

    def print_all(self) -> None:
        permit, parties, say = self._document.permit, self._document.parties, self._word
        self.add_page()
        self.set_font("Helvetica", "B", 18)
        self._write(f"{say('title')} {permit.number}", 10)
        self.set_font("Helvetica", size=10)
        self._write(f"{say('law')} - version {permit.version} - {_day(permit.granted_at)}")
        self._warn()
        self._section("authority", [parties.authority])
        self._section("holder", [f"{parties.holder.organisation} ({parties.holder.name})"])
        self._section("persons", [f"{person.name}, {person.organisation}" for person in parties.persons])
        self._section("period", [say("from_until").format(_day(permit.valid_from), _day(permit.valid_until))])
        self._section("purposes", [f"53(1)({p.letter}) {PURPOSES[self._language][p]}" for p in sorted(permit.purposes)])
        self._section("data", self._data())
        self._section("opt_out", [permit.opt_out_exception or say("none")])
        self._section("environment", [say("environment_text")])
        guarantee = permit.guarantee
        self._section("budget", [say("budget_text").format(f"{guarantee.epsilon:f}", f"{guarantee.delta:f}")])
        self._section("conditions", permit.conditions or [say("none")])
        self._section("further", _further(self._document.claims["permit"], self._language))
        self._section("prohibited", [f"({use.value}) {text}" for use, text in PROHIBITED[self._language].items()])
        self._section("duties", [say(duty) for duty in ("reidentify", "publish", "acknowledge", "inform")])
        self._verification()

    def _warn(self) -> None:
        for state, at in (
            ("revoked", self._document.permit.revoked_at),
            ("suspended", self._document.permit.suspended_at),
        ):
            if at is not None:
                self.set_font("Helvetica", "B", 12)
                self._write(self._word(state).format(_day(at)), 8)

    def _section(self, heading: str, lines: Iterable[str]) -> None:
        lines = list(lines)
        if not lines:
            return
        self.ln(3)
        self.set_font("Helvetica", "B", 11)
        self._write(self._word(heading), 6)
        self.set_font("Helvetica", size=10)
        for line in lines:
            self._write(line)

    def _data(self) -> list[str]:
        permit, tables = self._document.permit, defaultdict[tuple[str, str], list[str]](list)
        for dataset, table, column in sorted(permit.columns):
            tables[dataset, table].append(column)
        rule = self._word(permit.snapshot_rule.value)
        snapshots = [f"{d}: {self._word('snapshot').format(permit.snapshots[d])}, {rule}" for d in permit.datasets]
        return snapshots + [f"{d}.{t}: {', '.join(columns)}" for (d, t), columns in tables.items()]

    def _verification(self) -> None:
        issuer = self._document.parties.issuer
        keys, status = f"{issuer}/.well-known/jwks.json", f"{issuer}/api/v1/permits/status"
        self._section("verification", [self._word("verify").format(keys=keys, status=status)])
        self.set_font("Courier", size=8)
        self._write("dataspace verify-permit permit.jws --keys jwks.json --status status.jws")
        self._write(f"SHA-256 {self._document.digest}")

    def _write(self, text: str, height: float = 5) -> None:
        self.multi_cell(0, height, _printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _word(self, name: str) -> str:
        return word(name, self._language)


def _further(statement: dict[str, Any], language: Language) -> list[str]:
    """What the permit holds beyond what has a place of its own."""
    own = "" if statement["environment"] == ENVIRONMENT else "environment"
    more = {name: value for name, value in statement.items() if value and (name == own or name not in PRINTED)}
    return [f"{member(name, language)}: {_said(value)}" for name, value in sorted(more.items())]


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _printable(text: str) -> str:
    return "".join(map(_letter, unicodedata.normalize("NFC", text)))


def _letter(letter: str) -> str:
    if _has(letter):
        return letter
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if _has(part))
    return base or {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "−": "-", "≤": "<="}.get(letter, "?")


def _has(letter: str) -> bool:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
