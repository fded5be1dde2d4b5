"""Signing in with a password, and what a session may: pages in two languages, forms that cannot be forged."""

import html
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dataspace.domain.actors import SYSTEM, Role
from dataspace.domain.errors import InvalidInput, NotAuthenticated, TooManyAttempts
from dataspace.passwords import Argon2Passwords
from dataspace.services import persons, sessions, sign_in
from dataspace.settings import Mode, Settings
from dataspace.web.app import create_app
from tests.api_node import ApiNode, make_api_node
from tests.browser import PASSWORD, Browser, give_password, make_browser

BY_SEX = {"sql": "SELECT sex, COUNT(DISTINCT person) AS n FROM person GROUP BY sex", "epsilon": "0.1"}


class FastPasswords:
    """Counts its work instead of doing it; what it makes is no hash."""

    def __init__(self) -> None:
        self.verified = 0

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, password: str, stored: str | None) -> bool:
        self.verified += 1
        return stored == f"hash of {password}"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    made = make_api_node(tmp_path)
    made.node = replace(made.node, passwords=FastPasswords())
    made.client.app = create_app(made.node)
    give_password(made, made.people.researcher, "Rita")
    return made


@pytest.fixture
def browser(api: ApiNode) -> Browser:
    return make_browser(api)


def attempt(api: ApiNode, login: str, password: str, address: str = "192.0.2.1") -> sign_in.SignedIn:
    opened = sign_in.sign_in_with_password(
        api.people.uow, api.people.clock, api.node.passwords, login, password, address=address, demo_mode=False
    )
    assert isinstance(opened, sign_in.SignedIn)
    return opened


def test_from_a_one_time_link_to_ones_own_account(api: ApiNode, browser: Browser) -> None:
    people = api.people
    secret = sign_in.invite(people.uow, people.clock, SYSTEM, people.colleague.id, login="carl")
    page = browser.get(f"/invitation/{secret}")
    assert (page.status_code, "Carl Colleague" in page.text) == (200, True)
    short = browser.post(f"/invitation/{secret}", {"password": "short"}, browser.csrf(f"/invitation/{secret}"))
    assert (short.status_code, "12 characters" in short.text) == (422, True)
    done = browser.post(f"/invitation/{secret}", {"password": PASSWORD}, browser.csrf(f"/invitation/{secret}"))
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?told=password_is_set")
    assert browser.get(f"/invitation/{secret}").status_code == 401
    signed_in = browser.sign_in("CARL ")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/account")
    account = browser.get("/account")
    assert "Carl Colleague" in account.text
    assert account.headers["cache-control"] == "no-store"


def test_the_cookie_is_out_of_reach_and_another_at_each_sign_in(api: ApiNode, browser: Browser) -> None:
    browser.http.cookies.set("dataspace-session", "chosen-by-somebody-else")
    set_cookie = browser.sign_in("rita").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(set_cookie.split("; "))
    assert "Secure" not in set_cookie
    assert "chosen-by-somebody-else" not in set_cookie
    browser.http.cookies.delete("dataspace-session", domain="")
    first = browser.session
    browser.sign_in("rita")
    assert browser.session != first
    stolen = make_browser(api)
    stolen.http.cookies.set("dataspace-session", first or "")
    assert stolen.get("/account").status_code == 303


def test_in_production_cookies_need_tls_and_this_host(api: ApiNode, tmp_path: Path) -> None:
    settings = Settings(
        mode=Mode.PRODUCTION, home=tmp_path, key_root=tmp_path.parent / "keys", public_url="https://node.example.eu",
        oidc_issuer="https://login.example.eu", oidc_client_id="dataspace",
    )  # fmt: skip
    api.client.app = create_app(replace(api.node, settings=settings))
    page = make_browser(api).get("/sign-in")
    assert page.headers["set-cookie"].startswith("__Host-dataspace-form=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(page.headers["set-cookie"].split("; "))


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/account", "/account"),
        ("/datasets/registry", "/datasets/registry"),
        ("//evil.example", "/account"),
        ("https://evil.example", "/account"),
        ("/\\evil.example", "/account"),
        ("/account\r\nSet-Cookie: a=b", "/account"),
        ("javascript:alert(1)", "/account"),
        ("", "/account"),
    ],
)
def test_signing_in_leads_nowhere_else(browser: Browser, wanted: str, got: str) -> None:
    assert browser.sign_in("rita", following=wanted).headers["location"] == got


