"""THE table is complete: every field of every type has a row, and the names agree."""

from dataclasses import fields

import pytest

from catalog.fields import Field, Form
from catalog.messages import Cause, words
from catalog.namespaces import PREFIXES
from catalog.parts import CLASSES, NodeClass

ROWS = [(node, field) for node in CLASSES.values() for field in node.fields]


@pytest.mark.parametrize("node", CLASSES.values(), ids=lambda node: node.name)
def test_every_field_of_a_type_has_one_row(node: NodeClass) -> None:
    rows = [field.name for field in node.fields]
    held = {field.name for field in fields(node.holds)} - {"iri"}
    assert sorted(rows) == sorted(held)
    assert set(node.any_of) <= set(rows)


@pytest.mark.parametrize(("node", "field"), ROWS, ids=lambda value: getattr(value, "name", ""))
def test_every_row_is_well_made(node: NodeClass, field: Field) -> None:
    assert field.term.split(":")[0] in PREFIXES
    assert (field.form is Form.NODE) == bool(field.node)
    assert not field.node or field.node in CLASSES
    assert all(value.startswith(field.base) for value in field.closed)
    assert all((field.label.en, field.label.fr, field.help.en, field.help.fr))


@pytest.mark.parametrize("node", CLASSES.values(), ids=lambda node: node.name)
def test_no_term_stands_for_two_fields_of_a_class(node: NodeClass) -> None:
    terms = [field.term for field in node.fields]
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_in_both_languages(cause: Cause) -> None:
    message, mend = words(cause, CLASSES["Dataset"].fields[3])
    assert message.en != message.fr
    assert all((message.en, message.fr, mend.en, mend.fr))
    assert "{" not in message.en + message.fr + mend.en + mend.fr
    assert words(cause, None)[0].en
