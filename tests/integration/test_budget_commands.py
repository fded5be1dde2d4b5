"""`dataspace budget` and `dataspace audit`, as a person types them, against a node in this process."""

import csv
from pathlib import Path

import httpx2
import pytest
from click.testing import Result
from typer.testing import CliRunner

from dataspace.cli import app
from dataspace.client import Dataspace
from dataspace.db import migrate, open_engine
from tests.api_node import ApiNode, make_api_node
from tests.factories import Node


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiNode:
    api = make_api_node(tmp_path)

    def connect(url: str, token: str) -> Dataspace:
        session = Dataspace("http://testserver", token)
        session._http = httpx2.Client(
            transport=api.client._transport, base_url=session._http.base_url, headers=session._http.headers
        )
        return session

    for module in ("budgets", "ledger"):
        monkeypatch.setattr(f"dataspace.cli.{module}.connect", connect)
    return api


def run(api: ApiNode, person: str, *words: str) -> Result:
    token = api.token(getattr(api.people, person))["Authorization"].removeprefix("Bearer ")
    return CliRunner().invoke(app, [*words, "--token", token])


def test_more_budget_from_asking_to_the_decision(api: ApiNode) -> None:
    number = api.permit.number
    asked = run(api, "researcher", "budget", "ask", number, "a second year", "--epsilon", "2")
    assert asked.output.startswith("BR-2026-0001  waiting"), asked.output
    assert "epsilon 2 at delta 0.000001" in asked.output
    assert run(api, "decision_maker", "budget", "list").output == asked.output
    refused = run(api, "decision_maker", "budget", "refuse", "BR-2026-0001", "enough is left")
    assert "refused" in refused.output
    run(api, "researcher", "budget", "ask", number, "again", "--rho", "0.001")
    assert "granted" in run(api, "decision_maker", "budget", "grant", "BR-2026-0002", "needed").output
    listed = run(api, "researcher", "budget", "list", "--permit", number).output.splitlines()
    assert [line.split()[1] for line in listed] == ["refused", "granted"]
    assert run(api, "researcher", "budget", "grant", "BR-2026-0002", "mine").exit_code == 1


def test_the_trail_on_the_screen_and_in_a_file(api: ApiNode, tmp_path: Path) -> None:
    listed = run(api, "assessor", "audit", "list", "--kind", "permit-issued")
    assert [line.split()[2] for line in listed.output.splitlines()] == ["permit-issued"]
    file = tmp_path / "trail.csv"
    done = run(api, "assessor", "audit", "export", str(file), "--format", "csv", "--subject", api.permit.id)
    assert done.exit_code == 0, done.output
    with file.open(newline="", encoding="utf-8") as lines:
        assert [row["kind"] for row in csv.DictReader(lines)] == ["permit-issued", "data-ordered"]
    assert run(api, "researcher", "audit", "list").exit_code == 1


def test_an_old_trail_is_archived_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    engine = open_engine(url)
    migrate(engine)
    people = Node(url, engine)
    monkeypatch.setenv("DATASPACE_AUDIT_RETENTION", "366")
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "bounding.secret").write_bytes(bytes(32))
    assert CliRunner().invoke(app, ["audit", "archive"]).output == "nothing is older than 366 days\n"
    people.clock.forward(days=-800)
    people.person("Olga Old", people.holder.organisation, *people.holder.roles)
    # the trail is in the order of writing, so what is old leaves only once nothing young stands before it
    assert "nothing is older" in CliRunner().invoke(app, ["audit", "archive"]).output
    monkeypatch.setattr("dataspace.bootstrap.SystemClock.now", lambda _: people.clock.now())
    people.clock.forward(days=1600)
    assert "entries 1 to 7 are in audit-000000000001-000000000007.jsonl" in (
        CliRunner().invoke(app, ["audit", "archive"]).output
    )
    assert CliRunner().invoke(app, ["audit", "verify"]).output.count("sound") == 2


@pytest.mark.parametrize("days", ["0", "365", "-1"])
def test_a_retention_below_a_year_is_no_setting(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    from pydantic import ValidationError

    from dataspace.settings import Settings

    monkeypatch.setenv("DATASPACE_AUDIT_RETENTION", days)
    with pytest.raises(ValidationError, match="audit_retention"):
        Settings()
