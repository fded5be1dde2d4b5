"""The five journeys through a node, over HTTP on loopback, on ingested data, each person with tokens of few scopes.

Granted, refused, a request answered by itself, revoked in flight, and cross-checked by a stranger who has nothing but
the public files.
"""

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from time import sleep

import pytest
import uvicorn
from sqlalchemy import select

from dataspace import jose, wire
from dataspace.client import Dataspace
from dataspace.client.crosscheck import cross_check
from dataspace.client.errors import DataspaceError, NotFound, NotPermitted, OutOfScope
from dataspace.client.public_files import download
from dataspace.client.verification import verify_permit
from dataspace.db.tables import datasets
from dataspace.domain.actors import Actor, Organisation, Role
from dataspace.domain.applications import ApplicationKind, PlannedTable
from dataspace.domain.forms import newest
from dataspace.domain.privacy import ByEpsilon
from dataspace.domain.token_scopes import TokenScope
from dataspace.services import accounts
from dataspace.web.api.contents import content_of
from dataspace.web.app import create_app
from dataspace.wire.clocks import ClockEntry, StepRequest
from dataspace.wire.decisions import CaseFile, TabulationAnswer
from dataspace.wire.forms import Content
from dataspace.wire.public import RegisterEntry
from tests.form_answers import complete, request_heart
from tests.real_node import CLINIC, Place, open_place

BY_WARD = "SELECT ward, COUNT(*) AS stays FROM stay GROUP BY ward"
STAYS = {"CARD": 3, "NEUR": 1, None: 1}
"""What the delivery holds."""
PERSONS = "SELECT COUNT(DISTINCT person) AS n FROM person"
COST = ("clinic", "stay", "cost")
FEE = [{"activity": "assessment", "cents": 30_000}]
APPLICANT = (TokenScope.APPLY, TokenScope.READ, TokenScope.QUERY, TokenScope.RECORD)
OFFICIAL = (TokenScope.DECIDE, TokenScope.READ)


@dataclass
class Served:
    """A node that answers at `url`, and sessions of its people."""

    place: Place
    url: str
    researcher: Dataspace
    colleague: Dataspace
    assessor: Dataspace
    decider: Dataspace
    holder: Dataspace
    preparer: Dataspace

    def session(self, person: Actor, *scopes: TokenScope) -> Dataspace:
        return session(self.place, self.url, person, *scopes)

    def content(self) -> Content:
        """A complete application for all columns."""
        return content_of(ApplicationKind.ACCESS, complete(newest(ApplicationKind.ACCESS), self.place.form("clinic")))

    def submitted(self) -> str:
        case = self.researcher.begin_draft(self.content()).id
        return self.researcher.submit(case).id

    def assessed(self, case: str, **unmet: str) -> CaseFile:
        """Every criterion has its verdict: met, but for those of `unmet`."""
        self.assessor.assess(case)
        verdicts = dict.fromkeys(self.assessor.case_file(case).unassessed, ("met", "as the application shows"))
        return self.assessor.record_findings(case, verdicts | {k[1:]: ("not-met", v) for k, v in unmet.items()})

    def permit(self) -> wire.PermitEntry:
        case = self.submitted()
        self.assessed(case)
        self.assessor.propose(case, "grant", "all met")
        return self.decider.grant(case, wire.GrantRequest())

    def allocated(self) -> int:
        """Of the dataset's capacity, in the ledger's quanta."""
        with self.place.people.engine.connect() as connection:
            return int(connection.execute(select(datasets.c.allocated_pico_rho)).scalar_one())


