"""Bulk Data deliveries: which files belong to which table, rows in order and numbered, and bad files told plainly."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines.errors import SourceError
from pipelines.readers import ROW_NUMBER, Limits, open_source
from pipelines.readers.fhir import FhirSource
from pipelines.readers.fhir.definition import View
from pipelines.readers.fhir.library import built_in_views
from pipelines.readers.fhir.reader import LONGEST_LINE


def patient(key: str, **more: Any) -> str:
    return json.dumps({"resourceType": "Patient", "id": key, **more})


def condition(key: str, subject: str) -> str:
    return json.dumps({"resourceType": "Condition", "id": key, "subject": {"reference": f"Patient/{subject}"}})


def deliver(folder: Path, **files: list[str]) -> Path:
    """Files by name, where `__` stands for the dot; `gz` at the end compresses."""
    for name, lines in files.items():
        content = "".join(f"{line}\n" for line in lines).encode()
        path = folder / name.replace("__", ".")
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith("gz") else content)
    return folder


def opened(location: Path, **options: Any) -> FhirSource:
    source = open_source("fhir-ndjson", location, options)
    assert isinstance(source, FhirSource)
    return source


def column(source: FhirSource, table: str, name: str = "id") -> list[Any]:
    found: list[Any] = source.batches(table, [name]).read_all().column(name).to_pylist()
    return found


def told(source: FhirSource, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for batch in source.faults(table) for row in batch.to_pylist()]


def test_a_table_for_each_view_whose_resources_were_delivered(tmp_path: Path) -> None:
    deliver(
        tmp_path,
        Patient__001__ndjson__gz=[patient("b")],
        Patient__000__ndjson=[patient("a"), "", patient("a2")],
        Condition__jsonl=[condition("c", "a")],
        CarePlan__ndjson=['{"resourceType": "CarePlan"}'],
        log__ndjson=['{"exportId": "1"}'],
        README__txt=["nothing"],
    )
    with opened(tmp_path) as source:
        assert source.tables() == ("condition", "patient")
        assert column(source, "patient") == ["a", "a2", "b"]
        assert source.batches("condition", ["id", "patient"]).read_all().to_pylist() == [
            {"id": "c", "patient": "a", ROW_NUMBER: 1}
        ]
        assert [f.name for f in source.without_resources] == ["log.ndjson"]
        assert [d.name for d in source.digests()] == ["Condition.jsonl", "Patient.000.ndjson", "Patient.001.ndjson.gz"]
        assert told(source, "patient") == []


def test_one_file_is_a_delivery_too(tmp_path: Path) -> None:
    deliver(tmp_path, Patient__ndjson=[patient("a")])
    with opened(tmp_path / "Patient.ndjson") as source:
        assert source.tables() == ("patient",)


def test_types_of_columns_are_known_without_looking_at_rows(tmp_path: Path) -> None:
    deliver(tmp_path, Patient__ndjson=[])
    with opened(tmp_path) as source:
        described = source.describe("patient").columns
        assert {described[c] for c in ("id", "birth_date", "deceased", "death_date")} == {"VARCHAR", "BOOLEAN", "DATE"}
        assert source.describe("PATIENT").columns == described
        assert column(source, "patient") == []


@pytest.mark.parametrize("view", built_in_views(), ids=lambda view: view.name)
def test_described_types_are_those_of_the_batches(tmp_path: Path, view: View) -> None:
    deliver(tmp_path, **{f"{view.resource}__ndjson": [json.dumps({"resourceType": view.resource})]})
    with opened(tmp_path, views=[view.name]) as source:
        described = source.describe(view.name).columns
        read = source.batches(view.name, list(described), numbered=False).read_all()
        again = duckdb.from_arrow(read).query("t", "DESCRIBE SELECT * FROM t").fetchall()
    assert {name: type_ for name, type_, *_ in again} == dict(described)


def test_a_file_that_names_no_type_is_looked_into(tmp_path: Path) -> None:
    lines = [patient("a"), condition("c", "a"), patient("b"), '{"resourceType": "Unheard"}', "{broken", "{}"]
    deliver(tmp_path, export__ndjson=lines, Patient__ndjson=[patient("z")])
    with opened(tmp_path) as source:
        assert source.tables() == ("condition", "patient")
        # lines that may have been a patient stay rows without values
        assert column(source, "patient") == ["z", "a", "b", None, None]
        assert told(source, "patient") == [(4, None, "the line is not JSON"), (5, None, "the line is no FHIR resource")]
        assert column(source, "condition") == ["c", None, None]


def test_a_line_that_is_no_resource_of_its_file_stays_a_row_without_values(tmp_path: Path) -> None:
    lines = [patient("a"), '{"resourceType": "Patient", "id":', condition("c", "a"), "null", patient("b"), "[]"]
    deliver(tmp_path, Patient__ndjson__gz=lines)
    with opened(tmp_path) as source:
        rows = source.batches("patient", ["id", "sex"]).read_all().to_pylist()
        assert [(r[ROW_NUMBER], r["id"]) for r in rows] == [
            (1, "a"),
            (2, None),
            (3, None),
            (4, None),
            (5, "b"),
            (6, None),
        ]
        assert [(number, reason) for number, _, reason in told(source, "patient")] == [
            (2, "the line is not JSON"),
            (3, "the line is a resource of another type than the file's name says"),
            (4, "the line is no FHIR resource"),
            (6, "the line is no FHIR resource"),
        ]


def test_row_numbers_are_the_same_whichever_columns_are_read(tmp_path: Path) -> None:
    contacts = [{"condition": {"reference": f"Condition/{n}"}} for n in range(3)]
    lines = [
        json.dumps({"resourceType": "Encounter", "id": f"e{n}", "diagnosis": contacts[: n % 4]}) for n in range(5_000)
    ]
    half = len(lines) // 2
    deliver(tmp_path, Encounter__0__ndjson=lines[:half], Encounter__1__ndjson__gz=lines[half:])
    with opened(tmp_path) as source:
        one = source.batches("encounter_diagnosis", ["encounter"]).read_all()
        other = source.batches("encounter_diagnosis", ["condition", "encounter"]).read_all()
        assert one.num_rows == 5_000 // 4 * 6
        assert one.equals(other.select(one.column_names))
        assert one.column(ROW_NUMBER).to_pylist() == list(range(1, one.num_rows + 1))


def test_views_can_be_chosen_and_an_undelivered_one_is_an_empty_table(tmp_path: Path) -> None:
    own = {"name": "eye", "resource": "Patient", "select": [{"column": [{"name": "k", "path": "id"}]}]}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "eye.json").write_text(json.dumps(own))
    deliver(tmp_path, Patient__ndjson=[patient("a")])
    views = ["observation", "eye.json"]
    with opened(tmp_path, views=views, views_folder=str(tmp_path / "mine")) as source:
        assert source.tables() == ("observation", "eye")
        assert column(source, "eye", "k") == ["a"]
        assert source.describe("observation").note == "no Observation was delivered"
        assert source.describe("eye").note is None
        assert column(source, "observation", "value") == []


def test_file_names_are_no_patterns(tmp_path: Path) -> None:
    (tmp_path / "Patient[1]*.ndjson").write_text(patient("right"))
    (tmp_path / "Patient1x.ndjson.txt").write_text(patient("wrong"))
    with opened(tmp_path) as source:
        assert column(source, "patient") == ["right"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Patient.txt", b"{}", "no NDJSON file was delivered"),
        ("Patient.ndjson.gz", b"{}", "not what its name says"),
        ("Patient.ndjson.gz", b"", "not what its name says"),
        ("Patient.ndjson", b"\xef\xbb\xbf{}", "byte order mark"),
        ("Patient.ndjson", '{"id": 1}'.encode("utf-16"), "byte order mark"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=reason):
        opened(tmp_path)


def test_the_same_part_twice_is_refused(tmp_path: Path) -> None:
    deliver(tmp_path, Patient__ndjson=[patient("a")], Patient__ndjson__gz=[patient("a")])
    with pytest.raises(SourceError, match="are the same part"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"view": ["patient"]}, "option 'view' is not known"),
        ({"views": "patient"}, "a list of names"),
        ({"views": ["nobody"]}, "'nobody' is not known"),
        ({"maximum_object_size": "1MB"}, "a number of bytes"),
        ({"maximum_object_size": 2**40}, "a number of bytes"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    deliver(tmp_path, Patient__ndjson=[patient("a")])
    with pytest.raises(SourceError, match=reason):
        opened(tmp_path, **options)


def test_a_cut_off_file_is_told_without_a_word_of_its_content(tmp_path: Path) -> None:
    deliver(tmp_path, Patient__ndjson__gz=[patient(f"secret-{n}") for n in range(50_000)])
    file = tmp_path / "Patient.ndjson.gz"
    file.write_bytes(file.read_bytes()[:-10_000])
    with pytest.raises(SourceError, match=r"Patient\.ndjson\.gz: the file is cut off") as refusal:
        opened(tmp_path)
    assert "secret" not in str(refusal.value)


def test_a_packed_file_with_a_wrong_check_sum_is_refused(tmp_path: Path) -> None:
    """Stored blocks with another letter: it unpacks and reads well, and is not what was packed."""
    packed = gzip.compress(patient("a", gender="female").encode(), 0)
    (tmp_path / "Patient.ndjson.gz").write_bytes(packed.replace(b"female", b"xemale"))
    with pytest.raises(SourceError, match="cannot be read, or is not what its name says"):
        opened(tmp_path)


def test_what_a_packed_file_unpacks_to_is_limited(tmp_path: Path) -> None:
    deliver(tmp_path, Patient__ndjson__gz=[patient("a")] * 100_000)
    with pytest.raises(SourceError, match="out of proportion to its size"):
        open_source("fhir-ndjson", tmp_path, {}, Limits(ratio=10, ratio_from=1 << 20))


def test_links_out_of_a_delivery_are_refused_and_others_followed(tmp_path: Path) -> None:
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    deliver(tmp_path, elsewhere__txt=[patient("outside")])
    deliver(delivery, kept__txt=[patient("inside")])
    (delivery / "Patient.ndjson").symlink_to(delivery / "kept.txt")
    with opened(delivery) as source:
        assert column(source, "patient") == ["inside"]
    (delivery / "Patient.1.ndjson").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(SourceError, match="this link leads out of the delivery"):
        opened(delivery)


def test_own_views_are_hashed_since_they_say_what_is_read(tmp_path: Path) -> None:
    """A run that was stopped goes on only if its files are the same, and what was made with another view is not."""
    deliver(tmp_path, Patient__ndjson=[patient("a", gender="male", language="fr")])
    (tmp_path / "views").mkdir()
    options = {"views": ["patient", "eye.json"], "views_folder": str(tmp_path / "views")}
    found = []
    for path in ("gender", "language"):
        own = {"name": "eye", "resource": "Patient", "select": [{"column": [{"name": "k", "path": path}]}]}
        (tmp_path / "views" / "eye.json").write_text(json.dumps(own))
        with opened(tmp_path, **options) as source:
            found.append({f.name: f.sha256 for f in source.digests()})
    assert [set(hashes) for hashes in found] == [{"eye.json", "Patient.ndjson"}] * 2
    assert found[0]["eye.json"] != found[1]["eye.json"]
    assert found[0]["Patient.ndjson"] == found[1]["Patient.ndjson"]


def test_a_line_may_be_as_long_as_the_option_says(tmp_path: Path) -> None:
    long = patient("a", photo=[{"data": "x" * (2 * LONGEST_LINE + 10)}])
    deliver(tmp_path, Patient__ndjson=[patient("z"), long])
    with opened(tmp_path) as source, pytest.raises(SourceError, match="longer than the option `maximum_object_size`"):
        column(source, "patient")
    with opened(tmp_path, maximum_object_size=2 * LONGEST_LINE) as source:
        assert column(source, "patient") == ["z", "a"]


def test_the_reason_reaches_whoever_could_only_see_that_reading_ended(tmp_path: Path) -> None:
    long = patient("long", photo=[{"data": "x" * (2 * LONGEST_LINE + 10)}])
    deliver(tmp_path, Patient__ndjson=[*(patient(f"p{n}") for n in range(50_000)), long])

    def consume() -> None:
        with opened(tmp_path) as source, source.reading("the identifiers could not be gathered"):
            engine = duckdb.connect()
            engine.register("delivered", source.batches("patient", ["id"]))
            engine.execute("SELECT count(*) FROM delivered")

    with pytest.raises(SourceError, match="longer than the option `maximum_object_size`"):
        consume()


def test_lines_of_ten_megabytes_fit_into_the_memory_of_a_reader(tmp_path: Path) -> None:
    lines = [patient(str(n), photo=[{"data": "x" * 10_000_000}]) for n in range(4)]
    deliver(tmp_path, Patient__ndjson=lines)
    with open_source("fhir-ndjson", tmp_path, {}, Limits("512MB", 2)) as source:
        table: pa.Table = source.batches("patient", ["id"]).read_all()
    assert table.column("id").to_pylist() == ["0", "1", "2", "3"]
