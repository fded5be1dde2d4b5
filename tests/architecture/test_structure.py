"""The shape of the code: imports go one way, files stay small, nothing names a machine or a download host."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalog", "pipelines", "dataspace")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()


def module_names(path: Path) -> set[str]:
    """Top-level names of everything a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def test_import_contracts_hold() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_comfortable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("opendp", ("dataspace/dp",)),
        ("numba", ("dataspace/dp/kernel",)),
        ("sqlglot", ("dataspace/sql",)),
        ("sqlalchemy", ("dataspace/db", "pipelines/quality")),
        ("great_expectations", ("pipelines/quality",)),
        ("rdflib", ("catalog",)),
        ("fastapi", ("dataspace/web",)),
    ],
)
def test_a_library_has_one_home(library: str, homes: tuple[str, ...]) -> None:
    strangers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if library in module_names(path) and not str(path.relative_to(ROOT)).startswith(homes)
    ]
    assert strangers == []


def test_no_file_names_a_download_host_or_a_place_on_a_machine() -> None:
    hosts = "|".join(
        ["py" + r"pi\.org", "python" + "hosted", r"registry\.npm" + "js", r"deb\.deb" + "ian", "/ro" + "ot/"]
    )
    named = [
        name
        for name in TRACKED
        if (ROOT / name).is_file() and re.search(hosts, (ROOT / name).read_text(errors="ignore"), re.IGNORECASE)
    ]
    assert named == []


def test_the_api_starts_without_great_expectations() -> None:
    program = "import sys, dataspace.web.app, dataspace.cli; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_the_client_starts_without_the_node() -> None:
    heavy = "{'duckdb', 'opendp', 'numba', 'sqlalchemy', 'fastapi', 'rdflib', 'sqlglot'}"
    program = f"import sys, dataspace.client; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
