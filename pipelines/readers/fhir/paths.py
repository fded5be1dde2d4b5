"""FHIRPath trees to SQL.

The subset is what SQL-on-FHIR v2 asks of a shareable view: elements, `[n]`, `$this`, literals, `%constants`, `=` `!=`
`<` `>` `<=` `>=`, `and` `or`, `+` `-` `*` `/`, and the functions of `FUNCTIONS`; and `|`, since a time is often in one
of two places. Where FHIRPath ends with an error for
some data (several elements where one is wanted), the result is empty here.
"""

from collections.abc import Callable
from typing import Final

from pipelines import sqltext as sql
from pipelines.readers.fhir import elements as el
from pipelines.readers.fhir import values as val
from pipelines.readers.fhir.focus import Element, Resource, Scope
from pipelines.readers.fhir.r4 import CHOICES, RESOURCE_TYPES
from pipelines.readers.fhir.references import reference_key
from pipelines.readers.fhir.tree import Binary, Call, Constant, Index, Literal, Member, Negative, Node, PathError, This
from pipelines.readers.fhir.values import Kind, Value

Function = Callable[[Scope, Call], Value]


def compile_path(node: Node, scope: Scope) -> Value:
    """The SQL of a path; raises PathError."""
    match node:
        case Literal(value):
            return val.literal(value)
        case Constant(name):
            return _constant(name, scope)
        case This():
            return Value(scope.focus.whole(), Kind.ELEMENTS)
        case Member():
            return Value(_member(node, scope), Kind.ELEMENTS)
        case Index(of, position):
            return _slice(of, _position(position), scope)
        case Call():
            return _call(node, scope)
        case Negative(operand):
            return Value(f"(-{val.number(compile_path(operand, scope))})", Kind.NUMBER)
        case Binary():
            return _binary(node, scope)


def is_extension(node: Node) -> bool:
    """True for paths to elements of type Extension."""
    match node:
        case Member(_, "extension" | "modifierExtension") | Call(_, "extension", _):
            return True
        case Index(of, _) | Call(of, "where" | "first", _):
            return is_extension(of)
        case _:
            return False


def elements_of(node: Node, scope: Scope) -> str:
    return val.collection(compile_path(node, scope))


def _constant(name: str, scope: Scope) -> Value:
    if name not in scope.constants:
        raise PathError(f"%{name} is no constant of this view")
    return val.literal(scope.constants[name])


def _binary(node: Binary, scope: Scope) -> Value:
    left, right = compile_path(node.left, scope), compile_path(node.right, scope)
    match node.operator:
        case "and" | "or" as word:
            return Value(f"({val.truth(left)} {word.upper()} {val.truth(right)})", Kind.TRUTH)
        case "|":
            return Value(el.union(val.collection(left), val.collection(right)), Kind.ELEMENTS)
        case "=":
            return val.equal(left, right)
        case "!=":
            return Value(f"(NOT {val.equal(left, right).sql})", Kind.TRUTH)
        case "<" | ">" | "<=" | ">=" as sign:
            return val.ordered(sign, left, right)
        case sign:
            return val.calculated(sign, left, right)


def _member(node: Member, scope: Scope) -> str:
    if _is_choice(node, scope):
        raise PathError(f"{node.name!r} is a choice of types: write for example {node.name}.ofType(dateTime)")
    if node.name == "extension":
        return _extensions(node.of, scope)
    return _step(node.of, node.name, scope)


def _is_choice(node: Member, scope: Scope) -> bool:
    if _is_focus(node.of, scope):
        focus = scope.focus
        if isinstance(focus, Element):
            return focus.extension and node.name == "value"
        return f"{scope.resource}.{node.name}" in CHOICES
    return node.name == "value" and is_extension(node.of)


def _is_focus(node: Node, scope: Scope) -> bool:
    """A path may begin with the name of the resource type it starts from."""
    return node == This() or (isinstance(scope.focus, Resource) and node == Member(This(), scope.resource))


def _step(of: Node, name: str, scope: Scope) -> str:
    if _is_focus(of, scope):
        return scope.focus.member(name)
    return el.member(elements_of(of, scope), name)


def _extensions(of: Node, scope: Scope) -> str:
    """Extensions of an element; those of a primitive are in a sibling whose name begins with an underscore."""
    own = _step(of, "extension", scope)
    if not isinstance(of, Member) or _is_focus(of, scope):
        return own
    return el.joined(own, el.member(_step(of.of, f"_{of.name}", scope), "extension"))


