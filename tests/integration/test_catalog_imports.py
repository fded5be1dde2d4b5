"""What the ingestion and the query path import of the catalogue is light: no RDF library behind it."""

import subprocess
import sys

import pytest

LIGHT = ["catalog", "catalog.schema", "catalog.dataset", "catalog.serialise", "catalog.dictionary", "catalog.quality"]
LIGHT += [
    "catalog.values",
    "catalog.vocabularies",
    "catalog.errors",
    "catalog.search",
    "catalog.fields",
    "catalog.parts",
]


def test_light_modules_import_no_rdf_library() -> None:
    code = f"import sys, {', '.join(LIGHT)}; print([m for m in ('rdflib', 'pyshacl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["catalog.registry", "catalog.validation", "catalog.healthdcat"])
def test_rdf_modules_import_alone(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
