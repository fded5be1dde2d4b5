PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo serve test check fix bench bench-large bench-peers lock

help:
	@echo "make demo    set up and run the whole path: files in, private answers out"
	@echo "make serve   portal and API of the demo node on 127.0.0.1:8000; another port with PORT=8001"
	@echo "make test    set up and run every test"
	@echo "make check   lint, types, import contracts, generated pages: what CI checks"
	@echo "make fix     repair what can be repaired automatically"
	@echo "make bench   speed as ratios against DuckDB; list pages at 10,000 applications"
	@echo "make lock    resolve requirements.lock anew"

setup:
	@$(PYTHON) deploy/setup_venv.py

demo: setup
	@$(BIN)/python deploy/demo/demo.py

serve: setup
	@$(BIN)/dataspace serve --demo $(if $(PORT),--port $(PORT))

test: setup check
	@$(BIN)/pytest -n 2 --dist loadfile

check: setup
	@$(BIN)/python deploy/check.py

fix: setup
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .
	@$(BIN)/python deploy/generate.py

bench: setup
	@$(BIN)/python deploy/bench/bench.py
	@$(BIN)/python deploy/bench/lists.py --write

# time and memory at 100 million rows, queries and ingestion; half an hour and 20 GB of disk
bench-large: setup
	@$(BIN)/python deploy/bench/large.py
	@$(BIN)/python deploy/bench/ingestion.py --rows 100000000 --against 10000000

# against SmartNoise SQL and PipelineDP, in an environment of their own; some ten minutes and 10 GB of memory
bench-peers: setup
	@$(BIN)/python deploy/bench/peers/compare.py --rows 10000000

lock: setup
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" -q -o requirements.lock
