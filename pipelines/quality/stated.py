"""What no machine can measure and the holder states in the plan, and what the plan does to the data.

[catalogue.quality]
reviewed = 2026-03-01            # day of the last review of the data
audited = 2025-11-01             # day of the last audit by others
bias_examined = 2026-02-01       # day bias was last looked for
maturity = 3                     # of the quality management, 1 (started) to 5 (optimised)
documents = ["https://…"]        # supporting documents
days_to_data = 45                # usual days from a permit to the data
merged = ["hospital register"]   # sources merged into the dataset before delivery
birth = "person.year_of_birth"   # also death, sex: columns that say so, where their names do not tell
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from catalog.schema import TableKind
from pipelines.errors import PlanError
from pipelines.plan import Plan

DAYS = ("reviewed", "audited", "bias_examined")
COLUMNS = ("birth", "death", "sex")
LISTS = ("documents", "merged")
NUMBERS: Mapping[str, range] = {"maturity": range(1, 6), "days_to_data": range(10_000)}


def stated_facts(plan: Plan) -> dict[str, Any]:
    """Facts for the record, in JSON's types. Raises PlanError."""
    facts = plan.facts.get("quality", {})
    for name, value in facts.items():
        _check(plan, name, value)
    stated = {name: str(facts[name]) for name in DAYS if name in facts}
    stated |= {name: facts[name] for name in (*NUMBERS, *LISTS) if name in facts}
    titles = plan.facts.get("title", {})
    return stated | {
        "title": {"en": plan.title} | ({"en": titles} if isinstance(titles, str) else dict(titles)),
        "standards": list(plan.facts.get("conforms_to", ())),
        "provenance": bool(plan.facts.get("provenance")),
        "population": bool(plan.facts.get("population")),
        "modifications": modifications(plan),
    }


def modifications(plan: Plan) -> dict[str, Any]:
    """What the plan changes on the way: stored columns made coarser, columns recoded, how persons can be linked."""
    columns = [(t.name, c) for t in plan.tables for c in t.columns if t.kind is not TableKind.LOOKUP]
    return {
        "generalised": sorted(f"{table}.{c.name}" for table, c in columns if c.generalise or c.coarser),
        "shifted": sorted(f"{table}.{c.name}" for table, c in columns if c.shift),
        "recoded": sorted(f"{table}.{c.name}" for table, c in columns if c.recode and not c.generalise),
        "identifiers_dropped": sum(len(t.identifiers) + bool(t.person) for t in plan.tables),
        "linkable": plan.domain,
    }


def _check(plan: Plan, name: str, value: Any) -> None:
    fits = {
        **{day: type(value) is date for day in DAYS},
        **{fact: type(value) is int and value in allowed for fact, allowed in NUMBERS.items()},
        **{fact: isinstance(value, list) and all(isinstance(v, str) for v in value) for fact in LISTS},
        **{role: isinstance(value, str) and _is_column(plan, value) for role in COLUMNS},
    }
    if not fits.get(name, False):
        said = f"the fact {name!r} is not known" if name not in fits else f"the fact {name!r} is not of its form"
        mend = f"Known are {', '.join(fits)}: see pipelines/quality/stated.py."
        raise PlanError(str(plan.file), f"{said}.", where="catalogue.quality", mend=mend)


def _is_column(plan: Plan, place: str) -> bool:
    table, _, column = place.partition(".")
    return table in plan.table and column in plan.table[table].column
