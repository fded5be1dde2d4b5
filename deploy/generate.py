"""Pages that are made, not written. Without an argument they are made anew; `--check` only says which are stale."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from dataspace.domain.errors import DataspaceError
from dataspace.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SAMPLE = re.compile(r"(<!-- sample: made by make fix -->\n```text\n).*?(```\n<!-- end of sample -->)", re.DOTALL)


def settings_example() -> str:
    """Every setting with its default, commented out."""
    lines = [
        "# Settings of a node, read from the environment. Generated from dataspace/settings.py by `make fix`.",
        "# A production node sets at least MODE, PUBLIC_URL, OIDC_ISSUER, OIDC_CLIENT_ID, KEY_ROOT; refused otherwise.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        lines += [f"# {field.description}"] if field.description else []
        default = "" if field.default is None else field.default
        lines.append(f"# DATASPACE_{name.upper()}={getattr(default, 'value', default)}")
    return "\n".join(lines) + "\n"


def error_codes() -> str:
    """Every error code of the API, its HTTP status and what it means."""
    from dataspace.web.errors import status_of

    lines = [
        "# Error codes of the API",
        "",
        "Errors are `application/problem+json` (RFC 9457). `code` is stable, `detail` is for people and may change.",
        "Generated from `dataspace/domain/errors.py` by `make fix`.",
        "",
        "| code | status | meaning |",
        "| --- | --- | --- |",
    ]
    meanings = _meanings()
    for kind in _tree(DataspaceError):
        status = status_of(kind.__new__(kind))
        lines.append(f"| `{kind.code}` | {status} | {meanings[kind.__name__]} |")
    return "\n".join(lines) + "\n"


def query_language() -> str:
    """What a researcher may write, from the tables the front door checks queries with."""
    from dataspace.sql.reference import language_reference

    return f"{LANGUAGE}\n{language_reference().rstrip()}\n"


def deadlines() -> str:
    """Every deadline of the Regulation as the node counts it."""
    from dataspace.domain.clock_rules import RULES
    from dataspace.domain.steps import STEPS

    lines = [
        "# Deadlines",
        "",
        "Every deadline of Regulation (EU) 2025/327, chapter IV, as the node counts it. Generated from",
        "`dataspace/domain/clock_rules.py` by `make fix`. A clock begins with an event of the audit trail, another",
        "meets it; the last day is counted as `dataspace/domain/calendars.py` says, and moved to a working day.",
        "",
        "| clock | article | length | begins with | met by | owes | waits | extension |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for rule in RULES:
        length = f"{rule.length.count} {rule.length.unit.value.replace('-', ' ')}" if rule.length.count else "at once"
        extension = "-"
        if rule.extension is not None:
            added = rule.extension.length
            extension = "once, to a day chosen" if added is None else f"once, {added.count} {added.unit.value}"
        met = ", ".join(rule.stops) or {"duty": "the next check", "limit": "(a limit)"}.get(rule.sense, "(kept)")
        cells = (rule.name.value, rule.article, length + (" before" if rule.backwards else ""), ", ".join(rule.starts))
        lines.append(f"| {' | '.join((*cells, met, rule.owes, rule.waits, extension))} |")
    lines += [
        "",
        "Steps that are recorded by hand (`dataspace clocks record`), each by those who take them:",
        "",
        "| step | article | of | recorded by | about | after |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for step in STEPS:
        cells = (", ".join(sorted(step.subjects)), ", ".join(sorted(step.by)), step.item or "-", ", ".join(step.after))
        lines.append(f"| {' | '.join((step.kind.value, step.article, *cells))} |")
    return "\n".join(lines) + "\n"


def permissions() -> str:
    """Who may do what in which state."""
    from dataspace.domain.permission_page import permission_page

    return permission_page()


def _tree(kind: type[DataspaceError]) -> list[type[DataspaceError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_tree(child))]


def _meanings() -> dict[str, str]:
    """Class name -> meaning, from the tree drawn at the top of the errors module."""
    import dataspace.domain.errors as module

    return dict(re.findall(r"[├└]── (\w+)\s+(.+)", module.__doc__ or ""))


LANGUAGE = """# The query language

A query is one SELECT (with WITH, if you like) that ends in aggregates. Up to its last step every row belongs to one
person, who is called `person` in every table, whatever the source calls them: count persons with
`COUNT(DISTINCT person)`, join tables with `ON a.person = b.person`, group sub-queries by `person` and anything else,
partition windows by `person`. The person key is never shown. Public lookup tables join by an equality with any column.

```sql
WITH first_bleed AS (
  SELECT person, MIN(condition_start_date) AS bled_on
  FROM condition_occurrence WHERE condition_concept_id = 192671
  GROUP BY person
)
SELECT p.sex, BIN(YEAR(b.bled_on) - p.year_of_birth, 20, 100, 10) AS age,
       COUNT(DISTINCT person) AS patients, AVG(CLAMP(YEAR(b.bled_on) - p.year_of_birth, 20, 100)) AS mean_age
FROM person p JOIN first_bleed b ON b.person = p.person
GROUP BY p.sex, age
```

