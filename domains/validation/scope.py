"""Which names an expression may use at its place, and whether it uses them as what they are."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from domains.expressions import (
    Binary,
    Call,
    Compare,
    Entry,
    Expression,
    Name,
    Node,
    Number,
    Text,
    Unary,
    children,
)
from domains.hints import suggest
from domains.validation.report import Part

UNKNOWN = -1  # the length of something that already has a problem


@dataclass(frozen=True)
class Known:
    """What is known of a name: its kind and length (0: a scalar), and of a choice its options, of a constant its value.

    late: known only after integration, since it is a state or made of one.
    """

    kind: Literal["design", "constant", "parameter", "let", "state", "time"]
    length: int = 0
    options: tuple[str, ...] = ()
    value: float | None = None
    late: bool = False


@dataclass(frozen=True)
class Scope:
    """The names visible at a place; ``declared`` says what every other name is, ``rule`` why it is not visible."""

    names: Mapping[str, Known]
    declared: Mapping[str, str]
    rule: str

    @property
    def constants(self) -> dict[str, float]:
        return {name: known.value for name, known in self.names.items() if known.value is not None}

    def plus(self, names: Mapping[str, Known]) -> "Scope":
        """The scope with more names."""
        return Scope({**self.names, **names}, self.declared, self.rule)


def check(part: Part, expression: Expression | None, scope: Scope) -> int:
    """Report every misuse of a name in an expression; its length: 0 for a scalar."""
    return UNKNOWN if expression is None else _Checker(part, scope).length(expression.root)


def check_scalar(part: Part, expression: Expression | None, scope: Scope) -> None:
    """As ``check``, where one number is needed."""
    length = check(part, expression, scope)
    if length > 0:
        part.problem(f"the expression is a vector of {length}; one number is needed here, so pick an entry: name[0]")


def read_scalar(part: Part, scope: Scope) -> Expression | None:
    """The number or expression at a part, checked to be one number."""
    expression = part.expression()
    check_scalar(part, expression, scope)
    return expression


@dataclass(frozen=True)
class _Checker:
    part: Part
    scope: Scope

    def length(self, node: Node) -> int:
        match node:
            case Text(value=value):
                return self.fault(f"the text {value!r} stands alone; a text is only compared with a choice design")
            case Name(name=name):
                return self.scalar_or_times(name)
            case Entry(name=name, index=index):
                return self.entry(name, index)
            case Compare():
                return self.compare(node)
            case Call(function=("sum" | "min" | "max" | "dot") as function, arguments=arguments):
                return self.reduction(function, arguments)
        return self.together(tuple(self.length(child) for child in children(node)))

    def fault(self, message: str) -> int:
        self.part.problem(message)
        return UNKNOWN

    def together(self, lengths: tuple[int, ...]) -> int:
        """The length of an elementwise operation."""
        vectors = {length for length in lengths if length > 0}
        if len(vectors) > 1:
            return self.fault(f"vectors of different lengths ({', '.join(map(str, sorted(vectors)))}) in one operation")
        return UNKNOWN if UNKNOWN in lengths else max(lengths, default=0)

    def known(self, name: str) -> Known | None:
        known = self.scope.names.get(name)
        if known is None and name in self.scope.declared:
            self.fault(f"{name!r} is {self.scope.declared[name]}, not visible here: {self.scope.rule}")
        elif known is None and not self.part.report.full:
            self.fault(f"{name!r} is not declared; {suggest(name, self.scope.names)}")
        return known

    def number(self, name: str) -> Known | None:
        """A name that stands for numbers, not for options."""
        known = self.known(name)
        if known is not None and known.options:
            self.fault(f"{name!r} is a choice, not a number; compare it: {name} == {known.options[0]!r}")
            return None
        return known

    def scalar_or_times(self, name: str) -> int:
        known = self.number(name)
        if known is None:
            return UNKNOWN
        if known.kind == "parameter" and known.length > 0:
            return self.fault(
                f"{name!r} is a vector of {known.length}; pick an entry, {name}[0], or use sum, dot, min or max of it"
            )
        return known.length

    def entry(self, name: str, index: int) -> int:
        known = self.number(name)
        if known is None or known.length == UNKNOWN:
            return UNKNOWN
        if known.length == 0:
            return self.fault(f"{name}[{index}]: {name!r} is a single number, not a vector; write {name}")
        if index >= known.length:
            return self.fault(f"{name}[{index}]: {name!r} has {known.length} entries, 0 to {known.length - 1}")
        return 0

    def reduction(self, function: str, arguments: tuple[Node, ...]) -> int:
        """``sum``, ``min``, ``max`` of one vector and ``dot`` of two make one number; of several numbers, as usual."""
        if function != "dot" and len(arguments) > 1:
            return self.together(tuple(self.length(argument) for argument in arguments))
        lengths = tuple(self.vector(argument) for argument in arguments)
        if function == "dot" and 0 in lengths:
            return self.fault("dot takes two vectors, found a single number; write *")
        return min(0, self.together(lengths))

    def vector(self, node: Node) -> int:
        if not isinstance(node, Name):
            return self.length(node)
        known = self.number(node.name)
        return UNKNOWN if known is None else known.length

    def compare(self, node: Compare) -> int:
        texts = any(isinstance(operand, Text) for operand in node.operands)
        others = [operand.name for operand in node.operands if isinstance(operand, Name)]
        if texts and any(self.unread(name) for name in others):  # its own problem says enough
            return UNKNOWN
        pairs = zip(node.operators, node.operands, node.operands[1:], strict=False)
        choices = [self.choice(sign, left, right) for sign, left, right in pairs]
        if any(choices):
            return 0 if all(choices) else self.fault("a chained comparison mixes a choice with numbers; use 'and'")
        return self.together(tuple(self.length(operand) for operand in node.operands))

    def choice(self, sign: str, left: Node, right: Node) -> bool:
        """Check a comparison with a choice design; False where it is none."""
        if not self.options(left):
            left, right = right, left
        options = self.options(left)
        if not options or not isinstance(left, Name):
            return False
        if sign not in ("==", "!="):
            self.fault(f"{left.name!r} is a choice and has no order; compare it by == or !=")
        if isinstance(right, Name) and right.name in options:
            self.fault(f"the option {right.name!r} is a text and needs quotes: {left.name} {sign} '{right.name}'")
        elif not isinstance(right, Text):
            self.fault(f"{left.name!r} is a choice; compare it with one of its options, as in '{options[0]}'")
        elif right.value not in options:
            self.fault(f"the choice {left.name!r} has no option {right.value!r}; {suggest(right.value, options)}")
        return True

    def unread(self, name: str) -> bool:
        """Report a name that is not visible; True for one of which not enough is known."""
        known = self.known(name)
        return known is None or known.length == UNKNOWN

    def options(self, node: Node) -> tuple[str, ...]:
        known = self.scope.names.get(node.name) if isinstance(node, Name) else None
        return known.options if known else ()


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": math.pow,
}  # fmt: skip


def fold(expression: Expression | None, constants: Mapping[str, float]) -> float | None:
    """The value of an arithmetic expression of numbers and constants; None for any other."""
    try:
        return None if expression is None else _fold(expression.root, constants)
    except (ArithmeticError, ValueError):
        return math.nan


def _fold(node: Node, constants: Mapping[str, float]) -> float | None:
    match node:
        case Number(value=value):
            return value
        case Name(name=name):
            return constants.get(name)
        case Unary(operator=("-" | "+") as sign, operand=operand):
            inner = _fold(operand, constants)
            return -inner if inner is not None and sign == "-" else inner
        case Binary(operator=sign, left=left, right=right) if sign in _ARITHMETIC:
            a, b = _fold(left, constants), _fold(right, constants)
            return None if a is None or b is None else _ARITHMETIC[sign](a, b)
    return None


def in_order(uses: Mapping[str, frozenset[str]], parts: Mapping[str, Part]) -> list[str]:
    """Names by dependency; a cycle is a problem at its first member, and its members are left out."""
    graph = {name: sorted(used & uses.keys()) for name, used in uses.items()}
    while True:
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            cycle: list[str] = list(reversed(error.args[1]))
            first = min(range(len(cycle) - 1), key=lambda i: list(uses).index(cycle[i]))
            chain = [*cycle[first:-1], *cycle[: first + 1]]
            shown = chain if len(chain) <= 10 else [*chain[:8], "…", chain[-1]]
            parts[chain[0]].problem(f"a cycle: {' → '.join(shown)}; each of these needs the next, so break it")
            graph = {n: [u for u in used if u not in cycle] for n, used in graph.items() if n not in cycle}


def merged(scopes: list[Mapping[str, Known]]) -> dict[str, Known]:
    """The names that are in all scopes with one length."""
    common = reduce(lambda a, b: a & b, (frozenset(names) for names in scopes)) if scopes else frozenset()
    return {
        name: known
        for name, known in (scopes[0].items() if scopes else ())
        if name in common and len({names[name].length for names in scopes} - {UNKNOWN}) <= 1
    }
