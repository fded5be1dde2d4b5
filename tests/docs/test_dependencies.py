"""Each direct dependency is pinned with a hash and has its line in the decision record."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
NAMES = sorted({re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in REQUIREMENTS})


@pytest.mark.parametrize("name", NAMES)
def test_dependency_is_explained(name: str) -> None:
    assert f"| {name} |" in (ROOT / "deploy/decisions/001-dependencies.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_dependency_is_pinned_with_hashes(name: str) -> None:
    assert re.search(rf"^{name}==\S+.*\\\n    --hash=sha256:", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_no_explanation_outlives_its_dependency() -> None:
    page = (ROOT / "deploy/decisions/001-dependencies.md").read_text()
    assert set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package", "---"} == set(NAMES)