def session(place: Place, url: str, person: Actor, *scopes: TokenScope) -> Dataspace:
    people = place.people
    issued = accounts.issue_token(people.uow, people.clock, person, person.id, scopes=frozenset(scopes) or None)
    return Dataspace(url, issued.plaintext)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Served]:
    place = open_place(tmp_path, CLINIC)
    people = place.people
    served = replace(place.served, clock=people.clock)
    server = uvicorn.Server(uvicorn.Config(create_app(served), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        preparer = people.person("Petra Preparer", Organisation("the access body", True), Role.HDAB_DATA_PREPARER)
        yield Served(
            place, url,
            session(place, url, people.researcher, *APPLICANT), session(place, url, people.colleague, *APPLICANT),
            session(place, url, people.assessor, *OFFICIAL),
            session(place, url, people.decision_maker, *OFFICIAL, TokenScope.AUDIT),
            session(place, url, people.holder, TokenScope.READ, TokenScope.RECORD),
            session(place, url, preparer, TokenScope.READ, TokenScope.RECORD),
        )  # fmt: skip
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def entry(node: Served, number: str) -> RegisterEntry:
    """A case as the public sees it."""
    return Dataspace(node.url).case(number)


def kinds(node: Served, subject: str) -> list[str]:
    """What the audit trail tells of a subject, oldest first."""
    return [one.kind for one in node.decider.audit(subject=subject)]


def test_granted(node: Served) -> None:
    researcher, assessor, decider = node.researcher, node.assessor, node.decider
    begun = researcher.begin_draft(Content(title="Nights after surgery"))
    assert {"sources.variables", "purpose.benefit"} <= {fault.field for fault in begun.missing}
    draft = researcher.rewrite_draft(begun.id, node.content(), version=begun.version)
    assert draft.missing == []
    researcher.submit(begun.id)
    assessor.return_for_completion(begun.id, {"purpose.benefit": "say for whom"})
    again = researcher.draft(begun.id)
    again.content.answers["purpose"]["benefit"] = "for those who stay long"
    researcher.rewrite_draft(begun.id, again.content, version=again.version)
    researcher.submit(begun.id)
    assert [one.field for one in assessor.differences(begun.id)] == ["purpose.benefit"]

    node.assessed(begun.id)
    with pytest.raises(NotPermitted):
        decider.propose(begun.id, "grant", "two roles, two persons")
    assessor.propose(begun.id, "grant-in-part", "costs are not needed", terms={"struck_columns": [COST]}, fee=FEE)
    with pytest.raises(DataspaceError, match="offer"):
        decider.grant(begun.id, wire.GrantRequest())
    decider.make_offer(begun.id)
    assert researcher.offer(begun.id).fee.total_cents == 30_000
    researcher.accept_offer(begun.id)
    with pytest.raises(NotPermitted):
        assessor.grant(begun.id, wire.GrantRequest())
    permit = decider.grant(begun.id, wire.GrantRequest())
    assert (permit.state, COST in permit.columns) == ("active", False)

    node.holder.record_step("permits", permit.id, StepRequest(step="data-delivered", item="clinic"))
    node.preparer.record_step("permits", permit.id, StepRequest(step="data-provided", item="clinic"))
    price = researcher.estimate(BY_WARD, epsilon="0.2")
    assert (price.affordable, researcher.budget().releases) == (True, 0)
    answer = researcher.query(BY_WARD, epsilon="0.2")
    assert {row.keys[0]: row.estimates[0].value for row in answer.release.rows} == STAYS
    assert answer.charged == price.price == answer.budget.spent
    assert researcher.query(BY_WARD, epsilon="0.2").release.repeated
    with pytest.raises(OutOfScope, match=r"clinic\.stay\.cost"):
        researcher.query("SELECT SUM(cost) AS c FROM stay", epsilon="0.2")
    for stranger in (node.colleague, node.holder):
        with pytest.raises((NotFound, NotPermitted)):
            stranger.budget(permit.id)
    assert researcher.budget() == answer.budget
    paper = researcher.publish_result(draft.number, "paper", "Nights", "https://example.org/nights", "Short.")
    acknowledgement = paper.acknowledgement
    assert permit.number in acknowledgement
    assert "clinic" in acknowledgement

    seen = entry(node, draft.number)
    assert (seen.state, seen.permit_number, [one.title for one in seen.results]) == (
        "active",
        permit.number,
        ["Nights"],
    )
    assert seen.reasons == "costs are not needed"
    assert "Rita" not in seen.model_dump_json()
    assert kinds(node, begun.id) == [
        "application-filed", "application-edited", "application-submitted", "application-returned",
        "application-edited", "application-resubmitted", "assessment-started", "criteria-assessed",
        "decision-proposed", "decision-offered", "offer-accepted", "application-granted",
        "result-registered",
    ]  # fmt: skip
    assert node.researcher.verify_ledger() == []


def test_refused(node: Served) -> None:
    before = node.allocated()
    case = node.submitted()
    file = node.assessed(case, _1c="monthly counts would do")
    assert file.unassessed == []
    with pytest.raises(DataspaceError, match="1c"):
        node.assessor.propose(case, "grant", "all the same")
    node.assessor.propose(case, "refuse", "aggregates suffice", criteria=["1c"])
    with pytest.raises(DataspaceError):
        node.decider.grant(case, wire.GrantRequest())
    refused = node.decider.refuse(case, wire.ReasonsRequest(reasons="aggregates suffice"))
    assert refused.state == "refused"
    assert [one.state for one in node.researcher.applications()] == ["refused"]
    assert node.researcher.permits() == []
    with pytest.raises(DataspaceError, match="named in no permit"):
        node.researcher.query(PERSONS, epsilon="0.1")
    with pytest.raises(DataspaceError):
        node.decider.refuse(case, wire.ReasonsRequest(reasons="twice"))
    assert node.allocated() == before
    seen = entry(node, refused.number)
    assert (seen.state, seen.permit_number, seen.reasons) == ("refused", None, "aggregates suffice")


def test_a_request_is_answered_by_itself(node: Served) -> None:
    plan = (
        PlannedTable("by_ward", BY_WARD.replace("stay ", "clinic.stay "), ByEpsilon(Decimal("0.2"))),
        PlannedTable("persons", "SELECT COUNT(DISTINCT person) AS n FROM clinic.person", ByEpsilon(Decimal("0.1"))),
    )
    form = newest(ApplicationKind.REQUEST)
    content = content_of(ApplicationKind.REQUEST, complete(form, request_heart(node.place.form("clinic"), *plan)))
    draft = node.researcher.begin_draft(content)
    assert draft.missing == []
    node.researcher.submit(draft.id)
    node.assessed(draft.id)
    node.assessor.propose(draft.id, "grant", "statistics of few cells")
    approval = node.decider.grant(draft.id, wire.GrantRequest())
    answers = {answer.name: answer for answer in answered(node, approval.id)}
    assert {name: answer.state for name, answer in answers.items()} == {"by_ward": "answered", "persons": "answered"}
    assert {row.keys[0]: row.estimates[0].value for row in answers["by_ward"].rows} == STAYS
    assert answers["persons"].rows[0].estimates[0].value == 4
    spent = node.researcher.budget(approval.id)
    assert spent.releases == 2
    assert node.researcher.retry_tabulations(approval.id) == list(answers.values())
    assert node.researcher.budget(approval.id) == spent
    with pytest.raises(DataspaceError):
        node.researcher.query(PERSONS, epsilon="0.1", permit=approval.id)
    seen = entry(node, draft.number)
    assert (seen.number[:3], seen.kind, seen.state, seen.reasons) == (
        "HDR", "request", "answered", "statistics of few cells",
    )  # fmt: skip
    clocks = {one.name: one.state for one in case_clocks(node, draft.id)}
    assert {clocks[name] for name in ("request-assessment", "request-answer")} == {"met"}
    figures = node.researcher.activity_report(date(2026, 1, 1), date(2028, 1, 1))["items"]["a"]  # type: ignore[index]
    assert [figures[name] for name in ("requests-received", "requests-approved", "permits-issued")] == [1, 1, 0]
    assert node.researcher.verify_ledger() == []


def case_clocks(node: Served, case: str) -> list[ClockEntry]:
    return [one for one in node.researcher.clocks(state=("met", "running", "overdue")) if one.subject_id == case]


def answered(node: Served, approval: str) -> list[TabulationAnswer]:
    """The answers, once the node has made them: it begins when the approval is issued."""
    for _ in range(1000):
        answers = node.researcher.tabulations(approval)
        if all(answer.state != "waiting" for answer in answers):
            return answers
        sleep(0.02)
    raise AssertionError(answers)


def test_revoked_in_flight(node: Served) -> None:
    """Many ask while the permit is revoked: what was charged is answered, nothing begun afterwards is."""
    permit, before = node.permit(), node.allocated()
    revoked = threading.Event()

    def ask(worker: int) -> tuple[int, list[str]]:
        answered, refused = 0, []
        with node.session(node.place.people.researcher, TokenScope.QUERY) as asking:
            for number in range(200):
                late = revoked.is_set()
                sql = f"SELECT COUNT(*) AS n FROM stay WHERE nights < {worker * 1000 + number}"
                try:
                    asking.query(sql, rho="0.00001", permit=permit.id)
                    assert not late, "answered after the revocation"
                    answered += 1
                except DataspaceError as error:
                    refused.append(str(error))
                    break
        return answered, refused

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, worker) for worker in range(4)]
        while node.researcher.budget(permit.id).releases < 8:
            sleep(0.01)
        assert node.decider.revoke(permit.id, "shared with others").state == "revoked"
        revoked.set()
        told = [future.result(60) for future in asked]
    assert all("revoked" in refused[0] for _, refused in told)
    budget = node.researcher.budget(permit.id)
    assert budget.releases == sum(answered for answered, _ in told) >= 8
    with node.place.people.uow.reading() as uow:
        spent = uow.ledger.budget(permit.id).spent.pico_rho
    assert node.allocated() == spent < before, "what was unspent is the dataset's again"
    assert node.researcher.verify_ledger() == []
    assert entry(node, permit.number).state == "revoked"


