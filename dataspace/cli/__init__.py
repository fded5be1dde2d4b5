"""The command line: `dataspace serve` and the operator's actions on this machine; the others' over the node's API."""

import sys

import typer
from pydantic import ValidationError

from dataspace.cli import asking, budgets, datasets, deciding, holding, ledger, opt_outs, people, serving
from dataspace.client.errors import DataspaceError as RemoteError
from dataspace.domain.errors import DataspaceError
from pipelines.errors import PipelineError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("serve")(serving.serve)
app.command("ingest")(holding.ingest)
holding.add_holding(datasets.app)
app.add_typer(holding.keys, name="key")
app.add_typer(people.app, name="person")
app.add_typer(datasets.app, name="dataset")
app.add_typer(ledger.app, name="audit")
app.add_typer(deciding.applications, name="application")
app.add_typer(deciding.permits, name="permit")
app.add_typer(budgets.app, name="budget")
app.add_typer(opt_outs.app, name="opt-out")
app.command("estimate")(asking.estimate)
app.command("query")(asking.query)


def main() -> None:
    """Run a command; what a person can mend is said in one line, without a traceback."""
    try:
        app()
    except (DataspaceError, RemoteError, PipelineError) as error:
        sys.exit(f"dataspace: {error}")
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip() for fault in error.errors())
        sys.exit(f"dataspace: {faults}")
    except OSError as error:
        sys.exit(f"dataspace: {error.strerror}: {error.filename or ''}".rstrip(": "))
