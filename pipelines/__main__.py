"""`python -m pipelines`."""

from pipelines.cli import main_app

main_app()(prog_name="python -m pipelines")
