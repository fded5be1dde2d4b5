"""Which node to talk to, and as whom, for the commands that go over the API."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from dataspace.client import Dataspace, InvalidInput

Url = Annotated[str, typer.Option(envvar="DATASPACE_URL", help="address of the node")]
Token = Annotated[str, typer.Option(envvar="DATASPACE_TOKEN", help="personal access token; better in the environment")]

LOCAL = "http://127.0.0.1:8000"


def connect(url: str, token: str, permit: str | None = None) -> Dataspace:
    """A session; the token is sent as a header and never printed."""
    return Dataspace(url, token, permit=permit)


def read_text(file: Path) -> str:
    """Raises InvalidInput for what is not text, OSError for what cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not text in UTF-8") from None


def read_fields(file: Path) -> dict[str, Any]:
    """What a .toml or .json file holds by name; raises InvalidInput."""
    try:
        fields = json.loads(read_text(file)) if file.suffix == ".json" else tomllib.loads(read_text(file))
    except ValueError as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from None
    if not isinstance(fields, dict):
        raise InvalidInput(f"{file} holds no fields: write them by name")
    return fields
