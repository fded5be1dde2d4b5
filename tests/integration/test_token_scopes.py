"""Personal access tokens: what their scopes allow, at every address of the API; how they end."""

from datetime import timedelta
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Actor, Role
from dataspace.domain.errors import InvalidInput, NotFound, NotPermitted
from dataspace.domain.token_scopes import MEANING, ROLE_SCOPES, TokenScope
from dataspace.services import accounts, persons
from dataspace.web.route_scopes import PUBLIC, SCOPES
from tests.api_node import ApiNode, make_api_node

BY_SEX = {"sql": "SELECT sex, COUNT(DISTINCT person) AS n FROM person GROUP BY sex", "epsilon": "0.1"}
PREFIX = "/api/v1"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


def token(api: ApiNode, person: Actor, *scopes: TokenScope) -> dict[str, str]:
    issued = accounts.issue_token(api.people.uow, api.people.clock, person, person.id, scopes=frozenset(scopes) or None)
    return {"Authorization": f"Bearer {issued.plaintext}"}


def routes(api: ApiNode) -> set[str]:
    """Method and path of everything under the API, as its description lists it."""
    paths = api.client.get(f"{PREFIX}/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in paths.items()
        if path.startswith(PREFIX)
        for method in methods
    }


def test_every_address_is_public_or_has_a_scope(api: ApiNode) -> None:
    assert routes(api) == PUBLIC | set(SCOPES)
    assert not PUBLIC & set(SCOPES)


def test_no_address_of_the_api_is_left_out_of_its_description() -> None:
    from dataspace.web import api as package

    for file in Path(package.__file__).parent.glob("[a-z]*.py"):
        assert "include_in_schema=False" not in file.read_text(), file.name


def test_a_token_without_the_scope_is_refused_at_each_address(api: ApiNode) -> None:
    for address, needed in SCOPES.items():
        method, path = address.split()
        headers = token(api, api.people.researcher, *(set(TokenScope) - {needed}))
        url = PREFIX + path.replace("{", "").replace("}", "")
        response = api.client.request(method, url, headers=headers, json={})
        assert (response.status_code, response.json()["code"]) == (403, "not-permitted"), address
        assert f"scope {needed}" in response.json()["detail"], address


def test_without_credential_nothing_is_said_at_each_address(api: ApiNode) -> None:
    for address in SCOPES:
        method, path = address.split()
        response = api.client.request(method, PREFIX + path.replace("{", "").replace("}", ""), json={})
        assert (response.status_code, response.json()["code"]) == (401, "not-authenticated"), address


def test_an_address_without_scope_is_for_whole_tokens_only(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SCOPES, "GET /permits")
    person = api.people.researcher
    assert api.client.get(f"{PREFIX}/permits", headers=token(api, person)).status_code == 200
    assert api.client.get(f"{PREFIX}/permits", headers=token(api, person, *TokenScope)).status_code == 403


def test_a_token_to_query_queries_and_no_more(api: ApiNode) -> None:
    headers = token(api, api.people.researcher, TokenScope.QUERY)
    url = f"{PREFIX}/permits/{api.permit.id}"
    assert api.client.post(f"{url}/estimate", json=BY_SEX, headers=headers).status_code == 200
    keyed = headers | {"Idempotency-Key": "a key of a query".replace(" ", "-")}
    assert api.client.post(f"{url}/queries", json=BY_SEX, headers=keyed).status_code == 200
    assert api.client.get(url, headers=headers).status_code == 403


def test_every_role_and_scope_is_in_the_tables() -> None:
    assert set(ROLE_SCOPES) == set(Role)
    assert set(MEANING) == set(TokenScope)
    assert set(SCOPES.values()) == set(TokenScope)


