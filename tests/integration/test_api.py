"""The HTTP API: who may do what, one shape for every error, nothing of the data in any of them."""

from pathlib import Path

import pytest
from httpx2 import Response

from dataspace.dp.noise import ZeroNoise
from tests.api_node import ApiNode, make_api_node

BY_SEX = {"sql": "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex", "epsilon": "0.2"}


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def post_query(api: ApiNode, body: object = BY_SEX, key: str | None = "key-0001", **headers: str) -> Response:
    sent = api.token(api.people.researcher) | headers | ({"Idempotency-Key": key} if key else {})
    return api.client.post(f"/api/v1/permits/{api.permit.id}/queries", json=body, headers=sent)


def assert_problem(response: Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(response.json())


def test_a_query_over_http(api: ApiNode) -> None:
    body = post_query(api).json()
    shown = [(row["keys"][0], row["estimates"][0]["value"]) for row in body["rows"]]
    assert shown == [("F", 200), ("M", 200), (None, 0)]
    assert body["repeated"] is False
    assert body["budget"]["releases"] == 1
    assert post_query(api, key="key-0002").json()["repeated"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/permits"),
        ("GET", "/permits/{permit}"),
        ("GET", "/permits/{permit}/budget"),
        ("POST", "/permits/{permit}/estimate"),
        ("POST", "/permits/{permit}/queries"),
        ("POST", "/permits/{permit}/revocation"),
        ("GET", "/applications"),
        ("POST", "/applications"),
        ("POST", "/applications/app_x/grant"),
        ("POST", "/opt-outs"),
        ("POST", "/opt-outs/withdrawal"),
        ("POST", "/opt-outs/status"),
    ],
)
@pytest.mark.parametrize("credential", [None, "Bearer ehds_wrong", "Basic abc", "Bearer "])
def test_without_a_valid_token_everything_is_refused(
    api: ApiNode, method: str, path: str, credential: str | None
) -> None:
    headers = {"Authorization": credential} if credential else {}
    url = "/api/v1" + path.format(permit=api.permit.id)
    assert_problem(api.client.request(method, url, headers=headers), 401, "not-authenticated")


@pytest.mark.parametrize(
    "path", ["/health", "/datasets", "/datasets/registry", "/register", "/ledger", "/openapi.json"]
)
def test_public_pages_need_no_token(api: ApiNode, path: str) -> None:
    assert api.client.get("/api/v1" + path).status_code == 200


def test_the_deny_by_default_list_is_complete(api: ApiNode) -> None:
    document = api.client.get("/api/v1/openapi.json").json()
    public = {path for path, item in document["paths"].items() for call in item.values() if "security" not in call}
    names = ("health", "datasets", "datasets/{dataset_id}", "datasets/{dataset_id}/record", "register")
    names += ("register/{number}", "complaints", "complaints/progress", "measures", "activity-report")
    names += ("activity-report/editions", "activity-report/editions/{edition_id}", "forms", "forms/{name}")
    signed = {"/.well-known/jwks.json", "/api/v1/permits/status", "/api/v1/ledger/checkpoint"}
    assert public == {f"/api/v1/{name}" for name in (*names, "ledger", "ledger/postings")} | signed


@pytest.mark.parametrize("person", ["colleague", "holder"])
def test_another_persons_permit_does_not_exist(api: ApiNode, person: str) -> None:
    headers = api.token(getattr(api.people, person))
    for path in ("", "/budget"):
        assert_problem(api.client.get(f"/api/v1/permits/{api.permit.id}{path}", headers=headers), 404, "not-found")


def test_an_assessor_may_not_ask(api: ApiNode) -> None:
    headers = api.token(api.people.assessor) | {"Idempotency-Key": "key-0001"}
    response = api.client.post(f"/api/v1/permits/{api.permit.id}/queries", json=BY_SEX, headers=headers)
    assert_problem(response, 403, "not-permitted")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sql": "SELECT * FROM person", "epsilon": "1"}, "invalid-query"),
        ({"sql": BY_SEX["sql"]}, "invalid-input"),
        ({**BY_SEX, "rho": "1"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "0"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "-1"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "NaN"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "Infinity"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "1e400"}, "invalid-input"),
        ({**BY_SEX, "epsilon": "19"}, "insufficient-budget"),
        ({**BY_SEX, "epsilon": "0.0000001"}, "invalid-price"),
        ({**BY_SEX, "unknown": 1}, "invalid-input"),
        ({**BY_SEX, "sql": "x" * 70_000}, "invalid-input"),
        ({**BY_SEX, "bounds": {"groups": 0, "rows": 1}}, "invalid-input"),
        ([], "invalid-input"),
    ],
)
def test_bad_input_is_a_problem_and_costs_nothing(api: ApiNode, body: object, code: str) -> None:
    response = post_query(api, body)
    assert_problem(response, 402 if code == "insufficient-budget" else 422, code)
    headers = api.token(api.people.researcher)
    assert api.client.get(f"/api/v1/permits/{api.permit.id}/budget", headers=headers).json()["spent"]["rho"] == "0"
    assert api.store.opened == 0


