"""Signing in at a certified OpenID provider, npm's `oidc-provider`: another code base's reading of the standard.

Version 8 is the last that supports Node.js 20. Skipped where there is no npm or no registry.
"""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from dataspace.domain.actors import SYSTEM
from dataspace.services import accounts
from tests.api_node import ApiNode, make_api_node
from tests.browser import make_browser
from tests.integration.test_sign_in_oidc import BASE, configure

VERSION = "8.8.1"
MODULES = Path(sys.prefix) / f"oidc-provider-{VERSION}"
SERVER = Path(__file__).parents[1] / "oidc_provider/server.mjs"
SECRET = secrets.token_urlsafe(24)
CARL = "carl@university.example"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node.js with npm is installed")
    if not (MODULES / "node_modules/oidc-provider").exists():
        install = [npm, "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix"]
        done = subprocess.run(
            [*install, str(MODULES), f"oidc-provider@{VERSION}"], capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            pytest.skip(f"npm cannot install oidc-provider: {done.stderr[-300:]}")
    command = [node, str(SERVER), str(MODULES), f"{BASE}/sign-in/callback", SECRET]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = next((line.strip() for line in server.stdout if line.startswith("http")), "")
        assert address, "the provider did not start"
        yield address
        server.stdin.close()


@pytest.fixture
def api(tmp_path: Path, issuer: str) -> ApiNode:
    made = make_api_node(tmp_path)
    made.people.clock.time = datetime.now(UTC)
    configure(
        made, oidc_issuer=issuer, oidc_client_id="dataspace-node", oidc_client_secret=SecretStr(SECRET),
        oidc_match_email=True,
    )  # fmt: skip
    return made


def through_the_provider(url: str, login: str) -> str:
    """Sign in and consent as a browser does; where the provider sends the browser back to."""
    with httpx2.Client(timeout=10) as browser:
        for answer in ({"prompt": "login", "login": login, "password": "any"}, {"prompt": "consent"}):
            page = follow(browser, browser.get(url))
            posted = browser.post(str(page.url), data=answer)
            url = urljoin(str(page.url), posted.headers["location"])
        return follow(browser, browser.get(url)).headers["location"]


def follow(browser: httpx2.Client, answer: httpx2.Response) -> httpx2.Response:
    """Go on until there is a page, or the address is not the provider's."""
    while answer.is_redirect:
        there = urljoin(str(answer.url), answer.headers["location"])
        if urlsplit(there).netloc != urlsplit(str(answer.url)).netloc:
            return answer
        answer = browser.get(there)
    assert answer.status_code == 200, answer.text[:800]
    return answer


def test_the_provider_signs_a_person_in_by_verified_address(api: ApiNode) -> None:
    people = api.people
    accounts.change_address(people.uow, people.clock, SYSTEM, people.colleague.id, CARL)
    browser = make_browser(api)
    away = browser.get("/sign-in/provider").headers["location"]
    back = through_the_provider(away, CARL)
    landed = browser.get(back.removeprefix(BASE))
    assert (landed.status_code, landed.headers["location"]) == (303, "/account"), landed.text[-800:]
    assert "Carl Colleague" in browser.get("/account").text
    assert browser.get(back.removeprefix(BASE)).status_code == 401, "what the provider sent back counts once"


def test_a_person_that_is_not_known_here_is_not_signed_in(api: ApiNode) -> None:
    browser = make_browser(api)
    away = browser.get("/sign-in/provider").headers["location"]
    assert browser.get(through_the_provider(away, CARL).removeprefix(BASE)).status_code == 401
    assert browser.get("/account").status_code == 303
