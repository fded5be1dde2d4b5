"""The forms of this node: read once from the TOML files beside this module, and checked as they are read."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

from dataspace.domain.applications import ApplicationForm, ApplicationKind
from dataspace.domain.errors import NotFound
from dataspace.domain.forms.definition import CORE_KINDS, LANGUAGES, Condition, Definition, Field, Kind, Said, Section

CORE = frozenset(field.name for field in fields(ApplicationForm))
_OF_FIELD = "id kind en fr mandatory when public article core words choices entry"


@cache
def definitions() -> Mapping[tuple[str, int], Definition]:
    """Every version of every form, by name and version."""
    records = [tomllib.loads(file.read_text("utf-8")) for file in _files()]
    by_key = {(str(record["name"]), int(record["version"])): record for record in records}
    return {key: _definition(record, by_key) for key, record in sorted(by_key.items())}


def definition(name: str, version: int | None = None) -> Definition:
    """One version of a form, the newest without `version`. Raises NotFound."""
    versions = [number for known, number in definitions() if known == name]
    found = definitions().get((name, version or max(versions, default=0)))
    if found is None:
        known = ", ".join(sorted({known for known, _ in definitions()}))
        raise NotFound(f"there is no such form or no such version of it; the forms are {known}")
    return found


def newest(kind: ApplicationKind) -> Definition:
    """The form that a new case of this kind is written under."""
    return definition(kind.value)


def _files() -> list[Any]:
    folder = files("dataspace.domain.forms")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _definition(record: Mapping[str, Any], known: Mapping[tuple[str, int], Mapping[str, Any]]) -> Definition:
    sections = [_section(section, record, known) for section in record["section"]]
    made = Definition(record["name"], record["version"], record["article"], _said(record, 0), tuple(sections))
    _check(made)
    return made


def _section(
    record: Mapping[str, Any], whole: Mapping[str, Any], known: Mapping[tuple[str, int], Mapping[str, Any]]
) -> Section:
    """A section of its own, or the one of another form (`from`: name and version) less the fields `without`."""
    if "from" not in record:
        return _own_section(record, whole["choices"])
    other = known[record["from"][0], record["from"][1]]
    source = next(section for section in other["section"] if section["id"] == record["id"])
    kept = [field for field in source["field"] if field["id"] not in record.get("without", ())]
    if len(kept) + len(record.get("without", ())) != len(source["field"]):
        raise ValueError(f"section {record['id']} leaves out a field that is not there")
    return _own_section(
        {**source, **record, "field": kept + record.get("field", [])}, {**whole.get("choices", {}), **other["choices"]}
    )


def _own_section(record: Mapping[str, Any], choices: Mapping[str, Any]) -> Section:
    asked = tuple(_field(field, choices) for field in record["field"])
    return Section(record["id"], _said(record, 0), _said(record, 1), record.get("article", ""), asked)


def _field(record: Mapping[str, Any], choices: Mapping[str, Any]) -> Field:
    unknown = set(record) - set(_OF_FIELD.split())
    if unknown:
        raise ValueError(f"field {record['id']} has {', '.join(sorted(unknown))}, which means nothing")
    named = record.get("choices")
    return Field(
        id=record["id"],
        kind=Kind(record["kind"]),
        label=_said(record, 0),
        help=_said(record, 1),
        mandatory=record.get("mandatory", False),
        when=tuple(Condition(one["field"], tuple(one.get("among", ()))) for one in record.get("when", ())),
        public=record.get("public", False),
        article=record.get("article", ""),
        core=record.get("core", ""),
        words=record.get("words"),
        choices={code: Said(*texts) for code, texts in choices[named].items()} if named else None,
        entry=tuple(_field(one, choices) for one in record.get("entry", ())),
    )


def _said(record: Mapping[str, Any], place: int) -> Said:
    """`en = ["label", "help"]`, and the same in French."""
    return Said(*(str(record[language][place]) if len(record[language]) > place else "" for language in LANGUAGES))


def _check(form: Definition) -> None:
    """Raises ValueError for a definition that contradicts itself."""
    asked = form.by_address
    if len(asked) != sum(len(section.fields) for section in form.sections):
        raise ValueError(f"{form.name}: two fields have one address")
    for address, field in asked.items():
        wrong = [
            field.core not in CORE | {""},
            field.kind in CORE_KINDS and not field.core,
            (field.kind in (Kind.CHOICE, Kind.SEVERAL)) != (field.choices is not None),
            (field.kind is Kind.ENTRIES) != bool(field.entry),
            any(one.field not in asked for one in field.when),
            any(inner.kind is Kind.ENTRIES or inner.core for inner in field.entry),
        ]
        if any(wrong):
            raise ValueError(f"{form.name}: {address} contradicts itself (rule {wrong.index(True)})")
