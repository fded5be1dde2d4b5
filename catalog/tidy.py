"""Checks shared by the frozen types of a record, and the one order of sets of values."""

from collections.abc import Iterable

from catalog.values import check_email, check_iri, plain


def tidy(
    record: object,
    texts: Iterable[str] = (),
    iris: Iterable[str] = (),
    strings: Iterable[str] = (),
    emails: Iterable[str] = (),
    nodes: Iterable[str] = (),
) -> None:
    """Check the named fields of a frozen record and put sets of values in their one order."""
    for names, check in ((iris, check_iri), (strings, plain), (emails, check_email)):
        for name in names:
            value = getattr(record, name)
            if isinstance(value, tuple):
                object.__setattr__(record, name, tuple(sorted({check(str(v), name) for v in value})))
            elif value is not None:
                object.__setattr__(record, name, check(str(value), name))
    for name in texts:
        order = {(t.language or "", t.value): t for t in getattr(record, name)}
        object.__setattr__(record, name, tuple(order[key] for key in sorted(order)))
    for name in nodes:
        object.__setattr__(record, name, tuple(sorted(set(getattr(record, name)), key=repr)))
