"""The command line: `dataspace serve` and the operator's actions on this machine; the others' over the node's API."""

import sys

import typer
from pydantic import ValidationError

from dataspace.cli import (
    access,
    activity,
    asking,
    budgets,
    clocks,
    datasets,
    deciding,
    decisions,
    drafting,
    holding,
    ledger,
    opt_outs,
    organisations,
    people,
    serving,
    signed,
    working,
)
from dataspace.client.errors import DataspaceError as RemoteError
from dataspace.domain.errors import DataspaceError
from pipelines.errors import PipelineError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("serve")(serving.serve)
app.command("ingest")(holding.ingest)
holding.add_holding(datasets.app)
app.add_typer(holding.keys, name="key")
app.add_typer(people.app, name="person")
access.add_access(people.app)
app.add_typer(access.tokens, name="token")
app.add_typer(organisations.app, name="organisation")
app.add_typer(datasets.app, name="dataset")
app.add_typer(ledger.app, name="audit")
drafting.add_drafting(deciding.applications)
app.add_typer(deciding.applications, name="application")
app.add_typer(deciding.permits, name="permit")
decisions.add_decisions(deciding.applications, deciding.permits)
app.add_typer(decisions.exclusions, name="exclusion")
app.add_typer(budgets.app, name="budget")
app.add_typer(opt_outs.app, name="opt-out")
app.add_typer(activity.app, name="report")
app.command("estimate")(asking.estimate)
app.command("query")(asking.query)
app.add_typer(clocks.app, name="clocks")
app.add_typer(working.messages, name="message")
app.command("work")(working.work)
app.add_typer(signed.keys, name="keys")
app.add_typer(signed.ledger, name="ledger")
app.command("verify-permit")(signed.verify_permit)
app.command("cross-check")(signed.cross_check)


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