def test_forms_without_their_token_change_nothing(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    other = make_browser(api)
    give_password(api, api.people.colleague, "carl")
    other.sign_in("carl")
    for csrf in (None, "", "0" * 64, other.csrf()):
        for path in ("/account/tokens", "/sign-out", "/account/sessions/ses_1/end", "/account/tokens/tok_1/revocation"):
            assert browser.post(path, {}, csrf).status_code == 403, path
        assert browser.post("/sign-in", {"login": "rita", "password": PASSWORD}, csrf).status_code == 403
    assert browser.get("/account").status_code == 200
    assert "You have no token" in browser.get("/account").text


def test_the_api_takes_a_session_only_with_the_header(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    csrf = {"X-CSRF-Token": browser.csrf()}
    assert browser.http.get("/api/v1/permits").status_code == 403
    assert browser.http.get("/api/v1/permits", headers={"X-CSRF-Token": "0" * 64}).status_code == 403
    assert browser.http.get("/api/v1/permits", headers=csrf).status_code == 200
    url = f"/api/v1/permits/{api.permit.id}/queries"
    key = {"Idempotency-Key": "from-a-page"}
    assert browser.http.post(url, json=BY_SEX, headers=key).status_code == 403
    assert browser.http.post(url, json=BY_SEX, headers=key | csrf).status_code == 200
    here = browser.http.get("/api/v1/account/sessions", headers=csrf).json()
    assert [session["current"] for session in here] == [True]


def test_signing_out_ends_the_session_everywhere(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    kept = make_browser(api)
    kept.http.cookies.set("dataspace-session", browser.session or "")
    assert kept.get("/account").status_code == 200
    assert browser.post("/sign-out", {}, browser.csrf()).status_code == 303
    assert browser.session is None
    assert kept.get("/account").status_code == 303


def test_sessions_end_when_idle_and_after_half_a_day(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    api.people.clock.forward(minutes=29)
    assert browser.get("/account").status_code == 200
    api.people.clock.forward(minutes=29)
    assert browser.get("/account").status_code == 200
    api.people.clock.forward(minutes=31)
    assert browser.get("/account").status_code == 303
    browser.sign_in("rita")
    pages = []
    for _ in range(26):
        api.people.clock.forward(minutes=28)
        pages.append(browser.get("/account").status_code)
    assert pages == [200] * 25 + [303]


def test_a_role_taken_away_ends_the_session_and_a_given_one_does_not(api: ApiNode, browser: Browser) -> None:
    people = api.people
    browser.sign_in("rita")
    persons.change_roles(people.uow, people.clock, SYSTEM, people.researcher.id, give=frozenset({Role.DATA_HOLDER}))
    assert "data-holder" in browser.get("/account").text
    persons.change_roles(people.uow, people.clock, SYSTEM, people.researcher.id, take=frozenset({Role.DATA_HOLDER}))
    assert browser.get("/account").status_code == 303


def test_a_deactivated_person_is_out_at_once_and_does_not_come_back(api: ApiNode, browser: Browser) -> None:
    people = api.people
    browser.sign_in("rita")
    csrf = {"X-CSRF-Token": browser.csrf()}
    secret = sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)
    persons.deactivate_person(people.uow, people.clock, SYSTEM, people.researcher.id)
    url = f"/api/v1/permits/{api.permit.id}/queries"
    refused = browser.http.post(url, json=BY_SEX, headers=csrf | {"Idempotency-Key": "after-it"})
    assert (refused.status_code, api.store.opened) == (401, 0)
    assert browser.get(f"/invitation/{secret}").status_code == 401
    assert browser.sign_in("rita").status_code == 401
    with pytest.raises(InvalidInput, match="deactivated"):
        sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)


def test_a_new_password_ends_every_session(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    give_password(api, api.people.researcher, "rita")
    assert browser.get("/account").status_code == 303


def test_refusals_do_not_say_who_has_an_account(api: ApiNode, browser: Browser) -> None:
    def shape(login: str) -> tuple[int, str]:
        response = browser.sign_in(login, "a wrong password")
        return response.status_code, re.sub(r'value="[0-9a-f]{64}"', "", response.text)

    known, unknown = [shape("rita") for _ in range(7)], [shape("nobody") for _ in range(7)]
    assert known == unknown
    assert [status for status, _ in known] == [401] * 5 + [429] * 2


def test_unknown_accounts_cost_the_same_work(api: ApiNode, browser: Browser) -> None:
    passwords = api.node.passwords
    assert isinstance(passwords, FastPasswords)
    counts = []
    for login in ("rita", "nobody"):
        before = passwords.verified
        browser.sign_in(login, "a wrong password")
        counts.append(passwords.verified - before)
    assert counts == [1, 1]


def test_argon2id_hashes_once_whether_or_not_there_is_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    import argon2

    passwords = Argon2Passwords()
    stored = passwords.hash(PASSWORD)
    passwords.verify("warm", None)
    hashed = []
    real = argon2.PasswordHasher.verify

    def counted(*args: object) -> object:
        hashed.append(args)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    monkeypatch.setattr(argon2.PasswordHasher, "hash", lambda *_: pytest.fail("a second hash"))
    assert passwords.verify(PASSWORD, stored)
    assert not passwords.verify("wrong", stored)
    assert not passwords.verify(PASSWORD, None)
    assert len(hashed) == 3
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def guess(api: ApiNode, address: str = "192.0.2.1") -> int:
    """A wrong password; how many seconds there are to wait, 0 if it was looked at."""
    with pytest.raises((NotAuthenticated, TooManyAttempts)) as raised:
        attempt(api, "rita", "wrong", address)
    return raised.value.seconds if isinstance(raised.value, TooManyAttempts) else 0


def test_guessing_is_slowed_down_more_and_more(api: ApiNode) -> None:
    assert [guess(api) for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(7):
        waits.append(guess(api))
        api.people.clock.forward(seconds=waits[-1])
        assert guess(api) == 0
    assert waits == [31, 61, 121, 241, 481, 901, 901]
    # the right password does not help before the time is over, and then it does
    with pytest.raises(TooManyAttempts):
        attempt(api, "rita", PASSWORD)
    api.people.clock.forward(minutes=16)
    attempt(api, "rita", PASSWORD)
    assert [guess(api) for _ in range(5)] == [0] * 5


def test_one_address_cannot_try_many_accounts(api: ApiNode) -> None:
    outcomes: Counter[str] = Counter()
    for n in range(30):
        try:
            attempt(api, f"account {n}", "wrong")
        except (NotAuthenticated, TooManyAttempts) as error:
            outcomes[error.code] += 1
    assert outcomes == {"not-authenticated": 20, "too-many-attempts": 10}
    attempt(api, "rita", PASSWORD, address="192.0.2.2")


def test_right_passwords_from_one_address_do_not_block_it(api: ApiNode) -> None:
    for _ in range(40):
        attempt(api, "rita", PASSWORD)


def test_many_guesses_at_once_are_not_more_guesses(api: ApiNode) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda n: guess(api, f"192.0.2.{n}"), range(24)))
    assert Counter(wait > 0 for wait in waits) == {False: 5, True: 19}


def test_failed_attempts_are_kept_without_saying_whose(api: ApiNode) -> None:
    from sqlalchemy import text

    with pytest.raises(NotAuthenticated):
        attempt(api, "rita", "wrong", address="192.0.2.77")
    with api.people.engine.connect() as connection:
        keys = connection.execute(text("select key from throttles")).scalars().all()
    assert len(keys) == 2
    assert not any("rita" in key or "192.0.2" in key for key in keys)


def test_a_demo_password_is_changed_before_it_opens_anything_elsewhere(api: ApiNode) -> None:
    people = api.people
    give_password(api, people.colleague, "carl", demo=True)
    browser = make_browser(api)
    assert browser.sign_in("carl").headers["location"] == "/account"
    api.client.app = create_app(replace(api.node, settings=api.node.settings.model_copy(update={"mode": Mode.TEST})))
    elsewhere = make_browser(api)
    due = elsewhere.sign_in("carl").headers["location"]
    assert due.startswith("/invitation/")
    assert elsewhere.session is None
    elsewhere.post(due, {"password": "another good password"}, elsewhere.csrf(due))
    assert elsewhere.sign_in("carl").status_code == 401
    assert elsewhere.sign_in("carl", "another good password").headers["location"] == "/account"


@pytest.mark.parametrize(
    "bad", ["elevenchars", "aaaaaaaaaaaaaaaa", "Rita Researcher", "rita-researcher!", "researcher12", "x" * 257]
)
def test_bad_passwords_are_refused_and_the_link_still_works(api: ApiNode, bad: str) -> None:
    people = api.people
    secret = sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)
    with pytest.raises(InvalidInput, match="choose another") as raised:
        sign_in.set_password(people.uow, people.clock, api.node.passwords, secret, bad)
    assert bad not in raised.value.message
    sign_in.set_password(people.uow, people.clock, api.node.passwords, secret, PASSWORD)


def test_a_one_time_link_works_once_and_for_three_days(api: ApiNode) -> None:
    people = api.people
    first = sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)
    second = sign_in.invite(people.uow, people.clock, SYSTEM, people.researcher.id)
    for over in (first, "unknown"):
        with pytest.raises(NotAuthenticated, match="one-time link"):
            sign_in.set_password(people.uow, people.clock, api.node.passwords, over, PASSWORD)
    people.clock.forward(days=3)
    with pytest.raises(NotAuthenticated, match="one-time link"):
        sign_in.set_password(people.uow, people.clock, api.node.passwords, second, PASSWORD)


