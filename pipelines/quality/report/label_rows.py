"""The label and the trend, as rows of text for the template."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from catalog.quality import Dimension, Element, QualityLabel
from catalog.quality_scheme import RULES, Rule, Unit, assess, level
from pipelines.quality.dimensions import Share, quality_of
from pipelines.quality.report import drawings
from pipelines.quality.report.figures import NOT_KNOWN, Figures
from pipelines.quality.report.words import in_language, word
from pipelines.quality.trend import Point
from pipelines.store.record import Snapshot


@dataclass(frozen=True)
class MetricRow:
    """`who` says that the holder states it, `weight` its part within the element."""

    name: str
    method: str
    value: str
    who: str
    weight: str


@dataclass(frozen=True)
class ElementRows:
    """One element of Article 78(3): its level as drawing and text, its metrics."""

    letter: str
    name: str
    scale: Markup
    level: str
    metrics: tuple[MetricRow, ...]


@dataclass(frozen=True)
class TrendRow:
    """One figure over the snapshots."""

    name: str
    line: Markup
    values: tuple[str, ...]


def element_rows(label: QualityLabel, figures: Figures) -> Iterator[ElementRows]:
    """Every element with every metric of the scheme, measured or not."""
    assessment = assess(label)
    values = {(m.element, m.name): m.value for m in label.metrics}
    for element in Element:
        score = assessment.elements.get(element) if assessment else None
        reached = NOT_KNOWN if score is None else f"{level(score)} {word('of_five', figures.language)}"
        scale = Markup("") if score is None else drawings.scale(level(score))
        rows = (_metric(rule, values.get((element, rule.name)), figures) for rule in RULES if rule.element is element)
        yield ElementRows(element.value, in_language(element.label, figures.language), scale, reached, tuple(rows))


def _metric(rule: Rule, value: Decimal | None, figures: Figures) -> MetricRow:
    language = figures.language
    unsaid = rule.stated and not value
    shown = (
        word("not_stated", language) if unsaid else NOT_KNOWN if value is None else metric_value(rule, value, figures)
    )
    return MetricRow(
        name=in_language(rule.title, language),
        method=in_language(rule.method, language),
        value=shown,
        who=word("stated", language) if rule.stated and not unsaid else "",
        weight=str(rule.weight) if rule.weight else word("informs", language),
    )


def metric_value(rule: Rule, value: Decimal, figures: Figures) -> str:
    """A metric with its unit."""
    if rule.name == Dimension.TIMELINESS:
        return f"{round(value * 3)} / 3"
    if rule.unit is Unit.SHARE:
        return figures.percent(float(value))
    if rule.unit is Unit.FLAG:
        return word("yes" if value else "no", figures.language)
    digits = 0 if value == int(value) else 1
    unit = {Unit.DAYS: "days", Unit.YEARS: "years", Unit.LEVEL: "of_five"}.get(rule.unit)
    return figures.decimal(value, digits) + (f" {word(unit, figures.language)}" if unit else "")


def trend_rows(points: Sequence[Point], figures: Figures) -> Iterator[TrendRow]:
    """Sizes first, then the dimensions that any of the snapshots knows."""
    for what in ("persons", "rows"):
        sizes = [figures.size(p.snapshot, what) for p in points]
        texts = tuple(figures.number(size) for size in sizes)
        yield TrendRow(word(what, figures.language).capitalize(), drawings.line(sizes), texts)
    for dimension in Dimension:
        values = [_value(p.snapshot, dimension, figures) for p in points]
        if any(value is not None for value in values):
            texts = tuple(_text(value, dimension, figures) for value in values)
            yield TrendRow(in_language(dimension.label, figures.language), drawings.line(values), texts)


def _text(value: float | None, dimension: Dimension, figures: Figures) -> str:
    if value is not None and dimension is Dimension.TIMELINESS:
        return f"{round(3 * value)} / 3"
    return figures.percent(value)


def _value(snapshot: Snapshot, dimension: Dimension, figures: Figures) -> float | None:
    share = quality_of(snapshot).dataset.get(dimension, Share())
    # the same figure as the label's, so that a page never shows two roundings of one thing
    figure = f"{Element.TECHNICAL_QUALITY.value} {dimension}"
    return figures.share_value(share, figure, exact=dimension is Dimension.TIMELINESS)
