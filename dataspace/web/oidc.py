"""Relying party of OpenID Connect (Core 1.0, code flow, PKCE S256, state and nonce) at one identity provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from dataspace.domain.errors import NotAuthenticated, Unavailable
from dataspace.logs import log
from dataspace.services.sign_in import Identity

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Whatever the provider or the token says, none other is accepted: neither `none` nor a shared secret."""

LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10.0
REFUSED = "the identity provider's answer cannot be accepted; sign in again, or tell the operator if it stays so"


@dataclass
class RelyingParty:
    """This node as a client of the provider `issuer`. Metadata are read once, keys at each sign-in."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    roles_claim: str = "roles"
    _metadata: dict[str, Any] | None = field(default=None, repr=False)

    def start(self) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what to put aside until it is back. Raises Unavailable."""
        nonce, verifier = token_urlsafe(32), token_urlsafe(48)
        with self._client() as client:
            url, state = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), nonce=nonce, code_verifier=verifier
            )
        return str(url), {"state": str(state), "nonce": nonce, "verifier": verifier}

    def finish(self, flow: Mapping[str, Any], query: Mapping[str, str], now: datetime) -> Identity:
        """The identity the provider vouches for. Raises NotAuthenticated, or Unavailable if it cannot be reached."""
        state, code = query.get("state", ""), query.get("code", "")
        if not compare_digest(state.encode(), str(flow.get("state", "")).encode()) or not state:
            raise _refused("state")
        # RFC 9207: a provider that names itself has to be ours
        if query.get("iss", self.issuer) != self.issuer:
            raise _refused("issuer of the answer")
        if "error" in query or not code:
            raise _refused("no code")
        id_token, access_token = self._tokens(code, str(flow["verifier"]))
        claims = self._claims(id_token, str(flow["nonce"]), now)
        return self._identity(claims, self._said_of(access_token, str(claims["sub"])))

    def _tokens(self, code: str, verifier: str) -> tuple[str, str]:
        """The id token and the access token that a code is good for."""
        try:
            with self._client() as client:
                answer = client.fetch_token(self._endpoint("token_endpoint"), code=code, code_verifier=verifier)
        except OAuthError:
            raise _refused("code") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise _unreachable() from error
        if not isinstance(answer.get("id_token"), str):
            raise _refused("no id token")
        return str(answer["id_token"]), str(answer.get("access_token", ""))

    def _said_of(self, access_token: str, subject: str) -> dict[str, Any]:
        """Claims that the provider keeps for its userinfo endpoint (Core 5.3, 5.4), if it has one.

        What is told of another subject than the id token's counts for nothing (5.3.2).
        """
        endpoint = self._metadata.get("userinfo_endpoint") if self._metadata else None
        if not isinstance(endpoint, str) or not access_token:
            return {}
        told = _get(endpoint, access_token)
        if told.get("sub") != subject:
            raise _refused("subject of userinfo")
        return told

    def _claims(self, id_token: str, nonce: str, now: datetime) -> dict[str, Any]:
        try:
            claims = dict(jwt.decode(id_token, self._keys(), algorithms=ALGORITHMS).claims)
            audience = claims.get("aud")
            wanted = JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused(type(error).__name__) from None
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.client_id:
            raise _refused("azp")
        return claims

    def _identity(self, claims: dict[str, Any], told: dict[str, Any]) -> Identity:
        subject, roles = claims["sub"], (told | claims).get(self.roles_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise _refused("subject")
        # an address and its verification from one source: each source vouches for its own address alone
        source = claims if "email" in claims else told
        email = source.get("email")
        verified = isinstance(email, str) and source.get("email_verified") is True
        named = frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()
        return Identity(self.issuer, subject, email if verified else None, named)

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            scope="openid email profile",
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            timeout=TIMEOUT_SECONDS,
        )

    def _endpoint(self, name: str) -> str:
        if self._metadata is None:
            found = _get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise Unavailable("the identity provider calls itself otherwise than DATASPACE_OIDC_ISSUER; correct it")
            self._metadata = found
        endpoint = self._metadata.get(name)
        if not isinstance(endpoint, str):
            raise Unavailable(f"the identity provider does not say its {name}; the operator must look at it")
        return endpoint

    def _keys(self) -> KeySet:
        return KeySet.import_key_set(_get(self._endpoint("jwks_uri")))  # type: ignore[arg-type]


def _get(url: str, access_token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    try:
        answer = httpx2.get(url, headers=headers, timeout=TIMEOUT_SECONDS).raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        raise _unreachable() from error
    return answer if isinstance(answer, dict) else {}


def _unreachable() -> Unavailable:
    return Unavailable("the identity provider cannot be reached; try again, or tell the operator if it stays so")


def _refused(why: str) -> NotAuthenticated:
    log.warning("oidc-refused", error_type=why)
    return NotAuthenticated(REFUSED)
