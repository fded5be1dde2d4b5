"""Register, feed, complaints, measures and report as the public gets them: pages, JSON and Atom."""

import html
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from dataspace import cli
from dataspace.cli import activity as report_command
from dataspace.client import Dataspace
from dataspace.domain.figures import FIGURES
from dataspace.services import permits
from dataspace.web.texts import LANGUAGES, TEXTS
from tests.api_node import ApiNode, make_api_node
from tests.integration.test_api_client import connect
from tests.public_records import record_everything

ATOM = "{http://www.w3.org/2005/Atom}"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


def everything_public(api: ApiNode, numbers: list[str]) -> dict[str, str]:
    """Address -> what the public gets there."""
    editions = api.client.get("/api/v1/activity-report/editions").json()
    period = "from=2026-01-01&to=2028-01-01"
    paths = ["/", "/register/feed.atom", "/register", "/api/v1/register", "/measures", "/api/v1/measures"]
    paths += [f"/activity-report?{period}", f"/api/v1/activity-report?{period}", "/api/v1/activity-report/editions"]
    paths += [f"/activity-report/{edition['id']}" for edition in editions]
    for number in numbers:
        paths += [f"/register/{number}", f"/register/{number}?lang=fr", f"/api/v1/register/{number}"]
    answers = {path: api.client.get(path) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}, answers
    return {path: answer.text for path, answer in answers.items()}


def parsed(feed: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(feed)  # noqa: S314 - it is the node's own


def plain(text: str) -> str:
    """Texts as a person reads them, whatever they were escaped for."""
    unescaped = html.unescape(text)
    if text.startswith(("{", "[")):
        unescaped = json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"').replace("\\\\", "\\")
    return " ".join(unicodedata.normalize("NFC", unescaped).casefold().split())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> ApiNode:
    return make_api_node(tmp_path_factory.mktemp("shared"))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(middle=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20))
def test_no_confidential_text_is_in_any_public_output(shared: ApiNode, middle: str) -> None:
    passage = f"Zq {middle} qZ"
    recorded = record_everything(shared.people, passage)
    for path, text in everything_public(shared, [recorded.number, recorded.permit.number]).items():
        assert plain(passage) not in plain(text), path
        assert plain(passage.upper()) not in plain(text), path
        assert plain(shared.people.researcher.name) not in plain(text), path
    entry = shared.client.get(f"/api/v1/register/{recorded.number}").json()
    assert "[withheld: trade secret]" in entry["title"]
    assert "[withheld: personal data]" in entry["lay_summary"]
    assert entry["results"][0]["title"].startswith("On [withheld: trade secret]")
    assert shared.client.get("/api/v1/register", params={"q": passage}).json()["total"] == 0
    # what is not spent returns, so that the dataset's capacity lasts for every example
    people = shared.people
    why = f"misuse of {passage}"
    permits.revoke_permit(people.uow, people.clock, people.decision_maker, recorded.permit.id, reasons=why)
    assert plain(passage) not in plain(shared.client.get(f"/register/{recorded.number}").text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(title=st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and "\0" not in text))
def test_whatever_a_title_holds_page_and_feed_stay_whole(shared: ApiNode, title: str) -> None:
    people = shared.people
    people.clock.forward(seconds=1)
    case = people.submitted(replace(people.form(), title=title))
    feed = parsed(shared.client.get("/register/feed.atom").content)
    tags = [entry.findtext(f"{ATOM}id", "") for entry in feed.iter(f"{ATOM}entry")]
    assert tags[0].endswith(f"register/{case.number}")
    page = shared.client.get(f"/register/{case.number}").text
    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert heading is not None
    assert "<" not in heading[1]
    assert not re.search(r"&(?!(?:[a-z]+|#\d+);)", heading[1])


