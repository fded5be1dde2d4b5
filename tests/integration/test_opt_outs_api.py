"""Opt-outs over HTTP, from Python and on the command line; and that an identifier is nowhere but in the body sent."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from dataspace import logs, wire
from dataspace.cli import app
from dataspace.cli import opt_outs as cli
from dataspace.client import Dataspace, InvalidInput, NotPermitted
from dataspace.dp.noise import ZeroNoise
from dataspace.services.queries import Question, run_query
from tests.api_node import ApiNode, make_api_node
from tests.integration.test_api_client import connect
from tests.integration.test_query_path import question

SECRET = "918273645546372819"
PATHS = ("/opt-outs", "/opt-outs/withdrawal", "/opt-outs/status")


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Everything the node logs."""
    stream = io.StringIO()
    logs.configure(stream)
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def post(api: ApiNode, path: str, body: object, person: str = "desk") -> httpx2.Response:
    headers = api.token(getattr(api.people, person))
    return api.client.post(f"/api/v1{path}", json=body, headers=headers)


def persons(api: ApiNode, asked: Question, permit: str) -> int:
    """What the numbers of an answer add up to."""
    uow, people = api.people.uow, api.people
    answered = run_query(uow, people.clock, people.researcher, permit, asked, f"key-{permit}", api.node.engine)
    return round(sum(row.estimates[0].value or 0 for row in answered.table.rows))


def test_a_receipt_over_http(api: ApiNode) -> None:
    response = post(api, "/opt-outs", {"identifier": "P 7", "channel": "on-behalf"})
    receipt = wire.OptOutReceipt.model_validate(response.json())
    assert response.status_code == 201
    assert (receipt.choice, receipt.channel, receipt.not_covered) == ("opt-out", "on-behalf", [])
    assert "Permits approved earlier go on" in receipt.meaning


def test_what_the_desk_writes_is_what_queries_leave_out(api: ApiNode) -> None:
    desk, people = connect(api, api.people.desk), api.people
    # all at one instant of the clock: what counts is what was decided first
    desk.opt_out("P 7")
    meanwhile = people.permit()
    desk.withdraw_opt_out("P 7")
    later = people.permit()
    asked = question()
    assert [persons(api, asked, permit.id) for permit in (api.permit, meanwhile, later)] == [400, 399, 400]


def test_the_status_at_a_time_and_the_history(api: ApiNode) -> None:
    desk, clock = connect(api, api.people.desk), api.people.clock
    before = clock.now() - timedelta(days=1)
    receipt = desk.opt_out("P 7")
    found = desk.opt_out_status("p7")
    assert (found.opted_out, [choice.number for choice in found.history]) == (True, [receipt.number])
    assert not desk.opt_out_status("P 7", at=before).opted_out


def test_an_unknown_person_gets_the_answer_everyone_gets(api: ApiNode) -> None:
    """Person 7 is in the dataset, person 999 in none."""
    for path in PATHS:
        known, unknown = (post(api, path, {"identifier": f"P {n}", "accept_partly": True}) for n in (77, 999))
        if path == "/opt-outs/status":
            known, unknown = (post(api, path, {"identifier": f"P {n}"}) for n in (78, 998))
        assert known.status_code == unknown.status_code
        hidden = [re.sub(r"OO-2026-[0-9A-F]{16}", "OO", r.text) for r in (known, unknown)]
        assert hidden[0] == hidden[1]
        assert dict(known.headers) == dict(unknown.headers)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("person", ["researcher", "holder", "assessor", "decision_maker"])
def test_only_the_desk(api: ApiNode, path: str, person: str) -> None:
    response = post(api, path, {"identifier": SECRET}, person)
    assert (response.status_code, response.json()["code"]) == (403, "not-permitted")
    assert SECRET not in response.text