def test_a_token_issued_on_the_page_is_shown_once_and_works(api: ApiNode, browser: Browser) -> None:
    browser.sign_in("rita")
    form: dict[str, str | list[str]] = {"label": "<b>laptop</b>", "days": "30", "scope": ["read", "query"]}
    page = browser.post("/account/tokens", form, browser.csrf())
    found = re.search(r"ehds_[A-Za-z0-9_-]{43}", page.text)
    assert found is not None
    assert api.client.get("/api/v1/permits", headers={"Authorization": f"Bearer {found[0]}"}).status_code == 200
    later = browser.get("/account").text
    assert found[0] not in later
    assert "<b>laptop" not in later
    assert html.escape("<b>laptop</b>") in later
    revoke = re.search(r"/account/tokens/tok_[^/]+/revocation", later)
    assert revoke is not None
    assert browser.post(revoke[0], {}, browser.csrf()).status_code == 303
    assert "You have no token" in browser.get("/account").text


@pytest.mark.parametrize(
    ("path", "english", "french"),
    [("/sign-in", "Account name", "Nom du compte"), ("/account", "Access tokens", "Jetons d’accès")],
)
def test_pages_speak_two_languages(browser: Browser, path: str, english: str, french: str) -> None:
    browser.sign_in("rita")
    in_french = browser.get(path, **{"Accept-Language": "fr-FR,en;q=0.5"}).text
    assert french in in_french
    assert '<html lang="fr">' in in_french
    assert english in browser.get(path, **{"Accept-Language": "de"}).text
    assert french in browser.get(f"{path}?lang=fr").text
    assert french in browser.get(path, **{"Accept-Language": "en"}).text


def test_every_field_has_a_label_and_every_page_one_heading(browser: Browser) -> None:
    browser.sign_in("rita")
    for path in ("/sign-in", "/account"):
        page = browser.get(path).text
        for field in re.findall(r'<(?:input|select)[^>]* id="([^"]+)"', page):
            assert f'<label for="{field}">' in page
        assert page.count("<h1>") == 1
        assert "style=" not in page
        assert "<script" not in page


def test_nothing_secret_is_kept_in_the_database(api: ApiNode, browser: Browser, tmp_path: Path) -> None:
    browser.sign_in("rita")
    secret = sign_in.invite(api.people.uow, api.people.clock, SYSTEM, api.people.colleague.id)
    held = (browser.session or "").split(".")[0]
    stored = (tmp_path / "accounts.db").read_bytes()
    assert len(held) == 43
    assert secret.encode() not in stored
    assert held.encode() not in stored
    assert sessions.identify_session(api.people.uow, api.people.clock, held).actor == api.people.researcher
