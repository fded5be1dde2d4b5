"""What is looked at before parsing: size, characters and nesting of the text."""

import unicodedata

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from dataspace.domain.errors import InvalidQuery

MAX_BYTES = 64 * 1024
MAX_TOKENS = 10_000
MAX_NESTING = 25
MAX_NAME = 64

_OPENING = (TokenType.L_PAREN, TokenType.CASE, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.END, TokenType.R_BRACKET, TokenType.R_BRACE)
_PREFIXES = (TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE)
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


def check_text(sql: str) -> None:
    """Refuse what no query needs, before the parser spends time on it."""
    if len(sql) > MAX_BYTES or len(sql.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidQuery(f"The query is longer than {MAX_BYTES // 1024} KB.", hint="Ask in several queries.")
    _check_characters(sql)
    _check_tokens(_tokens(sql))


def _check_characters(sql: str) -> None:
    line = column = 1
    for character in sql:
        if _hidden(character):
            raise InvalidQuery(
                f"The character U+{ord(character):04X} is invisible or has no meaning in SQL.",
                line=line,
                column=column,
                hint="Type the text again with plain spaces and without control characters.",
            )
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)


def _hidden(character: str) -> bool:
    """Controls, direction marks, zero-width and private characters, blanks other than the plain ones."""
    if character < "\x7f":
        return character < " " and character not in "\t\n\r"
    return unicodedata.category(character)[0] in "CZ"


def _tokens(sql: str) -> list[Token]:
    try:
        return DuckDB().tokenize(sql)
    except SqlglotError:
        raise InvalidQuery(
            "The text cannot be split into words.", hint="Check that every quote and comment is closed."
        ) from None


def _check_tokens(tokens: list[Token]) -> None:
    if not tokens or tokens[0].token_type not in (TokenType.SELECT, TokenType.WITH):
        where = tokens[0] if tokens else None
        raise InvalidQuery(
            "A query starts with SELECT or WITH.",
            line=where.line if where else 1,
            column=1,
            hint="For example: SELECT COUNT(DISTINCT person) FROM person.",
        )
    if len(tokens) > MAX_TOKENS:
        raise InvalidQuery(f"The query has more than {MAX_TOKENS:,} words.", hint="Ask in several queries.")
    depth = run = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        run = run + 1 if token.token_type in _PREFIXES else 0
        if depth > MAX_NESTING or run > MAX_NESTING:
            raise InvalidQuery(
                f"The query is nested deeper than {MAX_NESTING} levels.",
                line=token.line,
                column=max(1, token.col),
                hint="Name the parts in a WITH clause.",
            )


def name_problem(name: str) -> str | None:
    """Why a name is not usable, or None. Names that look like others are refused: releases are read by people."""
    if not 0 < len(name) <= MAX_NAME:
        return f"a name has 1 to {MAX_NAME} characters"
    if unicodedata.normalize("NFKC", name) != name:
        return "it can be confused with another name: it has characters that stand for others"
    scripts = {unicodedata.name(c, "?").split(" ")[0] for c in name if c.isalpha()}
    if len(scripts) > 1 or not scripts <= set(_SCRIPTS):
        return "it can be confused with another name: its letters are of several or unusual alphabets"
    return None
