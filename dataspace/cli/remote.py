"""Which node to talk to, and as whom, for the commands that go over the API."""

from typing import Annotated

import typer

from dataspace.client import Dataspace

Url = Annotated[str, typer.Option(envvar="DATASPACE_URL", help="address of the node")]
Token = Annotated[str, typer.Option(envvar="DATASPACE_TOKEN", help="personal access token; better in the environment")]


def connect(url: str, token: str, permit: str | None = None) -> Dataspace:
    """A session; the token is sent as a header and never printed."""
    return Dataspace(url, token, permit=permit)
