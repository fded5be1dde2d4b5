"""An identity provider on loopback that signs whatever a test wants, true or forged."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

Claims = dict[str, Any]


@dataclass
class Provider:
    """`forge` changes the claims before they are signed, `sign` how; `asked` is what the token endpoint was sent.

    `userinfo` is what its userinfo endpoint tells; without it there is none.
    """

    url: str
    nonce: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"}))
    forge: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[["Provider", Claims], str] | None = None
    asked: dict[str, str] = field(default_factory=dict)
    userinfo: Claims | None = None

    def claims(self) -> Claims:
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": "dataspace",
            "sub": "subject-1",
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 300,
            "email": "carl@example.org",
            "email_verified": True,
            "roles": ["auditors"],
        }

    def id_token(self) -> str:
        claims = self.forge(self.claims())
        if self.sign is not None:
            return self.sign(self, claims)
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)

    def answer(self, path: str, body: str) -> Claims:
        if path == "/.well-known/openid-configuration":
            names = ("authorization", "token") + (("userinfo",) if self.userinfo is not None else ())
            ends = {f"{name}_endpoint": f"{self.url}/{name}" for name in names}
            # a careless provider: it says that it signs with anything
            signs = ["none", "HS256", "RS256"]
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **ends,
                    "id_token_signing_alg_values_supported": signs}  # fmt: skip
        if path == "/userinfo":
            return self.userinfo or {}
        if path == "/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        self.asked = {name: values[0] for name, values in parse_qs(body).items()}
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token()}


@contextmanager
def serve_provider() -> Iterator[Provider]:
    """A provider on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

        def _answer(self, body: str) -> None:
            content = json.dumps(provider.answer(urlsplit(self.path).path, body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
