"""The validation worker: a process of its own, because importing Great Expectations takes ten seconds.

Reads one JSON job from standard input ({"database", "memory", "tables": [{"table", "expectations"}]}), writes one JSON
list of outcomes to standard output. Outcomes hold counts, never values.
"""

import json
import os
import sys
from typing import Any

SUMMARY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
"""With these, results carry counts and no value of the data."""


def main() -> None:
    """Import first, while the caller still maps rows; then wait for the job."""
    answer = os.dup(1)
    # whatever the libraries print must not mix with the answer
    os.dup2(2, 1)
    import great_expectations

    from pipelines.quality import gx_duckdb  # noqa: F401

    text = sys.stdin.read()
    if text:
        with os.fdopen(answer, "w", encoding="utf-8") as out:
            json.dump(validate(great_expectations, json.loads(text)), out)


def validate(gx: Any, job: dict[str, Any]) -> list[dict[str, Any]]:
    """One outcome for each expectation of the job, in its order."""
    context = gx.get_context(mode="ephemeral")
    bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    context.variables.progress_bars = bars
    source = context.data_sources.add_duckdb(
        "snapshot",
        connection_string=f"duckdb:///{job['database']}",
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": True, "config": {"threads": 2, "memory_limit": job["memory"]}}},
    )
    return [outcome for table in job["tables"] for outcome in _validate_table(gx, source, table)]


def _validate_table(gx: Any, source: Any, table: dict[str, Any]) -> list[dict[str, Any]]:
    asset = source.add_table_asset(table["table"], table_name=table["table"])
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    suite = gx.ExpectationSuite(name=table["table"])
    for number, wanted in enumerate(table["expectations"]):
        make = getattr(gx.expectations, wanted["expect"])
        suite.add_expectation(make(**wanted["arguments"], meta={"number": number}))
    found: list[dict[str, Any] | None] = [None] * len(table["expectations"])
    for result in batch.validate(suite, result_format=SUMMARY).results:
        counts = result.result or {}
        found[result.expectation_config.meta["number"]] = {
            "success": bool(result.success),
            "checked": counts.get("element_count"),
            "failed": counts.get("unexpected_count"),
            "computed": not result.exception_info.get("raised_exception", False),
        }
    return [outcome or {"success": False, "checked": None, "failed": None, "computed": False} for outcome in found]


if __name__ == "__main__":
    main()
