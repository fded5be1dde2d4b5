"""Patients by region and age with PipelineDP's local engine; runs in the peers' environment.

Reads the rows first, which is not in the time, since it has no reader of its own. Prints JSON.
"""

import json
import resource
import sys
from time import perf_counter

import duckdb
import pipeline_dp

FILES, REGIONS, AGES = json.loads(sys.argv[1]), [f"R{i:02d}" for i in range(13)], list(range(0, 100, 10))

rows = duckdb.sql(f"SELECT person_key, region, age FROM read_parquet({FILES!r}, hive_partitioning = false)").fetchall()
start = perf_counter()
accountant = pipeline_dp.NaiveBudgetAccountant(total_epsilon=1, total_delta=1e-6)
engine = pipeline_dp.DPEngine(accountant, pipeline_dp.LocalBackend())
parameters = pipeline_dp.AggregateParams(
    metrics=[pipeline_dp.Metrics.PRIVACY_ID_COUNT],
    noise_kind=pipeline_dp.NoiseKind.GAUSSIAN,
    max_partitions_contributed=2,
    max_contributions_per_partition=1,
)
extractors = pipeline_dp.DataExtractors(
    privacy_id_extractor=lambda row: row[0],
    partition_extractor=lambda row: (row[1], row[2]),
    value_extractor=lambda row: 0,  # noqa: ARG005
)
groups = [(region, age) for region in REGIONS for age in AGES]
found = engine.aggregate(rows, parameters, extractors, public_partitions=groups)
accountant.compute_budgets()
answer = [[region, age, numbers.privacy_id_count] for (region, age), numbers in found]
seconds = perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
json.dump({"seconds": seconds, "MiB": memory, "answer": answer}, sys.stdout)
