"""What looks like an identifier to anybody, without knowing the delivery's identifiers."""

import re

import duckdb

from pipelines.pseudonyms import nir

# a word does not go on: neither letter nor digit before and after
START, END = "(^|[^0-9A-Za-z])", "($|[^0-9A-Za-z])"
AT = r"(\s?[@\x{FF20}]\s?|\s?[\[({<]\s?(at|arobase|a)\s?[\])}>]\s?|\s(at|arobase)\s)"
DOT = r"(\s?\.\s?|\s?[\[({<]\s?(dot|point)\s?[\])}>]\s?|\s(dot|point)\s)"
GAP = r"[ ./()_\x{A0}\x{2009}\x{202F}\x{2010}-\x{2013}-]"

LOOKS_LIKE = {
    "an e-mail address": rf"(?i)[^@\s]{AT}[^@\s.]+({DOT}[^@\s.]+)*{DOT}[a-z]{{2,}}",
    "a telephone number": rf"(^|[^0-9A-Za-z+])(\+{GAP}?[1-9]({GAP}{{0,3}}[0-9]){{8,13}}"
    rf"|00[1-9]{GAP}?[0-9]({GAP}{{1,3}}[0-9]{{1,4}}){{3,6}}|0[1-9]({GAP}{{1,2}}[0-9]{{2}}){{4}}"
    rf"|\(?[2-9][0-9]{{2}}\)?[ .-]{{1,2}}[2-9][0-9]{{2}}[ .-][0-9]{{4}}){END}"
    rf"|[^0-9].*{START}0[1-9][0-9]{{8}}{END}|^0[1-9][0-9]{{8}}[^0-9]",
    "a UUID": rf"{START}[0-9a-fA-F]{{8}}-?([0-9a-fA-F]{{4}}-?){{3}}[0-9a-fA-F]{{12}}{END}",
    "a digest": rf"{START}([0-9a-fA-F]{{40}}|[0-9a-fA-F]{{64}}){END}",
}
"""Patterns to search for, written so that codes of medical classifications do not fit: one value is enough."""

BARE_PHONE = ("0[1-9][0-9]{8}|00[34][0-9]{10,12}|33[1-9][0-9]{8}", "[0-9]{10,15}")
"""Telephone numbers without any sign, which codes may look like, and the values among which they are counted."""

NEXT = rf"{GAP}{{0,3}}[0-9]"
NIR_LIKE = rf"[1-478]({NEXT}){{4}}({NEXT}{NEXT}|{GAP}{{0,3}}2{GAP}{{0,3}}[ABab])({NEXT}){{8}}"
"""A French national number with its check digits; a candidate counts only if the digits check."""

GAP_HERE = r"[ ./()_\u00a0\u2009\u202f\u2010-\u2013-]"
NATIONAL = re.compile(f"(?<![0-9A-Za-z]){NIR_LIKE.replace(GAP, GAP_HERE)}(?![0-9A-Za-z])")
"""The same for Python, which spells characters otherwise."""

FEW = 2
"""Numbers without any sign that may check by accident."""

MOST = 0.5
"""Share of the numbers of that length from which on they are no accident: check digits fit three in a hundred."""


def looks_like(connection: duckdb.DuckDBPyConnection, values: str) -> tuple[str, int] | None:
    """What the texts `v` of relation `values` look like and how many do; None if they look like no identifier."""
    asked = ", ".join("count(*) FILTER (regexp_matches(v, ?))" for _ in LOOKS_LIKE)
    counts = connection.execute(f"SELECT {asked} FROM {values}", list(LOOKS_LIKE.values())).fetchall()[0]
    for said, found in zip(LOOKS_LIKE, counts, strict=True):
        if found:
            return said, found
    phones, alike = connection.execute(
        f"SELECT count(*) FILTER (regexp_full_match(v, ?)), count(*) FILTER (regexp_full_match(v, ?)) FROM {values}",
        list(BARE_PHONE),
    ).fetchall()[0]
    if phones > FEW and phones > MOST * alike:
        return "a telephone number", phones
    national = _national(connection, values)
    return ("a French national number", national) if national else None


def _national(connection: duckdb.DuckDBPyConnection, values: str) -> int:
    likely = connection.execute(
        f"SELECT v FROM {values} WHERE regexp_matches(v, ?)", [START + NIR_LIKE + END]
    ).fetchall()
    bare = signs = 0
    for (value,) in likely:
        checked = any(nir(re.sub("[^0-9ABab]", "", m[0])) for m in NATIONAL.finditer(value))
        if checked and value.isdigit():
            bare += 1
        elif checked:
            signs += 1
    if signs:
        return signs + bare
    return bare if bare > FEW and bare > MOST * len(likely) else 0