def _position(node: Node) -> int:
    if isinstance(node, Literal) and not isinstance(node.value, str | bool | None) and node.value % 1 == 0:
        return int(node.value)
    raise PathError("the position in [ ] is a whole number, counted from 0")


def _slice(of: Node, position: int, scope: Scope) -> Value:
    return Value(f"list_slice({elements_of(of, scope)}, {position + 1}, {position + 1})", Kind.ELEMENTS)


def _call(call: Call, scope: Scope) -> Value:
    if call.name not in FUNCTIONS:
        raise PathError(f"function {call.name!r} is not supported. Supported: {', '.join(sorted(FUNCTIONS))}")
    function, fewest, most = FUNCTIONS[call.name]
    if not fewest <= len(call.arguments) <= most:
        wanted = str(most) if fewest == most else f"{fewest} or {most}"
        raise PathError(f"function {call.name!r} takes {wanted} arguments, not {len(call.arguments)}")
    return function(scope, call)


def _where(scope: Scope, call: Call) -> Value:
    inner, name = scope.inside(extension=is_extension(call.of))
    condition = val.truth(compile_path(call.arguments[0], inner))
    kept = f"list_filter({elements_of(call.of, scope)}, lambda {name}: coalesce({condition}, false))"
    return Value(kept, Kind.ELEMENTS)


def _exists(scope: Scope, call: Call) -> Value:
    found = _where(scope, call).sql if call.arguments else elements_of(call.of, scope)
    return Value(f"(len({found}) > 0)", Kind.TRUTH)


def _empty(scope: Scope, call: Call) -> Value:
    return Value(f"(len({elements_of(call.of, scope)}) = 0)", Kind.TRUTH)


def _first(scope: Scope, call: Call) -> Value:
    return _slice(call.of, 0, scope)


def _not(scope: Scope, call: Call) -> Value:
    return Value(f"(NOT {val.truth(compile_path(call.of, scope))})", Kind.TRUTH)


def _join(scope: Scope, call: Call) -> Value:
    between = val.text(compile_path(call.arguments[0], scope)) if call.arguments else "''"
    texts = f"list_transform({elements_of(call.of, scope)}, lambda t: {el.as_text('t')})"
    return Value(f"array_to_string(nullif({texts}, CAST([] AS VARCHAR[])), {between})", Kind.TEXT)


def _of_type(scope: Scope, call: Call) -> Value:
    name = _type_name(call.arguments[0])
    if name in RESOURCE_TYPES:
        wanted = f"json_extract_string(t, '$.resourceType') = {sql.text(name)}"
        kept = f"list_filter({elements_of(call.of, scope)}, lambda t: coalesce({wanted}, false))"
        return Value(kept, Kind.ELEMENTS)
    if not isinstance(call.of, Member):
        raise PathError("ofType comes right after an element, as in value.ofType(Quantity)")
    return Value(_step(call.of.of, call.of.name + name[0].upper() + name[1:], scope), Kind.ELEMENTS)


def _type_name(node: Node) -> str:
    match node:
        case Member(This(), name) | Member(Member(This(), "FHIR"), name):
            return name
    raise PathError("a type is given by its name, as in ofType(Quantity)")


def _extension(scope: Scope, call: Call) -> Value:
    url = Binary("=", Member(This(), "url"), call.arguments[0])
    return _where(scope, Call(Member(call.of, "extension"), "where", (url,)))


def _resource_key(scope: Scope, call: Call) -> Value:
    return Value(_step(call.of, "id", scope), Kind.ELEMENTS)


def _reference_key(scope: Scope, call: Call) -> Value:
    type_ = _type_name(call.arguments[0]) if call.arguments else None
    if type_ is not None and type_ not in RESOURCE_TYPES:
        raise PathError(f"{type_!r} is no resource type of FHIR R4")
    keys = f"list_transform({elements_of(call.of, scope)}, lambda k: {reference_key('k', type_)})"
    return Value(f"list_filter({keys}, lambda k: k IS NOT NULL)", Kind.ELEMENTS)


FUNCTIONS: Final[dict[str, tuple[Function, int, int]]] = {
    "where": (_where, 1, 1),
    "exists": (_exists, 0, 1),
    "empty": (_empty, 0, 0),
    "first": (_first, 0, 0),
    "not": (_not, 0, 0),
    "join": (_join, 0, 1),
    "ofType": (_of_type, 1, 1),
    "extension": (_extension, 1, 1),
    "getResourceKey": (_resource_key, 0, 0),
    "getReferenceKey": (_reference_key, 0, 1),
}
"""Functions by name: how they compile, and the fewest and most arguments they take."""
