"""Deciding over HTTP with the client; data requests that are answered by themselves; the excluded and the revoked."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dataspace import wire
from dataspace.client import Dataspace
from dataspace.client.deciding import Deciding
from dataspace.client.errors import DataspaceError, NotPermitted
from dataspace.domain.actors import Actor, Role
from dataspace.dp.noise import ZeroNoise
from dataspace.services import tabulations
from tests.api_node import ApiNode, make_api_node

ALL = "SELECT COUNT(DISTINCT person) AS n FROM person"
BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex"
FEE = [{"activity": "assessment", "cents": 30_000}]


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def connect(api: ApiNode, person: Actor) -> Dataspace:
    """A client whose requests reach the application without a network."""
    session = Dataspace("http://testserver", api.token(person)["Authorization"].removeprefix("Bearer "))
    session._http = httpx2.Client(
        transport=api.client._transport, base_url=session._http.base_url, headers=session._http.headers
    )
    return session


def people(api: ApiNode) -> tuple[Dataspace, Dataspace, Dataspace]:
    everyone = api.people
    return tuple(connect(api, p) for p in (everyone.researcher, everyone.assessor, everyone.decision_maker))  # type: ignore[return-value]


def request(api: ApiNode) -> wire.ApplicationRequest:
    now = api.people.clock.now()
    return wire.ApplicationRequest.model_validate(
        {
            "title": "Readmissions", "purposes": ["e"], "columns": [["registry", "person", "*"]],
            "justification": "j", "lay_summary": "l", "legal_basis": "e",
            "requested": {"epsilon": "1", "delta": "0.000001"},
            "valid_from": now, "valid_until": now + timedelta(days=300),
        }
    )  # fmt: skip


def assessed(api: ApiNode) -> str:
    researcher, assessor, _ = people(api)
    case = researcher.apply(request(api)).id
    assessor.assess(case)
    assessor.record_findings(case, dict.fromkeys(assessor.case_file(case).unassessed, ("met", "shown")))
    return case


def plan(*tabulation: tuple[str, str, str]) -> dict[str, Any]:
    return {"tabulations": [{"name": name, "sql": sql, "epsilon": epsilon} for name, sql, epsilon in tabulation]}


def approved(api: ApiNode, *tabulation: tuple[str, str, str]) -> str:
    """A statistical answer instead of access, with the applicant's consent; returns the approval."""
    researcher, assessor, decider = people(api)
    case = assessed(api)
    assessor.propose(case, "statistical-answer", "statistics are enough", plan=plan(*tabulation))
    decider.make_offer(case)
    assert researcher.offer(case).plan is not None
    researcher.accept_offer(case)
    return decider.grant(case, wire.GrantRequest()).id


def test_every_method_reaches_the_api(api: ApiNode) -> None:
    researcher, assessor, decider = people(api)
    case = assessed(api)
    year = [("registry", "person", "birth_year")]
    assessor.propose(case, "grant", "all met")
    assert decider.send_back(case, "not the year of birth").state == "under-assessment"
    assessor.propose(case, "grant-in-part", "without it", terms={"struck_columns": year, "min_cell": 5}, fee=FEE)
    assert decider.make_offer(case).state == "offered"
    assert researcher.offer(case).fee.total_cents == 30_000
    assert researcher.decline_offer(case, "too dear").state == "under-assessment"
    assessor.propose(case, "grant-in-part", "without it", terms={"struck_columns": year}, fee=FEE)
    decider.make_offer(case)
    assert researcher.accept_offer(case).state == "accepted"
    permit = decider.grant(case, wire.GrantRequest())
    assert ("registry", "person", "birth_year") not in permit.columns
    assert decider.suspend(permit.id, "audit").state == "suspended"
    assert decider.resume(permit.id, "done").state == "active"
    change = researcher.amend(permit.number, "the year after all", columns=year)
    assessor.propose_change(change.id, "no", favourable=False)
    decider.send_back_change(change.id, "why not?")
    assessor.propose_change(change.id, "yes", favourable=True)
    assert decider.decide_change(change.id, "adopted").state == "approved"
    longer = researcher.extend(permit.id, permit.valid_until + timedelta(days=30), "slow")
    assert researcher.withdraw_change(longer.id).state == "withdrawn"
    # both were asked for at the same instant of the stopped clock
    assert sorted(c.state for c in researcher.changes(permit.id)) == ["approved", "withdrawn"]
    versions = researcher.permit_versions(permit.id)
    assert [v.version for v in versions] == [1, 2, 3, 4]
    assert versions[-1].contents["g"] == "EUR 300.00"
    until = api.people.clock.now() + timedelta(days=1)
    assert decider.exclude(api.people.colleague.id, until, "misuse").in_force
    assert len(assessor.exclusions()) == 1
    approval = approved(api, ("by-sex", BY_SEX, "0.2"))
    assert researcher.tabulations(approval)[0].state == "answered"
    assert researcher.retry_tabulations(approval)[0].attempts == 1
    assessor.declare_interest(assessed(api), "a friend applied")


