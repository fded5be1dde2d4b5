"""A share as the report shows it: its drawing, its text, what was counted."""

from dataclasses import dataclass

from markupsafe import Markup

from catalog.quality import Dimension
from pipelines.quality.dimensions import Share, Shares
from pipelines.quality.report import drawings
from pipelines.quality.report.figures import Figures


@dataclass(frozen=True)
class Shown:
    """`counted` is empty where nothing is to be told: for the public, and for points."""

    bar: Markup
    text: str
    counted: str = ""


def shown(figures: Figures, shares: Shares, dimension: Dimension, figure: str, *, exact: bool = False) -> Shown:
    """The share of a dimension among those of the dataset, a table or a column, which `figure` names.

    `exact` is for what describes nobody.
    """
    share = shares.get(dimension, Share())
    if dimension is Dimension.TIMELINESS:
        # points, which follow from months that enough persons share
        return Shown(drawings.bar(share.value), f"{share.good} / {share.of}" if share.of else figures.percent(None))
    value = figures.share_value(share, f"{figure} {dimension}", exact=exact)
    counted = f"{figures.number(share.good)} / {figures.number(share.of)}" if share.of and not figures.public else ""
    return Shown(drawings.bar(value), figures.percent(value), counted)
