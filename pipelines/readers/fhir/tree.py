"""FHIRPath expressions as a tree: the part of the language a shareable ViewDefinition may use."""

from dataclasses import dataclass
from decimal import Decimal


class PathError(ValueError):
    """A path that cannot be used; the message says why, and never holds data."""


@dataclass(frozen=True)
class Literal:
    """A text, a number or a truth value; None stands for the empty collection `{}`."""

    value: str | Decimal | bool | None


@dataclass(frozen=True)
class This:
    """`$this`, and what a path without a beginning starts from."""


@dataclass(frozen=True)
class Constant:
    """`%name`."""

    name: str


@dataclass(frozen=True)
class Member:
    """`of.name`."""

    of: "Node"
    name: str


@dataclass(frozen=True)
class Index:
    """`of[position]`, counted from 0."""

    of: "Node"
    position: "Node"


@dataclass(frozen=True)
class Call:
    """`of.name(arguments)`."""

    of: "Node"
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Negative:
    """`-operand`."""

    operand: "Node"


Node = Literal | This | Constant | Member | Index | Call | Binary | Negative
