"""Every method of the Python client against the API, as each person who would call it."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from dataspace import wire
from dataspace.cli import app
from dataspace.client import Answer, Dataspace, DataspaceError, InsufficientBudget, InvalidInput, InvalidQuery, NotFound
from dataspace.client.ledger import posting_hash, verify
from dataspace.domain.actors import Actor
from dataspace.domain.chain import link_hash
from dataspace.domain.ledger import content
from dataspace.dp.noise import ZeroNoise
from tests.api_node import ApiNode, make_api_node

BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex"
REASONS = wire.ReasonsRequest(reasons="the purpose is not one of Art. 53")


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def connect(api: ApiNode, person: Actor, permit: str | None = None) -> Dataspace:
    """A client whose requests go to the application in this process."""
    session = Dataspace("http://testserver", api.token(person)["Authorization"].removeprefix("Bearer "), permit=permit)
    session._http = httpx2.Client(
        transport=api.client._transport, base_url=session._http.base_url, headers=session._http.headers
    )
    return session


def request(api: ApiNode, epsilon: str = "1", **changes: object) -> wire.ApplicationRequest:
    now = api.people.clock.now()
    fields = {
        "title": "Readmissions", "purposes": ["e"], "columns": [("registry", "visit", "*")], "justification": "j",
        "lay_summary": "l", "legal_basis": "e", "requested": {"epsilon": epsilon, "delta": "0.000001"},
        "valid_from": now, "valid_until": now + timedelta(days=300),
    }  # fmt: skip
    return wire.ApplicationRequest.model_validate(fields | changes)


def test_every_method_reaches_the_api(api: ApiNode, tmp_path: Path) -> None:
    people = api.people
    with connect(api, people.researcher) as researcher:
        assessor, decider = connect(api, people.assessor), connect(api, people.decision_maker)
        assert [entry.id for entry in researcher.datasets()] == ["registry"]
        assert researcher.dataset("registry").title == "Registry"
        assert len(researcher.dummy("registry", persons=3)["person"]) == 3
        granted, refused, withdrawn = (researcher.apply(request(api)) for _ in range(3))
        assert len(researcher.applications()) == 4
        assert researcher.withdraw(withdrawn.number).state == "withdrawn"
        assert {assessor.assess(case.number).state for case in (granted, refused)} == {"under-assessment"}
        verdicts = dict.fromkeys(assessor.case_file(granted.number).unassessed, ("met", "shown"))
        assert len(assessor.record_findings(granted.number, verdicts).findings) == 10
        assert assessor.propose(granted.number, "grant", "all met").state == "proposed"
        assessor.record_findings(refused.number, {"1b": ("not-met", "too much")})
        assessor.propose(refused.number, "refuse", "too much", criteria=["1b"])
        assert decider.refuse(refused.number, REASONS).state == "refused"
        permit = decider.grant(granted.number, wire.GrantRequest())
        assert permit.state == "active"
        assert {entry.number for entry in researcher.permits()} == {permit.number, api.permit.number}
        assert researcher.estimate(BY_SEX, epsilon=1, permit=api.permit.number).affordable
        answer = researcher.query(BY_SEX, epsilon="0.2", permit=api.permit.number)
        assert answer.notes == answer.release.notes
        assert researcher.budget(api.permit.number).releases == 1
        assert researcher.document(api.permit.number, "pdf").startswith(b"%PDF-")
        asked = researcher.ask_for_budget(permit.number, "a second year", rho="0.001")
        assert [entry.number for entry in decider.budget_requests()] == [asked.number]
        assert decider.refuse_budget(asked.number, "enough is left").state == "refused"
        again = researcher.ask_for_budget(permit.number, "a second year", total_epsilon="1.5")
        assert decider.grant_budget(again.id, "needed").decided_by == people.decision_maker.id
        assert researcher.budget(permit.id).granted.epsilon == Decimal("1.5")
        assert [entry.state for entry in researcher.budget_requests(permit.id)] == ["refused", "granted"]
        assert [entry.kind for entry in assessor.audit(kind="budget-granted")] == ["budget-granted"]
        assert "budget-granted" in assessor.export_audit("csv", kind="budget-granted")
        assert decider.revoke(permit.number, "it is over").state == "revoked"
        desk = connect(api, people.desk)
        assert desk.opt_out("P 7").choice == "opt-out"
        assert desk.opt_out_status("P 7").opted_out
        assert desk.withdraw_opt_out("P 7", channel="on-behalf").channel == "on-behalf"
        assert researcher.account().id == people.researcher.id
        issued = researcher.issue_token("laptop", scopes=["read", "query"], days=7)
        assert {entry.label for entry in researcher.tokens()} >= {"laptop"}
        researcher.revoke_token(issued.id)
        assert "laptop" not in {entry.label for entry in researcher.tokens()}
        assert researcher.register().entries[0].number == withdrawn.number
        start, end = date(2024, 1, 1), date(2026, 1, 1)
        assert set(researcher.activity_report(start, end)) >= {"period", "items"}
        assert decider.freeze_report(start, end).number == 1
        assert researcher.ledger().sound
        assert len(list(researcher.postings())) == researcher.ledger().postings
        assert researcher.verify_ledger() == []


def test_no_public_method_is_left_out() -> None:
    walk = inspect.getsource(test_every_method_reaches_the_api)
    methods = {name for name in vars(Dataspace) if not name.startswith("_")}
    # deadlines: tests/integration/test_clocks_api.py; results: tests/functional/test_journeys.py
    elsewhere = {"clocks", "extend_clock", "record_step", "case", "publish_result"}
    assert methods - set(re.findall(r"\.(\w+)\(", walk)) == elsewhere


def test_a_number_is_as_good_as_an_identifier_and_opens_nothing_to_a_stranger(api: ApiNode) -> None:
    stranger = connect(api, api.people.colleague)
    for ask in (
        lambda: stranger.budget(api.permit.number),
        lambda: stranger.estimate(BY_SEX, epsilon=1, permit=api.permit.number),
        lambda: stranger.query(BY_SEX, epsilon=1, permit=api.permit.number),
    ):
        with pytest.raises(NotFound) as refused:
            ask()
        assert api.permit.id not in str(refused.value)


def test_the_access_body_sees_every_permit(api: ApiNode) -> None:
    for person in (api.people.assessor, api.people.decision_maker, api.people.researcher):
        assert [entry.id for entry in connect(api, person).permits()] == [api.permit.id]
    assert connect(api, api.people.colleague).permits() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": [("nothing", "visit", "*")]}, "nothing"),
        ({"persons": ["prs_nobody"]}, "not registered"),
        ({"purposes": ["a"]}, "reserved to public bodies"),
        ({"requested": {"epsilon": "15"}}, "epsilon 15 at .* epsilon 10 at"),
        ({"requested": {"epsilon": "10", "delta": "0.0001"}}, "delta 0.0001 .* delta 0.00001 "),
        ({"requested": {"epsilon": "25"}}, "at most 20"),
    ],
)
def test_a_failed_application_leaves_nothing(api: ApiNode, changes: dict[str, object], said: str) -> None:
    researcher = connect(api, api.people.researcher)
    before = researcher.ledger().events
    with pytest.raises(InvalidInput if "columns" not in changes else DataspaceError, match=said):
        researcher.apply(request(api, **changes))
    assert (len(researcher.applications()), researcher.ledger().events) == (1, before)
    assert researcher.apply(request(api)).number.endswith("-0002")


def test_a_budget_as_large_as_the_capacity_may_be_asked_for(api: ApiNode) -> None:
    asked = request(api, requested={"epsilon": "10", "delta": "0.00001"})
    assert connect(api, api.people.researcher).apply(asked).state == "submitted"


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({}, "give one price"),
        ({"epsilon": 1, "rho": 1}, "not several"),
        ({"epsilon": -1}, "epsilon is a number above 0"),
        ({"accuracy": 0}, "accuracy is a number above 0"),
        ({"epsilon": "abc"}, "epsilon is a number"),
        ({"epsilon": float("nan")}, "epsilon is a number"),
        ({"epsilon": "1e30"}, "epsilon: "),
        ({"epsilon": 1, "groups": 2}, "both groups and rows"),
        ({"epsilon": 1, "groups": 0, "rows": 1}, "bounds.groups: "),
        ({"epsilon": "0.0000001"}, "."),
    ],
)
@pytest.mark.parametrize("method", ["query", "estimate"])
def test_what_cannot_be_asked_is_said_plainly(api: ApiNode, method: str, price: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        getattr(connect(api, api.people.researcher), method)(BY_SEX, **price)
    assert "pydantic" not in str(refused.value)
    assert "Value error" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("sql", ["", "  \n"])
def test_no_sql_is_said_plainly(api: ApiNode, sql: str) -> None:
    with pytest.raises(InvalidInput, match="no SQL"):
        connect(api, api.people.researcher).query(sql, epsilon=1)


def test_errors_of_a_kind_are_caught_together() -> None:
    assert issubclass(InvalidQuery, InvalidInput)
    assert issubclass(InvalidInput, DataspaceError)
    assert not issubclass(InsufficientBudget, InvalidInput)


def test_without_an_active_permit_their_states_are_told(api: ApiNode) -> None:
    with pytest.raises(InvalidInput, match="named in no permit"):
        connect(api, api.people.colleague).query(BY_SEX, epsilon=1)
    second = api.people.permit()
    with pytest.raises(InvalidInput, match=f"2 active permits .*{second.number}"):
        connect(api, api.people.researcher).query(BY_SEX, epsilon=1)
    for permit in (api.permit, second):
        connect(api, api.people.decision_maker).revoke(permit.number, "over")
    with pytest.raises(InvalidInput, match=f"none of your permits is active: .*{second.number} is revoked"):
        connect(api, api.people.researcher).query(BY_SEX, epsilon=1)


def test_something_else_than_a_node_answers() -> None:
    session = Dataspace("http://testserver")
    session._http = httpx2.Client(
        base_url="http://testserver", transport=httpx2.MockTransport(lambda _: httpx2.Response(200, text="<html>"))
    )
    with pytest.raises(DataspaceError, match="is it a node"):
        session.datasets()


def test_postings_come_in_pages_and_name_no_person(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataspace.web.api.public.PAGE", 2)
    connect(api, api.people.researcher).query(BY_SEX, epsilon="0.2")
    anyone = connect(api, api.people.colleague)
    anyone._http.headers.pop("Authorization")
    entries = list(anyone.postings())
    assert [entry.seq for entry in entries] == list(range(1, 6))
    assert [entry.seq for entry in anyone.postings(after=3)] == [4, 5]
    assert anyone.verify_ledger() == []
    text = " ".join(entry.model_dump_json() for entry in entries)
    people = (api.people.researcher, api.people.assessor, api.people.decision_maker)
    assert not [person for person in people if person.id in text or person.name in text]


def test_the_client_hashes_as_the_node_does(api: ApiNode) -> None:
    with api.people.uow.reading() as work:
        stored = list(work.ledger.postings())
    hashes = [link_hash(entry.previous, content(entry.seq, entry.at, entry.movement)) for entry in stored]
    assert [posting_hash(entry) for entry in connect(api, api.people.researcher).postings()] == hashes


def resealed(entries: list[wire.Posting]) -> list[wire.Posting]:
    """The entries with hashes that hold again, as a node that lies would publish them."""
    sealed: list[wire.Posting] = []
    for entry in entries:
        linked = entry.model_copy(update={"previous": sealed[-1].hash if sealed else "0" * 64})
        sealed.append(linked.model_copy(update={"hash": posting_hash(linked)}))
    return sealed


Change = Callable[[list[wire.Posting]], list[wire.Posting]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda es: [*es[:1], es[1].model_copy(update={"pico_rho": "1"}), *es[2:]], "changed after"),
        (lambda es: [*es[:1], *es[2:]], "missing or moved"),
        (lambda es: es[:-1], "not the one whose hash"),
        (lambda es: resealed([es[0].model_copy(update={"pico_rho": "1"}), *es[1:]]), "more from dataset-free/registry"),
        (lambda es: resealed([*es[:2], es[2].model_copy(update={"target": "authority"})]), "no rule allows"),
        (lambda es: resealed([*es[:2], es[2].model_copy(update={"pico_rho": "-5"})]), "no rule allows"),
    ],
)
def test_a_ledger_that_was_tampered_with_is_found_out(api: ApiNode, change: Change, said: str) -> None:
    entries = list(connect(api, api.people.researcher).postings())
    head = entries[-1]
    assert verify(entries, head.seq, head.hash) == []
    assert any(said in fault for fault in verify(change(entries), head.seq, head.hash))


def test_postings_after_the_published_head_are_no_fault(api: ApiNode) -> None:
    entries = list(connect(api, api.people.researcher).postings())
    assert verify(entries, entries[0].seq, entries[0].hash) == []
    assert verify([], 0, "0" * 64) == []


def test_a_draft_with_too_large_a_budget_cannot_be_submitted(api: ApiNode) -> None:
    from dataspace.domain.errors import InvalidApplication
    from dataspace.services import applications

    people = api.people
    draft = people.draft(replace(people.form(), guarantee=people.form(epsilon="15").guarantee))
    with pytest.raises(InvalidApplication, match="ask for less"):
        applications.submit_application(
            people.uow, people.clock, people.researcher, draft.number, to_limit=people.to_limit
        )


@pytest.mark.parametrize("form", ["table", "csv"])
def test_the_command_line_tells_the_notes_beside_the_numbers(
    api: ApiNode, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    session = connect(api, api.people.researcher)
    answer = session.query(BY_SEX, epsilon="0.2")
    noted = Answer.of(answer.release.model_copy(update={"notes": ["small groups are not shown"]}))
    monkeypatch.setattr(session, "query", lambda *_, **__: noted)
    monkeypatch.setattr("dataspace.cli.asking.connect", lambda *_: session)
    ran = CliRunner().invoke(app, ["query", BY_SEX, "--token", "ehds_x", "--epsilon", "0.2", "--format", form])
    assert ran.exit_code == 0, ran.output
    assert "note: small groups are not shown" in ran.stderr
    assert "note" not in ran.stdout
    assert noted.notes == ["small groups are not shown"]