def test_a_megabyte_is_refused_before_it_is_read(api: ApiNode) -> None:
    assert_problem(post_query(api, {**BY_SEX, "sql": "x" * 1_000_001}), 413, "too-large")


def test_a_query_needs_an_idempotency_key(api: ApiNode) -> None:
    assert_problem(post_query(api, key=None), 422, "invalid-input")


def test_what_fails_unforeseen_says_nothing(api: ApiNode, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError("Müller, 1951")

    api.store.before_opening = fail
    response = post_query(api)
    assert_problem(response, 503, "unavailable")
    assert "Müller" not in response.text + "".join(capsys.readouterr())


def test_every_response_carries_the_security_headers(api: ApiNode) -> None:
    for path in ("/", "/api/v1/health", "/nowhere", "/static/dataspace.css"):
        headers = api.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


def test_pages_for_people(api: ApiNode) -> None:
    assert "Registry" in api.client.get("/").text
    assert "birth_year" in api.client.get("/datasets/registry").text


def test_an_application_over_http_from_filing_to_permit(api: ApiNode) -> None:
    now = api.people.clock.now()
    body = {
        "title": "Readmissions", "purposes": ["e"], "columns": [["registry", "visit", "*"]], "justification": "j",
        "lay_summary": "l", "legal_basis": "e", "requested": {"epsilon": "1", "delta": "0.000001"},
        "valid_from": now.isoformat(), "valid_until": now.replace(year=2027).isoformat(),
    }  # fmt: skip
    people = api.people
    filed = api.client.post("/api/v1/applications", json=body, headers=api.token(people.researcher))
    assert (filed.status_code, filed.json()["state"]) == (201, "submitted")
    url = f"/api/v1/applications/{filed.json()['id']}"
    assert_problem(api.client.post(url + "/grant", json={}, headers=api.token(people.researcher)), 403, "not-permitted")
    assert_problem(
        api.client.post(url + "/grant", json={}, headers=api.token(people.decision_maker)), 409, "wrong-state"
    )
    assert (
        api.client.post(url + "/assessment", headers=api.token(people.assessor)).json()["state"] == "under-assessment"
    )
    unproposed = api.client.post(url + "/grant", json={}, headers=api.token(people.decision_maker))
    assert_problem(unproposed, 409, "wrong-state")
    codes = api.client.get(url + "/assessment", headers=api.token(people.assessor)).json()["unassessed"]
    verdicts = [{"criterion": code, "verdict": "met", "reason": "shown"} for code in codes]
    for path, sent in (("findings", {"verdicts": verdicts}), ("proposal", {"outcome": "grant", "reasons": "all met"})):
        assert api.client.post(f"{url}/{path}", json=sent, headers=api.token(people.assessor)).status_code == 200
    granted = api.client.post(url + "/grant", json={}, headers=api.token(people.decision_maker))
    assert (granted.status_code, granted.json()["state"]) == (201, "active")
    register = api.client.get("/api/v1/register").json()
    assert {row["permit_number"] for row in register["entries"]} >= {granted.json()["number"]}


def test_a_defect_is_told_nowhere_with_its_message(api: ApiNode, capsys: pytest.CaptureFixture[str]) -> None:
    class Defect:
        def now(self) -> None:
            raise ValueError("Müller, 1951")

    object.__setattr__(api.node, "clock", Defect())
    response = post_query(api)
    assert_problem(response, 500, "internal-error")
    assert "Müller" not in response.text + "".join(capsys.readouterr())


def test_no_two_routes_have_one_address(api: ApiNode) -> None:
    """The second would never be reached."""
    listed = api.client.app.routes  # type: ignore[attr-defined]
    routes = [(route.path, method) for route in listed for method in getattr(route, "methods", None) or ()]
    assert len(routes) == len(set(routes))
