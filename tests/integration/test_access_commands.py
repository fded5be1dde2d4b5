"""The operator's commands on persons and organisations, on the node's own machine."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataspace.cli import app
from dataspace.domain.errors import InvalidInput


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_an_operator_invites_gives_takes_and_deactivates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASPACE_HOME", str(tmp_path))
    person = run("person", "add", "Anna Assessor", "--organisation", "Authority", "--role", "hdab-assessor")
    assert run("person", "invite", person, "--login", "anna").startswith("http://127.0.0.1:8000/invitation/")
    with pytest.raises(InvalidInput, match="one person cannot be"):
        run("person", "roles", person, "--give", "hdab-data-preparer")
    assert run("person", "roles", person, "--give", "applicant", "--take", "hdab-assessor") == "applicant"
    assert run("person", "token", person, "--scope", "read").startswith("ehds_")
    run("person", "deactivate", person)
    with pytest.raises(InvalidInput, match="deactivated"):
        run("person", "token", person)
    run("person", "reactivate", person)
    run("person", "email", person, "anna@authority.example")
    run("organisation", "set", "Authority", "--kind", "access-body", "--country", "PT", "--public-body")
    assert run("organisation", "list").split() == ["access-body", "PT", "Authority"]
