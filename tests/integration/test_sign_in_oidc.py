"""Signing in at an identity provider: a real one on loopback, and one that forges."""

import hmac
import html
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from dataspace.domain.actors import SYSTEM, Role
from dataspace.services import accounts, persons, sign_in
from dataspace.web.app import create_app
from tests.api_node import ApiNode, make_api_node
from tests.browser import Browser, make_browser
from tests.identity_provider import Claims, Provider, serve_provider

BASE = "http://testserver"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serve_provider() as running:
        yield running


@pytest.fixture
def api(tmp_path: Path, provider: Provider) -> ApiNode:
    made = make_api_node(tmp_path)
    made.people.clock.time = datetime.now(UTC)
    return configure(made, oidc_issuer=provider.url)


def configure(api: ApiNode, **changed: Any) -> ApiNode:
    settings = api.node.settings.model_copy(
        update={"oidc_client_id": "dataspace", "public_url": BASE, "local_accounts": False} | changed
    )
    api.node = replace(api.node, settings=settings)
    api.client.app = create_app(api.node)
    return api


def linked(api: ApiNode, provider: Provider) -> Browser:
    """Carl, whose identity is linked by a one-time link."""
    browser = make_browser(api)
    assert sign_in_at(browser, provider, invitation_for(api)).status_code == 303
    assert "Carl Colleague" in browser.get("/account").text
    return browser


def invitation_for(api: ApiNode) -> str:
    return sign_in.invite(api.people.uow, api.people.clock, SYSTEM, api.people.colleague.id)


def leave(browser: Browser, invitation: str = "", following: str = "/account") -> dict[str, str]:
    """What the browser is sent to the provider with."""
    url = where_to(browser, invitation, following)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def where_to(browser: Browser, invitation: str = "", following: str = "/account") -> str:
    """The provider's address that the sign-in page, or the page of a one-time link, leads to."""
    if invitation:
        page = f"/invitation/{invitation}"
        left = browser.post(f"{page}/provider", {}, browser.csrf(page))
        assert left.status_code == 200
        return html.unescape(re.findall(r'class="button" href="([^"]+)"', left.text)[0])
    away = browser.get(f"/sign-in/provider?next={following}")
    assert away.status_code == 302
    return away.headers["location"]


def sign_in_at(browser: Browser, provider: Provider, invitation: str = "", **answer: str) -> Response:
    asked = leave(browser, invitation)
    provider.nonce = asked["nonce"]
    return come_back(browser, {"code": "c", "state": asked["state"]} | answer)


def come_back(browser: Browser, answer: dict[str, str]) -> Response:
    return browser.get(f"/sign-in/callback?{httpx2.QueryParams(answer)}")


def test_a_linked_identity_signs_in_and_an_unknown_one_makes_nobody(api: ApiNode, provider: Provider) -> None:
    linked(api, provider)
    with api.people.uow.reading() as uow:
        registered = len(uow.accounts.all())
    assert sign_in_at(make_browser(api), provider).status_code == 303
    provider.forge = lambda claims: claims | {"sub": "subject-2", "email": "rita@example.org"}
    refused = sign_in_at(make_browser(api), provider)
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, True)
    assert "dataspace-session" not in refused.headers["set-cookie"]
    with api.people.uow.reading() as uow:
        assert len(uow.accounts.all()) == registered


def test_the_request_carries_pkce_state_nonce_and_the_exact_address(api: ApiNode, provider: Provider) -> None:
    browser = make_browser(api)
    first, second = leave(browser), leave(browser)
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == f"{BASE}/sign-in/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 30
        assert first[name] != second[name]
    sign_in_at(browser, provider, invitation_for(api))
    assert len(provider.asked["code_verifier"]) >= 43


def other_key(_provider: Provider, claims: Claims) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, RSAKey.generate_key(2048))


def no_signature(_provider: Provider, claims: Claims) -> str:
    return jwt.encode({"alg": "none"}, claims, OctKey.generate_key(256), algorithms=["none"])


def public_key_as_secret(provider: Provider, claims: Claims) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)]
    mac = hmac.digest(provider.key.as_pem(private=False), b".".join(parts), "sha256")
    return b".".join([*parts, urlsafe_b64encode(mac).rstrip(b"=")]).decode()


@pytest.mark.parametrize("sign", [other_key, no_signature, public_key_as_secret, lambda *_: "no.token.atall"])
def test_signatures_that_are_not_the_providers_are_refused(api: ApiNode, provider: Provider, sign: Any) -> None:
    linked(api, provider)
    provider.sign = sign
    assert sign_in_at(make_browser(api), provider).status_code == 401


