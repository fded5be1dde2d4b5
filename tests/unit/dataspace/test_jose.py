"""Signed statements: what is accepted, and each way of refusal with a reason of its own."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from dataspace import jose
from dataspace.client.verification import verify_permit
from dataspace.jose import PublicKey, Refusal, Refused, Typ

KEY, OTHER = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
X = str(KEY.as_dict(private=False)["x"])
KID = jose.thumbprint(X)
KEYS = {KID: PublicKey(KID, X, since=1_000, until=9_000)}
CLAIMS: dict[str, Any] = {
    "iss": "https://node.example",
    "sub": "DP-2026-1",
    "iat": 2_000,
    "nbf": 3_000,
    "exp": 8_000,
    "permit": {"id": "pmt_1", "version": 1},
}
LISTED: dict[str, Any] = {"id": "pmt_1", "version": 1, "state": "active", "since": 3_000}


def permit(**changes: Any) -> str:
    return jose.sign(KEY, KID, Typ.PERMIT, CLAIMS | changes)


def status(iat: int = 4_000, exp: int = 8_500, iss: str = CLAIMS["iss"], **changes: Any) -> str:
    claims = {"iss": iss, "iat": iat, "exp": exp, "permits": {"DP-2026-1": LISTED | changes}}
    return jose.sign(KEY, KID, Typ.STATUS, claims)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def encoded(content: object) -> str:
    return urlsafe_b64encode(jose.canonical(content)).rstrip(b"=").decode()


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "typ": Typ.PERMIT.value, "kid": KID} | changes


def signed(head: dict[str, Any], key: OKPKey = KEY) -> str:
    """A token with any header, signed as it should be."""
    covered = f"{encoded(head)}.{encoded(CLAIMS)}"
    signature = key.get_op_key("sign").sign(covered.encode())  # type: ignore[union-attr]
    return f"{covered}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def hmac_signed(head: dict[str, Any], secret: bytes) -> str:
    covered = f"{encoded(head)}.{encoded(CLAIMS)}"
    return f"{covered}.{urlsafe_b64encode(digest(secret, covered.encode(), sha256)).rstrip(b'=').decode()}"


REFUSED: dict[str, tuple[str, int, str | None, Refusal]] = {
    "not a token": ("hello", 4_000, None, Refusal.MALFORMED),
    "no JSON": ("YQ.YQ.YQ", 4_000, None, Refusal.MALFORMED),
    "JSON, no object": ("W10.W10.YQ", 4_000, None, Refusal.MALFORMED),
    "padded": (permit() + "==", 4_000, None, Refusal.MALFORMED),
    "alg none": (f"{encoded(header(alg='none'))}.{encoded(CLAIMS)}.", 4_000, None, Refusal.ALGORITHM),
    "no alg": (signed({"typ": Typ.PERMIT.value, "kid": KID}), 4_000, None, Refusal.ALGORITHM),
    "HS256 with the public key": (hmac_signed(header(alg="HS256"), X.encode()), 4_000, None, Refusal.ALGORITHM),
    "unknown crit": (signed(header(crit=["exp"])), 4_000, None, Refusal.CRITICAL),
    "unencoded payload": (signed(header(b64=False)), 4_000, None, Refusal.CRITICAL),
    "a status list": (status(), 4_000, None, Refusal.TYPE),
    "key in the header": (signed(header(jwk=OTHER.as_dict(private=False)), OTHER), 4_000, None, Refusal.MALFORMED),
    "unknown key": (signed(header(kid="other"), OTHER), 4_000, None, Refusal.UNKNOWN_KEY),
    "wrong key": (signed(header(), OTHER), 4_000, None, Refusal.SIGNATURE),
    "before the key": (permit(iat=999), 4_000, None, Refusal.KEY_PERIOD),
    "after the key": (permit(iat=9_001), 4_000, None, Refusal.KEY_PERIOD),
    "iat no number": (permit(iat="2000"), 4_000, None, Refusal.MALFORMED),
    "no issuer": (permit(iss=None), 4_000, None, Refusal.MALFORMED),
    "no permit": (permit(permit=None), 4_000, None, Refusal.MALFORMED),
    "no end": (permit(exp=None), 4_000, None, Refusal.MALFORMED),
    "not yet valid": (permit(), 2_999, None, Refusal.NOT_YET_VALID),
    "expired": (permit(), 8_000, None, Refusal.EXPIRED),
    "says it is revoked": (permit(permit={"revoked_at": "x"}), 4_000, None, Refusal.REVOKED),
    "says it is suspended": (permit(permit={"suspended_at": "x"}), 4_000, None, Refusal.SUSPENDED),
    "revoked": (permit(), 4_000, status(state="revoked"), Refusal.REVOKED),
    "suspended": (permit(), 4_000, status(state="suspended"), Refusal.SUSPENDED),
    "newer version": (permit(), 4_000, status(version=2), Refusal.SUPERSEDED),
    "other permit": (permit(), 4_000, status(id="pmt_2"), Refusal.UNLISTED),
    "not listed": (permit(sub="DP-2026-2"), 4_000, status(), Refusal.UNLISTED),
    "old list": (permit(), 7_500, status(exp=7_000), Refusal.STALE_STATUS),
    "list of another node": (permit(), 4_000, status(iss="https://other.example"), Refusal.ISSUER),
    "list changed": (permit(), 4_000, status()[:-2] + "AA", Refusal.SIGNATURE),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_fault_is_its_own_refusal(case: str) -> None:
    token, when, listed, reason = REFUSED[case]
    with pytest.raises(Refused) as refused:
        verify_permit(token, KEYS, at(when), listed)
    assert refused.value.reason is reason
    assert refused.value.message


def test_every_refusal_has_a_case() -> None:
    assert {reason for _, _, _, reason in REFUSED.values()} == set(Refusal)


@pytest.mark.parametrize("when", [3_000, 7_999])
def test_a_permit_holds_from_its_first_second_to_its_last(when: int) -> None:
    assert verify_permit(permit(), KEYS, at(when), status()).number == "DP-2026-1"


def test_a_list_older_than_the_permit_does_not_speak_against_it() -> None:
    notes = verify_permit(permit(sub="DP-2026-2"), KEYS, at(4_000), status(iat=1_999)).notes
    assert "older than the permit" in notes[0]


@given(data=st.data())
def test_no_character_can_change(data: st.DataObject) -> None:
    token = permit()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[place] and not c.isspace()))
    with pytest.raises(Refused):
        verify_permit(token[:place] + other + token[place + 1 :], KEYS, at(4_000))


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,60}\.[\w-]{0,60}\.[\w-]{0,60}", fullmatch=True))
def test_whatever_is_sent_is_refused_and_nothing_else_happens(token: str) -> None:
    with pytest.raises(Refused):
        verify_permit(token, KEYS, at(4_000))


def test_published_keys_are_read_back() -> None:
    published = [PublicKey(KID, X, 5, 9), PublicKey(KID, X, 9)]
    for key in published:
        assert jose.read_keys(json.dumps({"keys": [key.jwk()]})) == {KID: key}


@pytest.mark.parametrize(
    "change",
    [
        {"x": str(OTHER.as_dict(private=False)["x"])}, {"kid": "other"}, {"kty": "oct"}, {"crv": "Ed448"},
        {"alg": "HS256"}, {"use": "enc"}, {"iat": "1"}, {"exp": True}, {"d": "secret"}, {"x": "short"}, {"x": None},
    ],
)  # fmt: skip
def test_a_key_that_was_changed_is_no_key(change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        jose.read_keys(json.dumps({"keys": [PublicKey(KID, X, 5).jwk() | change]}))
    assert refused.value.reason is Refusal.MALFORMED


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"keys": 1}', '{"keys": [1]}', "[" * 100_000])
def test_what_is_no_key_set_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        jose.read_keys(text)


def test_a_list_of_many_permits_can_be_signed_and_verified() -> None:
    claims = {"iss": "x", "iat": 2_000, "permits": {f"DP-{number}": LISTED for number in range(10_000)}}
    assert jose.verify(jose.sign(KEY, KID, Typ.STATUS, claims), KEYS, Typ.STATUS) == claims
