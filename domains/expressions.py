"""The expression language of domain documents: text → syntax tree.

A safe subset of Python's expression grammar. Python's own parser reads the text; every node is then checked against
the list below and copied into our own types, so nothing that is not listed can reach the compiler. Nothing is ever
evaluated here.
"""

import ast
import keyword
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from domains import hints
from domains.errors import ExpressionError

MAX_LENGTH = 4000
MAX_DEPTH = 60
MAX_NODES = 2000

CONSTANTS = {"pi": math.pi, "e": math.e}

# name → (fewest, most) arguments; None: any number
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("exp", "log", "log10", "log1p", "expm1", "sqrt", "abs", "sign", "floor"), (1, 1)),
    **dict.fromkeys(("sin", "cos", "tan", "tanh", "atan", "sigmoid", "logit", "normcdf", "erf", "lgamma"), (1, 1)),
    "atan2": (2, 2),
    "where": (3, 3),
    "clip": (3, 3),
    "dot": (2, 2),
    "min": (1, None),
    "max": (1, None),
    "sum": (1, None),
}

# names that a document cannot give to its own things
RESERVED = frozenset((*CONSTANTS, *FUNCTIONS, *keyword.kwlist))


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal; stands only in a comparison with a choice design."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """``name[index]``: one entry of a vector."""

    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str  # "-", "+", "not"
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str  # + - * / ** % //
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Compare:
    """A chain ``a < b <= c``: operators ``("<", "<=")`` between operands ``(a, b, c)``."""

    operators: tuple[str, ...]
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Logical:
    operator: str  # "and", "or"
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    test: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Node", ...]


Node = Number | Text | Name | Entry | Unary | Binary | Compare | Logical | Conditional | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; ``text`` as written."""

    text: str
    root: Node

    @property
    def names(self) -> frozenset[str]:
        """The declared names that the expression uses."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, Name | Entry))

    @property
    def constant(self) -> float | None:
        """The value of an expression that is a bare number, else None."""
        root = self.root
        if isinstance(root, Unary) and root.operator == "-" and isinstance(root.operand, Number):
            return -root.operand.value
        return root.value if isinstance(root, Number) else None


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Compare(operands=operands) | Logical(operands=operands):
            return operands
        case Conditional(test=test, yes=yes, no=no):
            return (test, yes, no)
        case Call(arguments=arguments):
            return arguments
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(children(top))


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """The same tree with some names replaced."""
    if isinstance(node, Name | Entry):
        return replace(node, name=names.get(node.name, node.name))
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            changed[field.name] = renamed(value, names)
        elif isinstance(value, tuple) and not isinstance(value[0], str):
            changed[field.name] = tuple(renamed(part, names) for part in value)
    return replace(node, **changed)


def number(value: float) -> Expression:
    """The expression that is this number."""
    return Expression(repr(float(value)), Number(float(value)))


def parse(text: str) -> Expression:
    """Parse one expression; ExpressionError says what is not part of the language and what is."""
    _check_text(text)
    try:
        tree = ast.parse(text.replace("\n", " ").strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError(f"{_shorten(text)!r} is not an expression: {_reason(text, error)}") from None
    return Expression(text, _Reader(text).read(tree.body, 0))


def _reason(text: str, error: Exception) -> str:
    if not isinstance(error, SyntaxError):
        return "too deeply nested or a number too long"
    return hints.for_syntax(_QUOTED.sub("''", text)) or error.msg[:120]


_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_NUMERAL = re.compile(r"(?<![\w.])\.?[0-9](?:[eE][+-](?=[0-9])|[\w.])*")
_NUMBER = re.compile(r"([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)([eE][+-]?[0-9_]+)?")


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if not text.strip():
        raise ExpressionError("an empty expression; write a number or a formula")
    bare = _QUOTED.sub("''", text)
    strange = next((c for c in bare if not (c.isascii() and c.isprintable()) and c not in "\n\t"), None)
    if strange is not None:
        kind, way = hints.for_character(strange)
        rule = f"expressions are written in plain ASCII{way}"
        raise ExpressionError(f"{_shorten(text)!r} holds {strange!r}{kind}; {rule}")
    if "\\" in text or "#" in bare:
        raise ExpressionError(f"{_shorten(text)!r} holds a backslash or '#', which expressions do not have")
    glued = next((token for token in _NUMERAL.findall(bare) if not _NUMBER.fullmatch(token)), None)
    if glued is not None:
        raise ExpressionError(f"{_shorten(text)!r}: {_shorten(glued)!r} is not a number; a product is written 2 * x")
    depth = deepest = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ExpressionError(f"brackets nested {deepest} deep; at most {MAX_DEPTH} are allowed")


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


_BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%", ast.FloorDiv: "//",
}  # fmt: skip
_UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_OPERATOR_HINTS: dict[type[ast.operator], str] = {
    ast.BitXor: "a power is written **",
    ast.BitAnd: "both of two conditions: (a) and (b)",
    ast.BitOr: "one of two conditions: (a) or (b)",
    ast.MatMult: "a product is written *, and of vectors dot(a, b)",
}
_FORBIDDEN = {
    ast.Attribute: "an attribute (a dot after a name)",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a starred argument",
    ast.List: "square brackets (only round ones group)",
    ast.Tuple: "a comma outside a function's brackets",
    ast.Dict: "curly brackets (only round ones group)",
    ast.Set: "curly brackets (only round ones group)",
    ast.Await: "await",
    ast.Yield: "yield",
}


class _Reader:
    """Copies Python's syntax tree into ours, refusing what is not listed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes = 0

    def read(self, node: ast.expr, depth: int) -> Node:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise ExpressionError(
                f"{_shorten(self.text)!r} is too large: at most {MAX_DEPTH} levels and {MAX_NODES} parts; "
                "give parts of it a name under 'let'"
            )
        reader = _READERS.get(type(node))
        if reader is None:
            what = _FORBIDDEN.get(type(node), type(node).__name__)
            raise ExpressionError(f"{_shorten(self.text)!r} holds {what}, which expressions do not have")
        return reader(self, node, depth + 1)

    def fail(self, message: str) -> ExpressionError:
        return ExpressionError(f"in {_shorten(self.text)!r}: {message}")

    def constant(self, node: ast.Constant, depth: int) -> Node:
        del depth
        if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
            raise self.fail(f"{node.value!r} is not a number")
        if isinstance(node.value, str):
            return Text(node.value)
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.fail("a number beyond 1e308")
        return Number(value)

    def name(self, node: ast.Name, depth: int) -> Node:
        del depth
        if node.id in CONSTANTS:
            return Number(CONSTANTS[node.id])
        if node.id.startswith("_"):
            raise self.fail(f"the name {node.id!r} begins with an underscore, which is not allowed")
        if node.id in FUNCTIONS:
            raise self.fail(f"the function {node.id!r} without brackets; write {node.id}(…)")
        return Name(node.id)

    def entry(self, node: ast.Subscript, depth: int) -> Node:
        del depth
        index = node.slice
        plain = isinstance(node.value, ast.Name) and not node.value.id.startswith("_")
        if not (plain and isinstance(index, ast.Constant) and type(index.value) is int and 0 <= index.value < 10_000):
            raise self.fail("square brackets only pick an entry of a vector, as in name[0]")
        assert isinstance(node.value, ast.Name)
        assert isinstance(index.value, int)
        return Entry(node.value.id, index.value)

    def unary(self, node: ast.UnaryOp, depth: int) -> Node:
        if type(node.op) not in _UNARY:
            raise self.fail("'~' is not an operator here; write 'not'")
        return Unary(_UNARY[type(node.op)], self.read(node.operand, depth))

    def binary(self, node: ast.BinOp, depth: int) -> Node:
        if type(node.op) not in _BINARY:
            hint = _OPERATOR_HINTS.get(type(node.op), "allowed are + - * / ** % //")
            raise self.fail(f"an operator that expressions do not have; {hint}")
        return Binary(_BINARY[type(node.op)], self.read(node.left, depth), self.read(node.right, depth))

    def compare(self, node: ast.Compare, depth: int) -> Node:
        unknown = [operator for operator in node.ops if type(operator) not in _COMPARE]
        if unknown:
            raise self.fail("comparisons are < <= > >= == != only")
        operands = tuple(self.read(operand, depth) for operand in (node.left, *node.comparators))
        return Compare(tuple(_COMPARE[type(operator)] for operator in node.ops), operands)

    def logical(self, node: ast.BoolOp, depth: int) -> Node:
        operator = "and" if isinstance(node.op, ast.And) else "or"
        return Logical(operator, tuple(self.read(value, depth) for value in node.values))

    def conditional(self, node: ast.IfExp, depth: int) -> Node:
        return Conditional(self.read(node.test, depth), self.read(node.body, depth), self.read(node.orelse, depth))

    def call(self, node: ast.Call, depth: int) -> Node:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            name = _called(node.func)
            raise self.fail(f"{_shorten(name)!r} is not a function here; {hints.for_function(name, FUNCTIONS)}")
        if node.keywords:
            raise self.fail(f"{node.func.id} takes no keyword arguments; equality is written ==")
        fewest, most = FUNCTIONS[node.func.id]
        if len(node.args) < fewest or (most is not None and len(node.args) > most):
            wanted = str(fewest) if fewest == most else f"at least {fewest}"
            raise self.fail(f"{node.func.id} takes {wanted} argument(s), found {len(node.args)}")
        return Call(node.func.id, tuple(self.read(argument, depth) for argument in node.args))


def _called(node: ast.expr) -> str:
    """What stands before the brackets of a call, without going deeper than it must."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    first = node.id if isinstance(node, ast.Name) else "(…)"
    return ".".join((first, *reversed(parts)))


_READERS: dict[type[ast.AST], Callable[..., Node]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.Subscript: _Reader.entry,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.Compare: _Reader.compare,
    ast.BoolOp: _Reader.logical,
    ast.IfExp: _Reader.conditional,
    ast.Call: _Reader.call,
}
