"""A node with many cases: one of each course walks through the real services, the others are its copies.

A copy has identifiers, numbers and an applicant of its own and lies some days earlier; its events are chained anew.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dataspace.db import tables as t  # noqa: E402
from dataspace.domain.actors import Actor, Organisation, Role  # noqa: E402
from dataspace.domain.complaints import Complainant, Subject  # noqa: E402
from dataspace.domain.events import AuditEvent, EventKind  # noqa: E402
from dataspace.domain.findings import FindingState  # noqa: E402
from dataspace.domain.measures import MeasureKind  # noqa: E402
from dataspace.domain.permits import DataPermit  # noqa: E402
from dataspace.domain.privacy import Guarantee  # noqa: E402
from dataspace.domain.redaction import Ground, Part  # noqa: E402
from dataspace.domain.results import ResultKind  # noqa: E402
from dataspace.services import (  # noqa: E402
    budget_requests,
    complaints,
    findings,
    measures,
    permits,
    register,
    results,
)
from tests.factories import UNIVERSITY, Node, make_node  # noqa: E402

APPLICANTS = 200
COMPLAINTS = 500
SPREAD = timedelta(days=700)
"""How far back the oldest copy lies."""

NOT_COPIED = {"audit_events", "chains", "counters", "datasets", "dataset_snapshots", "persons", "postings", "tokens"}
OWN = re.compile(r"\b(?!prs_)[a-z]{3}_[0-9a-f]{20}\b|\b(?:DAA|DP|HDR|BR|MNC)-\d{4}-\d{4}\b")
"""Identifiers and numbers that belong to one case."""

WORDS = ["readmission", "stroke", "cancer", "vaccine", "winter", "hospital", "cohort", "elderly", "cost", "outcome"]
Course = Callable[[Node], str]
"""Takes a case as far as it goes; its application's identifier."""


def _permit(node: Node, days: int = 365) -> DataPermit:
    small = Guarantee(Decimal("0.0001"), Decimal("1e-9"))
    return node.permit(form=replace(node.form(days=days), guarantee=small))


def _submitted(node: Node) -> str:
    return node.submitted().id


def _assessed(node: Node) -> str:
    return node.assessed().id


def _refused(node: Node) -> str:
    case = node.to_be_refused().id
    permits.refuse_application(node.uow, node.clock, node.decision_maker, case, reasons="too much is asked for")
    return case


def _withheld(node: Node) -> str:
    case = node.to_be_refused().id
    register.declare_confidential(
        node.uow, node.clock, node.assessor, case, part=Part.TITLE, ground=Ground.TRADE_SECRET, reason="a secret"
    )
    permits.refuse_application(node.uow, node.clock, node.decision_maker, case, reasons="too much is asked for")
    return case


def _active(node: Node) -> str:
    return _permit(node, days=1500).application


def _asking(node: Node) -> str:
    permit = _permit(node, days=1500)
    budget_requests.ask_for_budget(
        node.uow, node.clock, node.researcher, permit.id, budget_requests.MoreRho(Fraction(1, 10**6)),
        reasons="a second year", to_limit=node.to_limit, to_epsilon=lambda _, guarantee: guarantee.epsilon * 2,
    )  # fmt: skip
    return permit.application


def _expired(node: Node) -> str:
    return _permit(node, days=60).application


def _published(node: Node) -> str:
    permit = _permit(node, days=60)
    results.register_result(
        node.uow, node.clock, node.researcher, permit.number, kind=ResultKind.PAPER, title="On strokes in winter",
        link="10.1000/182", lay_summary="They are more frequent.",
    )  # fmt: skip
    return permit.application


def _found(node: Node) -> str:
    permit = _permit(node, days=1500)
    reported = findings.report_finding(
        node.uow, node.clock, node.researcher, permit.id, dataset="registry", pseudonym="ab12cd34", text="a lesion"
    )
    findings.move_finding(node.uow, node.clock, node.assessor, reported.finding.id, FindingState.FORWARDED)
    return permit.application


def _measured(node: Node) -> str:
    permit = _permit(node, days=1500)
    permits.suspend_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
    measures.take_measure(
        node.uow, node.clock, node.decision_maker, kind=MeasureKind.SUSPENSION, organisation=UNIVERSITY.name,
        reasons="misuse of the data", permit_number=permit.number,
    )  # fmt: skip
    return permit.application