@pytest.mark.parametrize(
    "claim",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["dataspace", "another-client"]},
        {"azp": "another-client"},
        {"exp": 1_700_000_000},
        {"iat": 4_000_000_000},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=str,
)
def test_claims_that_are_not_for_this_sign_in_are_refused(api: ApiNode, provider: Provider, claim: Claims) -> None:
    linked(api, provider)
    provider.forge = lambda claims: {k: v for k, v in (claims | claim).items() if v is not None}
    refused = sign_in_at(make_browser(api), provider)
    assert (refused.status_code, "evil" in refused.text) == (401, False)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp", "iat", "nonce"])
def test_every_claim_is_needed(api: ApiNode, provider: Provider, missing: str) -> None:
    linked(api, provider)
    provider.forge = lambda claims: {k: v for k, v in claims.items() if k != missing}
    assert sign_in_at(make_browser(api), provider).status_code == 401


def test_an_answer_to_another_browser_or_another_request_is_refused(api: ApiNode, provider: Provider) -> None:
    linked(api, provider)
    victim, attacker = make_browser(api), make_browser(api)
    asked = leave(attacker)
    provider.nonce = asked["nonce"]
    stolen = {"code": "c", "state": asked["state"]}
    # the victim never left for the provider, or left with a state of their own
    assert come_back(victim, stolen).status_code == 401
    leave(victim)
    assert come_back(victim, stolen).status_code == 401
    leave(victim)
    assert come_back(victim, {"code": "c"}).status_code == 401
    assert come_back(attacker, stolen).status_code == 303
    # what was put aside counts once
    assert come_back(attacker, stolen).status_code == 401


def test_an_id_token_of_an_earlier_sign_in_is_refused(api: ApiNode, provider: Provider) -> None:
    linked(api, provider)
    kept = provider.id_token()
    provider.sign = lambda *_: kept
    assert sign_in_at(make_browser(api), provider).status_code == 401


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"iss": "https://evil.example"}, {"code": ""}])
def test_what_is_no_answer_of_the_provider_is_refused(api: ApiNode, provider: Provider, answer: dict[str, str]) -> None:
    linked(api, provider)
    assert sign_in_at(make_browser(api), provider, **answer).status_code == 401


def test_the_session_before_ends_and_the_way_back_stays_here(api: ApiNode, provider: Provider) -> None:
    browser = linked(api, provider)
    before = browser.session
    asked = leave(browser, following="https://evil.example/")
    provider.nonce = asked["nonce"]
    back = come_back(browser, {"code": "c", "state": asked["state"]})
    assert back.headers["location"] == "/account"
    stale = make_browser(api)
    stale.http.cookies.set("dataspace-session", before or "")
    assert stale.get("/account").status_code == 303


def test_a_one_time_link_links_one_identity(api: ApiNode, provider: Provider) -> None:
    link = invitation_for(api)
    assert sign_in_at(make_browser(api), provider, link).status_code == 303
    provider.forge = lambda claims: claims | {"sub": "subject-2"}
    for over in (link, "made-up"):
        assert make_browser(api).get(f"/invitation/{over}").status_code == 401


def test_a_one_time_link_that_is_used_meanwhile_links_nothing(api: ApiNode, provider: Provider) -> None:
    link, late = invitation_for(api), make_browser(api)
    asked = leave(late, link)
    assert sign_in_at(make_browser(api), provider, link).status_code == 303
    provider.forge, provider.nonce = lambda claims: claims | {"sub": "subject-2"}, asked["nonce"]
    assert come_back(late, {"code": "c", "state": asked["state"]}).status_code == 401
    provider.forge = lambda claims: claims | {"sub": "subject-2"}
    assert sign_in_at(make_browser(api), provider).status_code == 401


def test_an_address_that_somebody_was_sent_links_no_identity(api: ApiNode, provider: Provider) -> None:
    link, victim = invitation_for(api), make_browser(api)
    away = victim.get(f"/sign-in/provider?invitation={link}")
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    provider.nonce = asked["nonce"][0]
    assert come_back(victim, {"code": "c", "state": asked["state"][0]}).status_code == 401
    # a form of another site has no token of this browser's
    for csrf in (None, "", "0" * 64, make_browser(api).csrf(f"/invitation/{link}")):
        forged = victim.post(f"/invitation/{link}/provider", {}, csrf)
        assert (forged.status_code, "dataspace-flow" in forged.headers["set-cookie"]) == (403, False)
    assert sign_in_at(make_browser(api), provider, link).status_code == 303


