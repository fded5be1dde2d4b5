"""One value of a field as an RDF term, and back."""

import calendar
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rdflib import XSD, Literal, URIRef
from rdflib.term import Node

from catalog.fields import Field, Form
from catalog.quality import Element, LabelState
from catalog.values import Text
from catalog.vocabularies import AccessRight

_DATATYPES = {Form.COUNT: XSD.nonNegativeInteger, Form.DATE: XSD.date, Form.DURATION: XSD.duration}
_ENUMS: dict[str, Any] = {"access_rights": AccessRight, "element": Element, "state": LabelState}


def write_literal(form: Form, value: Any) -> Literal | URIRef:
    """The RDF term of one value."""
    if isinstance(value, Text):
        return Literal(value.value, lang=value.language)
    if form is Form.IRI:
        return URIRef(str(value))
    if form is Form.MAILBOX:
        return URIRef(f"mailto:{value}")
    if form is Form.BOOLEAN:
        return Literal(bool(value))
    if isinstance(value, Decimal):
        return Literal(format(value, "f"), datatype=XSD.decimal, normalize=False)
    if isinstance(value, datetime):
        return Literal(value.isoformat(), datatype=XSD.dateTime, normalize=False)
    if isinstance(value, date):
        return Literal(value.isoformat(), datatype=XSD.date, normalize=False)
    return Literal(str(value), datatype=_DATATYPES.get(form))


def read_literal(field: Field, node: Node) -> Any:
    """The value of one RDF term. Raises ValueError or ArithmeticError if the term has not the form of the field."""
    lexical = str(node)
    if field.name in _ENUMS and field.form in (Form.IRI, Form.STRING):
        return _ENUMS[field.name](lexical)
    if field.form is Form.TEXT:
        language = node.language if isinstance(node, Literal) else None
        return Text(lexical, language.lower() if language else None)
    if field.form is Form.IRI:
        if not isinstance(node, URIRef):
            raise ValueError("text where an address is asked; write the address in angle brackets")
        return lexical
    if field.form is Form.MAILBOX:
        return lexical.removeprefix("mailto:")
    if field.form is Form.BOUND and isinstance(node, Literal):
        return _read_bound(node)
    return _READERS.get(field.form, str)(lexical) if field.name != "end" else read_date(lexical, last=True)


def read_date(lexical: str, last: bool = False) -> date:
    """A day; of a bare year or month its first day, or its `last`."""
    parts = lexical[:10].split("-")
    if len(parts) == 1:
        year = int(parts[0])
        return date(year, 12, 31) if last else date(year, 1, 1)
    if len(parts) == 2:
        year, month = int(parts[0]), int(parts[1])
        return date(year, month, calendar.monthrange(year, month)[1] if last else 1)
    return date.fromisoformat(lexical[:10])


def _read_boolean(lexical: str) -> bool:
    if lexical not in ("true", "false", "1", "0"):
        raise ValueError("neither true nor false")
    return lexical in ("true", "1")


def _read_bound(node: Literal) -> Decimal | date:
    if node.datatype == XSD.date:
        return read_date(str(node))
    if node.datatype == XSD.dateTime:
        return datetime.fromisoformat(str(node))
    return Decimal(str(node))


_READERS: dict[Form, Any] = {
    Form.BOOLEAN: _read_boolean,
    Form.COUNT: int,
    Form.DECIMAL: Decimal,
    Form.DATE: read_date,
}
