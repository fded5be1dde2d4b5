"""`dataspace dataset draft`: write a first ingestion plan by looking at the files. Parses, calls, prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from pipelines.options import err, out


def draft_command(
    files: Annotated[list[str], typer.Argument(help="Files of one delivery, its folder, or a database (file or URL).")],
    plan: Annotated[Path | None, typer.Option("--out", help="The plan to write; <id>.toml unless given.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="Identifier of the dataset in URLs and queries.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title of the dataset.")] = None,
    holder: Annotated[str, typer.Option("--holder", help="Name of the data holder.")] = "Data holder (check)",
    email: Annotated[str | None, typer.Option("--email", help="Address of the data holder.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Pseudonymisation domain.")] = None,
    public: Annotated[
        list[str] | None, typer.Option("--public", help="A table that is about nobody: a code list, an aggregate.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="An option of the source, as in --option schema=raw.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a plan that is already there.")] = False,
) -> None:
    """Write a first ingestion plan by looking at the files of a delivery, for the holder to edit."""
    from catalog.values import is_slug
    from pipelines.draft.draft import make_draft
    from pipelines.draft.form import About
    from pipelines.draft.summary import summary
    from pipelines.draft.write import written
    from pipelines.errors import PipelineError
    from pipelines.plan_file import parse_plan

    name = id_ or _slug(files[0])
    if not is_slug(name):
        _refuse(f"{name!r} is no identifier: lower-case letters, digits, '-' and '_'. Choose one with --id.")
    file = plan or Path(f"{name}.toml")
    if file.exists() and not force:
        _refuse(f"{file} is already there. Choose another file with --out, or overwrite it with --force.")
    about = About(
        id=name,
        title=title or name,
        holder={"name": holder} | ({"email": email} if email else {}),
        domain=domain or name.replace("_", "-"),
        public=frozenset(public or ()),
    )
    try:
        draft = make_draft(list(files), about, file.parent, _options(option or ()))
        text = written(draft)
        parse_plan(text, file)
    except PipelineError as failure:
        _refuse(str(failure))
    file.write_text(text, encoding="utf-8")
    for line in summary(draft, file):
        out.print(escape(line), soft_wrap=True)


def _options(given: Sequence[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in given]
    if not all(name and sign for name, sign, _ in pairs):
        _refuse("An option is a name and a value, as in --option schema=raw.")
    return {name: value for name, _, value in pairs}


def _slug(file: str) -> str:
    """An identifier made of the file's name without its endings, or of the last part of a URL."""
    from pipelines.draft.names import words_of

    name = file.rstrip("/").rpartition("/")[2] if "://" in file else Path(file).resolve().name
    return words_of(name.split(".")[0].split("?")[0]).replace("_", "-")[:64].strip("-") or "dataset"


def _refuse(why: str) -> NoReturn:
    err.print(f"[red]{escape(why)}[/red]", soft_wrap=True)
    raise typer.Exit(1)