**Groups.** Keys made of coded columns, bounded numbers and dates, `CASE` or `BIN` have a public list of values: every
group is reported, empty ones too, and costs nothing extra. Other keys are found in the data: a group appears if its
noisy number of persons passes a threshold. `WHERE key IN (…)` names the groups yourself.

**Bounds.** Numbers are clamped to the dictionary's bounds, or to yours: `CLAMP(x, low, high)`. One person counts in at
most so many groups and with so many rows in each; the dictionary has defaults, `groups=` and `rows=` change them. What
is beyond is not counted, and the interval does not cover it: every answer states its bounds in `notes`.

**Ratios.** `RATE(a, b)` and `PROPORTION(condition)` take values of a row, not aggregates: `RATE(events, years)`.

**Levels.** `GROUP BY ROLLUP (a, b)`, `CUBE` and `GROUPING SETS` add totals of counts, sums, means and rates. Each
level is measured, then all numbers are moved to the nearest ones that add up. The column `level` names the keys of a
row.

**Analyses.** One analysis may stand in place of the aggregates, beside groups that are known beforehand. It takes one
row of each person, so it usually reads a sub-query grouped by person:

```sql
SELECT p.sex,
       KAPLAN_MEIER(date_diff('day', f.first_drug, COALESCE(f.bled_on, f.last_drug)), f.bled_on IS NOT NULL, 3600, 90)
FROM person p JOIN (
  SELECT d.person, MIN(d.drug_exposure_start_date) AS first_drug, MAX(d.drug_exposure_start_date) AS last_drug,
         MIN(b.condition_start_date) AS bled_on
  FROM drug_exposure d LEFT JOIN condition_occurrence b
    ON b.person = d.person AND b.condition_concept_id = 192671
   AND b.condition_start_date >= d.drug_exposure_start_date
  GROUP BY d.person
) f ON f.person = p.person
GROUP BY p.sex
```

| analysis | a row for each | columns |
|---|---|---|
| `KAPLAN_MEIER` | end of a time step, `time` | `survival`, `at_risk`, `events` |
| `INCIDENCE` | calendar `period` | `rate` a person-year, `events`, `person_years` |
| `CHI_SQUARE` | cell of the table, `a` and `b` | `persons`, `expected`; `statistic`, `degrees_of_freedom`, `p_value` |
| `LINEAR_REGRESSION` | `term` | `coefficient` |
| `LOGISTIC_REGRESSION` | `term` | `coefficient` (log odds ratio), `odds_ratio` |

Times are rounded up to the end of their step; who is left at the horizon is censored. `event_day` of `INCIDENCE` is
NULL without event; its last date is the first day not counted. Covariates are numbers with bounds or conditions
(`sex = 'F'`), at most ten. Intervals of survival, rates and coefficients cover sampling and noise, those of counts the
noise alone. What noise might have made up is empty. An analysis is paid by epsilon or rho.

**The permit.** A query states the `purpose` it serves, a letter of Art. 53(1), where its permit has several. It asks
for nothing but columns and kinds of aggregate of the permit: `persons`, `rows`, `sum`, `mean`, `variance`, `stddev`,
`quantile`, `proportion`, `rate`, or an analysis by its name; a mean needs `mean` alone, and what is computed within
one person's rows is of no kind. With a minimum cell size, rows and numbers of fewer persons *by a noisy count* are
withheld: empty, and flagged `withheld`; groups that had to be found are left out. A query that does not count persons
then pays for counting them. Of a permit for a population nobody else's rows are read. `estimate` checks all of it.

**Order.** `ORDER BY` and `LIMIT` at the end sort and cut the released table; they cost nothing.
"""
"""Opens the page; the tables after it come from the compiler."""

PAGES: dict[str, Callable[[], str]] = {
    "deploy/settings.example.env": settings_example,
    "deploy/api-errors.md": error_codes,
    "deploy/query-language.md": query_language,
    "deploy/deadlines.md": deadlines,
    "deploy/permissions.md": permissions,
}


def demo_sample() -> str:
    """What `make demo` prints of its questions, with seeded noise so that it stays the same."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = {
            "DATASPACE_DEMO_HOME": f"{folder}/node",
            "DATASPACE_MODE": "test",
            "DATASPACE_NOISE": "seeded:2026",
        }
        command = [sys.executable, "deploy/demo/demo.py"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | chosen, capture_output=True, text=True, check=True)
    start = done.stdout.index("\n4.2  ") + 1
    return done.stdout[start : done.stdout.index("\n4.4  ")].rstrip() + "\n"


def main() -> int:
    stale = [name for name, page in PAGES.items() if not _is_current(ROOT / name, page())]
    if "--check" in sys.argv:
        print("\n".join(f"{name} is stale: run make fix" for name in stale))
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(PAGES[name]())
    text = README.read_text()
    README.write_text(SAMPLE.sub(lambda found: found.group(1) + demo_sample() + found.group(2), text))
    return 0


def _is_current(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content


if __name__ == "__main__":
    sys.exit(main())