def test_a_token_is_listed_used_by_the_day_and_revoked(api: ApiNode) -> None:
    headers = token(api, api.people.researcher, TokenScope.ACCOUNT)
    api.people.clock.forward(minutes=1)
    made = api.client.post(
        f"{PREFIX}/account/tokens", headers=headers, json={"label": "laptop", "scopes": ["account"], "days": 30}
    )
    assert made.status_code == 201
    fresh = {"Authorization": f"Bearer {made.json()['token']}"}
    listed = api.client.get(f"{PREFIX}/account/tokens", headers=fresh).json()
    today = api.people.clock.now().date().isoformat()
    assert [(entry["label"], entry["last_used_on"]) for entry in listed] == [("", today), ("laptop", today)]
    assert made.json()["token"] not in str(listed)
    assert api.client.post(
        f"{PREFIX}/account/tokens/{made.json()['id']}/revocation", headers=headers
    ).status_code == 204  # fmt: skip
    assert api.client.get(f"{PREFIX}/account/tokens", headers=fresh).status_code == 401
    assert len(api.client.get(f"{PREFIX}/account/tokens", headers=headers).json()) == 1


@pytest.mark.parametrize("wanted", [[], ["account", "query"], ["decide"]])
def test_a_token_does_not_widen_itself(api: ApiNode, wanted: list[str]) -> None:
    headers = token(api, api.people.researcher, TokenScope.ACCOUNT)
    response = api.client.post(f"{PREFIX}/account/tokens", headers=headers, json={"scopes": wanted})
    assert response.status_code == 403
    assert "own scopes only" in response.json()["detail"]


def test_a_list_of_scopes_names_each_once_at_most(api: ApiNode) -> None:
    headers = token(api, api.people.researcher)
    for number, status in ((len(TokenScope), 201), (len(TokenScope) + 1, 422)):
        wanted = [*TokenScope, TokenScope.READ][:number]
        response = api.client.post(f"{PREFIX}/account/tokens", headers=headers, json={"scopes": wanted})
        assert response.status_code == status


def test_a_token_of_another_is_as_none(api: ApiNode) -> None:
    people = api.people
    issued = accounts.issue_token(people.uow, people.clock, people.researcher, people.researcher.id)
    for token_id in (issued.id, "tok_none"):
        with pytest.raises(NotFound, match="no such token"):
            accounts.revoke_token_by_id(people.uow, people.clock, people.colleague, token_id)
    accounts.identify_token(people.uow, people.clock, issued.plaintext)


def test_taking_a_role_ends_the_tokens_that_rely_on_it_and_no_other(api: ApiNode) -> None:
    people, person = api.people, api.people.assessor
    relying, whole = token(api, person, TokenScope.READ, TokenScope.DECIDE), token(api, person)
    reading = token(api, person, TokenScope.READ)
    persons.change_roles(people.uow, people.clock, SYSTEM, person.id, give=frozenset({Role.APPLICANT}))
    assert api.client.get(f"{PREFIX}/permits", headers=relying).status_code == 200
    persons.change_roles(people.uow, people.clock, SYSTEM, person.id, take=frozenset({Role.HDAB_ASSESSOR}))
    assert [api.client.get(f"{PREFIX}/permits", headers=h).status_code for h in (relying, whole, reading)] == [
        401, 401, 200,
    ]  # fmt: skip


def test_the_very_next_query_of_a_deactivated_person_is_refused(api: ApiNode) -> None:
    people, headers = api.people, token(api, api.people.researcher)
    url = f"{PREFIX}/permits/{api.permit.id}/queries"
    assert api.client.post(url, json=BY_SEX, headers=headers | {"Idempotency-Key": "before-1"}).status_code == 200
    persons.deactivate_person(people.uow, people.clock, SYSTEM, people.researcher.id)
    opened = api.store.opened
    response = api.client.post(url, json=BY_SEX, headers=headers | {"Idempotency-Key": "after-01"})
    assert (response.status_code, api.store.opened) == (401, opened)
    with pytest.raises(InvalidInput, match="deactivated"):
        accounts.issue_token(people.uow, people.clock, SYSTEM, people.researcher.id)
    # the case of theirs is still there for the access body
    assert api.client.get(f"{PREFIX}/permits/{api.permit.id}", headers=token(api, people.assessor)).status_code == 200
    persons.reactivate_person(people.uow, people.clock, SYSTEM, people.researcher.id)
    assert api.client.post(url, json=BY_SEX, headers=headers | {"Idempotency-Key": "after-02"}).status_code == 401
    assert api.client.get(f"{PREFIX}/permits", headers=token(api, people.researcher)).status_code == 200


