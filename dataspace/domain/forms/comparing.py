"""What differs between two submissions, field by field, and the part of one that everybody may read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataspace.domain.applications import Written
from dataspace.domain.forms.answers import core_values, form_of, values_of
from dataspace.domain.forms.definition import Said

PUBLIC_CORE = ("title", "purposes", "lay_summary")
"""What of a short application is public."""


@dataclass(frozen=True)
class Difference:
    """One field whose answer is another; None where there is none."""

    address: str
    label: Said
    before: Any
    after: Any


def differences(before: Written, after: Written) -> tuple[Difference, ...]:
    """Every field that differs, in the order of the newer form."""
    old, new, labels = _values(before), _values(after), _labels(before) | _labels(after)
    order = [*_labels(after), *(address for address in labels if address not in _labels(after))]
    return tuple(
        Difference(address, labels[address], old.get(address), new.get(address))
        for address in order
        if old.get(address) != new.get(address)
    )


def public_part(written: Written) -> Mapping[str, Any]:
    """`section.field` to answer, of the fields that are public by the form (section 2: Art. 57(1)(j)), no others."""
    form = form_of(written)
    if form is None:
        plain = core_values(written.form)
        return {name: plain[name] for name in PUBLIC_CORE if plain[name]}
    public = {address for address, field in form.fields() if field.public}
    return {address: value for address, value in values_of(form, written).items() if address in public}


def _values(written: Written) -> Mapping[str, Any]:
    form = form_of(written)
    if form is not None:
        return values_of(form, written)
    return {name: value for name, value in core_values(written.form).items() if value}


def _labels(written: Written) -> dict[str, Said]:
    form = form_of(written)
    if form is not None:
        return {address: field.label for address, field in form.fields()}
    return {name: Said(name) for name in core_values(written.form)}