COURSES: tuple[tuple[Course, int], ...] = (
    (_submitted, 20), (_assessed, 15), (_refused, 10), (_withheld, 2), (_active, 26), (_asking, 4), (_expired, 10),
    (_published, 10), (_found, 2), (_measured, 1),
)  # fmt: skip
"""What becomes of cases, of a hundred each."""


@dataclass(frozen=True)
class Original:
    """All rows of one case, and its events."""

    rows: dict[str, list[dict[str, Any]]]
    events: list[dict[str, Any]]
    owned: tuple[str, ...]


def many_cases(folder: Path, count: int) -> Node:
    """A node whose clock stands after all that happened."""
    node = make_node(folder)
    node.dataset()
    applicants = [node.person(f"Person {n}", Organisation(f"University {n % 60}"), Role.APPLICANT) for n in range(200)]
    originals = [_original(node, course(node)) for course, _ in COURSES]
    chosen = [one for one, (_, share) in zip(originals, COURSES, strict=True) for _ in range(share)]
    _copy(node, chosen, applicants, count - len(originals))
    for number in range(COMPLAINTS):
        complaints.file_complaint(
            node.uow, node.clock, subject=Subject.PERMIT, complainants=[Complainant(f"Wanda {number}")],
            text="I was not asked", contact="w@example.org",
        )  # fmt: skip
    node.clock.forward(days=100)
    return node


def _original(node: Node, case: str) -> Original:
    known = {table.name: _rows(node, table) for table in t.metadata.sorted_tables if table.name not in NOT_COPIED}
    said = [(name, row, set(OWN.findall(json.dumps(row, default=str)))) for name, rows in known.items() for row in rows]
    owned: set[str] = set()
    grown = {case}
    while grown != owned:
        owned = grown
        grown = owned.union(*(names for _, _, names in said if names & owned))
    rows = {name: [row for of, row, names in said if of == name and names & owned] for name in known}
    events = [row for row in _rows(node, t.audit_events) if row["subject"] in owned]
    return Original(rows, events, tuple(sorted(owned)))


def _rows(node: Node, table: Table) -> list[dict[str, Any]]:
    with node.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table))]


def _copy(node: Node, chosen: list[Original], applicants: list[Actor], count: int) -> None:
    made: dict[str, list[dict[str, Any]]] = {}
    events: list[dict[str, Any]] = []
    for number in range(count):
        original = chosen[number * 37 % len(chosen)]
        other = _renaming(original, number, node.researcher.id, applicants[number % len(applicants)].id)
        earlier = SPREAD * (count - number) / count
        for name, rows in original.rows.items():
            made.setdefault(name, []).extend(_changed(row, other, earlier, number) for row in rows)
        events += [_changed(row, other, earlier, number) for row in original.events]
    with node.engine.begin() as connection:
        for table in t.metadata.sorted_tables:
            if made.get(table.name):
                connection.execute(insert(table), made[table.name])
    with node.uow as uow:
        for row in events:
            kind = EventKind(row["kind"])
            uow.audit.append(AuditEvent(kind, row["actor"], row["subject"], row["at"], row["details"]))
        # copies have their entries in the register already
        uow.audit.written.clear()
        uow.commit()


def _renaming(original: Original, number: int, researcher: str, applicant: str) -> Callable[[str], str]:
    names = {old: _renamed(old, number) for old in original.owned} | {researcher: applicant}
    known = re.compile("|".join(map(re.escape, names)))
    return lambda text: known.sub(lambda found: names[found[0]], text)


def _renamed(old: str, number: int) -> str:
    if old[3] == "_":
        return f"{old[:14]}{number:010x}"
    return f"{old[:-4]}{int(old[-4:])}{number:06d}"


def _changed(row: dict[str, Any], other: Callable[[str], str], earlier: timedelta, number: int) -> dict[str, Any]:
    changed = {name: _value(value, other, earlier) for name, value in row.items()}
    if "seq" in changed and "id" in changed:
        del changed["seq"]
    if "words" in changed:
        picked = list(_picked(number))
        changed |= {"title": " ".join(picked[:8]), "lay_summary": " ".join(picked), "words": " ".join(picked)}
    return changed


def _picked(number: int) -> Iterator[str]:
    for place in range(128):
        yield WORDS[(number * 7 + place * (number % 9 + 1)) % len(WORDS)]


def _value(value: Any, other: Callable[[str], str], earlier: timedelta) -> Any:
    if isinstance(value, str):
        return other(value)
    if isinstance(value, dict | list):
        return json.loads(other(json.dumps(value)))
    if isinstance(value, datetime):
        return value - earlier
    return value - earlier if isinstance(value, date) else value
