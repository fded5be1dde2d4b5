"""FHIRPath as far as shareable views use it: what each path finds, what is refused, and that no data makes it fail."""

from typing import Any

import pytest

from pipelines.errors import SourceError
from pipelines.readers.fhir.parser import parse
from pipelines.readers.fhir.tree import Binary, Literal, Member, Negative, PathError, This
from tests.unit.pipelines.fhir_rows import rows, value, values

BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"

ANNA: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "anna",
    "active": True,
    "birthDate": "1970-03-30",
    "_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "1970-03-30T06:00:00+02:00"}]},
    "extension": [
        {"url": "http://example.org/eye", "valueCode": "brown"},
        {"url": "http://example.org/size", "valueQuantity": {"value": 1.72, "unit": "m"}},
    ],
    "name": [
        {"use": "official", "family": "Lévy-O'Hara", "given": ["Anna", "Maria"]},
        {"use": "nickname", "given": ["Annie"]},
    ],
    "telecom": [{"system": "phone", "rank": 1, "value": "01"}, {"system": "phone", "rank": 2, "value": "02"}],
    "contact": [{"telecom": [{"value": "03"}]}, {"telecom": [{"value": "04"}, {"value": "05"}]}],
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "o"}, {"resourceType": "Practitioner", "id": "p"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("birthDate", ["1970-03-30"]),
        ("Patient.birthDate", ["1970-03-30"]),
        ("name.given", ["Anna", "Maria", "Annie"]),
        ("name.`given`", ["Anna", "Maria", "Annie"]),
        ("name.given[0]", ["Anna"]),
        ("name.given[2]", ["Annie"]),
        ("name.given[3]", []),
        ("name[1].given", ["Annie"]),
        ("name.given.first()", ["Anna"]),
        ("contact.telecom.value", ["03", "04", "05"]),
        ("name.where(use = 'official').family", ["Lévy-O'Hara"]),
        (r"name.where(family = 'Lévy-O\'Hara').use", ["official"]),
        ("name.where(given.exists($this = 'Annie')).use", ["nickname"]),
        ("name.where(family.empty()).use", ["nickname"]),
        ("name.given.where($this != 'Anna')", ["Maria", "Annie"]),
        ("telecom.where(system = 'phone' and rank > 1).value", ["02"]),
        ("telecom.where(rank = 1 or value = '02').value", ["01", "02"]),
        ("telecom.where(rank + 1 = 2).value", ["01"]),
        ("extension('http://example.org/eye').value.ofType(code)", ["brown"]),
        ("extension.where(url = 'http://example.org/size').value.ofType(Quantity).unit", ["m"]),
        (f"birthDate.extension('{BIRTH_TIME}').value.ofType(dateTime)", ["1970-03-30T06:00:00+02:00"]),
        ("multipleBirth.ofType(integer)", ["2"]),
        ("multipleBirth.ofType(FHIR.integer)", ["2"]),
        ("multipleBirth.ofType(boolean)", []),
        ("contained.ofType(Organization).id", ["o"]),
        ("nothing.at.all", []),
        ("id.deeper", []),
        ("(name.given | name.given | id)", ["Anna", "Maria", "Annie", "anna"]),
        ("{}", []),
    ],
)
def test_what_a_path_finds(path: str, found: list[str]) -> None:
    assert values(path, ANNA) == found


@pytest.mark.parametrize(
    ("path", "truth"),
    [
        ("active", True),
        ("active.not()", False),
        ("name.exists()", True),
        ("name.exists(use = 'old')", False),
        ("nothing.exists()", False),
        ("nothing.exists().not()", True),
        ("nothing.empty()", True),
        ("name.given = 'Anna'", False),  # three are not one
        ("name.given != 'Anna'", True),
        ("name.given.first() = 'Anna'", True),
        ("nothing = 'Anna'", None),
        ("nothing != 'Anna'", None),
        ("nothing and true", None),
        ("nothing and false", False),
        ("nothing or true", True),
        ("name.family and active", True),  # a single element counts as true
        ("1 = 1.0", True),
        ("'1' = 1", False),
        ("telecom.rank.first() = 1.0", True),
        ("telecom.rank[1] >= 2", True),
        ("birthDate < '1980'", True),
        ("name.given < 'B'", None),  # several are in no order
        ("1 + 2 * 3 = 7", True),
        ("(1 + 2) * 3 = 9", True),
        ("1 = 2 or 1 = 1 and 2 = 2", True),
        ("1 / 0 = 1", None),
        ("-1 < 0", True),
        ("'a' + 'b' = 'ab'", True),
        ("name.given = name.given", True),
        ("name[0].given = name[1].given", False),
    ],
)
def test_what_is_true(path: str, truth: bool | None) -> None:
    assert value(path, ANNA, "boolean") is truth


def test_join_makes_one_text_and_nothing_of_nothing() -> None:
    assert value("name.given.join(', ')", ANNA) == "Anna, Maria, Annie"
    assert value("name.given.join()", ANNA) == "AnnaMariaAnnie"
    assert value("nothing.join(',')", ANNA) is None


def test_constants_stand_for_their_values() -> None:
    assert value("name.where(use = %kind).given.first()", ANNA, kind="official") == "Anna"
    assert value("name.where(use = %kind).given.first()", ANNA, kind="' OR 1=1 --") is None