BAD = [
    {"identifier": ""},
    {"identifier": SECRET * 20},
    {"identifier": int(SECRET)},
    {"identifier": [SECRET]},
    {"identifier": None, "comment": SECRET},
    {"identifier": f"{SECRET}\u0000"},
    {"identifier": f"{SECRET}\n{SECRET}"},
    {"identifier": f"X{SECRET}"},
    {"identifier": f"P {SECRET}", "channel": SECRET},
    {"identifier": f"P {SECRET}", "at": SECRET, "accept_partly": SECRET},
    SECRET,
    [SECRET],
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_no_refusal_repeats_what_was_sent(api: ApiNode, said: io.StringIO, path: str, body: object) -> None:
    response = post(api, path, body)
    assert response.status_code == 422, response.text
    assert SECRET not in response.text + said.getvalue()


@pytest.mark.parametrize("path", PATHS)
def test_text_that_is_no_text_is_refused_too(api: ApiNode, said: io.StringIO, path: str) -> None:
    headers = api.token(api.people.desk) | {"Content-Type": "application/json"}
    for raw in (b'{"identifier": "\\ud800 %b"}', b'{"identifier": %b', b'{"identifier": "\xff%b"}'):
        response = api.client.post(f"/api/v1{path}", content=raw.replace(b"%b", SECRET.encode()), headers=headers)
        assert response.status_code in (400, 422), response.text
        assert SECRET not in response.text + said.getvalue()


def test_an_identifier_and_a_person_key_are_nowhere_but_in_the_body_and_the_register(
    api: ApiNode, said: io.StringIO, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The fake's person keys are the identifier's number, so one search finds both."""
    answers, urls = [], []
    with caplog.at_level(logging.DEBUG):
        for path in (*PATHS, *PATHS):
            response = post(
                api, path, {"identifier": f"P {SECRET}", **({} if "status" in path else {"accept_partly": True})}
            )
            answers.append(response.text + str(response.headers))
            urls.append(str(response.request.url))
        answers.append(api.client.get("/api/v1/ledger").text)
    with api.people.uow.reading() as uow:
        trail = json.dumps([(e.event.kind, e.event.subject, dict(e.event.details)) for e in uow.audit.entries()])
    assert trail.count("opt-out-recorded") == 2
    assert SECRET not in "".join([*answers, *urls, trail, said.getvalue(), caplog.text])
    # the register holds the number, and no text of it is on disk
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in stored
    assert int(SECRET).to_bytes(8, "big") in stored


def test_a_broken_register_says_nothing(api: ApiNode, said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(f"person {SECRET}")

    monkeypatch.setattr("dataspace.db.opt_outs.SqlOptOuts.add", broken)
    response = post(api, "/opt-outs", {"identifier": f"P {SECRET}", "accept_partly": True})
    assert response.status_code == 500
    assert SECRET not in response.text + said.getvalue()


def test_the_client_keeps_the_identifier_out_of_its_errors_too(api: ApiNode) -> None:
    desk = connect(api, api.people.desk)
    with pytest.raises(InvalidInput) as refused:
        desk.opt_out(f"X{SECRET}")
    assert SECRET not in str(refused.value)
    with pytest.raises(NotPermitted):
        connect(api, api.people.researcher).opt_out_status(SECRET)
    with pytest.raises(ValueError, match="identifier") as invalid:
        desk.opt_out(SECRET * 20)
    assert SECRET not in str(invalid.value)
    assert SECRET not in repr(wire.OptOutRequest(identifier=SECRET))


@pytest.fixture
def desk_terminal(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> Dataspace:
    """The command line of the desk, talking to the application in this process."""
    session = connect(api, api.people.desk)
    monkeypatch.setattr(cli, "connect", lambda *_: session)
    return session


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["opt-out", *arguments, "--token", "ehds_x"], input=typed)


@pytest.mark.usefixtures("desk_terminal")
def test_the_command_line_reads_the_identifier_from_standard_input() -> None:
    done = run("set", "--channel", "on-behalf", typed="P 7\n")
    assert done.exit_code == 0, done.output
    assert re.match(r"receipt OO-2026-[0-9A-F]{16}: opt-out at 2026-11-23 09:00:00 UTC\n", done.output)
    assert "go on as they are" in done.output
    asked = run("status", typed="P 7\n")
    assert asked.output.splitlines()[0] == "opted out at 2026-11-23 09:00:00 UTC"
    assert "on-behalf" in asked.output
    assert run("status", "--at", "2026-11-22", typed="P 7\n").output.startswith("not opted out at 2026-11-22")
    assert "withdrawal" in run("withdraw", typed="P 7\n").output
    assert run("status", typed="P 7\n").output.startswith("not opted out")


@pytest.mark.usefixtures("desk_terminal")
def test_what_was_not_recorded_is_said() -> None:
    refused = run("set", typed="P 77\n")
    assert "look for a typing error" in str(refused.exception)
    partly = run("set", "--accept-partly", typed="P 77\n")
    assert "not recorded for ids (one digit)" in partly.output
    assert "77" not in partly.output.replace("ids", "")[: partly.output.index("receipt")]


def test_no_command_takes_an_identifier_as_an_argument(desk_terminal: Dataspace) -> None:
    for command in ("set", "withdraw", "status"):
        assert run(command, SECRET).exit_code == 2
        empty = run(command, typed="")
        assert "standard input" in str(empty.exception)
    assert not desk_terminal.opt_out_status("P 7").history
