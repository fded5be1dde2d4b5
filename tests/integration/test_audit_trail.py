"""Searching, exporting and archiving the audit trail: who may, what is recorded, and that the chain still holds."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from catalog.spreadsheets import neutral
from dataspace.audit_files import AuditFiles
from dataspace.client.ledger import GENESIS
from dataspace.domain.actors import SYSTEM
from dataspace.domain.audit_records import AuditFilter
from dataspace.domain.chain import link_hash
from dataspace.domain.errors import InvalidInput, NotPermitted, Unavailable
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.services import audit_trail, ledger
from tests.api_node import ApiNode, make_api_node
from tests.factories import Node

YEAR = timedelta(days=366)
EVERYTHING = AuditFilter()


def read(node: Node, wanted: AuditFilter = EVERYTHING, after: int = 0, most: int = 500) -> list[int]:
    found = audit_trail.read_audit(node.uow, node.clock, node.assessor, wanted, after, most)
    return [entry.seq for entry in found]


def events(node: Node) -> list[AuditEvent]:
    with node.uow.reading() as uow:
        return [entry.event for entry in uow.audit.entries()]


def test_a_search_finds_what_a_walk_finds(node: Node) -> None:
    permit = node.permit()
    node.clock.forward(days=1)
    node.charge(permit, 5)
    with node.uow.reading() as uow:
        walked = list(uow.audit.entries())
    noon = walked[-1].event.at
    for wanted in (
        AuditFilter(actor=node.researcher.id),
        AuditFilter(subject=permit.id),
        AuditFilter(kind=EventKind.PERSON_REGISTERED),
        AuditFilter(since=noon),
        AuditFilter(until=noon),
        AuditFilter(actor=node.researcher.id, kind=EventKind.QUERY_CHARGED, since=noon),
        AuditFilter(subject="nothing"),
    ):
        expected = [
            e.seq
            for e in walked
            if wanted.actor in (None, e.event.actor)
            and wanted.subject in (None, e.event.subject)
            and wanted.kind in (None, e.event.kind)
            and (wanted.since is None or e.event.at >= wanted.since)
            and (wanted.until is None or e.event.at < wanted.until)
        ]
        found = audit_trail.read_audit(node.uow, node.clock, node.assessor, wanted, 0, 500)
        assert [e.seq for e in found if e.seq <= walked[-1].seq] == expected


def test_pages_follow_each_other_and_every_reading_is_on_record(node: Node) -> None:
    last = len(events(node))
    pages = [read(node, after=after, most=4) for after in range(0, last, 4)]
    assert [seq for page in pages for seq in page if seq <= last] == list(range(1, last + 1))
    read(node, AuditFilter(subject="case", since=datetime(2026, 1, 1, tzinfo=UTC)))
    looked = events(node)[-1]
    assert (looked.kind, looked.actor) == (EventKind.AUDIT_READ, node.assessor.id)
    assert looked.details == {"subject": "case", "from": "2026-01-01T00:00:00+00:00", "after": "0"}
    assert ledger.verify(node.uow).sound


@pytest.mark.parametrize("person", ["researcher", "holder", "desk"])
def test_others_read_nothing(node: Node, person: str) -> None:
    before = len(events(node))
    with pytest.raises(NotPermitted):
        audit_trail.read_audit(node.uow, node.clock, getattr(node, person), EVERYTHING, 0, 10)
    with pytest.raises(NotPermitted):
        audit_trail.export_audit(node.uow, node.clock, getattr(node, person), EVERYTHING)
    assert len(events(node)) == before


def aged(node: Node) -> None:
    """Entries of two years, with a release in the first."""
    node.release(node.charge(node.permit(), 30))
    node.clock.forward(days=400)
    node.charge(node.permit(), 40)


def test_what_is_past_its_retention_moves_to_a_file_and_the_chain_still_verifies(node: Node, tmp_path: Path) -> None:
    aged(node)
    files, before = AuditFiles(tmp_path / "archive"), events(node)
    part = audit_trail.archive_audit(node.uow, node.clock, SYSTEM, files, YEAR)
    assert part is not None
    left = events(node)
    assert left[-1].kind is EventKind.AUDIT_ARCHIVED
    assert left[-1].details["sha256"] == part.sha256
    assert [entry.event for entry in files.read(part)] + left[:-1] == before
    assert all(event.at > node.clock.now() - YEAR for event in left)
    assert ledger.verify(node.uow, files).sound
    assert audit_trail.archive_audit(node.uow, node.clock, SYSTEM, files, YEAR) is None
    node.clock.forward(days=400)
    assert audit_trail.archive_audit(node.uow, node.clock, SYSTEM, files, YEAR) is not None
    assert ledger.verify(node.uow, files).sound


@pytest.mark.parametrize("fault", ["lost", "changed", "cut", "not looked at"])
def test_an_archive_that_is_not_what_was_archived_is_found(node: Node, tmp_path: Path, fault: str) -> None:
    aged(node)
    files = AuditFiles(tmp_path)
    part = audit_trail.archive_audit(node.uow, node.clock, SYSTEM, files, YEAR)
    assert part is not None
    path = tmp_path / part.file
    body = path.read_bytes()
    if fault == "lost":
        path.unlink()
    if fault == "changed":
        path.write_bytes(body.replace(b"rita", b"Rita").replace(b"2026-", b"2025-"))
    if fault == "cut":
        path.write_bytes(body[: body.rindex(b"\n", 0, -1) + 1])
    state = ledger.verify(node.uow, None if fault == "not looked at" else files)
    assert part.file in state.findings[0].text
    assert len(state.findings) > 1


def test_nothing_younger_than_a_year_leaves_and_only_an_operator_archives(node: Node, tmp_path: Path) -> None:
    aged(node)
    files = AuditFiles(tmp_path)
    with pytest.raises(InvalidInput, match="at least 366 days"):
        audit_trail.archive_audit(node.uow, node.clock, SYSTEM, files, timedelta(days=365))
    with pytest.raises(NotPermitted):
        audit_trail.archive_audit(node.uow, node.clock, node.decision_maker, files, YEAR)
    assert list(tmp_path.glob("audit-*")) == []


@pytest.mark.parametrize("change", ["update audit_events set at = at", "delete from audit_events where seq > {last}"])
def test_triggers_keep_what_was_not_archived(node: Node, tmp_path: Path, change: str) -> None:
    aged(node)
    part = audit_trail.archive_audit(node.uow, node.clock, SYSTEM, AuditFiles(tmp_path), YEAR)
    assert part is not None
    with pytest.raises(DatabaseError, match="append-only"), node.engine.begin() as connection:
        connection.execute(text(change.format(last=part.last)))


def test_an_archive_that_cannot_be_written_leaves_the_table_whole(node: Node, tmp_path: Path) -> None:
    aged(node)
    (tmp_path / "file").write_text("")
    before = events(node)
    with pytest.raises(Unavailable, match="cannot be written"):
        audit_trail.archive_audit(node.uow, node.clock, SYSTEM, AuditFiles(tmp_path / "file"), YEAR)
    assert events(node) == before


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


def get(api: ApiNode, path: str, person: str = "assessor") -> str:
    response = api.client.get(f"/api/v1/audit{path}", headers=api.token(getattr(api.people, person)))
    assert response.status_code == 200, response.text
    return response.text


def test_over_http_a_search_is_filtered_and_paged(api: ApiNode) -> None:
    api.people.charge(api.permit, 5)
    page = json.loads(get(api, f"?subject={api.permit.id}&kind=query-charged"))
    assert [entry["kind"] for entry in page] == ["query-charged"]
    assert len(json.loads(get(api, "?after=2&most=3"))) == 3
    moment = api.people.clock.now().isoformat().replace("+00:00", "Z")
    assert json.loads(get(api, f"?from={moment}&actor={api.people.holder.id}"))
    assert json.loads(get(api, f"?to={moment}")) == []


BAD = ["kind=nothing", "after=-1", "most=501", "from=x", "from=2026-02-01&to=2026-01-01"]


@pytest.mark.parametrize("path", [f"?{bad}" for bad in BAD] + ["/export?kind=nothing", "/export?format=xlsx"])
def test_a_search_that_makes_no_sense_is_refused(api: ApiNode, path: str) -> None:
    response = api.client.get(f"/api/v1/audit{path}", headers=api.token(api.people.assessor))
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize("path", ["", "/export"])
def test_over_http_others_are_refused(api: ApiNode, path: str) -> None:
    for person in ("researcher", "holder", "desk"):
        response = api.client.get(f"/api/v1/audit{path}", headers=api.token(getattr(api.people, person)))
        assert (response.status_code, response.json()["code"]) == (403, "not-permitted")
    assert api.client.get(f"/api/v1/audit{path}").status_code == 401


def test_anybody_can_recompute_the_chain_from_the_export(api: ApiNode) -> None:
    lines = [json.loads(line) for line in get(api, "/export").splitlines()]
    previous = GENESIS
    for seq, line in enumerate(lines, 1):
        stated = line.pop("hash")
        assert (line["seq"], line.pop("previous")) == (seq, previous)
        assert link_hash(previous, line) == stated
        previous = stated
    assert lines[-1]["kind"] == "audit-exported"


def test_no_cell_of_the_csv_is_a_formula(api: ApiNode) -> None:
    with api.people.uow as uow:
        uow.audit.append(AuditEvent(EventKind.QUERY_REFUSED, "=1+1", "@sum", api.people.clock.now(), {"a": "=2"}))
        uow.commit()
    rows = list(csv.DictReader(io.StringIO(get(api, "/export?format=csv&kind=query-refused"))))
    assert [(row["actor"], row["subject"], row["details"]) for row in rows] == [("'=1+1", "'@sum", '{"a": "=2"}')]


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\tx", "\rx", "\nx", "\uff1d1"])
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    assert neutral(f"a{cell}") == f"a{cell}"


def test_who_prepared_the_data_is_known_when_the_trail_has_left(node: Node, tmp_path: Path) -> None:
    with node.uow.reading() as uow:
        before = uow.datasets.preparers("registry")
    node.clock.forward(days=500)
    assert audit_trail.archive_audit(node.uow, node.clock, SYSTEM, AuditFiles(tmp_path / "archive"), YEAR) is not None
    with node.uow.reading() as uow:
        assert uow.datasets.preparers("registry") == before == {node.holder.id}