def test_no_method_is_left_out() -> None:
    walk = inspect.getsource(test_every_method_reaches_the_api) + inspect.getsource(assessed)
    methods = {name for name in vars(Deciding) if not name.startswith("_")}
    assert methods - set(re.findall(r"\.(\w+)\(", walk)) == set()


def test_a_request_is_answered_by_itself_and_each_question_charged_once(api: ApiNode) -> None:
    approval = approved(
        api, ("by-sex", BY_SEX, "0.2"), ("all", "SELECT COUNT(DISTINCT person) AS n FROM person", "0.1")
    )
    researcher, _, _ = people(api)
    answers = researcher.tabulations(approval)
    assert [(a.name, a.state) for a in answers] == [("by-sex", "answered"), ("all", "answered")]
    assert [(row.keys[0], row.estimates[0].value) for row in answers[0].rows][:2] == [("F", 200), ("M", 200)]
    spent = researcher.budget(approval)
    assert (spent.releases, api.store.opened) == (2, 2)
    assert api.node.answer_requests() == 0
    assert researcher.retry_tabulations(approval) == answers
    assert researcher.budget(approval) == spent


def test_an_approval_answers_nothing_else(api: ApiNode) -> None:
    approval = approved(api, ("by-sex", BY_SEX, "0.2"))
    everyone = api.people
    for person in (everyone.researcher, everyone.decision_maker, everyone.colleague):
        with pytest.raises(DataspaceError):
            connect(api, person).query(BY_SEX, epsilon="0.1", permit=approval)
    assert [permit.id for permit in connect(api, everyone.researcher).permits() if permit.id == approval]


@pytest.mark.parametrize("person", ["assessor", "decision_maker", "colleague", "holder"])
def test_answers_are_the_applicants_alone(api: ApiNode, person: str) -> None:
    approval = approved(api, ("by-sex", BY_SEX, "0.2"))
    with pytest.raises(DataspaceError):
        connect(api, getattr(api.people, person)).tabulations(approval)


def test_a_failed_question_is_told_and_tried_again_without_a_second_charge(api: ApiNode) -> None:
    def fail() -> None:
        raise ValueError("Müller, 1951")

    api.store.before_opening = fail
    approval = approved(api, ("by-sex", BY_SEX, "0.2"), ("wrong", "SELECT * FROM person", "0.1"), ("dear", BY_SEX, "9"))
    researcher, _, _ = people(api)
    failed = researcher.tabulations(approval)
    assert [(a.state, a.code) for a in failed] == [
        ("failed", "unavailable"), ("failed", "invalid-query"), ("failed", "insufficient-budget"),
    ]  # fmt: skip
    assert "Müller" not in str(failed)
    spent = researcher.budget(approval).spent
    assert spent.rho > 0
    api.store.before_opening = lambda: None
    again = researcher.retry_tabulations(approval)
    assert [(a.state, a.attempts) for a in again] == [("answered", 2), ("failed", 2), ("failed", 2)]
    assert researcher.budget(approval).spent == spent


