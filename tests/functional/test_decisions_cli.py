"""The commands for deciding, against a session that notes what it is asked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from dataspace.cli import app, decisions
from dataspace.domain.assessments import CRITERIA

FILE = SimpleNamespace(
    number="DAA-1", state="proposed", version=3, findings=[], unassessed=["1a", "1b"], proposal=None, steps=[]
)


class Session:
    """Answers every method with `FILE` and remembers the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            self.calls.append((name, args, more))
            return FILE

        return call


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(decisions, "connect", lambda *_: made)
    monkeypatch.setenv("DATASPACE_TOKEN", "ehds_x")
    return made


def run(*command: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(command))
    return result.exit_code, result.output + str(result.exception or "")


def test_the_criteria_are_told_with_their_codes() -> None:
    code, said = run("application", "criteria")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == [criterion.value for criterion in CRITERIA]


def test_all_stands_for_what_has_no_verdict_and_a_named_one_beats_it(session: Session) -> None:
    code, said = run("application", "find", "DAA-1", "all=met=shown", "1b=not-met=too much", "1f=not-applicable")
    assert code == 0, said
    verdicts = {"1a": ("met", "shown"), "1b": ("not-met", "too much"), "1f": ("not-applicable", decisions.UNSAID)}
    assert session.calls[-1] == ("record_findings", ("DAA-1", verdicts), {})


def test_what_is_not_met_has_its_reason(session: Session) -> None:
    code, said = run("application", "find", "DAA-1", "1b=not-met")
    assert code != 0
    assert "1b=not-met=REASON" in said
    assert session.calls == []


def test_a_proposal_takes_terms_fee_and_plan_from_a_file_and_nothing_else(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text('[terms]\nmin_cell = 5\n[[fee]]\nactivity = "assessment"\ncents = 100\n')
    code, said = run("application", "propose", "DAA-1", "grant", "all met", "--file", str(file))
    assert code == 0, said
    sent = session.calls[-1]
    assert sent[1] == ("DAA-1", "grant", "all met")
    assert sent[2] == {"criteria": [], "terms": {"min_cell": 5}, "fee": [{"activity": "assessment", "cents": 100}]}
    file.write_text("budget = 5")
    code, said = run("application", "propose", "DAA-1", "grant", "all met", "--file", str(file))
    assert code == 1
    assert "not budget" in said


@pytest.mark.parametrize("flag", ["--approve", "--reject"])
def test_a_change_is_proposed_either_way(session: Session, flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_show_change", lambda _: None)
    code, said = run("permit", "propose-change", "chg_1", "because", flag)
    assert code == 0, said
    assert session.calls[-1] == ("propose_change", ("chg_1", "because"), {"favourable": flag == "--approve"})