@pytest.mark.parametrize(
    ("have", "wanted"),
    [
        (Role.HDAB_ASSESSOR, Role.HDAB_DATA_PREPARER),
        (Role.HDAB_DECISION_MAKER, Role.OPERATOR),
        (Role.HDAB_CITIZEN_DESK, Role.HDAB_ASSESSOR),
        (Role.DATA_HOLDER, Role.HDAB_DECISION_MAKER),
    ],
)
def test_roles_kept_apart_are_not_given_to_one_person(api: ApiNode, have: Role, wanted: Role) -> None:
    people = api.people
    person = people.person("Nele Neutral", people.assessor.organisation, have)
    with pytest.raises(InvalidInput, match="one person cannot be"):
        persons.change_roles(people.uow, people.clock, SYSTEM, person.id, give=frozenset({wanted}))
    with pytest.raises(InvalidInput, match=r"Art\. 55"):
        people.person("Nils Neutral", people.assessor.organisation, have, wanted)
    changed = persons.change_roles(
        people.uow, people.clock, SYSTEM, person.id, give=frozenset({wanted}), take=frozenset({have})
    )
    assert changed.roles == {wanted}


def test_nobody_changes_their_own_roles(api: ApiNode) -> None:
    people = api.people
    operator = people.person("Olga Operator", people.holder.organisation, Role.OPERATOR)
    headers = token(api, operator)
    own = api.client.post(f"{PREFIX}/persons/{operator.id}/roles", json={"give": ["data-holder"]}, headers=headers)
    assert (own.status_code, own.json()["code"]) == (403, "not-permitted")
    other = api.client.post(
        f"{PREFIX}/persons/{people.colleague.id}/roles", json={"give": ["data-holder"]}, headers=headers
    )
    assert other.json()["roles"] == ["applicant", "data-holder"]
    with pytest.raises(NotPermitted):
        persons.change_roles(people.uow, people.clock, people.researcher, people.colleague.id)


def test_organisations_are_edited_by_the_operator_alone(api: ApiNode) -> None:
    people = api.people
    operator = people.person("Olga Operator", people.holder.organisation, Role.OPERATOR)
    clinic = {"name": "Clinic of Faro", "kind": "trusted-holder", "country": "PT", "trusted_until": "2026-12-31"}
    headers = token(api, operator)
    refused = api.client.post(f"{PREFIX}/organisations", json=clinic, headers=token(api, people.holder))
    assert refused.status_code == 403
    assert api.client.post(f"{PREFIX}/organisations", json=clinic, headers=headers).json()["trusted"] is True
    people.clock.forward(days=60)
    headers = token(api, operator)
    listed = api.client.get(f"{PREFIX}/organisations", headers=headers).json()
    assert {entry["name"]: entry["trusted"] for entry in listed}["Clinic of Faro"] is False
    small = {"name": "Practice", "kind": "data-holder", "size": "micro"}
    assert api.client.post(f"{PREFIX}/organisations", json=small, headers=headers).json()["exempt"] is True
    public = small | {"size": "small"}
    assert api.client.post(f"{PREFIX}/organisations", json=public, headers=headers).json()["exempt"] is False
    bad = small | {"trusted_until": "2027-01-01"}
    assert api.client.post(f"{PREFIX}/organisations", json=bad, headers=headers).status_code == 422
    with people.uow.reading() as uow:
        changes = [entry.event.details["changed"] for entry in uow.audit.entries("Practice")]
    assert changes == ["new", "size"]


def test_a_token_lasts_a_year_at_most(api: ApiNode) -> None:
    people = api.people
    with pytest.raises(InvalidInput, match="at most a year"):
        accounts.issue_token(
            people.uow, people.clock, people.researcher, people.researcher.id, valid_for=timedelta(days=367)
        )
