"""Deadlines over HTTP, from Python, on the command line, and what `dataspace work` does."""

from datetime import UTC, date, datetime
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError
from sqlalchemy import event
from typer.testing import CliRunner, Result

from dataspace.cli import app
from dataspace.cli import clocks as cli
from dataspace.delivery import senders
from dataspace.domain.actors import Organisation, Role
from dataspace.domain.clock_states import ClockState, clocks_of
from dataspace.domain.events import EventKind
from dataspace.domain.outbox import Channel
from dataspace.dp.noise import ZeroNoise
from dataspace.periodic import JOBS
from dataspace.services import accounts, clocks
from dataspace.services.clocks import Wanted
from dataspace.settings import Settings
from dataspace.wire import clocks as wire
from tests.api_node import ApiNode, make_api_node
from tests.integration.test_api_client import connect


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def send(api: ApiNode, method: str, path: str, person: str, body: object = None) -> httpx2.Response:
    return api.client.request(method, f"/api/v1{path}", json=body, headers=api.token(getattr(api.people, person)))


def test_who_waits_and_who_owes_see_the_same_deadline(api: ApiNode) -> None:
    path = f"/permits/{api.permit.id}/clocks"
    seen = {}
    for person in ("holder", "decision_maker"):
        (seen[person],) = (c for c in send(api, "GET", path, person).json() if c["name"] == "deliver-data")
    assert seen["decision_maker"] == seen["holder"] | {"extendable": True}
    assert (seen["holder"]["owes"], seen["holder"]["waits"]) == ("data-holder", "access-body")
    assert (seen["holder"]["last_day"], seen["holder"]["due_at"]) == ("2027-02-23", "2027-02-23T23:00:00Z")
    assert send(api, "GET", path, "colleague").status_code == 404
    assert api.client.get(f"/api/v1{path}").status_code == 401


def test_the_list_is_filtered_and_paged(api: ApiNode) -> None:
    everything = send(api, "GET", "/clocks", "assessor").json()
    assert everything["total"] == len(everything["clocks"]) > 4
    parts = [send(api, "GET", f"/clocks?limit=2&offset={n}", "assessor").json() for n in (0, 2)]
    assert [c for part in parts for c in part["clocks"]] == everything["clocks"][:4]
    met = send(api, "GET", "/clocks?state=met&state=met-late", "assessor").json()
    assert {c["state"] for c in met["clocks"]} == {"met"}
    early = send(api, "GET", "/clocks?due_before=2027-01-30", "assessor").json()
    assert 0 < early["total"] < everything["total"]
    assert send(api, "GET", "/clocks?state=never", "assessor").status_code == 422
    assert send(api, "GET", "/clocks?limit=0", "assessor").status_code == 422


def test_an_extension_and_its_refusals(api: ApiNode) -> None:
    case = api.people.under_assessment()
    path, body = f"/applications/{case.id}/clock-extensions", {"name": "permit-decision", "reason": "many cases"}
    assert send(api, "POST", path, "researcher", body).status_code == 403
    assert send(api, "POST", path, "decision_maker", body | {"reason": " "}).status_code == 422
    assert send(api, "POST", path, "decision_maker", body | {"name": "no-such"}).status_code == 404
    given = send(api, "POST", path, "decision_maker", body)
    assert (given.status_code, given.json()["last_day"]) == (201, "2027-05-24")
    assert send(api, "POST", path, "decision_maker", body).json()["code"] == "wrong-state"
    (seen,) = (
        c
        for c in send(api, "GET", f"/applications/{case.id}/clocks", "researcher").json()
        if c["name"] == "permit-decision"
    )
    assert (seen["state"], seen["extension"]["reason"], seen["extendable"]) == ("extended", "many cases", False)


def test_steps_are_recorded_by_those_who_take_them(api: ApiNode) -> None:
    path, body = f"/permits/{api.permit.id}/steps", {"step": "data-delivered", "item": "registry"}
    assert send(api, "POST", path, "researcher", body).status_code == 403
    done = send(api, "POST", path, "holder", body)
    assert (done.status_code, done.json()["item"]) == (201, "registry")
    assert send(api, "POST", path, "holder", body).status_code == 409
    assert send(api, "POST", path, "holder", {"step": "permit-revoked"}).status_code == 422
    assert send(api, "POST", path, "holder", {"step": "data-delivered"}).status_code == 422
    assert send(api, "POST", path, "colleague", body).status_code == 404


def test_the_outbox_over_http_is_the_operators(api: ApiNode) -> None:
    message = api.people.message()
    operator = api.token(api.people.person("Otto Operator", Organisation("the node"), Role.OPERATOR))
    (entry,) = api.client.get("/api/v1/messages", headers=operator).json()
    assert (entry["id"], entry["state"], "text" in entry) == (message.id, "waiting", False)
    assert api.client.post(f"/api/v1/messages/{message.id}/retry", headers=operator).status_code == 409
    assert send(api, "GET", "/messages", "assessor").status_code == 403


