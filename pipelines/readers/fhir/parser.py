"""FHIRPath text to its tree: recursive descent, one function a level of precedence."""

from decimal import Decimal

from pipelines.readers.fhir.tokens import Sort, Token, tokens
from pipelines.readers.fhir.tree import Binary, Call, Constant, Index, Literal, Member, Negative, Node, PathError, This

LEVELS = (("or",), ("and",), ("=", "!="), ("<", ">", "<=", ">="), ("|",), ("+", "-"), ("*", "/"))
"""Binary operators from the loosest to the tightest."""

REFUSED = frozenset({"xor", "implies", "in", "contains", "is", "as", "div", "mod", "~", "!~", "&"})
"""Operators of FHIRPath that no shareable view uses."""


def parse(path: str) -> Node:
    """The tree of a path; raises PathError."""
    return _Parser(path).whole()


class _Parser:
    def __init__(self, path: str) -> None:
        self._tokens = list(tokens(path))
        self._position = 0

    def whole(self) -> Node:
        node = self._binary(0)
        token = self._next
        if token.text in REFUSED:
            raise PathError(f"operator {token.text!r} is not supported")
        if token.sort is not Sort.END:
            raise PathError(f"{token.text!r} is not expected there")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        if token.sort is Sort.END:
            raise PathError("the path ends too early")
        self._position += 1
        return token

    def _took(self, sign: str) -> bool:
        if self._next == Token(Sort.SIGN, sign):
            self._position += 1
            return True
        return False

    def _demand(self, sign: str) -> None:
        if not self._took(sign):
            raise PathError(f"{sign!r} is missing")

    def _binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while self._next.sort in (Sort.SIGN, Sort.NAME) and self._next.text in LEVELS[level]:
            node = Binary(self._take().text, node, self._binary(level + 1))
        return node

    def _unary(self) -> Node:
        if self._took("-"):
            return Negative(self._unary())
        self._took("+")
        return self._steps(self._term())

    def _steps(self, node: Node) -> Node:
        while True:
            if self._took("."):
                node = self._invocation(node)
            elif self._took("["):
                node = Index(node, self._binary(0))
                self._demand("]")
            else:
                return node

    def _invocation(self, of: Node) -> Node:
        token = self._take()
        if token == Token(Sort.VARIABLE, "this"):
            return of
        if token.sort not in (Sort.NAME, Sort.QUOTED_NAME):
            raise PathError(f"{token.text!r} is no name of an element or function")
        if token.sort is Sort.NAME and self._took("("):
            return Call(of, token.text, self._arguments())
        return Member(of, token.text)

    def _arguments(self) -> tuple[Node, ...]:
        if self._took(")"):
            return ()
        found = [self._binary(0)]
        while self._took(","):
            found.append(self._binary(0))
        self._demand(")")
        return tuple(found)

    def _term(self) -> Node:
        token = self._next
        if token.sort is Sort.SIGN:
            return self._bracketed()
        if token.sort is Sort.NAME and token.text in ("true", "false"):
            self._take()
            return Literal(token.text == "true")
        if token.sort in (Sort.NAME, Sort.QUOTED_NAME):
            return self._invocation(This())
        self._take()
        match token.sort:
            case Sort.NUMBER:
                return Literal(Decimal(token.text))
            case Sort.TEXT:
                return Literal(token.text)
            case Sort.CONSTANT:
                return Constant(token.text)
        if token.text != "this":
            raise PathError(f"${token.text} is not supported")
        return This()

    def _bracketed(self) -> Node:
        if self._took("{"):
            self._demand("}")
            return Literal(None)
        if self._took("("):
            node = self._binary(0)
            self._demand(")")
            return node
        raise PathError(f"{self._next.text!r} is not expected there")
