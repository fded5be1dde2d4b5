"""Options that commands share, and how what goes wrong on purpose ends: as one line and exit code 1."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from catalog.errors import CatalogError
from pipelines.errors import PipelineError

out, err = Console(highlight=False), Console(stderr=True, highlight=False)


def home(folder: str) -> Path:
    """A folder of the node."""
    return Path(os.environ.get("DATASPACE_HOME") or ".dataspace/node") / folder


StoreFolder = Annotated[
    Path,
    typer.Option(
        "--store",
        envvar="DATASPACE_STORE_ROOT",
        default_factory=lambda: home("store"),
        help="Folder of the store.",
        show_default="the node's: DATASPACE_HOME/store",
    ),
]
KeyFolder = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        help="Folder of the keystore, apart from the store.",
        show_default="the node's: DATASPACE_KEYSTORE, DATASPACE_KEY_ROOT or DATASPACE_HOME/keys",
    ),
]


@contextmanager
def refusals(
    interrupted: str = "Interrupted: whatever takes the dataset next undoes or finishes what was begun.",
) -> Iterator[None]:
    """What can go wrong on purpose ends as one line and exit code 1, Ctrl-C as the line `interrupted`."""
    try:
        yield
    except (PipelineError, CatalogError) as failure:
        err.print(f"[red]{escape(str(failure))}[/red]", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print(interrupted)
        raise typer.Exit(130) from None
