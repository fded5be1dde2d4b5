"""What the report says, as text and drawings ready for the template: the page itself sees no number.

So one place decides what is exact and what is rounded, and the public page cannot show a figure by mistake.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from markupsafe import Markup

from catalog.quality import Dimension, Element
from catalog.quality_scheme import assess
from pipelines.quality.dimensions import loaded_on, quality_of
from pipelines.quality.label import SHOW_AGES_FROM, age_range, covered_years, label_of, newest_month
from pipelines.quality.report import drawings
from pipelines.quality.report.figures import NOT_KNOWN, Figures
from pipelines.quality.report.label_rows import ElementRows, TrendRow, element_rows, trend_rows
from pipelines.quality.report.shares import Shown, shown
from pipelines.quality.report.tables import OF_COLUMNS, TableView, table_views
from pipelines.quality.report.words import SIGNS, in_language, translated, word
from pipelines.quality.signs import Kind, Sign, signs_of
from pipelines.quality.trend import trend_of
from pipelines.store.record import Snapshot

POINTS_SHOWN = 12


class View:
    """The page of one snapshot. `history` has the snapshots of the dataset, oldest first, up to this one."""

    dimensions = tuple(Dimension)
    of_columns = OF_COLUMNS

    def __init__(self, snapshot: Snapshot, history: Sequence[Snapshot], figures: Figures) -> None:
        self.snapshot, self.figures, self.language = snapshot, figures, figures.language
        self.public = figures.public
        self.quality = quality_of(snapshot)
        self.points = trend_of(history)[-POINTS_SHOWN:]
        self.label = label_of(snapshot, figures.rounding)
        self.assessment = assess(self.label)

    def w(self, name: str, **parts: Any) -> str:
        """A word of the report."""
        return word(name, self.language).format(**parts)

    def said(self, text: Any) -> str:
        return in_language(text, self.language)

    @property
    def title(self) -> str:
        titles = self.snapshot.metrics.get("stated", {}).get("title", {})
        return str(titles.get(self.language) or titles.get("en") or self.snapshot.dataset)

    @property
    def loaded(self) -> str:
        return self.figures.day(loaded_on(self.snapshot))

    @property
    def scale(self) -> Markup:
        return drawings.scale(self.assessment.level) if self.assessment else Markup("")

    @property
    def score(self) -> str:
        return self.figures.percent(float(self.assessment.score)) if self.assessment else NOT_KNOWN

    @property
    def key_figures(self) -> list[tuple[str, str]]:
        """(figure, what it counts)."""
        figures, fewest = self.figures, self.figures.fewest("persons of a period")
        shown = [(figures.number(figures.size(self.snapshot, what)), self.w(what)) for what in ("persons", "rows")]
        shown.append((figures.number(len(self.snapshot.schema.tables)), self.w("tables")))
        years, newest = covered_years(self.snapshot, fewest), newest_month(self.snapshot, fewest)
        shown += [(f"{years[0]}–{years[1]}", self.w("period"))] if years else []
        shown += [(figures.month(newest), self.w("newest"))] if newest else []
        return [*shown, *self._ages(), *self._stay()]

    def _ages(self) -> Iterator[tuple[str, str]]:
        ages = age_range(self.snapshot)
        if ages is not None and (not self.public or self.figures.persons >= SHOW_AGES_FROM):
            low, high = (self.figures.age(age) for age in ages)
            yield f"{low}–{high} {self.w('years_old')}", self.w("ages")

    def _stay(self) -> Iterator[tuple[str, str]]:
        for metric in self.label.metrics:
            if metric.name == "time in the dataset":
                yield f"{self.figures.decimal(metric.value)} {self.w('years')}", self.w("stay")

    def of_dataset(self, dimension: Dimension) -> Shown:
        # the same figure as the label's, so that a page never shows two roundings of one thing
        return shown(self.figures, self.quality.dataset, dimension, Element.TECHNICAL_QUALITY.value)

    @cached_property
    def signs(self) -> list[tuple[str, str]]:
        """(place, sentence); for the holder alone, since a sign may rest on few rows."""
        if self.public:
            return []
        before = self.points[-2] if len(self.points) > 1 else None
        signs = signs_of(self.snapshot, self.quality, before)
        return [(".".join(filter(None, (s.table, s.column))), self._sentence(s)) for s in signs]

    def _sentence(self, sign: Sign) -> str:
        plus = "+" if sign.kind is Kind.ROWS_CHANGED and sign.value > 0 else ""
        return self.said(SIGNS[sign.kind]).format(
            value=plus + self.figures.percent(sign.value),
            number=self.figures.number(int(sign.value)),
            dimension=self.said(sign.dimension.label) if sign.dimension else "",
        )

    @property
    def elements(self) -> list[ElementRows]:
        return list(element_rows(self.label, self.figures))

    @property
    def trend_days(self) -> list[str]:
        return [self.figures.day(point.snapshot.created_at.date()) for point in self.points]

    @property
    def trend(self) -> list[TrendRow]:
        return list(trend_rows(self.points, self.figures))

    @cached_property
    def tables(self) -> list[TableView]:
        return table_views(self.snapshot, self.quality, self.figures)

    @cached_property
    def expectations(self) -> list[tuple[str, str, str, bool, str]]:
        """(table, expectation, whose, held, rows that fail); those that do not hold first."""
        outcomes = sorted(self.snapshot.metrics.get("expectations", ()), key=lambda o: o["success"])
        return [
            (
                o["table"],
                translated(o["name"], self.language),
                self.w("own") if o.get("kind") else "",
                o["success"],
                "" if self.public or not o["failed"] else self.figures.number(o["failed"]),
            )
            for o in outcomes
        ]

    @property
    def expectations_said(self) -> str:
        outcomes = self.expectations
        held = sum(success for *_, success, _ in outcomes)
        said = "none_checked" if not outcomes else "all_held" if held == len(outcomes) else "some_held"
        return self.w(said, n=self.figures.number(len(outcomes)), good=self.figures.number(held))

    @property
    def sources(self) -> list[tuple[str, str, str]]:
        """(name, size, hash) of what was delivered; the holder's alone."""
        return [] if self.public else [(s.name, self.figures.number(s.size), s.sha256) for s in self.snapshot.sources]

    @property
    def modifications(self) -> dict[str, Any]:
        found: dict[str, Any] = self.snapshot.metrics.get("stated", {}).get("modifications", {})
        return found
