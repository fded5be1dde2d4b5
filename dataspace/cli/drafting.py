"""`dataspace application`: drafts under a form, what is missing in them, submitting, differences, attachments."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dataspace.cli.remote import LOCAL, Token, Url, connect, read_fields
from dataspace.client import InvalidInput
from dataspace.client.forms import content_of
from dataspace.wire.forms import Content, DraftEntry, Form, FormField


class Language(StrEnum):
    EN = "en"
    FR = "fr"


Missing = Annotated[list[str], typer.Option("--missing", help="section.field=what is missing; as often as needed")]
OF_CORE = {
    "scope": 'columns = [["dataset", "table", "*"]]',
    "guarantee": 'requested = { epsilon = "1", delta = "0.000001" }',
    "period": "valid_from = 2027-01-01T00:00:00Z\n# valid_until = 2028-01-01T00:00:00Z",
    "tabulation": 'tabulation = [{ name = "by_sex", sql = "SELECT …", epsilon = "0.5" }]',
    "purposes": 'purposes = ["e"]',
    "persons": "persons = []",
    "legal_basis": 'legal_basis = "e"',
}


def form(name: str, url: Url = LOCAL, language: Language = Language.EN) -> None:
    """What the form NAME asks, as a file to fill in: access-application or data-request."""
    typer.echo(_template(connect(url, "").form(name), language))


def draft(file: Path, token: Token, url: Url = LOCAL) -> None:
    """Begin a draft from FILE (.toml or .json; `dataspace application form` prints one), and say what is missing."""
    _tell(connect(url, token).begin_draft(content_of(read_fields(file))))


def edit(application: str, file: Path, token: Token, url: Url = LOCAL) -> None:
    """Replace what was written by FILE, in a draft or a returned application; its attachments stay."""
    node = connect(url, token)
    before = node.draft(application)
    content = _with_attachments(content_of(read_fields(file)), before)
    _tell(node.rewrite_draft(application, content, version=before.version))


def missing(application: str, token: Token, url: Url = LOCAL) -> None:
    """What is missing in a draft, and what the access body asked for."""
    _tell(connect(url, token).draft(application))


def submit(application: str, token: Token, url: Url = LOCAL) -> None:
    """Hand in a complete draft, or a returned application that was completed."""
    typer.echo(connect(url, token).submit(application).state)


def return_for_completion(application: str, token: Token, missing: Missing, url: Url = LOCAL) -> None:
    """Send an application back with what is missing, field by field; it can be completed for four weeks."""
    parts = [one.partition("=") for one in missing]
    if not all(sign for _, sign, _ in parts):
        raise InvalidInput("write --missing section.field='what is missing'")
    said = {field: text for field, _, text in parts}
    typer.echo(connect(url, token).return_for_completion(application, said).state)


def versions(application: str, token: Token, url: Url = LOCAL) -> None:
    """Every submitted version of an application."""
    for entry in connect(url, token).versions(application):
        typer.echo(f"{entry.version}  {entry.submitted_at.isoformat()}  {entry.content.title}")


def differences(
    application: str, token: Token, url: Url = LOCAL, before: int | None = None, after: int | None = None
) -> None:
    """What differs between two submitted versions, by default the last two."""
    for entry in connect(url, token).differences(application, before, after):
        typer.echo(f"{entry.field}  ({entry.label.en})\n  - {_said(entry.before)}\n  + {_said(entry.after)}")


def attach(application: str, field: str, file: Path, token: Token, url: Url = LOCAL) -> None:
    """Add FILE to the answer of FIELD (`section.field`): pdf, doc, docx, xls, xlsx or odt, at most 1 MB."""
    entry = connect(url, token).attach(application, field, file)
    typer.echo(f"{entry.id}  {entry.size} bytes  {entry.sha256}")


def download(application: str, attachment: str, file: Path, token: Token, url: Url = LOCAL) -> None:
    """Save an attachment as FILE, which must not exist yet."""
    content = connect(url, token).download(application, attachment)
    with file.open("xb") as target:
        target.write(content)
    typer.echo(f"{file}  {len(content)} bytes")


def add_drafting(applications: typer.Typer) -> None:
    """Put these commands beside those of filing in one step."""
    for command in (form, draft, edit, missing, submit, versions, differences, attach, download):
        applications.command()(command)
    applications.command("return")(return_for_completion)


def _tell(entry: DraftEntry) -> None:
    typer.echo(f"{entry.id}  {entry.state}  {entry.number}  {entry.content.title}")
    if entry.returned is not None and entry.state == "incomplete":
        for asked in entry.returned.missing:
            typer.echo(f"asked for  {asked.field}: {asked.text}")
    for fault in entry.missing:
        typer.echo(f"missing    {fault.field}: {fault.text}")
    if not entry.missing:
        typer.echo("complete: submit it")


def _with_attachments(content: Content, before: DraftEntry) -> Content:
    """Files that were attached stay where they were, unless the new content says otherwise."""
    answers = {section: dict(fields) for section, fields in content.answers.items()}
    for file in before.attachments:
        section, field = file.field.split(".", 1)
        kept = before.content.answers.get(section, {}).get(field)
        if kept is not None:
            answers.setdefault(section, {}).setdefault(field, kept)
    return content.model_copy(update={"answers": answers})


def _said(value: Any) -> str:
    return "(nothing)" if value is None else str(value)


def _template(form: Form, language: Language) -> str:
    """The form as TOML with every question as a comment: the typed heart first, as TOML wants it, then the answers."""
    lines = [f"# {getattr(form.title, language)}, version {form.version}. Take away the # of what you answer."]
    lines += [f'kind = "{form.name}"', f"form_version = {form.version}"]
    for section in form.sections:
        for field in section.fields:
            if field.core:
                lines += [*_asked(field, language), "# " + OF_CORE.get(field.core, field.core + ' = ""')]
    for section in form.sections:
        others = [field for field in section.fields if not field.core and field.kind != "derived"]
        if others:
            lines += ["", f"[answers.{section.id}]", f"# {getattr(section.title, language)}"]
        for field in others:
            lines += [*_asked(field, language), f"# {field.id} = {_example(field)}"]
    return "\n".join(lines)


def _asked(field: FormField, language: Language) -> list[str]:
    marks = ["mandatory"] if field.mandatory else []
    marks += [f"if {one.field} is {' or '.join(one.among) or 'empty'}" for one in field.when]
    marks += [f"at most {field.words} words"] if field.words else []
    marks += [f"one of {', '.join(field.choices)}"] if field.choices else []
    texts = [getattr(field.label, language), getattr(field.help, language)]
    return ["", "# " + " - ".join(text for text in texts if text), *([f"# ({'; '.join(marks)})"] if marks else [])]


def _example(field: FormField) -> str:
    if field.kind == "entries":
        return "[{ " + ", ".join(f"{inner.id} = {_example(inner)}" for inner in field.entry) + " }]"
    examples = {"confirmation": "true", "number": "0", "attachment": "[]", "several": "[]", "date": "2026-12-31"}
    return examples.get(field.kind, '""')
