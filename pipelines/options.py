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

# a line number between colons is no emoji
out, err = Console(highlight=False, emoji=False), Console(stderr=True, highlight=False, emoji=False)


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

CatalogueFolder = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        envvar="DATASPACE_CATALOGUE_ROOT",
        help="Folder to publish the record in; the node's if the plan has a section catalogue.",
    ),
]
SnapshotName = Annotated[str | None, typer.Argument(help="Snapshot; the current one unless given.")]
PlanFile = Annotated[Path, typer.Argument(help="Ingestion plan (TOML).")]
SourceName = Annotated[
    str | None, typer.Option("--source", help="The delivery (file, folder or address), instead of the plan's location.")
]
BaseUrl = Annotated[
    str, typer.Option("--base-url", envvar="DATASPACE_PUBLIC_URL", help="Address of the node in the record.")
]
Quick = Annotated[bool, typer.Option("--quick", help="Leave the expectations out.")]
Append = Annotated[bool, typer.Option("--append", help="Add the rows to those of the current snapshot.")]
Correct = Annotated[bool, typer.Option("--correct", help="Add rows that were in quarantine and have been mended.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would happen, and store nothing.")]
WithKeys = Annotated[bool, typer.Option("--with-keys", help="Hold erasures and the key against the keystore.")]
Yes = Annotated[bool, typer.Option("--yes", help="Remove them; without it, only say what would go.")]
Version = Annotated[int | None, typer.Option("--to", help="Key version.", show_default="the newest")]

LOCAL = "http://127.0.0.1:8000"
"""Address of a node that has no other."""

INTERRUPTED = "Interrupted: the snapshot before is still current. The same command goes on from here."


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
    except OSError as failure:
        err.print(f"[red]{escape(str(failure.filename))}: cannot be read or written: {failure.strerror}.[/red]")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print(interrupted, soft_wrap=True)
        raise typer.Exit(130) from None
