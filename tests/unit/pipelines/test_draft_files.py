"""How a draft tells format, encoding and delimiter from the files."""

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from pipelines.draft.csv_form import delimiter_of, encoding_of
from pipelines.draft.texts import Text, names_in
from pipelines.errors import SourceError
from tests.unit.pipelines.drafting import PERSONS, draft_of, persons, write_csv

ROWS = {"patient_id": persons(), "ward": ["Cœur", "Tête"] * (PERSONS // 2)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_divides_every_record_alike(tmp_path: Path, delimiter: str) -> None:
    rows = {"a,b": ["1;2", "3;4"], "c": ["x,y", "z,z"]}
    assert delimiter_of(Text(write_csv(tmp_path / "a.csv", rows, delimiter)), "utf-8") == delimiter


def test_an_accent_late_in_a_file_tells_its_encoding(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"id;city\n" + b"1;Paris\n" * 300_000 + "2;Orléans et Besançon, été\n".encode("latin-1"))
    assert encoding_of(Text(file)) == "latin-1"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Cœur – l’œil; 5 €", "cp1252"),
        ("Пациент поступил в отделение кардиологии с болью", "cp1251"),
        ("Όνομα Γιώργος Παπαδόπουλος", "cp1253"),
        ("Åsa Öberg; niño; São João; Müller", "latin-1"),
    ],
)
def test_other_alphabets_are_told_by_what_makes_sense(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(f"a;b\n{text}\n".encode(encoding) * 20)
    assert encoding_of(Text(tmp_path / "a.csv")) == encoding


@pytest.mark.parametrize(("encoding", "known"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16")])
def test_unicode_is_told_by_itself(tmp_path: Path, encoding: str, known: str) -> None:
    file = write_csv(tmp_path / "a.csv", {"a": ["é"] * 9, "b": ["ñ"] * 9}, encoding=encoding)
    assert encoding_of(Text(file)) == known


def test_packed_files_and_archives_are_looked_into(tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "a.csv", {"a": ["été"] * 50, "b": ["1"] * 50}, encoding="latin-1").read_bytes()
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "c.csv.xz").write_bytes(lzma.compress(plain))
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("inner/e.csv", plain)
        archive.writestr("__MACOSX/e.csv", b"\0")
    assert names_in(tmp_path / "d.zip") == ["inner/e.csv"]
    texts = [Text(tmp_path / "b.csv.gz"), Text(tmp_path / "c.csv.xz"), Text(tmp_path / "d.zip", "inner/e.csv")]
    assert [encoding_of(t) for t in texts] == ["latin-1"] * 3
    assert [t.table for t in texts] == ["b", "c", "e"]


def test_a_first_line_of_data_is_no_header_and_is_not_shown(tmp_path: Path) -> None:
    rows = [f"{n},1950-03-0{1 + n % 9},a{n}@mail.example" for n in range(30)]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(SourceError, match="looks like data") as refused:
        draft_of(tmp_path / "a.csv")
    assert "example" not in str(refused.value)
    assert "1950" not in str(refused.value)


def test_several_files_of_a_folder_are_the_tables_of_the_draft(tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{name}.csv", ROWS) for name in "abc"]
    draft = draft_of(*files[:2])
    assert [t.plan.name for t in draft.tables] == ["a", "b"]


def test_files_of_several_folders_are_no_delivery(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    files = [write_csv(tmp_path / "a.csv", ROWS), write_csv(tmp_path / "inner" / "b.csv", ROWS)]
    with pytest.raises(SourceError, match="several folders"):
        draft_of(*files)


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"PK\x03\x04 torn"])
def test_files_that_are_nothing_are_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.zip", "a.csv.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError):
            draft_of(tmp_path / name)