def test_an_identity_of_another_person_is_not_linked_and_the_link_stays(api: ApiNode, provider: Provider) -> None:
    linked(api, provider)
    people = api.people
    link = sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)
    browser = make_browser(api)
    assert sign_in_at(browser, provider, link).status_code == 401
    assert browser.session is None
    provider.forge = lambda claims: claims | {"sub": "subject-2"}
    assert sign_in_at(browser, provider, link).status_code == 303
    assert "Rita Researcher" in browser.get("/account").text


def test_the_way_to_the_provider_is_a_page_in_two_languages(api: ApiNode) -> None:
    browser, page = make_browser(api), f"/invitation/{invitation_for(api)}"
    browser.get(f"{page}?lang=fr")
    left = browser.post(f"{page}/provider", {}, browser.csrf(page))
    assert ("Vers votre organisation" in left.text, left.headers["cache-control"]) == (True, "no-store")
    assert f"{page}?lang=en" in left.text


@pytest.mark.parametrize(
    ("allowed", "verified", "status"), [(True, True, 303), (True, False, 401), (True, "true", 401), (False, True, 401)]
)
def test_an_email_links_only_if_verified_and_settings_say_so(
    api: ApiNode, provider: Provider, allowed: bool, verified: object, status: int
) -> None:
    people = api.people
    accounts.change_address(people.uow, people.clock, SYSTEM, people.colleague.id, "Carl@Example.org")
    configure(api, oidc_match_email=allowed)
    provider.forge = lambda claims: claims | {"email_verified": verified}
    assert sign_in_at(make_browser(api), provider).status_code == status


@pytest.mark.parametrize(("subject", "status"), [("subject-1", 303), ("subject-2", 401), (None, 401)])
def test_what_userinfo_tells_counts_for_the_same_subject_only(
    api: ApiNode, provider: Provider, subject: str | None, status: int
) -> None:
    people = api.people
    accounts.change_address(people.uow, people.clock, SYSTEM, people.colleague.id, "carl@example.org")
    configure(api, oidc_match_email=True)
    provider.forge = lambda claims: {name: claims[name] for name in claims if not name.startswith("email")}
    told = {"email": "carl@example.org", "email_verified": True}
    provider.userinfo = told if subject is None else told | {"sub": subject}
    assert sign_in_at(make_browser(api), provider).status_code == status


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        ({"email": "carl@example.org"}, {"email": "mallory@evil.example", "email_verified": True}),
        ({"email": "carl@example.org"}, {"email_verified": True}),
        ({"email_verified": True}, {"email": "carl@example.org"}),
        ({"email_verified": True}, {"email": "carl@example.org", "email_verified": False}),
        ({"email": None}, {"email": "carl@example.org", "email_verified": True}),
    ],
)
def test_an_address_is_verified_by_who_tells_it(api: ApiNode, provider: Provider, signed: Claims, told: Claims) -> None:
    people = api.people
    accounts.change_address(people.uow, people.clock, SYSTEM, people.colleague.id, "carl@example.org")
    configure(api, oidc_match_email=True)
    provider.forge = lambda claims: {n: claims[n] for n in claims if not n.startswith("email")} | signed
    provider.userinfo = told | {"sub": "subject-1"}
    assert sign_in_at(make_browser(api), provider).status_code == 401


def test_an_email_links_one_identity_of_a_person(api: ApiNode, provider: Provider) -> None:
    people = api.people
    accounts.change_address(people.uow, people.clock, SYSTEM, people.colleague.id, "carl@example.org")
    configure(api, oidc_match_email=True)
    assert sign_in_at(make_browser(api), provider).status_code == 303
    provider.forge = lambda claims: claims | {"sub": "subject-2"}
    assert sign_in_at(make_browser(api), provider).status_code == 401
    # the operator may still say that both are the same person
    assert sign_in_at(make_browser(api), provider, invitation_for(api)).status_code == 303


def test_an_email_that_two_persons_share_links_nobody(api: ApiNode, provider: Provider) -> None:
    people = api.people
    for person in (people.colleague, people.researcher):
        accounts.change_address(people.uow, people.clock, SYSTEM, person.id, "carl@example.org")
    configure(api, oidc_match_email=True)
    provider.forge = lambda claims: claims | {"email_verified": True}
    assert sign_in_at(make_browser(api), provider).status_code == 401