def test_the_feed_is_what_rfc_4287_asks(api: ApiNode) -> None:
    api.people.submitted(replace(api.people.form(), title="<script>&\u0001 a"))
    answer = api.client.get("/register/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = parsed(answer.content)
    assert feed.tag == f"{ATOM}feed"
    entries = list(feed.iter(f"{ATOM}entry"))
    assert len(entries) == 2
    for part in (feed, *entries):
        assert len(part.findall(f"{ATOM}id")) == len(part.findall(f"{ATOM}title")) == 1
        assert re.fullmatch(
            r"tag:127\.0\.0\.1,2025-03-26:register(/[A-Z]+-\d{4}-\d{4})?", part.findtext(f"{ATOM}id", "")
        )
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", part.findtext(f"{ATOM}updated", ""))
        assert part.find(f"{ATOM}author/{ATOM}name") is not None
        links = {link.get("rel"): link.get("href") for link in part.findall(f"{ATOM}link")}
        assert str(links["alternate"]).startswith("http://127.0.0.1:8000/register")
    assert [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"] == [
        "http://127.0.0.1:8000/register/feed.atom"
    ]
    titles = " ".join(entry.findtext(f"{ATOM}title", "") for entry in entries)
    assert "<script>&\ufffd a" in titles
    before = {entry.findtext(f"{ATOM}id") for entry in entries}
    api.people.clock.forward(days=1)
    again = parsed(api.client.get("/register/feed.atom").content)
    assert {entry.findtext(f"{ATOM}id") for entry in again.iter(f"{ATOM}entry")} == before


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/register", "/measures", "/activity-report", "/complaints"])
def test_pages_are_in_both_languages(api: ApiNode, path: str, lang: str) -> None:
    page = api.client.get(path, params={"lang": lang}).text
    assert f'<html lang="{lang}">' in page
    assert "<h1>" in page
    assert f'<html lang="{lang}">' in api.client.get(path, headers={"Accept-Language": f"{lang}-CH,en;q=0.5"}).text
    for name in re.findall(r'<(?:input|select|textarea) id="([^"]+)"', page):
        assert f'for="{name}"' in page


def test_every_text_is_there_in_both_languages() -> None:
    for key, said in TEXTS.items():
        assert len(said) == len(LANGUAGES), key
        assert all(said), key
        assert len({frozenset(re.findall(r"\{\d\}", text)) for text in said}) == 1, key


def test_the_register_is_searched_and_paged(api: ApiNode) -> None:
    numbers = [api.people.submitted().number for _ in range(30)]
    first = api.client.get("/api/v1/register", params={"most": 20}).json()
    assert (first["total"], len(first["entries"]), first["next"]) == (31, 20, first["entries"][-1]["number"])
    rest = api.client.get("/api/v1/register", params={"most": 20, "after": first["next"]}).json()
    assert (len(rest["entries"]), rest["next"]) == (11, None)
    assert {entry["number"] for entry in first["entries"] + rest["entries"]} >= set(numbers)
    page = api.client.get("/register", params={"state": "received", "purpose": "e"}).text
    assert page.count('<th scope="row">') == 25
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    assert api.client.get(f"/register{html.unescape(following[1])}").text.count('<th scope="row">') == 5


@pytest.mark.parametrize(
    "query", ["most=0", "most=101", "state=open", "purpose=z", "dataset=A", "q=" + "x" * 201, "q=a%00", "after=%00"]
)
def test_a_search_that_makes_no_sense_is_refused(api: ApiNode, query: str) -> None:
    assert api.client.get(f"/api/v1/register?{query}").status_code == 422


def test_a_page_refuses_in_words(api: ApiNode) -> None:
    for query, said in (
        ("state=open", "choose"),
        ("purpose=z", "choose"),
        ("dataset=%00", "anew"),
        ("after=%00", "anew"),
    ):
        answer = api.client.get(f"/register?{query}", headers=BROWSER)
        assert answer.status_code == 422
        assert said in answer.text
    assert api.client.get("/register/DAA-1999-0001", headers=BROWSER).status_code == 404


COMPLAINT = {"subject": "permit", "complainants": [{"name": "Wanda Weber"}], "text": "I was not asked"}


def test_a_complaint_over_the_api(api: ApiNode) -> None:
    filed = api.client.post("/api/v1/complaints", json=COMPLAINT)
    assert filed.status_code == 201
    key = {name: filed.json()[name] for name in ("receipt", "secret")}
    progress = api.client.post("/api/v1/complaints/progress", json=key)
    assert progress.json()["state"] == "received"
    assert "Wanda" not in progress.text
    desk = api.token(api.people.desk)
    assert api.client.get("/api/v1/complaints", headers=desk).json()[0]["complainants"][0]["name"] == "Wanda Weber"
    move = {"state": "under-examination", "text": "we look at it"}
    url = f"/api/v1/complaints/{key['receipt']}/state"
    assert api.client.post(url, json=move, headers=api.token(api.people.researcher)).status_code == 403
    assert api.client.post(url, json=move, headers=desk).json()["state"] == "under-examination"
    wrong = [
        api.client.post("/api/v1/complaints/progress", json=given)
        for given in (key | {"secret": "x"}, key | {"receipt": "CP-2026-0000000000000000"})
    ]
    assert {answer.status_code for answer in wrong} == {404}
    assert wrong[0].json() == wrong[1].json()


def test_a_complaint_by_the_form(api: ApiNode) -> None:
    form = {"subject": "opt-out", "complainants": "Wanda Weber\r\nUnion", "text": "I <b>opted</b> out", "legal": "yes"}
    filed = api.client.post("/complaints?lang=fr", data=form)
    assert filed.status_code == 201
    assert filed.headers["cache-control"] == "no-store"
    receipt, secret = re.findall(r"<dd><code>([^<]+)</code>", filed.text)
    key = {"receipt": receipt, "secret": f" {secret} "}
    shown = api.client.post("/complaints/progress", data=key)
    assert "autorité de protection des données" in shown.text, "a chosen language stays"
    assert "data protection authority" in api.client.post("/complaints/progress?lang=en", data=key).text
    missing = api.client.post("/complaints/progress", data={"receipt": receipt, "secret": "x"}, headers=BROWSER)
    assert missing.status_code == 404
    assert api.client.post("/complaints", data={"subject": "x"}, headers=BROWSER).status_code == 422


BAD: list[dict[str, Any]] = [
    {"text": "x" * 4001},
    {"text": " "},
    {"text": "a\u0000b"},
    {"complainants": []},
    {"complainants": [{"name": "A"}] * 51},
    {"subject": "weather"},
    {"secret": "mine"},
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_complaint_is_refused_without_repeating_it(api: ApiNode, bad: dict[str, Any]) -> None:
    answer = api.client.post("/api/v1/complaints", json=COMPLAINT | bad)
    assert answer.status_code == 422
    assert "Wanda" not in answer.text


def test_complaints_from_one_address_are_limited(api: ApiNode) -> None:
    codes = [api.client.post("/api/v1/complaints", json=COMPLAINT).status_code for _ in range(6)]
    assert codes == [201] * 5 + [429]
    assert api.client.post("/complaints", data={}, headers=BROWSER).status_code == 429
    elsewhere = TestClient(api.client.app, client=("192.0.2.7", 1))
    assert elsewhere.post("/api/v1/complaints", json=COMPLAINT).status_code == 201
    desk = api.token(api.people.desk)
    assert len(api.client.get("/api/v1/complaints", headers=desk).json()) == 6


def test_after_a_permit_over_the_api(api: ApiNode) -> None:
    people, number = api.people, api.permit.number
    researcher, decider = api.token(people.researcher), api.token(people.decision_maker)
    result = {"kind": "algorithm", "title": "A model", "link": "doi:10.1/x", "lay_summary": "It finds."}
    made = api.client.post(f"/api/v1/register/{number}/results", json=result, headers=researcher)
    assert made.status_code == 201
    assert "registry" in made.json()["acknowledgement"]
    assert "European Health Data Space" in made.json()["acknowledgement"]
    entry = api.client.get(f"/api/v1/register/{number}").json()
    assert (entry["results_duty"], entry["results"][0]["link"]) == ("met", "https://doi.org/10.1/x")
    finding = {"dataset": "registry", "pseudonym": "ab12", "text": "call jane@example.org"}
    url = f"/api/v1/permits/{api.permit.id}/findings"
    refused = api.client.post(url, json=finding, headers=researcher)
    assert (refused.status_code, "jane" in refused.text) == (422, False)
    made = api.client.post(url, json=finding | {"text": "a lesion"}, headers=researcher)
    moved = api.client.post(f"/api/v1/findings/{made.json()['id']}/state", json={"state": "forwarded"}, headers=decider)
    assert moved.json()["state"] == "forwarded"
    assert len(api.client.get("/api/v1/findings", headers=api.token(people.holder)).json()) == 1
    measure = {"kind": "warning", "organisation": people.researcher.organisation.name, "reasons": "late"}
    assert api.client.post("/api/v1/measures", json=measure, headers=decider).status_code == 201
    assert "late" in api.client.get("/measures").text
    fact = {"kind": "revenue", "on": "2026-11-23", "text": "fees", "amount": "12.50"}
    entered = api.client.post("/api/v1/activity-facts", json=fact, headers=decider)
    assert entered.status_code == 201
    assert api.client.get("/api/v1/activity-facts", headers=decider).json()[0]["amount"] == "12.50"
    cancelled = f"/api/v1/activity-facts/{entered.json()['id']}/cancellation"
    assert api.client.post(cancelled, json={"reasons": "an error"}, headers=decider).status_code == 201
    assert api.client.get("/api/v1/publication-duties", headers=decider).json() == []
    assert api.client.get("/api/v1/decisions/unpublished", headers=decider).json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/decisions/unpublished"),
        ("POST", "/register/DAA-2026-0001/publication"),
        ("POST", "/register/DAA-2026-0001/results"),
        ("POST", "/register/DAA-2026-0001/publication-extension"),
        ("POST", "/applications/app_x/confidential"),
        ("GET", "/applications/app_x/confidential"),
        ("POST", "/confidential/cnf_x/lifting"),
        ("GET", "/publication-duties"),
        ("POST", "/permits/pmt_x/findings"),
        ("GET", "/findings"),
        ("POST", "/findings/fnd_x/state"),
        ("GET", "/complaints"),
        ("POST", "/complaints/CP-x/state"),
        ("POST", "/measures"),
        ("POST", "/activity-report/editions"),
        ("GET", "/activity-facts"),
        ("POST", "/activity-facts"),
        ("POST", "/activity-facts/fct_x/cancellation"),
    ],
)
def test_what_is_not_public_takes_a_token(api: ApiNode, method: str, path: str) -> None:
    assert api.client.request(method, f"/api/v1{path}").status_code == 401


def test_the_report_by_page_and_command(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    record_everything(api.people)
    api.people.clock.forward(days=500)
    session = connect(api, api.people.decision_maker)
    monkeypatch.setattr(report_command, "connect", lambda *_: session)
    monkeypatch.setattr(report_command, "Dataspace", lambda _: session)
    period = ["--from", "2026-01-01", "--to", "2028-01-01"]
    frozen = CliRunner().invoke(cli.app, ["report", "freeze", *period, "--token", "x"])
    assert frozen.exit_code == 0, frozen.output
    edition = frozen.output.split()[0]
    page = api.client.get(f"/activity-report/{edition}").text
    assert all(name.replace("-", " ") in page for _, name in FIGURES)
    shown = CliRunner().invoke(cli.app, ["report", "activity", *period])
    assert re.search(r"\(g\) revenue-euro +1200\.50\n", shown.output)
    assert len(shown.output.splitlines()) == len(FIGURES)
    as_json = CliRunner().invoke(cli.app, ["report", "activity", *period, "--json"])
    assert json.loads(as_json.output)["items"]["a"]["permits-issued"] == 2
    assert isinstance(session, Dataspace)
    assert api.client.get("/api/v1/activity-report?from=2028-01-01&to=2026-01-01").status_code == 422
