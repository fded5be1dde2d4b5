"""Cookies: signed, out of reach of scripts, sent to this node alone; and the tokens that forms carry against CSRF."""

from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer

from dataspace.domain.errors import NotPermitted
from dataspace.domain.sign_in import SESSION_LONGEST, new_secret

FLOW_SECONDS = 600
"""How long a person may take at the identity provider."""


class Cookies:
    """Under a name that a browser binds to this host over TLS (`__Host-`), where `secure`."""

    def __init__(self, secret: bytes, *, secure: bool) -> None:
        self._secret, self._secure = secret, secure
        self._signer = Signer(secret, salt="session", digest_method=sha256)
        self._flows = URLSafeTimedSerializer(secret, salt="flow", signer_kwargs={"digest_method": sha256})

    def session(self, request: Request) -> str | None:
        """The secret of the session a browser holds, None if it has none that we signed."""
        try:
            return self._signer.unsign(request.cookies.get(self._name("session"), "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def set_session(self, response: Response, secret: str) -> None:
        age = int(SESSION_LONGEST.total_seconds())
        self._set(response, "session", self._signer.sign(secret).decode(), age)

    def clear_session(self, response: Response) -> None:
        self._clear(response, "session")

    def form(self, request: Request) -> str:
        """What ties the forms of a browser that is not signed in to it."""
        return request.cookies.get(self._name("form")) or new_secret()

    def set_form(self, response: Response, value: str) -> None:
        self._set(response, "form", value, 3600)

    def flow(self, request: Request) -> dict[str, Any] | None:
        """What was put aside when the browser left for the identity provider."""
        try:
            flow = self._flows.loads(request.cookies.get(self._name("flow"), ""), max_age=FLOW_SECONDS)
        except BadSignature:
            return None
        return flow if isinstance(flow, dict) else None

    def set_flow(self, response: Response, flow: dict[str, Any]) -> None:
        self._set(response, "flow", str(self._flows.dumps(flow)), FLOW_SECONDS)

    def clear_flow(self, response: Response) -> None:
        self._clear(response, "flow")

    def csrf(self, held: str) -> str:
        """The token for forms of a browser that holds this secret; it says nothing about the secret."""
        return hmac(self._secret, b"csrf" + held.encode(), sha256).hexdigest()

    def check_csrf(self, held: str, sent: str | None) -> None:
        """Raises NotPermitted."""
        if not compare_digest(self.csrf(held).encode(), (sent or "").encode()):
            raise NotPermitted("this request did not come from a page of this node; load the page again and repeat it")

    def _name(self, purpose: str) -> str:
        return f"{'__Host-' if self._secure else ''}dataspace-{purpose}"

    def _set(self, response: Response, purpose: str, value: str, age: int) -> None:
        response.set_cookie(
            self._name(purpose), value, max_age=age, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def _clear(self, response: Response, purpose: str) -> None:
        response.delete_cookie(self._name(purpose), path="/", secure=self._secure, httponly=True, samesite="lax")
