"""The plan that explains the format: it loads, its record is valid, and no key of the format is missing from it."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.plan_file import load_plan
from pipelines.plan_section import Section

REFERENCE = Path(__file__).parents[2] / "deploy/plans/reference.toml"


def test_it_is_a_plan(tmp_path: Path) -> None:
    plan = load_plan(REFERENCE)
    assert {t.kind for t in plan.tables} == {"persons", "events", "lookup"}
    assert len({c.kind for t in plan.tables for c in t.checks}) == 10


def test_it_has_every_key_that_a_plan_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    original = Section.finish

    def finish(self: Section) -> None:
        asked.update(self._asked)
        original(self)

    monkeypatch.setattr(Section, "finish", finish)
    load_plan(REFERENCE)
    text = REFERENCE.read_text()
    assert len(asked) > 40
    assert [key for key in sorted(asked) if key not in text] == []


def test_what_it_says_of_the_catalogue_is_understood(tmp_path: Path) -> None:
    from pipelines.quality.stated import stated_facts

    facts = stated_facts(load_plan(REFERENCE))
    assert facts["reviewed"] == str(date(2026, 3, 1))
    assert facts["modifications"]["shifted"] == ["stay.admitted", "stay.discharged"]
