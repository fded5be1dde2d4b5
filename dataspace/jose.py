"""Signed statements: compact JWS (RFC 7515), EdDSA over Ed25519 (RFC 8037), explicitly typed (RFC 8725, 3.11).

Shared by the node, which signs, and by whoever verifies with nothing but the node's published keys. The key is chosen
by `kid` among those keys alone: a key, certificate or address inside of a token is never used.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import OKPKey

ALGORITHM = "EdDSA"
"""Its narrower name of RFC 9864, "Ed25519", is not yet what verifiers in use know."""

LARGEST = 20_000_000
"""Characters of a token that is looked at."""

HEADER = frozenset({"alg", "typ", "kid", "jku"})
"""Members of a header that this node writes."""

Claims = Mapping[str, Any]


class _OneAlgorithm(jws.JWSRegistry):
    """Knows no algorithm but ours, and takes lists of many permits."""

    max_payload_length = LARGEST

    def get_alg(self, name: str) -> JWSAlgModel:
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError(f"signatures are made with {ALGORITHM} alone")
        return self.algorithms[name]


_REGISTRY = _OneAlgorithm()


class Typ(StrEnum):
    """What a token is; one is never taken for another."""

    PERMIT = "dataspace-permit+jwt"
    STATUS = "dataspace-permit-status+jwt"
    CHECKPOINT = "dataspace-checkpoint+jwt"
    VISA = "vnd.ga4gh.visa+jwt"


class Refusal(StrEnum):
    """Why a token is not accepted; stable, each its own."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    CRITICAL = "critical-header"
    TYPE = "wrong-type"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "bad-signature"
    KEY_PERIOD = "outside-of-key-period"
    ISSUER = "wrong-issuer"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    UNLISTED = "not-in-status-list"
    STALE_STATUS = "stale-status-list"


class Refused(ValueError):
    """A token that must not be relied on; the message is for a person."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class PublicKey:
    """A verification key and the period, in Unix seconds, in which the node signed with it; None: it still does."""

    kid: str
    x: str
    since: int
    until: int | None = None

    def jwk(self) -> dict[str, str | int]:
        """As RFC 7517 and 8037 have it; `iat` and `exp` of the key as in OpenID Federation's historical keys."""
        kind: dict[str, str | int] = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM}
        kind |= {"kid": self.kid, "x": self.x, "iat": self.since}
        return kind if self.until is None else kind | {"exp": self.until}


Keys = Mapping[str, PublicKey]
"""By `kid`."""


def thumbprint(x: str) -> str:
    """RFC 7638: names a key by its content, so that a key changed under its name is noticed."""
    return str(OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x}).thumbprint())


def read_keys(content: str | bytes) -> dict[str, PublicKey]:
    """Keys of a JWKS. Raises Refused for one whose name is not its thumbprint, or that is of another kind."""
    try:
        return {key.kid: key for key in map(_read_key, json.loads(content)["keys"])}
    except (ValueError, KeyError, TypeError, RecursionError, JoseError) as fault:
        if isinstance(fault, Refused):
            raise
        raise Refused(Refusal.MALFORMED, "this is not a set of Ed25519 keys (JWKS) as the node publishes it") from None


def sign(key: OKPKey, kid: str, typ: Typ, claims: Claims, header: Claims | None = None) -> str:
    """The claims as a compact JWS; the same bytes each time for the same claims, header and key."""
    protected = {"alg": ALGORITHM, "typ": typ.value, "kid": kid, **(header or {})}
    return jws.serialize_compact(protected, canonical(claims), key, registry=_REGISTRY)


def verify(token: str, keys: Keys, typ: Typ) -> dict[str, Any]:
    """Claims of a token that one of `keys` signed in its time. Raises Refused; periods of validity are the caller's."""
    header, claims = _read(token)
    _check_header(header, typ)
    key = keys.get(str(header["kid"]))
    if key is None:
        raise Refused(Refusal.UNKNOWN_KEY, "it was signed with a key that is not among the node's published keys")
    _check_signature(token, key)
    _check_key_period(seconds(claims, "iat"), key)
    if not isinstance(claims.get("iss"), str):
        raise Refused(Refusal.MALFORMED, "it does not say who issued it")
    return claims


def canonical(content: object) -> bytes:
    """JSON with sorted keys, no spaces and ASCII only: the one spelling that digests and signatures are made over."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def seconds(claims: Claims, name: str) -> int:
    """A time of the claims, in Unix seconds; raises Refused if it is none."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(Refusal.MALFORMED, f"{name} is not a whole number of seconds")
    return value


def _read_key(jwk: Claims) -> PublicKey:
    if (jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"]) != ("OKP", "Ed25519", ALGORITHM, "sig") or "d" in jwk:
        raise Refused(Refusal.MALFORMED, f"key {jwk['kid']} is not a public Ed25519 key for signatures")
    if thumbprint(jwk["x"]) != jwk["kid"]:
        raise Refused(Refusal.MALFORMED, f"key {jwk['kid']} is not the one of that name: it was changed")
    until = seconds(jwk, "exp") if "exp" in jwk else None
    return PublicKey(jwk["kid"], jwk["x"], seconds(jwk, "iat"), until)


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = token.split(".") if len(token) <= LARGEST else []
    try:
        header, payload, _ = (_decoded(part) for part in parts)
        read = json.loads(header), json.loads(payload)
    except (ValueError, RecursionError):
        raise Refused(
            Refusal.MALFORMED, "this is not a compact JWS: three parts of base64url with JSON in them"
        ) from None
    if not all(isinstance(part, dict) for part in read):
        raise Refused(Refusal.MALFORMED, "header or content is not a JSON object")
    return read


def _decoded(part: str) -> bytes:
    """Raises ValueError also for a second spelling of the same bytes, so that no character can change unseen."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", part, re.ASCII):
        raise ValueError("not base64url")
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise ValueError("not the one spelling of these bytes")
    return decoded


def _check_header(header: Claims, typ: Typ) -> None:
    if header.get("alg") != ALGORITHM:
        raise Refused(Refusal.ALGORITHM, f"it is not signed with {ALGORITHM}, the only algorithm the node signs with")
    if "crit" in header or "b64" in header:
        raise Refused(Refusal.CRITICAL, "its header asks for an extension that this verifier does not know")
    if header.get("typ") != typ:
        raise Refused(Refusal.TYPE, f"it is not of the type {typ}")
    if not header.keys() <= HEADER or not isinstance(header.get("kid"), str):
        raise Refused(Refusal.MALFORMED, "its header is not one that the node writes")


def _check_signature(token: str, key: PublicKey) -> None:
    try:
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key.x})
        jws.deserialize_compact(token, public, registry=_REGISTRY)
    except (JoseError, ValueError):
        raise Refused(Refusal.SIGNATURE, "its signature does not fit: it was changed, or another signed it") from None


def _check_key_period(at: int, key: PublicKey) -> None:
    if at < key.since or (key.until is not None and at > key.until):
        raise Refused(Refusal.KEY_PERIOD, f"it was signed at a time in which the node did not use key {key.kid}")
