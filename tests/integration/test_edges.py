"""What is absurd is refused at the edge with a reason, and takes nothing else with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import update

from dataspace.db import tables as t
from dataspace.domain.actors import SYSTEM, Actor, Organisation, Role
from dataspace.domain.applications import LONGEST_LEAD, LONGEST_PERIOD, Period
from dataspace.domain.errors import InvalidApplication, InvalidInput
from dataspace.domain.organisations import OrganisationRecord
from dataspace.domain.permit_changes import ChangeKind, Wanted
from dataspace.domain.reminders import Targets
from dataspace.services import applications, organisations, permit_life, persons, reminders
from tests.api_node import ApiNode, make_api_node
from tests.factories import Node, make_node

LAST = "9999-12-31T23:59:59-23:59"
FIRST = "0001-01-01T00:00:00+23:59"
APPLICATION = {
    "title": "Readmissions",
    "purposes": ["e"],
    "columns": [["registry", "person", "*"]],
    "justification": "Shows which care works.",
    "lay_summary": "We count.",
    "legal_basis": "e",
    "requested": {"epsilon": "0.5"},
    "valid_from": "2026-12-01T00:00:00Z",
    "valid_until": "2027-12-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> ApiNode:
    return make_api_node(tmp_path_factory.mktemp("node"))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = make_node(tmp_path)
    node.dataset()
    return node


def send(api: ApiNode, who: Actor, path: str, body: Any = None, method: str = "POST") -> Response:
    return api.client.request(method, f"/api/v1{path}", json=body, headers=api.token(who))


def test_a_period_beyond_every_permit_is_refused_when_it_is_submitted(node: Node) -> None:
    now = node.clock.now()
    latest = now + LONGEST_LEAD + LONGEST_PERIOD
    for end in (latest + timedelta(seconds=1), datetime(9999, 12, 31, tzinfo=UTC)):
        form = replace(node.form(), period=Period(end - timedelta(days=300), end))
        with pytest.raises(InvalidApplication, match="ten years at most"):
            node.submitted(form)
    node.submitted(replace(node.form(), period=Period(latest - LONGEST_PERIOD, latest)))


def test_an_extension_is_of_ten_years_at_most(node: Node) -> None:
    permit = node.permit()
    for until in (permit.valid_until + LONGEST_PERIOD + timedelta(seconds=1), datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(InvalidInput, match="at most ten years later"):
            permit_life.ask_change(
                node.uow,
                node.clock,
                node.researcher,
                permit.id,
                ChangeKind.EXTENSION,
                Wanted(valid_until=until),
                reasons="more",
            )


def test_an_old_permit_until_the_end_of_the_calendar_breaks_nothing(tmp_path: Path) -> None:
    api = make_api_node(tmp_path)
    people, never = api.people, datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    with people.engine.begin() as connection:
        connection.execute(update(t.permits).values(valid_until=never))
    number = api.permit.number
    for path in (f"/register/{number}", "/register", "/activity-report?from=2026-01-01&to=2026-11-01"):
        assert api.client.get(f"/api/v1{path}").status_code == 200, path
    for path in ("/clocks", f"/permits/{api.permit.id}/clocks", "/publication-duties"):
        assert send(api, people.decision_maker, path, method="GET").status_code == 200, path
    reminders.remind(people.uow, people.clock, SYSTEM, api.node.counting, Targets(public_url="https://node.example.eu"))
    wanted = {"valid_until": "2199-12-31T23:30:00Z", "reasons": "more"}
    assert send(api, people.researcher, f"/permits/{api.permit.id}/extension", wanted).status_code == 422


@pytest.mark.parametrize("moment", [LAST, FIRST])
def test_a_date_at_the_ends_of_the_calendar_is_refused_wherever_it_is_sent(api: ApiNode, moment: str) -> None:
    people, permit = api.people, api.permit
    said = {"reasons": "r", "until": moment}
    sent = [
        (people.researcher, "/applications", APPLICATION | {"valid_until": moment}),
        (people.researcher, "/applications/drafts", {"valid_from": moment, "valid_until": moment}),
        (people.researcher, f"/permits/{permit.id}/extension", {"valid_until": moment, "reasons": "r"}),
        (people.decision_maker, "/exclusions", said | {"person": people.colleague.id}),
        (people.decision_maker, "/measures", said | {"kind": "exclusion", "organisation": "University"}),
        (people.decision_maker, f"/register/{permit.number}/publication-extension", {"until": moment, "reason": "r"}),
        (people.desk, "/opt-outs/status", {"identifier": "P 7", "at": moment}),
    ]
    answers = {path: send(api, who, path, body) for who, path, body in sent}
    for bound in ("from", "to"):
        query = f"/audit?{bound}={moment.replace('+', '%2B')}"
        answers[query] = send(api, people.decision_maker, query, method="GET")
    for path, answer in answers.items():
        assert (answer.status_code, "from the year 1900 to 2200" in answer.json()["detail"]) == (422, True), path


def test_amounts_that_no_guarantee_has_are_refused(api: ApiNode) -> None:
    researcher, asked = api.people.researcher, f"/permits/{api.permit.id}/budget-requests"
    tiny = send(api, researcher, "/applications", APPLICATION | {"requested": {"epsilon": "1e-20"}})
    assert (tiny.status_code, "affords no question" in tiny.json()["detail"]) == (422, True)
    for wish in (
        {"rho": "1e9"},
        {"total": {"epsilon": "1e-7"}},
        {"total": {"epsilon": "1e9"}},
        {"total": {"epsilon": "1", "delta": "1"}},
        {"total": {"epsilon": "1", "delta": "0.5"}},
    ):
        answer = send(api, researcher, asked, wish | {"reasons": "r"})
        assert (answer.status_code, answer.json()["code"][:8]) == (422, "invalid-"), wish


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b"])
def test_text_that_no_database_keeps_is_refused(api: ApiNode, text: str) -> None:
    people = api.people
    operator = people.person("Olga Operator", Organisation("IT department"), Role.OPERATOR)
    for who, path, body in (
        (people.researcher, "/applications/drafts", '{"answers": {"applicant": {"name": ["TEXT"]}}}'),
        (people.researcher, "/applications/drafts", '{"title": "TEXT"}'),
        (people.researcher, f"/permits/{api.permit.id}/budget-requests", '{"rho": "0.1", "reasons": "TEXT"}'),
        (operator, "/organisations", '{"name": "TEXT"}'),
    ):
        headers = api.token(who) | {"content-type": "application/json"}
        refused = api.client.post(f"/api/v1{path}", content=body.replace("TEXT", text), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input"), (path, body)
    assert send(api, people.decision_maker, "/audit?actor=%00", method="GET").status_code == 422


def test_a_length_of_thousands_of_digits_is_too_large(api: ApiNode) -> None:
    answer = api.client.post("/api/v1/complaints", content=b"{}", headers={"content-length": "9" * 4400})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("name", ["central hospital", "Ｃentral Hospital ".upper(), "CENTRAL\u00a0 HOSPITAL"])
def test_an_organisation_has_one_spelling(node: Node, name: str) -> None:
    with pytest.raises(InvalidInput, match="use its spelling: Central Hospital"):
        node.person("Ian Insider", Organisation(name), Role.HDAB_ASSESSOR)
    with pytest.raises(InvalidInput, match="use its spelling: Central Hospital"):
        organisations.save_organisation(node.uow, node.clock, SYSTEM, OrganisationRecord(name))


def test_white_space_and_compatibility_forms_make_no_other_organisation(node: Node) -> None:
    insider = node.person(" Ian \u00a0 Insider", Organisation(" Ｃentral \u00a0Hospital "), Role.HDAB_ASSESSOR)
    assert (insider.name, insider.organisation) == ("Ian Insider", node.holder.organisation)


def test_a_deactivated_person_cannot_be_named(node: Node) -> None:
    persons.deactivate_person(node.uow, node.clock, SYSTEM, node.colleague.id)
    draft = node.draft(replace(node.form(), persons=frozenset({node.researcher.id, node.colleague.id})))
    with pytest.raises(InvalidApplication, match=f"deactivated at this node.*{node.colleague.id}"):
        applications.submit_application(node.uow, node.clock, node.researcher, draft.id)