def test_cross_checked_by_a_stranger(node: Served) -> None:
    permit = node.permit()
    node.researcher.query(BY_WARD, epsilon="0.2")
    second = node.permit()
    statement = node.researcher.document(second.id).decode()
    node.place.people.clock.forward(hours=1)
    node.decider.revoke(second.id, "breach of a condition")

    files = download(node.url)
    report = cross_check(files)
    assert (report.mismatches, len(report.checked)) == ((), 6)
    for text in (files.register, files.postings, files.status, files.checkpoint):
        assert "Rita" not in text

    keys, now = jose.read_keys(files.keys), node.place.people.clock.now()
    held = verify_permit(node.researcher.document(permit.id).decode(), keys, now, files.status)
    assert held.number == permit.number
    assert held.notes[0].endswith("active")
    assert verify_permit(statement, keys, now).notes, "without a status list a revocation is not seen, and that is said"
    with pytest.raises(jose.Refused, match="revoked"):
        verify_permit(statement, keys, now, files.status)
    with pytest.raises(jose.Refused):
        verify_permit(altered(statement), keys, now)
    with pytest.raises(jose.Refused, match="ended"):
        verify_permit(statement, keys, now + timedelta(days=4000), files.status)

    forged = replace(files, postings=files.postings.replace(permit.id, second.id, 1))
    assert cross_check(forged).mismatches
    hidden = replace(files, register=files.register.replace('"revoked"', '"active"'))
    assert cross_check(hidden).mismatches


def altered(statement: str) -> str:
    """The statement with a year more, its signature as it was."""
    head, claims, signature = statement.split(".")
    said = json.loads(urlsafe_b64decode(claims + "=="))
    text = json.dumps(said | {"exp": said["exp"] + 31_536_000}).encode()
    return f"{head}.{urlsafe_b64encode(text).decode().rstrip('=')}.{signature}"
