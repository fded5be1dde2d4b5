"""Patients by region and age with SmartNoise SQL on a pandas frame; runs in the peers' environment.

Loading the frame is not in the time. Prints JSON.
"""

import json
import resource
import sys
import warnings
from time import perf_counter

import duckdb
import snsql

warnings.simplefilter("ignore")
FILES = json.loads(sys.argv[1])
TABLE = {
    "max_ids": 2,
    "sample_max_ids": True,
    "censor_dims": False,
    "person_key": {"type": "int", "private_id": True},
    "region": {"type": "string"},
    "age": {"type": "int"},
}

frame = duckdb.sql(f"SELECT person_key, region, age FROM read_parquet({FILES!r}, hive_partitioning = false)").df()
start = perf_counter()
reader = snsql.from_df(frame, privacy=snsql.Privacy(epsilon=1.0, delta=1e-6), metadata={"": {"db": {"stays": TABLE}}})
found = reader.execute("SELECT region, age, COUNT(DISTINCT person_key) AS n FROM db.stays GROUP BY region, age")
seconds = perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
answer = [[region, int(age), float(n)] for region, age, n in found[1:]]
json.dump({"seconds": seconds, "MiB": memory, "answer": answer}, sys.stdout)
