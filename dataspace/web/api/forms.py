"""The forms themselves, for everyone: what they ask, in English and French."""

from typing import Annotated

from fastapi import APIRouter, Query

from dataspace.domain.forms import Definition, Field, Said, definition, definitions
from dataspace.web.auth import Identifier
from dataspace.wire import forms as shapes

router = APIRouter(prefix="/forms", tags=["forms"])

Version = Annotated[int | None, Query(ge=1, le=1000, description="the newest, if it is not said")]


@router.get("")
def list_forms() -> list[shapes.FormEntry]:
    """Every version of every form."""
    return [
        shapes.FormEntry(name=form.name, version=form.version, article=form.article, title=_said(form.title))
        for form in definitions().values()
    ]


@router.get("/{name}")
def get_form(name: Identifier, version: Version = None) -> shapes.Form:
    """One form: its sections, its fields, when each is asked, and what is public."""
    return _form(definition(name, version))


def _form(form: Definition) -> shapes.Form:
    sections = [
        shapes.FormSection(
            id=section.id,
            title=_said(section.title),
            help=_said(section.help),
            article=section.article,
            fields=[_field(field) for field in section.fields],
        )
        for section in form.sections
    ]
    return shapes.Form(
        name=form.name, version=form.version, article=form.article, title=_said(form.title), sections=sections
    )


def _field(field: Field) -> shapes.FormField:
    return shapes.FormField(
        id=field.id,
        kind=field.kind.value,
        label=_said(field.label),
        help=_said(field.help),
        mandatory=field.mandatory,
        when=[shapes.Condition(field=one.field, among=list(one.among)) for one in field.when],
        public=field.public,
        article=field.article,
        core=field.core,
        words=field.words,
        choices={code: _said(text) for code, text in field.choices.items()} if field.choices else None,
        entry=[_field(inner) for inner in field.entry],
    )


def _said(text: Said) -> shapes.Said:
    return shapes.Said(en=text.en, fr=text.fr)
