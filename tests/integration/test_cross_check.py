"""A stranger's cross-check: from public files alone, every alteration is found."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dataspace import jose
from dataspace.cli import app
from dataspace.client import public_files
from dataspace.client.crosscheck import cross_check, main
from dataspace.client.public_files import NAMES, PublicFiles, download
from dataspace.domain.actors import SYSTEM
from dataspace.services.permits import revoke_permit
from dataspace.services.signing import rotate_signing_key
from tests.api_node import ApiNode, make_api_node


@cache
def published() -> tuple[ApiNode, PublicFiles]:
    """A node with a past: two keys, two permits, charges, a revocation, postings after its checkpoint."""
    api = make_api_node(Path(mkdtemp()))
    people = api.people
    second = people.permit()
    for spent in (5, 7):
        people.charge(api.permit, spent)
        people.clock.forward(hours=1)
    people.charge(second, 11)
    assert api.client.get("/api/v1/ledger/checkpoint").status_code == 200
    people.clock.forward(minutes=5)
    rotate_signing_key(people.uow, people.clock, SYSTEM, api.node.signatures)
    revoke_permit(people.uow, people.clock, people.decision_maker, second.id, reasons="breach")
    people.charge(api.permit, 13)
    people.draft()
    people.submitted()
    return api, download("", api.client)


FILES = tuple(NAMES)


def test_an_honest_node_agrees() -> None:
    report = cross_check(published()[1])
    assert report.mismatches == ()
    assert [line.rsplit(": ", 1)[1] for line in report.checked] == ["agrees"] * 6


def test_what_was_downloaded_is_public_and_names_no_person() -> None:
    api, files = published()
    for text in (files.register, files.postings, files.keys):
        assert "Researcher" not in text
        assert api.people.researcher.id not in text


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_altered_value_in_a_json_file_is_found(data: st.DataObject) -> None:
    files = published()[1]
    name = data.draw(st.sampled_from(["keys", "register", "postings"]))
    content = json.loads(getattr(files, name))
    place = data.draw(st.sampled_from(sorted(places(content), key=str)))
    alter(content, place, data)
    assert cross_check(replace(files, **{name: json.dumps(content)})).mismatches


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every plain value."""
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        return [place for key, value in pairs for place in places(value, (*path, key))]
    return [path]


