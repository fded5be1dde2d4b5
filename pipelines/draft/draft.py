"""The straight line from files to a draft."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.draft.delivery import Found, find
from pipelines.draft.form import About, Draft, DraftTable, LeftOut
from pipelines.draft.identity import normalisation
from pipelines.draft.looked import Looked, look_at, null_word, read
from pipelines.draft.measure import Look
from pipelines.draft.omop import is_omop
from pipelines.draft.omop_draft import draft_model
from pipelines.draft.schemas import schema_beside
from pipelines.draft.several import draft_tables, see_together
from pipelines.errors import SourceError
from pipelines.plan import SourcePlan
from pipelines.readers import open_source


def make_draft(
    files: Sequence[Path | str], about: About, plan_folder: Path, options: Mapping[str, str] | None = None
) -> Draft:
    """A draft of the delivery in `files`, for a plan that will lie in `plan_folder`; raises SourceError.

    `files` are files of one folder, a folder, a database file, or the URL of a database; `options` are of the source.
    """
    found = find(files, plan_folder, options)
    with _opened(found) as look:
        tables, out = _looked(look, found)
        null = null_word(tables) if found.source.format == "csv" else ""
        if not null:
            return _draft(look, tables, out, about, found.source)
    # known now: the reader takes the word for an empty cell, and everything is looked at again
    found = replace(found, source=replace(found.source, options={**found.source.options, "null": null}))
    with _opened(found) as look:
        return _draft(look, *_looked(look, found), about, found.source)


@contextmanager
def _opened(found: Found) -> Iterator[Look]:
    location: Any = found.location
    with open_source(found.source.format, location, found.source.options) as source, Look(source) as look:
        yield look


def _looked(look: Look, found: Found) -> tuple[list[Looked], list[LeftOut]]:
    """Facts of the wanted tables, and those that cannot be looked at; raises SourceError if there is none at all."""
    seen = [_seen(look, found, t) for t in look.source.tables() if found.has(t)]
    tables, out = [t for t in seen if isinstance(t, Looked)], [t for t in seen if isinstance(t, LeftOut)]
    if not tables:
        raise SourceError(f"{found.location}: no table of it can be drafted. {_reasons(out) or 'It has none.'}")
    return tables, out


def _reasons(out: Sequence[LeftOut]) -> str:
    return " ".join(f"{o.name}: {o.why.rstrip('.')}." for o in out)


def _seen(look: Look, found: Found, table: str) -> Looked | LeftOut:
    refused = found.other.get(table.lower())
    return LeftOut(table, refused) if refused else look_at(look, table, schema_beside(found.folder, table))


def _draft(look: Look, tables: list[Looked], out: list[LeftOut], about: About, source: SourcePlan) -> Draft:
    tables = [replace(t, readings=read(look, t)) for t in tables]
    if is_omop(look.source.tables()):
        return draft_model(look, tables, out, about, source)
    seen = see_together(look, tables, about.public)
    made = draft_tables(seen)
    if not any(isinstance(m, DraftTable) for m in made):
        raise SourceError(
            f"Nothing of the delivery can be kept. {_reasons([m for m in made if isinstance(m, LeftOut)])}"
        )
    return Draft(
        about=about,
        source=source,
        tables=tuple(m for m in made if isinstance(m, DraftTable)),
        normalise=normalisation(look, [t.key(p) for t in tables if (p := seen.person(t))]),
        left_out=(*out, *(m for m in made if isinstance(m, LeftOut))),
    )
