"""From a delivery to the report a person reads: exact for its holder, rounded for everyone, safe to open."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.quality import Dimension
from pipelines.ingest import ingest
from pipelines.keystore import Keystore
from pipelines.plan_file import load_plan
from pipelines.publish import record_of
from pipelines.published import rounding_of
from pipelines.quality.dimensions import quality_of
from pipelines.quality.label import label_of
from pipelines.quality.report.page import quality_report
from pipelines.quality.trend import trend_of
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot, from_json, to_json
from tests.unit.pipelines.deliveries import PLAN, write_clinic, write_plan

HOSTILE = "<script>alert('x')</script> & \\\"co\\\""
VOID = {"meta", "link", "line", "rect", "circle", "polyline", "br"}


def persons(number: int) -> list[tuple[str, ...]]:
    return [(f"P{n}", f"Name{n} Family{n}", f"{1930 + n % 60}-05-11", "FM"[n % 2]) for n in range(number)]


def stays(number: int) -> list[tuple[str, ...]]:
    """Three stays each; every fifth has no ward, every seventh a ward that is not known, every eleventh is repeated."""
    made = [
        (f"P{n}", f"20{10 + (n + k) % 14}-0{1 + n % 9}-1{k}", ("CARD", "", "NEUR")[n % 5 % 3], f"{n}.5", str(k))
        for n in range(number)
        for k in range(3)
    ]
    wrong = [(p, day, "XXXX", cost, k) for p, day, _, cost, k in made[::7]]
    return made + wrong + made[::11]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two snapshots of a clinic: 300 persons, then 400."""
    folder = tmp_path_factory.mktemp("clinic")
    opened = Store(folder / "store")
    plan = PLAN.replace('title = "A clinic"', f'title = "{HOSTILE}"') + "\n[catalogue.quality]\nmaturity = 3\n"
    for number in (300, 400):
        write_clinic(folder, persons(number), stays(number))
        ingest(load_plan(write_plan(folder, plan)), opened, Keystore(folder / "keys"), validate=False)
    return opened