def test_roles_come_from_claims_only_by_a_table(api: ApiNode, provider: Provider) -> None:
    browser = linked(api, provider)
    assert "operator" not in browser.get("/account").text
    configure(api, oidc_roles={"auditors": Role.OPERATOR})
    with_role = make_browser(api)
    assert sign_in_at(with_role, provider).status_code == 303
    assert "applicant, operator" in with_role.get("/account").text
    provider.forge = lambda claims: claims | {"roles": ["others"]}
    assert sign_in_at(make_browser(api), provider).status_code == 303
    assert with_role.get("/account").status_code == 303
    with api.people.uow.reading() as uow:
        assert uow.accounts.get(api.people.colleague.id).roles == {Role.APPLICANT}


def test_roles_kept_apart_are_not_given_by_a_provider_either(api: ApiNode, provider: Provider) -> None:
    linked(api, provider)
    people = api.people
    persons.change_roles(people.uow, people.clock, SYSTEM, people.colleague.id, give=frozenset({Role.HDAB_ASSESSOR}))
    configure(api, oidc_roles={"auditors": Role.OPERATOR})
    assert sign_in_at(make_browser(api), provider).status_code == 422
    with people.uow.reading() as uow:
        assert Role.OPERATOR not in uow.accounts.get(people.colleague.id).roles


def test_roles_are_taken_away_also_where_those_given_cannot_be_held(api: ApiNode, provider: Provider) -> None:
    browser, people, carl = linked(api, provider), api.people, api.people.colleague
    give = frozenset({Role.HDAB_ASSESSOR, Role.HDAB_DECISION_MAKER})
    token = api.token(persons.change_roles(people.uow, people.clock, SYSTEM, carl.id, give=give))
    configure(api, oidc_roles={"deciders": Role.HDAB_DECISION_MAKER, "auditors": Role.OPERATOR})
    assert browser.get("/account").status_code == 200
    refused = make_browser(api)
    assert sign_in_at(refused, provider).status_code == 422
    assert refused.session is None
    with people.uow.reading() as uow:
        assert uow.accounts.get(carl.id).roles == {Role.APPLICANT, Role.HDAB_ASSESSOR}
    assert browser.get("/account").status_code == 303
    assert api.client.get("/api/v1/account", headers=token).status_code == 401


def test_a_deactivated_person_is_not_let_in_by_the_provider(api: ApiNode, provider: Provider) -> None:
    browser = linked(api, provider)
    persons.deactivate_person(api.people.uow, api.people.clock, SYSTEM, api.people.colleague.id)
    assert browser.get("/account").status_code == 303
    assert sign_in_at(make_browser(api), provider).status_code == 401


def test_a_provider_that_is_away_or_another_is_said(api: ApiNode, provider: Provider) -> None:
    configure(api, oidc_issuer="http://127.0.0.1:9")
    assert make_browser(api).get("/sign-in/provider").status_code == 503
    configure(api, oidc_issuer=f"{provider.url}/")
    assert make_browser(api).get("/sign-in/provider").status_code == 503


def test_passwords_are_not_taken_where_the_node_keeps_none(api: ApiNode) -> None:
    page = make_browser(api).get("/sign-in").text
    assert "Sign in with your organisation" in page
    assert 'name="password"' not in page
    assert make_browser(api).post("/sign-in", {"login": "a", "password": "b"}, "0").status_code == 404


def test_a_real_provider_signs_a_person_in(tmp_path: Path) -> None:
    mock = pytest.importorskip("oidc_provider_mock", reason="no identity provider is installed")
    api = make_api_node(tmp_path)
    api.people.clock.time = datetime.now(UTC)
    with mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        configure(api, oidc_issuer=issuer, oidc_client_id="dataspace-node", oidc_client_secret=SecretStr("secret"))
        browser = make_browser(api)
        link = invitation_for(api)
        for invitation in (link, ""):
            back = httpx2.post(where_to(browser, invitation), data={"sub": "carl@university.example"}, timeout=10)
            assert back.status_code == 302, back.text[:500]
            landed = browser.get(back.headers["location"].removeprefix(BASE))
            assert (landed.status_code, landed.headers["location"]) == (303, "/account"), landed.text[-800:]
            assert "Carl Colleague" in browser.get("/account").text
            browser.post("/sign-out", {}, browser.csrf())
