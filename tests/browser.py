"""A browser as the sign-in pages see one: it keeps cookies, reads forms and sends them back."""

import re
from dataclasses import dataclass

from fastapi.testclient import TestClient
from httpx2 import Response

from dataspace.domain.actors import SYSTEM, Actor
from dataspace.services import sign_in
from tests.api_node import ApiNode

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html"}


@dataclass
class Browser:
    """Redirects are not followed, so that tests see them."""

    http: TestClient

    def get(self, path: str, **headers: str) -> Response:
        return self.http.get(path, headers=HTML | headers, follow_redirects=False)

    def post(self, path: str, form: dict[str, str | list[str]], csrf: str | None = None) -> Response:
        sent = form if csrf is None else form | {"csrf": csrf}
        return self.http.post(path, data=sent, headers=HTML, follow_redirects=False)

    def csrf(self, path: str = "/account") -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None, f"no form at {path}"
        return found[1]

    def sign_in(self, login: str, password: str = PASSWORD, following: str = "/account") -> Response:
        form: dict[str, str | list[str]] = {"login": login, "password": password, "next": following}
        return self.post("/sign-in", form, self.csrf("/sign-in"))

    @property
    def session(self) -> str | None:
        return self.http.cookies.get("dataspace-session")


def make_browser(api: ApiNode) -> Browser:
    return Browser(TestClient(api.client.app, raise_server_exceptions=False))


def give_password(api: ApiNode, person: Actor, login: str, *, demo: bool = False) -> None:
    """Through a one-time link, as the operator would."""
    people = api.people
    secret = sign_in.invite(people.uow, people.clock, SYSTEM, person.id, login=login)
    sign_in.set_password(people.uow, people.clock, api.node.passwords, secret, PASSWORD, demo=demo)