def alter(content: Any, place: tuple[Any, ...], data: st.DataObject) -> None:
    """Another value of the same kind, or of another."""
    for key in place[:-1]:
        content = content[key]
    before = content[place[-1]]
    others = [st.integers(0, 2**40), st.text(max_size=30), st.none(), st.booleans()]
    if isinstance(before, str):
        others.append(st.sampled_from([before + "0", before[1:], before[:-1], before.upper()]))
    content[place[-1]] = data.draw(
        st.one_of(others).filter(lambda value: value != before or type(value) is not type(before))
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_altered_character_of_a_signed_file_is_found(data: st.DataObject) -> None:
    files = published()[1]
    name = data.draw(st.sampled_from(["status", "checkpoint"]))
    token = getattr(files, name)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.=\n").filter(lambda c: c != token[at]))
    assert cross_check(replace(files, **{name: token[:at] + letter + token[at + 1 :]})).mismatches


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_what_a_dishonest_node_signs_is_found_too(data: st.DataObject) -> None:
    """Claims altered and signed again with the node's own key: the figures still have to add up."""
    api, files = published()
    name, typ = data.draw(st.sampled_from([("status", jose.Typ.STATUS), ("checkpoint", jose.Typ.CHECKPOINT)]))
    claims = json.loads(urlsafe_b64decode(getattr(files, name).split(".")[1] + "=="))
    free = {"iat", "exp", "since", "version", "iss", "audit"}
    checked = [place for place in sorted(places(claims), key=str) if not free & set(place)]
    alter(claims, data.draw(st.sampled_from(checked)), data)
    assert cross_check(replace(files, **{name: api.node.signatures.sign(typ, claims)})).mismatches


@pytest.mark.parametrize("name", ["register", "postings", "keys"])
def test_an_entry_left_out_or_doubled_is_found(name: str) -> None:
    files = published()[1]
    content = json.loads(getattr(files, name))
    entries = content["keys"] if name == "keys" else content
    for position in range(len(entries)):
        less, more = [*entries[:position], *entries[position + 1 :]], [*entries, entries[position]]
        for altered in (less, more):
            text = json.dumps({"keys": altered} if name == "keys" else altered)
            assert cross_check(replace(files, **{name: text})).mismatches, (name, position)


def test_keys_of_somebody_else_are_found_with_keys_that_came_another_way(tmp_path: Path) -> None:
    other = make_api_node(tmp_path)
    forged, trusted = download("", other.client), published()[1].keys
    assert cross_check(forged).mismatches == ()
    (mismatch,) = cross_check(forged, trusted).mismatches
    assert "not among the node's published keys" in mismatch


def test_a_charge_after_a_revocation_is_found() -> None:
    api, files = published()
    claims = json.loads(urlsafe_b64decode(files.status.split(".")[1] + "=="))
    number = next(number for number, facts in claims["permits"].items() if facts["state"] == "revoked")
    claims["permits"][number]["since"] -= 7 * 24 * 3600
    report = cross_check(replace(files, status=api.node.signatures.sign(jose.Typ.STATUS, claims)))
    (mismatch,) = report.mismatches
    assert f"permit {number}, which was revoked by then" in mismatch


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[[[", "\x00", "[1e400]", '{"keys": [{}]}', "a.b.c", "é.é.é"])
@pytest.mark.parametrize("name", FILES)
def test_whatever_is_in_a_file_is_a_mismatch_and_not_a_crash(name: str, text: str) -> None:
    assert cross_check(replace(published()[1], **{name: text})).mismatches


def test_a_token_without_a_signature_is_found() -> None:
    files = published()[1]
    head = urlsafe_b64encode(b'{"alg":"none","typ":"dataspace-permit-status+jwt"}').rstrip(b"=").decode()
    unsigned = f"{head}.{files.status.split('.')[1]}."
    assert "EdDSA" in cross_check(replace(files, status=unsigned)).mismatches[0]


def test_a_folder_is_checked_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = published()[1]
    files.write(tmp_path)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("everything agrees\n")
    (tmp_path / "postings.json").write_text(files.postings.replace('"pico_rho": "5"', '"pico_rho": "4"'))
    done = CliRunner().invoke(app, ["cross-check", str(tmp_path)])
    assert done.exit_code == 1
    assert "MISMATCH  entry" in done.output
    (tmp_path / "jwks.json").unlink()
    assert main([str(tmp_path)]) == 2
    assert "jwks.json" in capsys.readouterr().err


def test_a_past_that_was_made_anew_is_found_with_an_earlier_checkpoint(tmp_path: Path) -> None:
    api, files = published()
    assert cross_check(files, earlier=files.checkpoint).mismatches == ()
    other = make_api_node(tmp_path)
    other.people.charge(other.permit, 3)
    # the same keys, another ledger
    other.people.clock.time = api.people.clock.time
    other.node.__dict__["signatures"] = api.node.signatures
    anew = download("", other.client)
    assert cross_check(anew).mismatches == ()
    assert any("is not the one whose hash" in line for line in cross_check(anew, earlier=files.checkpoint).mismatches)


def test_entries_beyond_what_is_signed_are_found() -> None:
    api, files = published()
    api.people.charge(api.permit, 1)
    later = json.loads(api.client.get("/api/v1/ledger/postings").text)
    assert (
        "not what the status list vouches for" in cross_check(replace(files, postings=json.dumps(later))).mismatches[0]
    )


def test_a_register_that_comes_in_pages_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    api, files = published()
    rows = json.loads(files.register)
    asked = public_files._get

    def in_pages(client: httpx2.Client, address: str) -> str:
        if not address.startswith("/api/v1/register"):
            return asked(client, address)
        place = int(address.partition("after=")[2] or 0)
        following = place + 1 if place + 1 < len(rows) else None
        return json.dumps({"total": len(rows), "next": following, "entries": rows[place : place + 1]})

    monkeypatch.setattr(public_files, "_get", in_pages)
    assert json.loads(download("", api.client).register) == rows
