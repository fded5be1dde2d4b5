"""The validation worker: a process of its own, because importing Great Expectations takes seconds.

Reads one JSON job from standard input ({"database", "memory", "spill", "views": [{"view", "expectations"}]}) and writes
one JSON object to standard output: the outcome of each expectation by its number. Outcomes hold counts, never values.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import Any

SUMMARY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
"""With these, results carry counts and no value of the data."""


UNUSED = ("scipy", "scipy.stats")
"""What the library imports for expectations we do not make, a third of its time."""

NOT_COMPUTED = {"success": False, "checked": None, "failed": None, "computed": False}


def main() -> None:
    """Import first, while the caller still maps rows; then wait for the job."""
    # the caller's cores first: what they leave idle is enough for the imports
    os.nice(10)
    answer = os.dup(1)
    # whatever the libraries print must not mix with the answer
    os.dup2(2, 1)
    for name in UNUSED:
        _import_when_used(name)
    import great_expectations

    from pipelines.quality import gx_duckdb  # noqa: F401

    text = sys.stdin.read()
    if text:
        with os.fdopen(answer, "w", encoding="utf-8") as out:
            json.dump(validate(great_expectations, json.loads(text)), out)
        # taking so many modules down in order takes half a second, and nothing else is open
        os._exit(0)


def _import_when_used(name: str) -> None:
    """Put off the work of an import to the first use of the module."""
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    package, _, inside = name.rpartition(".")
    if package:
        setattr(sys.modules[package], inside, module)


def validate(gx: Any, job: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The outcome of each expectation of the job, by its number."""
    context = gx.get_context(mode="ephemeral")
    bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    context.variables.progress_bars = bars
    limits = {"threads": 2, "memory_limit": job["memory"], "temp_directory": job["spill"]}
    source = context.data_sources.add_duckdb(
        "snapshot",
        connection_string=f"duckdb:///{job['database']}",
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": True, "config": limits}},
    )
    found = {number: outcome for asked in job["views"] for number, outcome in _validate_view(gx, source, asked)}
    # the library leaves out an expectation whose metrics it could not compute at all
    wanted = (n for view in job["views"] for asked in view["expectations"] for n in asked["numbers"])
    return {number: found.get(number, NOT_COMPUTED) for number in wanted}


def _validate_view(gx: Any, source: Any, asked: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    asset = source.add_table_asset(asked["view"], table_name=asked["view"])
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    suite = gx.ExpectationSuite(name=asked["view"])
    for wanted in asked["expectations"]:
        make = getattr(gx.expectations, wanted["expect"])
        suite.add_expectation(make(**wanted["arguments"], meta={"numbers": wanted["numbers"]}))
    for result in batch.validate(suite, result_format=SUMMARY).results:
        counts = result.result or {}
        outcome = {
            "success": bool(result.success),
            "checked": _filled(counts),
            "failed": counts.get("unexpected_count"),
            "computed": not _raised(result.exception_info),
        }
        for number in result.expectation_config.meta["numbers"]:
            yield number, outcome


def _filled(counts: dict[str, Any]) -> int | None:
    """Rows the expectation looked at: those without a value pass unseen, unless that is what was asked."""
    rows, missing = counts.get("element_count"), counts.get("missing_count")
    return rows if rows is None or missing is None else rows - missing


def _raised(info: dict[str, Any]) -> bool:
    """An exception of the expectation itself, or of one of the metrics it needs, which are listed by their names."""
    details = info.values() if info and "raised_exception" not in info else [info]
    return any(detail.get("raised_exception", False) for detail in details)


if __name__ == "__main__":
    main()
