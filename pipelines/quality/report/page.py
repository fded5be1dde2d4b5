"""The report as a page: `quality_report`."""

from collections.abc import Callable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pipelines.published import published_persons, rounding_of
from pipelines.quality.report.figures import Figures
from pipelines.quality.report.view import View
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot

LANGUAGES = ("en", "fr")


def quality_report(
    store: Store, dataset: str, snapshot_id: str | None = None, language: str = "en", public: bool = False
) -> str:
    """HTML of one snapshot, the current one unless named: no script, nothing from elsewhere.

    The holder's report has exact counts, the public one only figures rounded as in the catalogue. Raises
    SnapshotNotFound; ValueError for a language other than LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"the report is written in {' and '.join(LANGUAGES)}")
    snapshot = store.snapshot(dataset, snapshot_id) if snapshot_id else store.current(dataset)
    history = [s for s in store.snapshots(dataset) if (s.created_at, s.id) <= (snapshot.created_at, snapshot.id)]
    return _template().render(view=View(snapshot, history, _figures(snapshot, language, public)))


def _figures(snapshot: Snapshot, language: str, public: bool) -> Figures:
    if not public:
        return Figures(language)
    rounding = rounding_of(snapshot)
    return Figures(language, rounding, published_persons(snapshot, rounding))


def _load() -> Template:
    loader = PackageLoader("pipelines.quality.report", "templates")
    # every text of a holder is escaped: titles, labels, names of files
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")


_template: Callable[[], Template] = cache(_load)
