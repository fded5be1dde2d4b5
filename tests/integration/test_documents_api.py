"""Permits as documents over HTTP: signed, as a policy, printed, as visas; who may have them; the public lists."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from dataspace import jose
from dataspace.cli import app, deciding
from dataspace.client.verification import verify_permit
from dataspace.domain.actors import SYSTEM
from dataspace.domain.events import EventKind
from dataspace.jose import Refusal, Refused
from dataspace.services.permits import resume_permit, revoke_permit, suspend_permit
from dataspace.services.signing import rotate_signing_key
from tests.api_node import ApiNode, make_api_node
from tests.integration.test_api_client import connect


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


def document(api: ApiNode, form: str = "jws", person: str = "researcher", **query: str) -> httpx2.Response:
    address = f"/api/v1/permits/{api.permit.id}/document"
    return api.client.get(address, params={"format": form, **query}, headers=api.token(getattr(api.people, person)))


def public(api: ApiNode, address: str) -> str:
    response = api.client.get(address)
    assert response.status_code == 200, response.text
    return response.text


def keys(api: ApiNode) -> dict[str, jose.PublicKey]:
    return jose.read_keys(public(api, "/.well-known/jwks.json"))


def decoded(part: str) -> Any:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_permit_leaves_signed_and_holds_offline(api: ApiNode) -> None:
    response = document(api)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/jose")
    api.people.clock.forward(hours=1)
    now = api.people.clock.now()
    verdict = verify_permit(response.text, keys(api), now, public(api, "/api/v1/permits/status"))
    assert verdict.number == api.permit.number
    assert verdict.notes == (f"status as of {now:%Y-%m-%d %H:%M:%S} UTC: active",)
    permit = verdict.claims["permit"]
    assert permit["persons"] == [
        {"id": api.people.researcher.id, "name": "Rita Researcher", "organisation": "University of Coimbra"}
    ]
    assert permit["limit"]["pico_rho"] == str(api.permit.limit.pico_rho)
    assert permit["purposes"][0]["article"] == "53(1)(e)"


def test_the_signature_verifies_with_a_library_that_knows_nothing_of_jose(api: ApiNode) -> None:
    head, body, signature = document(api).text.split(".")
    (jwk,) = json.loads(public(api, "/.well-known/jwks.json"))["keys"]
    assert decoded(head) == {"alg": "EdDSA", "kid": jwk["kid"], "typ": "dataspace-permit+jwt"}
    key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(jwk["x"] + "="))
    key.verify(urlsafe_b64decode(signature + "=="), f"{head}.{body}".encode())


def test_the_same_permit_is_the_same_bytes_and_another_key_signs_after_a_rotation(api: ApiNode) -> None:
    first, print_one = document(api), document(api, "pdf")
    api.people.clock.forward(days=1)
    assert document(api).text == first.text
    assert document(api, "pdf").content == print_one.content
    rotate_signing_key(api.people.uow, api.people.clock, SYSTEM, api.node.signatures)
    second, published = document(api), keys(api)
    assert second.text != first.text
    assert [key.until is None for key in published.values()] == [False, True]
    for token in (first.text, second.text):
        assert verify_permit(token, published, api.people.clock.now()).number == api.permit.number


def test_every_new_key_and_every_document_is_on_record(api: ApiNode) -> None:
    document(api, "pdf")
    rotate_signing_key(api.people.uow, api.people.clock, SYSTEM, api.node.signatures)
    with api.people.uow.reading() as uow:
        events = [entry.event for entry in uow.audit.entries()][-3:]
    assert [event.kind for event in events] == [
        EventKind.SIGNING_KEY_ROTATED, EventKind.DOCUMENT_ISSUED, EventKind.SIGNING_KEY_ROTATED,
    ]  # fmt: skip
    first, second = api.node.signatures.published()
    assert events[1].details == {"number": api.permit.number, "format": "pdf"}
    assert events[2].details == {"kid": second.kid, "retired": first.kid}


def test_a_print_says_which_signed_statement_it_is_of(api: ApiNode) -> None:
    pdf = document(api, "pdf", language="fr").content
    assert pdf.startswith(b"%PDF-")
    text = printed(pdf)
    assert "Autorisation de traitement de données" in text
    assert sha256(document(api).text.encode()).hexdigest() in text
    assert "page 1 sur" in text
    assert "Data permit" in printed(document(api, "pdf").content)


def test_visas_are_for_the_person_who_asks(api: ApiNode) -> None:
    (visa,) = document(api, "visa").json()["ga4gh_passport_v1"]
    claims = jose.verify(visa, keys(api), jose.Typ.VISA)
    granted = claims["ga4gh_visa_v1"]
    assert claims["sub"] == api.people.researcher.id
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert (granted["type"], granted["by"]) == ("ControlledAccessGrants", "dac")
    assert granted["value"].endswith("/api/v1/datasets/registry")
    refused = document(api, "visa", person="decision_maker")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    revoke_permit(api.people.uow, api.people.clock, api.people.decision_maker, api.permit.id, reasons="breach")
    assert document(api, "visa").status_code == 409


@pytest.mark.parametrize("form", ["jws", "pdf", "odrl", "visa"])
def test_a_stranger_gets_no_document(api: ApiNode, form: str) -> None:
    assert document(api, form, person="colleague").status_code == 404
    assert document(api, form, person="holder").status_code == 404
    assert api.client.get(f"/api/v1/permits/{api.permit.id}/document?format={form}").status_code == 401


def test_a_format_that_does_not_exist_is_refused(api: ApiNode) -> None:
    assert document(api, "docx").status_code == 422
    assert document(api, "pdf", language="xx").status_code == 422


def test_a_revocation_reaches_who_verifies_offline(api: ApiNode) -> None:
    people, token = api.people, document(api).text
    people.clock.forward(hours=1)
    revoke_permit(people.uow, people.clock, people.decision_maker, api.permit.id, reasons="breach")
    before, now = people.clock.now() - timedelta(minutes=1), people.clock.now()
    status = public(api, "/api/v1/permits/status")
    assert reason(api, token, status) is Refusal.REVOKED
    assert reason(api, document(api).text, None) is Refusal.REVOKED
    assert verify_permit(token, keys(api), now).notes == (
        "no status list was given: whether it was revoked is not known",
    )
    notes = verify_permit(token, keys(api), before, status).notes
    assert notes == (f"it was revoked later, on {now:%Y-%m-%d %H:%M:%S} UTC",)


def test_a_suspension_and_what_follows_it_reach_who_verifies_offline(api: ApiNode) -> None:
    people, token = api.people, document(api).text
    people.clock.forward(hours=1)
    suspend_permit(people.uow, people.clock, people.decision_maker, api.permit.id, reasons="a question")
    assert reason(api, token, public(api, "/api/v1/permits/status")) is Refusal.SUSPENDED
    assert reason(api, document(api).text, None) is Refusal.SUSPENDED
    resume_permit(people.uow, people.clock, people.decision_maker, api.permit.id, reasons="answered")
    status = public(api, "/api/v1/permits/status")
    assert reason(api, token, status) is Refusal.SUPERSEDED
    assert verify_permit(document(api).text, keys(api), people.clock.now(), status).number == api.permit.number


def test_the_status_list_names_no_person(api: ApiNode) -> None:
    status = public(api, "/api/v1/permits/status")
    claims = jose.verify(status, keys(api), jose.Typ.STATUS)
    listed = claims["permits"][api.permit.number]
    assert listed["state"] == "active"
    assert api.people.researcher.id not in json.dumps(claims)
    assert "Researcher" not in json.dumps(claims)


def test_a_status_list_is_made_anew_when_something_changed_or_time_went_on(api: ApiNode) -> None:
    first = public(api, "/api/v1/permits/status")
    second = public(api, "/api/v1/permits/status")
    api.people.clock.forward(seconds=29)
    assert public(api, "/api/v1/permits/status") == second
    api.people.clock.forward(seconds=1)
    third = public(api, "/api/v1/permits/status")
    assert len({first, second, third}) >= 2
    api.people.charge(api.permit, 5)
    claims = jose.verify(public(api, "/api/v1/permits/status"), keys(api), jose.Typ.STATUS)
    assert claims["permits"][api.permit.number]["spent"]["pico_rho"] == "5"


def test_a_checkpoint_is_public_and_replaced_when_it_is_old_and_the_books_moved(api: ApiNode) -> None:
    first = public(api, "/api/v1/ledger/checkpoint")
    claims = jose.verify(first, keys(api), jose.Typ.CHECKPOINT)
    assert claims["datasets"]["registry"]["allocated"]["pico_rho"] == str(api.permit.limit.pico_rho)
    api.people.charge(api.permit, 5)
    assert public(api, "/api/v1/ledger/checkpoint") == first
    api.people.clock.forward(minutes=11)
    claims = jose.verify(public(api, "/api/v1/ledger/checkpoint"), keys(api), jose.Typ.CHECKPOINT)
    assert claims["datasets"]["registry"]["spent"]["pico_rho"] == "5"


def test_a_permit_is_saved_from_the_command_line(api: ApiNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "connect", lambda *_: connect(api, api.people.researcher))
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    for form, ending in deciding.ENDINGS.items():
        done = run(app, ["permit", "document", api.permit.id, "--token", "ehds_x", "--format", form])
        assert done.output == f"{api.permit.id}.{ending}\n"
        assert Path(done.output.strip()).stat().st_size > 300
    refused = run(app, ["permit", "document", api.permit.id, "--token", "ehds_x", "--format", "docx"])
    assert "jws, pdf, odrl or visa" in str(refused.exception)


def reason(api: ApiNode, token: str, status: str | None) -> Refusal:
    with pytest.raises(Refused) as refused:
        verify_permit(token, keys(api), api.people.clock.now(), status)
    return refused.value.reason


def printed(pdf: bytes) -> str:
    """The text of a PDF's pages, from its content streams."""
    import re
    import zlib

    streams = re.findall(rb"/FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)
    content = b"".join(zlib.decompress(stream) for stream in streams)
    parts = re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", content)
    return " ".join(re.sub(rb"\\(.)", rb"\1", part).decode("windows-1252") for part in parts)
