"""What the pages say is true: samples are what the program prints, links lead somewhere, made pages are current."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "deploy").rglob("*.md")])


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "deploy/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


def test_the_sample_in_the_readme_is_what_the_demo_prints(generator: ModuleType) -> None:
    sample = re.search(r"<!-- sample: .*?```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert sample is not None
    assert sample.group(1) == generator.demo_sample()


def test_generated_pages_are_current(generator: ModuleType) -> None:
    assert {name: (ROOT / name).read_text() == page() for name, page in generator.PAGES.items()} == dict.fromkeys(
        generator.PAGES, True
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_example_in_the_readme_calls_what_exists() -> None:
    from dataspace.client import Dataspace

    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    for method in re.findall(r"node\.(\w+)\(", example.group(1)):
        assert callable(getattr(Dataspace, method))
