"""What a data permit says, by the letters of Art. 68(10)."""

from collections.abc import Callable

from dataspace.domain.fees import euro
from dataspace.domain.permits import DataPermit
from dataspace.domain.scopes import listed

CONTENTS: dict[str, Callable[[DataPermit], str]] = {
    "a": lambda p: (
        f"{len(p.columns)} columns ({listed(sorted(p.columns))}) of {', '.join(p.datasets)}, held by"
        f" {', '.join(p.particulars.sources) or 'their data holders'}; {p.particulars.data_format}"
        + (f"; population: {p.population}" if p.population else "")
    ),
    "b": lambda p: "; ".join([*(f"({x.letter}) {x.text}" for x in sorted(p.purposes)), p.particulars.detailed_purpose]),
    "c": lambda p: p.opt_out_exception or "opt-outs are respected: no exception",
    "d": lambda p: (
        f"{', '.join(sorted(p.persons))}; principal investigator: {p.particulars.principal_investigator or 'not named'}"
    ),
    "e": lambda p: f"from {p.valid_from:%Y-%m-%d %H:%M} to {p.valid_until:%Y-%m-%d %H:%M} UTC",
    "f": lambda p: p.particulars.environment,
    "g": lambda p: euro(p.particulars.fee_cents),
    "h": lambda p: "; ".join([*p.conditions, *_limits(p)]) or "none",
}
"""Letter of Art. 68(10) -> its text in a permit."""


def contents(permit: DataPermit) -> dict[str, str]:
    """Letter -> text, (a) to (h)."""
    return {letter: said(permit) for letter, said in CONTENTS.items()}


def _limits(permit: DataPermit) -> list[str]:
    return [
        *([f"no number of fewer than {permit.min_cell} persons"] if permit.min_cell else []),
        *([f"only {', '.join(sorted(permit.aggregates))}"] if permit.aggregates else []),
    ]