@pytest.mark.parametrize(
    ("reference", "of_patient", "of_any"),
    [
        ({"reference": "Patient/1"}, "1", "1"),
        ({"reference": "https://example.org/fhir/r4/Patient/a-1.b"}, "a-1.b", "a-1.b"),
        ({"reference": "http://example.org/fhir/Patient/1/_history/3"}, "1", "1"),
        ({"reference": "/Patient/1"}, "1", "1"),
        ({"reference": "Group/1"}, None, "1"),
        ({"reference": "PatientX/1"}, None, "1"),
        ({"reference": "urn:uuid:6e0e3dcd-65f0"}, "6e0e3dcd-65f0", "6e0e3dcd-65f0"),
        ({"reference": "urn:uuid:6e0e3dcd-65f0", "type": "Group"}, None, "6e0e3dcd-65f0"),
        ({"reference": "urn:oid:1.2.3"}, "1.2.3", "1.2.3"),
        ({"reference": "Patient?identifier=http://ids|7"}, None, None),
        ({"reference": "#contained"}, None, None),
        ({"reference": "1"}, None, None),
        ({"reference": "Patient/"}, None, None),
        ({"reference": 5}, None, None),
        ({"display": "somebody", "identifier": {"value": "7"}}, None, None),
    ],
)
def test_keys_of_references(reference: dict[str, Any], of_patient: str | None, of_any: str | None) -> None:
    condition = {"resourceType": "Condition", "id": "c", "subject": reference}
    assert value("subject.getReferenceKey(Patient)", condition) == of_patient
    assert value("subject.getReferenceKey()", condition) == of_any


def test_the_key_of_a_resource_is_what_references_to_it_give() -> None:
    assert value("getResourceKey()", ANNA) == value(
        "subject.getReferenceKey(Patient)", {"resourceType": "Condition", "subject": {"reference": "Patient/anna"}}
    )


def test_precedence_and_signs_are_those_of_fhirpath() -> None:
    a, b, one = Member(This(), "a"), Member(This(), "b"), Literal(1)  # type: ignore[arg-type]
    assert parse("a or b and a = 1") == Binary("or", a, Binary("and", b, Binary("=", a, one)))
    assert parse("a - b - 1") == Binary("-", Binary("-", a, b), one)
    assert parse("-1 < a | b") == Binary("<", Negative(one), Binary("|", a, b))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "too early"),
        ("name.", "too early"),
        ("name..given", "no name of an element"),
        ("name[", "too early"),
        ("name[0", "is missing"),
        ("(name", "is missing"),
        ("name)", "not expected"),
        ("name given", "not expected"),
        ("'open", "begins nothing"),
        (r"'\q'", "no escape"),
        ("name ~ 'x'", "not supported"),
        ("active implies active", "not supported"),
        ("value as Quantity", "not supported"),
        ("$total", "not supported"),
        ("a" * 1_001, "longer than"),
    ],
)
def test_paths_that_cannot_be_read(path: str, reason: str) -> None:
    with pytest.raises(PathError, match=reason):
        parse(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("name.given.trace('x')", "function 'trace' is not supported. Supported: empty, exists"),
        ("name.first(1)", "takes 0 arguments, not 1"),
        ("name.where()", "takes 1 arguments, not 0"),
        ("name[id]", "whole number"),
        ("%who", "%who is no constant"),
        ("name.first().ofType(HumanName)", "right after an element"),
        ("multipleBirth.ofType('integer')", "given by its name"),
        ("managingOrganization.getReferenceKey(Company)", "no resource type"),
        ("deceased.exists()", "'deceased' is a choice of types"),
        ("extension('x').value", "'value' is a choice of types"),
        ("active < true", "cannot be compared"),
        ("'a' * 2", "no number"),
    ],
)
def test_paths_outside_of_the_subset_are_refused_by_name(path: str, reason: str) -> None:
    view = {"name": "v", "resource": "Patient", "select": [{"column": [{"name": "c", "path": path}]}]}
    with pytest.raises(SourceError) as refusal:
        rows(view, [])
    assert str(refusal.value).startswith("View 'v', column 'c', path ")
    assert reason in str(refusal.value)
    assert path in str(refusal.value)


ODD = [None, 1, -1.5, "", "text", True, [], {}, [None], [[]], [[1]], [{"given": 5}], {"given": {"x": [1]}}, "\u0000"]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_shape_of_data_makes_a_path_fail(odd: object) -> None:
    paths = [
        "name.given.first()", "name.given.join()", "name.where(given = 'x').exists()", "name < 1", "name + 1 > 2",
        "name.extension('x').value.ofType(string)", "name.getReferenceKey(Patient)", "name.given.not()", "name[1]",
        "(name | name.given).first()", "name.ofType(Quantity).value", "name = name.given",
    ]  # fmt: skip
    types = ["string", "boolean", "integer", "decimal"]
    columns = [{"name": f"c{n}_{t}", "path": p, "type": t} for n, p in enumerate(paths) for t in types]
    view = {"resource": "Patient", "select": [{"column": columns}]}
    assert len(rows(view, [{"resourceType": "Patient", "name": odd}])) == 1
