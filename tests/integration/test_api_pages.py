"""The portal's pages as a browser asks for them."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.schema import Bounds, CodedValue, Column, ColumnType, DatasetSchema, Table, TableKind
from dataspace.services import datasets
from tests.api_node import ApiNode, make_api_node

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


@pytest.mark.parametrize("path", ["/nowhere", "/datasets/nothing", "/datasets/%3Cb%3E", "/static/nothing.css"])
def test_a_browser_gets_a_page_when_there_is_nothing(api: ApiNode, path: str) -> None:
    response = api.client.get(path, headers=BROWSER)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "<h1>" in response.text
    assert "<b>" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "headers"), [("/nowhere", {"Accept": "application/json"}), ("/api/v1/datasets/nothing", BROWSER)]
)
def test_programs_and_the_api_get_a_problem(api: ApiNode, path: str, headers: dict[str, str]) -> None:
    response = api.client.get(path, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/datasets/registry", "/how-to-apply", "/nowhere"])
def test_head_says_what_get_says(api: ApiNode, path: str) -> None:
    asked, looked = (api.client.request(method, path, headers=BROWSER) for method in ("GET", "HEAD"))
    assert looked.status_code == asked.status_code
    assert looked.headers["content-length"] == asked.headers["content-length"]
    assert looked.content == b""


def test_how_to_apply_is_linked(api: ApiNode) -> None:
    for path in ("/", "/datasets/registry"):
        assert 'href="/how-to-apply"' in api.client.get(path).text
    assert "application apply" in api.client.get("/how-to-apply").text


def test_the_dataset_page_tells_what_a_query_needs(api: ApiNode) -> None:
    codes = tuple(CodedValue(f"K{n}", f"kind {n}") for n in range(30))
    days = Column("days", ColumnType.INTEGER, bounds=Bounds(Decimal(0), Decimal(365)), unit="d")
    coded = Column("kind", ColumnType.CODE, values=codes)
    visits = Table("visit", TableKind.EVENTS, (coded, days), rows_per_person=7, groups_per_person=3)
    public = Table("concept", TableKind.LOOKUP, (Column("name", ColumnType.TEXT),))
    persons = Table("person", TableKind.PERSONS, (replace(coded, name="sex", values=codes[:2]),))
    people = api.people
    schema = DatasetSchema("registry", (persons, visits, public))
    datasets.publish_snapshot(people.uow, people.clock, people.holder, schema=schema, snapshot="s2")
    page = api.client.get("/datasets/registry").text
    assert "0 to 365 d" in page
    assert "<details><summary>30 values</summary>" in page
    assert all(f"K{n} (kind {n})" in page for n in range(30))
    assert "at most 3 groups of an answer" in page
    assert "7 rows in each" in page
    assert page.count("<details>") == 1