class Page(HTMLParser):
    """Checks that tags close, and collects what a browser would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("public", [False, True])
def test_the_page_stands_alone_and_is_well_formed(store: Store, language: str, public: bool) -> None:
    text = quality_report(store, "clinic", None, language, public)
    page = Page(text)
    assert page.open == []
    assert ("lang", language) in page.attributes
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert not {"img", "link", "iframe", "object"} & set(page.tags)
    assert all((value or "").startswith("#") for name, value in page.attributes if name in ("href", "src"))
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", text)
    identifiers = [value for name, value in page.attributes if name == "id"]
    assert len(set(identifiers)) == len(identifiers)
    assert {str(value)[1:] for name, value in page.attributes if name == "href"} <= set(map(str, identifiers))


def test_titles_of_holders_are_text_and_never_markup(store: Store) -> None:
    text = quality_report(store, "clinic")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &#34;co&#34;" in text


def test_the_holder_reads_exact_counts_and_reasons(store: Store) -> None:
    text = quality_report(store, "clinic")
    stored = store.current("clinic").table["stay"]
    assert f">{stored.rows:,}<" in text
    assert "ward: not in lookup table ward" in text
    assert "ward : absente de la nomenclature ward" in quality_report(store, "clinic", language="fr")


def test_the_public_reads_rounded_figures_alone(store: Store) -> None:
    text, snapshot = quality_report(store, "clinic", public=True), store.current("clinic")
    stay = snapshot.table["stay"]
    exact = {snapshot.metrics["rows"], stay.delivered, stay.rows, stay.quarantined}
    shown = {int(n.replace(",", "")) for n in re.findall(r">([\d,]+)<", text)}
    assert not {n for n in exact if n % 20} & shown
    assert snapshot.sources[0].sha256 not in text
    assert "Worth a look" not in text
    assert "Different values" not in text


def test_no_value_of_the_delivery_shows_beyond_the_dictionary(store: Store) -> None:
    for public in (False, True):
        text = quality_report(store, "clinic", public=public)
        assert "Family1" not in text
        assert not [day for _, day, *_ in stays(400) if day in text]
        assert "XXXX" not in text


def test_the_trend_tells_earlier_snapshots(store: Store) -> None:
    first, second = store.snapshots("clinic")
    assert [point.persons for point in trend_of([first, second])] == [300, 400]
    assert "<polyline" in quality_report(store, "clinic")
    # a report of the first knows nothing of what came later
    assert "<polyline" not in quality_report(store, "clinic", first.id)


def test_a_record_of_before_is_read_with_what_it_has(store: Store) -> None:
    """Records written before this version have rows, columns filled, a summary, years, expectations."""
    new = store.current("clinic")
    old = replace(new, metrics=_as_of_before(new))
    old = from_json(to_json(old), "record")
    shares = quality_of(old).dataset
    assert {Dimension.COMPLETENESS, Dimension.VALIDITY, Dimension.ACCURACY} <= set(shares)
    assert Dimension.TIMELINESS not in shares
    names = {metric.name for metric in label_of(old, rounding_of(old)).metrics}
    assert "completeness" in names
    assert "days to inclusion" not in names
    assert trend_of([old, new])[0].persons == 400
    folder = store.folder("clinic")
    kept = folder.record(new.id).read_bytes()
    try:
        folder.record(new.id).write_text(to_json(old), encoding="utf-8")
        assert "Level" in quality_report(store, "clinic")
        assert "Niveau" in quality_report(store, "clinic", language="fr", public=True)
    finally:
        folder.record(new.id).write_bytes(kept)


def _as_of_before(snapshot: Snapshot) -> dict[str, object]:
    kept = {key: snapshot.metrics[key] for key in ("persons", "rows", "years", "summary", "expectations")}
    tables = {
        name: {
            "rows": table["rows"],
            "columns": {
                column: {k: n for k, n in counts.items() if k in ("filled", "distinct", "in_bounds")}
                for column, counts in table["columns"].items()
            },
        }
        for name, table in snapshot.metrics["tables"].items()
    }
    return {**kept, "tables": tables}


def test_dimensions_count_what_was_set_aside_against_the_delivery(store: Store) -> None:
    snapshot = store.current("clinic")
    quality, stay = quality_of(snapshot), snapshot.table["stay"]
    ward = quality.columns["stay"]["ward"][Dimension.CONSISTENCY]
    assert (ward.of - ward.good, ward.of) == (stay.reasons["ward: not in lookup table ward"], stay.delivered)
    unique = quality.tables["stay"][Dimension.UNIQUENESS]
    assert unique.of - unique.good == len(stays(400)[::1]) - len(set(stays(400)))
    sex = quality.columns["person"]["sex"][Dimension.COMPLETENESS]
    assert (sex.good, sex.of) == (400, 400)


def test_a_person_more_or_less_seldom_changes_the_record(store: Store, tmp_path: Path) -> None:
    """The catalogue record of two snapshots that differ by a person is the same but for its version, with most keys."""
    write_clinic(tmp_path)
    plan, snapshot = load_plan(write_plan(tmp_path)), store.current("clinic")
    fewer = replace(snapshot, metrics={**snapshot.metrics, "persons": 399, "rows": snapshot.metrics["rows"] - 3})
    differing = 0
    for key in range(200):
        records = []
        for each in (snapshot, fewer):
            keyed = replace(each, metrics={**each.metrics, "rounding": f"key {key}"})
            records.append(record_of(plan, keyed, "https://node.example.org"))
        differing += records[0] != records[1]
    assert differing / 200 < 0.2


def test_the_command_writes_the_page(store: Store, tmp_path: Path) -> None:
    import typer

    from pipelines.quality.report.command import report_command

    app = typer.Typer()
    app.command()(report_command)
    target = tmp_path / "report.html"
    arguments = ["clinic", "--store", str(store.root), "-l", "fr", "--public", "-o", str(target)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert '<html lang="fr">' in target.read_text(encoding="utf-8")
    printed = CliRunner().invoke(app, ["clinic", "--store", str(store.root)])
    assert '<html lang="en">' in printed.stdout
    missing = CliRunner().invoke(app, ["nowhere", "--store", str(store.root)])
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "no current snapshot" in missing.stderr
    lost = CliRunner().invoke(app, ["clinic", "--store", str(store.root), "-o", str(tmp_path / "no" / "report.html")])
    assert lost.exit_code == 1
    assert "cannot be read or written" in lost.stderr


def test_a_language_that_is_not_written_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="en and fr"):
        quality_report(store, "clinic", language="de")
