"""What a path starts from: the resource a row holds, or one element of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pipelines.readers.fhir import elements as el

RESOURCE = "r"
"""Column with the list of a resource's members that the view reads."""


@dataclass
class Resource:
    """The resource of a row. Members are noted as paths ask for them, so that a line is parsed once for all columns."""

    paths: list[str] = field(default_factory=lambda: [el.key("resourceType")])

    def member(self, name: str) -> str:
        return el.elements(self._part(el.key(name)))

    def whole(self) -> str:
        return el.elements(self._part("'$'"))

    def _part(self, path: str) -> str:
        if path not in self.paths:
            self.paths.append(path)
        return f"{RESOURCE}[{self.paths.index(path) + 1}]"


@dataclass(frozen=True)
class Element:
    """One JSON value, `sql`, that may be NULL; `extension` if it is known to be an Extension."""

    sql: str
    extension: bool = False

    def member(self, name: str) -> str:
        return el.member(f"[{self.sql}]", name)

    def whole(self) -> str:
        return el.elements(self.sql)


@dataclass(frozen=True)
class Scope:
    """Where a path stands: its focus, the view's resource type and constants, and how deep in lambdas it is."""

    focus: Resource | Element
    resource: str
    constants: Mapping[str, str | Decimal | bool]
    depth: int = 0

    def at(self, element: str, *, extension: bool) -> "Scope":
        """The same view, looking at one element."""
        return replace(self, focus=Element(element, extension))

    def inside(self, *, extension: bool) -> tuple["Scope", str]:
        """The scope of a lambda over elements, and the name of its parameter."""
        name = f"x{self.depth}"
        return replace(self.at(name, extension=extension), depth=self.depth + 1), name