def test_the_same_from_python(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(api, api.people.holder)
    assert [clock.name for clock in session.clocks()] == ["agree-fee", "deliver-data", "check-description"]
    session.record_step("datasets", "registry", wire.StepRequest(step="description-checked"))
    assert [clock.name for clock in session.clocks(due_before=date(2027, 1, 1))] == ["agree-fee"]
    case = api.people.under_assessment()
    decider = connect(api, api.people.decision_maker)
    request = wire.ClockExtensionRequest(name="permit-decision", reason="many cases")
    assert decider.extend_clock("applications", case.id, request).state == "extended"


def run(api: ApiNode, person: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setattr(cli, "connect", lambda _url, _token: connect(api, getattr(api.people, person)))
    return CliRunner().invoke(app, ["clocks", *arguments, "--token", "t"])


def test_the_same_on_the_command_line(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(api, "holder", monkeypatch).stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["2026-12-23", "2027-02-23", "2027-11-23"]
    assert "deliver-data (registry), Art. 60(2): data-holder owes, access-body waits" in shown[1]
    done = run(api, "holder", monkeypatch, "record", "permits", api.permit.id, "data-delivered", "--item", "registry")
    assert done.stdout.startswith("data-delivered at 2026-11-23")
    longer = ["extend", "permits", api.permit.id, "provide-data", "more work", "--item", "registry"]
    assert "2027-05-03" in run(api, "decision_maker", monkeypatch, *longer, "--until", "2027-05-01").stdout
    assert "more work" in run(api, "researcher", monkeypatch, "--state", "extended").stdout


def test_work_returns_budgets_and_writes_and_sends_reminders(api: ApiNode) -> None:
    people = api.people
    accounts.change_address(
        people.uow,
        people.clock,
        people.person("Otto", Organisation("x"), Role.OPERATOR),
        people.researcher.id,
        "r@people.example.eu",
    )
    assert [job.run(api.node) for job in JOBS] == [
        "budgets returned: 0",
        "reminders written: 0",
        "messages sent: 0, to be tried again: 0, given up: 0",
    ]
    people.clock.forward(days=364 + 18 * 31)
    first = [job.run(api.node) for job in JOBS]
    assert first[0] == "budgets returned: 1"
    assert first[1] == "reminders written: 1"
    assert first[2] == "messages sent: 0, to be tried again: 1, given up: 0"
    assert [job.run(api.node) for job in JOBS][1] == "reminders written: 0"
    with people.uow.reading() as uow:
        reminded = [e.event for e in uow.audit.entries() if e.event.kind is EventKind.REMINDED]
    assert [e.details["clock"] for e in reminded] == ["publish-results"]


def test_work_and_messages_on_the_nodes_own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOME": tmp_path / "n", "KEY_ROOT": tmp_path / "k"}.items():
        monkeypatch.setenv(f"DATASPACE_{name}", str(value))
    add = ["person", "add", "A. Person", "--organisation", "A University", "--role", "applicant", "--email"]
    assert CliRunner().invoke(app, [*add, "a.person@example.eu"]).exit_code == 0
    done = CliRunner().invoke(app, ["work"])
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "budgets returned: 0")
    assert CliRunner().invoke(app, ["message", "list", "--state", "dead"]).stdout == ""
    refused = CliRunner().invoke(app, [*add, "no address"])
    assert "not an e-mail address" in str(refused.exception)


def test_what_was_remembered_is_what_is_derived_anew(api: ApiNode) -> None:
    people, counting = api.people, api.node.counting
    statements: list[str] = []
    event.listen(people.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
    every = Wanted(frozenset(ClockState))
    counted = set()
    for day in range(12):
        case = people.under_assessment()
        if day == 5:
            clocks.extend_clock(
                people.uow,
                people.clock,
                people.decision_maker,
                counting,
                api.node.targets,
                subject=case.id,
                name="permit-decision",
                reason="many cases",
            )
        statements.clear()
        shown = clocks.list_clocks(people.uow, people.clock, people.assessor, counting, every)
        counted.add(sum(statement.lower().startswith("select") for statement in statements))
        now = people.clock.now()
        with people.uow.reading() as uow:
            cases = [uow.clocks.of_subject(found.case.id, now) for found in shown]
        anew = [
            c for found in {case.id: case for case in cases if case}.values() for c in clocks_of(found, counting, now)
        ]
        assert set(map(repr, shown)) == set(map(repr, (c for c in anew if every.takes(c))))
        people.clock.forward(days=31)
    assert len(counted) == 1, "the number of queries does not grow with the cases"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_host": "mail.example.eu", "smtp_tls": "none"}, "SMTP_TLS"),
        ({"webhook_urls": "https://hook.example.eu/"}, "WEBHOOK_SECRET"),
        ({"country": "France"}, "country"),
    ],
)
def test_settings_that_would_send_in_the_open_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**given)


def test_only_channels_that_are_set_up_have_a_sender() -> None:
    assert set(senders(Settings())) == set()
    hook = Settings(webhook_secret="a secret", webhook_urls="https://hook.example.eu/")
    assert set(senders(hook)) == {Channel.WEBHOOK}
    assert "a secret" not in repr(hook)
    assert set(senders(Settings(smtp_host="mail.example.eu"))) == {Channel.EMAIL}


def test_days_are_those_of_the_place(api: ApiNode) -> None:
    assert api.node.counting.calendar.over(date(2026, 11, 23)) == datetime(2026, 11, 23, 23, tzinfo=UTC)