def test_what_a_stop_left_waiting_is_answered_at_the_next_start(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as stopped:
        stopped.setattr(tabulations, "run_waiting", lambda *_: 0)
        approval = approved(api, ("by-sex", BY_SEX, "0.2"))
    researcher, _, _ = people(api)
    assert researcher.tabulations(approval)[0].state == "waiting"
    assert api.node.answer_requests() == 1
    assert researcher.tabulations(approval)[0].state == "answered"


def test_an_excluded_persons_very_next_query_is_refused_and_others_go_on(api: ApiNode) -> None:
    researcher, _, decider = people(api)
    researcher.query(BY_SEX, epsilon="0.1", permit=api.permit.id)
    decider.exclude(api.people.researcher.id, api.people.clock.now() + timedelta(days=1), "re-identification")
    for ask in (researcher.query, researcher.estimate):
        with pytest.raises(NotPermitted, match="excluded"):
            ask(BY_SEX, epsilon="0.1", permit=api.permit.id)  # type: ignore[operator]
    api.people.clock.forward(days=1)
    assert researcher.query(BY_SEX, epsilon="0.1", permit=api.permit.id).release.repeated


def test_a_permit_revoked_in_flight_is_charged_nothing(api: ApiNode) -> None:
    researcher, _, decider = people(api)
    decider.revoke(api.permit.id, "misuse")
    with pytest.raises(DataspaceError, match="revoked"):
        researcher.query(BY_SEX, epsilon="0.1", permit=api.permit.id)
    assert researcher.budget(api.permit.id).spent.rho == 0
    assert api.store.opened == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("findings", {"verdicts": []}),
        ("findings", {"verdicts": [{"criterion": "9z", "verdict": "met", "reason": "x"}]}),
        ("findings", {"verdicts": [{"criterion": "1a", "verdict": "met", "reason": " "}]}),
        ("findings", {"verdicts": [{"criterion": "1a", "verdict": "not-applicable", "reason": "x"}]}),
        ("proposal", {"outcome": "maybe", "reasons": "x"}),
        ("proposal", {"outcome": "grant", "reasons": "x", "fee": [{"activity": "assessment", "cents": -1}]}),
        ("proposal", {"outcome": "grant", "reasons": "x", "fee": [{"activity": "assessment", "cents": 10**9}]}),
        ("proposal", {"outcome": "grant", "reasons": "x", "terms": {"min_cell": -1}}),
        ("proposal", {"outcome": "grant", "reasons": "x", "terms": {"unknown": 1}}),
        ("proposal", {"outcome": "statistical-answer", "reasons": "x", "plan": {"tabulations": []}}),
    ],
)
def test_bad_input_changes_nothing(api: ApiNode, path: str, body: dict[str, Any]) -> None:
    case = assessed(api)
    before = connect(api, api.people.assessor).case_file(case)
    answer = api.client.post(f"/api/v1/applications/{case}/{path}", json=body, headers=api.token(api.people.assessor))
    assert answer.status_code == 422
    assert connect(api, api.people.assessor).case_file(case) == before


def test_a_stale_version_is_refused_over_http(api: ApiNode) -> None:
    case = assessed(api)
    body = {"outcome": "grant", "reasons": "x", "version": 1}
    answer = api.client.post(f"/api/v1/applications/{case}/proposal", json=body, headers=api.token(api.people.assessor))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-state")


OFFICIAL = {
    "assessor": {"findings", "proposal"},
    "decision_maker": {"reconsideration", "offer", "grant", "refusal"},
    "researcher": {"offer/acceptance", "offer/refusal"},
}
BODIES: dict[str, dict[str, Any]] = {
    "findings": {"verdicts": [{"criterion": "1a", "verdict": "met", "reason": "x"}]},
    "proposal": {"outcome": "grant", "reasons": "x"},
    "reconsideration": {"reasons": "x"},
    "refusal": {"reasons": "x"},
}


@pytest.mark.parametrize("path", sorted(set().union(*OFFICIAL.values())))
def test_each_step_is_one_partys(api: ApiNode, path: str) -> None:
    case = assessed(api)
    everyone = api.people
    strangers: dict[str, Callable[[], Actor]] = {
        "assessor": lambda: everyone.person("Bo", everyone.assessor.organisation, Role.HDAB_ASSESSOR),
        "decision_maker": lambda: everyone.decision_maker,
        "researcher": lambda: everyone.researcher,
        "colleague": lambda: everyone.colleague,
        "holder": lambda: everyone.holder,
        "desk": lambda: everyone.desk,
    }
    for name, make in strangers.items():
        if path in OFFICIAL.get(name, set()) and name != "assessor":
            continue
        answer = api.client.post(
            f"/api/v1/applications/{case}/{path}", json=BODIES.get(path, {}), headers=api.token(make())
        )
        assert answer.status_code in (403, 404), (name, answer.text)
