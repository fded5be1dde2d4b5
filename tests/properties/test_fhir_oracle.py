"""Our SQL and another implementation of SQL-on-FHIR give the same rows, for generated resources and generated views."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.pipelines.fhir_rows import rows

pytest.importorskip("sqlonfhir", reason="the extra `oracles` is not installed")

from tests.reference.fhir_views import as_written, rows_of

TEXTS = st.sampled_from(["a", "b", "official", "it's", "1"])


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3)


def objects(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of the members; FHIR has no empty lists and no null."""
    whole = st.fixed_dictionaries({}, optional=members)
    return whole.map(lambda found: {key: value for key, value in found.items() if value != []})


TELECOM = objects(system=TEXTS, value=TEXTS, rank=st.integers(1, 3))
NAME = objects(use=TEXTS, family=TEXTS, given=some(TEXTS), period=objects(start=st.just("2020-01-01")))
EXTENSION = st.one_of(
    st.fixed_dictionaries({"url": st.sampled_from(["u1", "u2"]), "valueString": TEXTS}),
    st.fixed_dictionaries({"url": st.just("u3"), "valueInteger": st.integers(-5, 5)}),
)
# of several extensions of one address the oracle takes the first for all
EXTENSIONS = st.lists(EXTENSION, min_size=1, max_size=2, unique_by=lambda extension: str(extension["url"]))
PATIENT = st.builds(
    lambda key, more: {"resourceType": "Patient", "id": key, **more},
    TEXTS,
    objects(
        active=st.booleans(), gender=TEXTS, birthDate=st.just("1970-01-02"), name=some(NAME), telecom=some(TELECOM),
        contact=some(objects(telecom=some(TELECOM), name=NAME)), extension=EXTENSIONS,
        deceasedBoolean=st.booleans(), multipleBirthInteger=st.integers(0, 3),
        _birthDate=objects(extension=EXTENSIONS),
    ),
)  # fmt: skip

LITERALS = st.sampled_from(["'a'", "'official'", r"'it\'s'", "1", "2.0", "true", "%wanted"])

INSIDE = {
    "patient": ["id", "gender", "active", "name.family", "name.given", "name.period.start", "telecom.value",
                "telecom.rank", "contact.telecom.value", "contact.name.given", "deceased.ofType(boolean)",
                "multipleBirth.ofType(integer)", "extension('u1').value.ofType(string)", "nothing",
                "extension('u3').value.ofType(integer)", "birthDate.extension('u1').value.ofType(string)"],
    "name": ["use", "family", "given", "period.start", "given[1]"],
    "telecom": ["value", "rank", "system", "$this.value"],
    "text": ["$this"],
}  # fmt: skip
"""Paths by what they start from."""

EACH = {
    "patient": [("name", "name"), ("telecom", "telecom"), ("contact.telecom", "telecom"), ("name.given", "text"),
                ("name.where(use = 'official')", "name"), ("contact.name", "name"), ("nothing", "text"),
                ("(telecom | contact.telecom)", "telecom"), ("name.first()", "name")],
    "name": [("given", "text"), ("given.where($this != 'a')", "text")],
    "telecom": [("value", "text")],
    "text": [("$this", "text")],
}  # fmt: skip


TRUTHS, NUMBERS = ("active", "deceased"), ("rank", "integer")
"""What tells paths of truth values and of numbers: to the oracle, as to Python, true equals 1."""


def kind(path: str) -> str:
    if any(word in path for word in TRUTHS):
        return "truth"
    return "number" if any(word in path for word in NUMBERS) else "text"


def literal(draw: st.DrawFn, path: str) -> str:
    """Any literal but one that the oracle takes for equal across kinds."""
    clashing = {"truth": ("1", "2.0"), "number": ("true",), "text": ()}[kind(path)]
    return draw(LITERALS.filter(lambda text: text not in clashing))


@st.composite
def conditions(draw: st.DrawFn, focus: str) -> str:
    """Paths that are true, false or empty."""
    path = draw(st.sampled_from(INSIDE[focus]))
    other = draw(st.sampled_from([p for p in INSIDE[focus] if {kind(p), kind(path)} != {"truth", "number"}]))
    simple = [
        f"{path} {draw(st.sampled_from(['=', '!=']))} {literal(draw, path)}",
        f"{path} = {other}",
        f"{path}.exists()",
        f"{path}.empty()",
        f"{path}.exists($this = {literal(draw, path)})",
        f"({path}.exists() and {other} = {literal(draw, other)})",
        f"({path}.empty() or {other} != {literal(draw, other)})",
        f"({path} = {literal(draw, path)}).not()",
    ]
    return draw(st.sampled_from(simple))


@st.composite
def columns(draw: st.DrawFn, focus: str, name: str) -> dict[str, Any]:
    path = draw(st.sampled_from(INSIDE[focus]))
    shaped = st.sampled_from(["{}", "{}.first()", "{}[0]", "{}[1]", "{}.where($this = 'a')", "({} | {})"])
    written = draw(st.one_of(shaped.map(lambda shape: shape.replace("{}", path)), conditions(focus)))
    return {"name": name, "path": written, "type": "string", "collection": draw(st.booleans())}


@st.composite
def selects(draw: st.DrawFn, focus: str, prefix: str, depth: int = 0) -> dict[str, Any]:
    """A select whose columns begin with `prefix`."""
    found: dict[str, Any] = {}
    if depth and draw(st.booleans()):
        found[draw(st.sampled_from(["forEach", "forEachOrNull"]))], focus = draw(st.sampled_from(EACH[focus]))
    found["column"] = [draw(columns(focus, f"{prefix}{n}")) for n in range(draw(st.integers(1, 2)))]
    if depth < 3 and draw(st.booleans()):
        found["select"] = [
            draw(selects(focus, f"{prefix}{mark}", depth + 1)) for mark in "xy"[: draw(st.integers(1, 2))]
        ]
    if depth < 3 and draw(st.integers(0, 3)) == 0:
        found["unionAll"] = [draw(part(focus, f"{prefix}u")) for _ in range(draw(st.integers(1, 3)))]
    return found


@st.composite
def part(draw: st.DrawFn, focus: str, prefix: str) -> dict[str, Any]:
    """An alternative of a unionAll: always one column of one shape."""
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        found["forEach"], focus = draw(st.sampled_from(EACH[focus]))
    found["column"] = [{**draw(columns(focus, prefix)), "collection": False}]
    return found


@st.composite
def views(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "resource": "Patient",
        "constant": [{"name": "wanted", "valueString": draw(st.sampled_from(["a", "official"]))}],
        "where": [{"path": draw(conditions("patient"))} for _ in range(draw(st.sampled_from([0, 0, 0, 1])))],
        "select": [draw(selects("patient", f"c{n}")) for n in range(draw(st.integers(1, 2)))],
    }


def counted(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(repr(sorted((name, as_written(cell)) for name, cell in row.items())) for row in found)


@settings(max_examples=60, deadline=None)
@given(views(), st.lists(PATIENT, min_size=1, max_size=4))
def test_the_same_rows_as_sqlonfhir(view: dict[str, Any], patients: list[dict[str, Any]]) -> None:
    assert counted(rows(view, patients)) == counted(rows_of(patients, view))
