"""The report's drawings: small SVG in the page itself. Each stands beside the figures it shows, so readers who do not
see it miss nothing; it is hidden from screen readers."""

from collections.abc import Sequence

from markupsafe import Markup

HIDDEN = Markup('aria-hidden="true" focusable="false"')


def bar(value: float | None) -> Markup:
    """A share from 0 to 1 as a horizontal bar."""
    if value is None:
        return Markup("")
    return Markup('<svg class="bar {}" viewBox="0 0 100 8" preserveAspectRatio="none" {}>{}{}</svg>').format(
        tone(value), HIDDEN, _rect("track", 0, 0, 100, 8), _rect("fill", 0, 0, 100 * value, 8)
    )


def tone(value: float) -> str:
    """How a share looks: good, fair or low."""
    return "good" if value >= 0.95 else "fair" if value >= 0.8 else "low"


def columns(counts: Sequence[float], width: int = 240, height: int = 48) -> Markup:
    """Counts as columns side by side, the largest as high as the drawing."""
    if not counts:
        return Markup("")
    largest, step = max(*counts, 1e-9), width / len(counts)
    gap = min(2.0, step / 5)
    rects = (
        _rect("fill", n * step, height - height * count / largest, step - gap, height * count / largest)
        for n, count in enumerate(counts)
    )
    base = Markup('<line class="base" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, height, height)
    return Markup('<svg class="columns" viewBox="0 0 {} {}" {}>{}{}</svg>').format(
        width, height + 1, HIDDEN, Markup("").join(rects), base
    )


def line(values: Sequence[float | None], width: int = 160, height: int = 36) -> Markup:
    """A sparkline from low to high of its own values; the last is marked. Needs two values."""
    points = [(n, v) for n, v in enumerate(values) if v is not None]
    if len(points) < 2:
        return Markup("")
    low, high = min(v for _, v in points), max(v for _, v in points)
    # what never changed is a line through the middle
    low, spread = (low, high - low) if high > low else (low - 0.5, 1)
    step = (width - 12) / (len(values) - 1)
    places = [(6 + n * step, height - 6 - (v - low) / spread * (height - 12)) for n, v in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(*places[-1])
    return Markup('<svg class="line" viewBox="0 0 {} {}" {}><polyline points="{}"/>{}</svg>').format(
        width, height, HIDDEN, path, dot
    )


def scale(level: int, of: int = 5) -> Markup:
    """A level as the steps reached of a stair."""
    steps = Markup("").join(
        _rect("fill" if n < level else "track", 26 * n, 40 - 8 * (n + 1), 22, 8 * (n + 1)) for n in range(of)
    )
    return Markup('<svg class="scale" viewBox="0 0 {} 40" {}>{}</svg>').format(26 * of - 4, HIDDEN, steps)


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="1"/>').format(
        kind, x, y, max(0, width), max(0, height)
    )
