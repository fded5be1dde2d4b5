"""The answer to a query as a pandas DataFrame that knows its price and can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dataspace import wire

if TYPE_CHECKING:
    import altair


class Answer(pd.DataFrame):
    """One row a group: the group keys, then for each aggregate `name`, `name_low` and `name_high`.

    The low and high columns are the 95 % interval of the noise. What you derive from an answer is a plain DataFrame.
    """

    _metadata = ["release"]  # noqa: RUF012  (pandas reads this name)
    release: wire.Answer

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @classmethod
    def of(cls, release: wire.Answer) -> Answer:
        """The table of a release, columns in the order of the SELECT list."""
        answer = cls(_columns(release))
        object.__setattr__(answer, "release", release)
        return answer

    @property
    def charged(self) -> wire.Price:
        """What this answer cost the permit; nothing if it had been released before."""
        return self.release.charged

    @property
    def budget(self) -> wire.Budget:
        """The permit's budget right after this answer."""
        return self.release.budget

    @property
    def withheld(self) -> pd.DataFrame:
        """Row by row, True for each aggregate that is withheld by the permit's minimum cell size; it is empty here."""
        flags = [[estimate.withheld for estimate in row.estimates] for row in self.release.rows]
        return pd.DataFrame(flags, columns=self.release.aggregate_names, dtype=bool)

    @property
    def notes(self) -> list[str]:
        """What to know when reading the numbers, for example which groups are not shown."""
        return list(self.release.notes)

    def plot(self) -> altair.LayerChart:  # type: ignore[override]
        """Estimates of the first aggregate with their intervals, one mark a group; along a time, one curve a group."""
        import altair as alt

        name = self.release.aggregate_names[0]
        if self.release.key_names and self.release.key_names[-1] in _ALONG:
            return _curves(self, name)
        frame = pd.DataFrame(self).assign(group=_group_labels(pd.DataFrame(self), self.release.key_names))
        base = alt.Chart(frame).encode(y=alt.Y("group:N", sort=None, title=" · ".join(self.release.key_names) or None))
        interval = base.mark_rule().encode(x=alt.X(f"{name}_low:Q", title=name), x2=f"{name}_high:Q")
        return interval + base.mark_point(filled=True).encode(x=f"{name}:Q")


_ALONG = ("time", "period")
"""Label columns of survival and incidence: what a curve goes along."""


def _curves(answer: Answer, name: str) -> altair.LayerChart:
    """A step curve for each group, its intervals as a band."""
    import altair as alt

    *groups, along = answer.release.key_names
    frame = pd.DataFrame(answer).assign(group=_group_labels(pd.DataFrame(answer), groups))
    kind = "T" if along == "period" else "Q"
    base = alt.Chart(frame).encode(
        x=alt.X(f"{along}:{kind}"), color=alt.Color("group:N", title=" · ".join(groups) or None)
    )
    band = base.mark_area(interpolate="step-after", opacity=0.2).encode(
        y=alt.Y(f"{name}_low:Q", title=name), y2=f"{name}_high:Q"
    )
    return band + base.mark_line(interpolate="step-after").encode(y=f"{name}:Q")


def _columns(release: wire.Answer) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name in release.output:
        if name in release.key_names:
            position = release.key_names.index(name)
            columns[name] = [row.keys[position] for row in release.rows]
            continue
        position = release.aggregate_names.index(name)
        for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high")):
            columns[name + suffix] = [getattr(row.estimates[position], part) for row in release.rows]
    return columns


def _group_labels(frame: pd.DataFrame, keys: list[str]) -> list[str]:
    if not keys:
        return ["all"] * len(frame)
    return [" · ".join(str(value) for value in row) for row in frame[keys].itertuples(index=False)]
