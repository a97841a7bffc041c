"""Expressions → batched tensor functions.

A syntax tree becomes nested closures over an environment of named tensors, built once. Shapes are whatever the
environment's tensors broadcast to; numbers are float64. A truth value is 1.0 or 0.0 where a number is wanted, as in
Python. A vector (a Dirichlet draw, a state read out at several times) is a tensor with its entries along a leading
axis; which names are vectors is known when an expression is compiled.
"""

import functools
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from domains.errors import ExpressionError
from domains.expressions import (
    Binary,
    Call,
    Compare,
    Conditional,
    Entry,
    Expression,
    Logical,
    Name,
    Node,
    Number,
    Text,
    Unary,
    children,
)

Environment = Mapping[str, Tensor]
Compiled = Callable[[Environment], Tensor]


@dataclass(frozen=True)
class Names:
    """What is known of names when an expression is compiled.

    options: choice design → its options; a comparison with an option becomes one with the option's index. vectors: the
    names whose values have their entries along a leading axis.
    """

    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vectors: frozenset[str] = frozenset()


def compile_expression(expression: Expression, names: Names | None = None) -> Compiled:
    """Compile an expression to a function of named tensors.

    The function returns a float64 tensor of the broadcast shape of what the expression uses, with a leading axis where
    ``is_vector`` says so.
    """
    value = _build_number(expression.root, names or Names())
    return _always(_tensor(value)) if isinstance(value, float) else value


def is_vector(expression: Expression, vectors: frozenset[str]) -> bool:
    """Whether the expression's value is a vector: it uses one other than by an entry or a reduction."""
    return _is_vector(expression.root, vectors)


def _is_vector(node: Node, vectors: frozenset[str]) -> bool:
    match node:
        case Name(name):
            return name in vectors
        case Entry() | Call("sum" | "min" | "max" | "dot"):
            return False
    return any(_is_vector(child, vectors) for child in children(node))


def _tensor(value: Tensor | float) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


def _build(node: Node, names: Names) -> Compiled | float:
    match node:
        case Number(value):
            return value
        case Name(name):
            return operator.itemgetter(name)
        case Entry(name, index):
            return lambda environment: environment[name][index]
        case Compare():
            return _compare(node, names)
        case Text(value):
            raise ExpressionError(f"the text {value!r} has no value of its own; compare it with a choice design")
        case Logical() | Unary("not"):
            return _apply(_function(node, names), [_build(part, names) for part in children(node)])
        case Conditional(test, yes, no) | Call("where", (test, yes, no)):
            return _apply(_where, [_build(test, names), _build_number(yes, names), _build_number(no, names)])
    return _apply(_function(node, names), [_build_number(part, names) for part in children(node)])


def _build_number(node: Node, names: Names) -> Compiled | float:
    """As ``_build``, with a truth value made 1.0 or 0.0."""
    built = _build(node, names)
    if isinstance(node, Compare | Logical) or (isinstance(node, Unary) and node.operator == "not"):
        return _apply(_as_number, [built])
    return built


def _function(node: Node, names: Names) -> Callable[..., Tensor]:
    """The tensor function of a node's parts."""
    match node:
        case Unary(symbol):
            return _UNARY[symbol]
        case Binary(symbol):
            return _BINARY[symbol]
        case Logical(symbol):
            return _reduction(_LOGICAL[symbol], [False] * len(children(node)))
        case Call(function, arguments) if function in _REDUCTIONS:
            return _reduction(_REDUCTIONS[function], [_is_vector(part, names.vectors) for part in arguments])
        case Call("dot", arguments):
            return _dot([_is_vector(part, names.vectors) for part in arguments])
        case Call(function):
            return _FUNCTIONS[function]
    raise ExpressionError(f"{node} is no function of its parts")


def _always(constant: Tensor) -> Callable[[Environment], Tensor]:
    def get(environment: Environment) -> Tensor:
        del environment
        return constant

    return get


def _apply(function: Callable[..., Tensor], parts: "list[Compiled | float]") -> Compiled | float:
    """The function of its parts; folded to a number where every part is one."""
    if all(isinstance(part, float) for part in parts):
        folded = function(*[_tensor(part) for part in parts])  # type: ignore[arg-type]
        return float(folded) if folded.dtype == torch.float64 else _always(folded)
    if len(parts) == 2 and isinstance(parts[1], float) and function in _SCALAR_SAFE:
        left, scalar = parts[0], parts[1]
        assert not isinstance(left, float)
        return lambda environment: function(left(environment), scalar)
    getters = [_always(_tensor(part)) if isinstance(part, float) else part for part in parts]
    if len(getters) == 1:
        (only,) = getters
        return lambda environment: function(only(environment))
    if len(getters) == 2:
        first, second = getters
        return lambda environment: function(first(environment), second(environment))
    return lambda environment: function(*[getter(environment) for getter in getters])


def _compare(node: Compare, names: Names) -> Compiled | float:
    parts: list[Compiled | float] = []
    options = names.options
    choice = next((o.name for o in node.operands if isinstance(o, Name) and o.name in options), None)
    for operand in node.operands:
        if isinstance(operand, Text):
            if choice is None or operand.value not in options[choice]:
                raise ExpressionError(
                    f"{operand.value!r} is compared with something that does not have it as an option"
                )
            parts.append(float(options[choice].index(operand.value)))
        else:
            parts.append(_build(operand, names))
    functions = [_COMPARE[symbol] for symbol in node.operators]

    def chain(*values: Tensor) -> Tensor:
        links = [function(a, b) for function, a, b in zip(functions, values, values[1:], strict=False)]
        return functools.reduce(torch.logical_and, links)

    return _apply(chain, parts)


def _as_number(truth: Tensor) -> Tensor:
    return truth.to(torch.float64)


def _sign(x: Tensor) -> Tensor:
    """torch.sign makes 0 of NaN, which would hide an invalid argument."""
    return torch.where(x.isnan(), x, x.sign())


def _where(test: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(test if test.dtype == torch.bool else test != 0, yes, no)


def _entries(value: Tensor, vector: bool) -> tuple[Tensor, ...]:
    return value.unbind(0) if vector else (value,)


def _reduction(combine: Callable[[Tensor, Tensor], Tensor], vectors: list[bool]) -> Callable[..., Tensor]:
    """All arguments combined, and the entries of those that are vectors."""

    def reduce(*values: Tensor) -> Tensor:
        entries = [entry for value, vector in zip(values, vectors, strict=True) for entry in _entries(value, vector)]
        return functools.reduce(combine, entries)

    return reduce


def _dot(vectors: list[bool]) -> Callable[..., Tensor]:
    def dot(left: Tensor, right: Tensor) -> Tensor:
        pairs = zip(_entries(left, vectors[0]), _entries(right, vectors[1]), strict=True)
        return functools.reduce(torch.add, [a * b for a, b in pairs])

    return dot


def _remainder(left: Tensor, right: Tensor) -> Tensor:
    """left % right, one of them a tensor; a remainder of 0 has no sign, which dividing by it would show."""
    return torch.remainder(left, right) + 0.0


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    """base ** exponent; of positive bases as exp(y log x), which takes a quarter of the time."""
    arrays = all(isinstance(value, Tensor) and value.dim() > 0 for value in (base, exponent))
    if arrays and bool(((base > 0) & base.isfinite()).all()):
        return (exponent * base.log()).exp()
    return torch.pow(base, exponent)


_UNARY: dict[str, Callable[..., Tensor]] = {"-": torch.neg, "+": torch.positive, "not": torch.logical_not}
_BINARY: dict[str, Callable[..., Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "**": _power,
    "%": _remainder,
    "//": torch.floor_divide,
}
_LOGICAL = {"and": torch.logical_and, "or": torch.logical_or}
_SCALAR_SAFE = frozenset(_BINARY.values())
_COMPARE: dict[str, Callable[..., Tensor]] = {
    "<": torch.lt,
    "<=": torch.le,
    ">": torch.gt,
    ">=": torch.ge,
    "==": torch.eq,
    "!=": torch.ne,
}
_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "exp": torch.exp,
    "log": torch.log,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "expm1": torch.expm1,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "sign": _sign,
    "floor": torch.floor,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "atan": torch.atan,
    "atan2": torch.atan2,
    "sigmoid": torch.sigmoid,
    "logit": torch.logit,
    "normcdf": lambda x: 0.5 * torch.erfc(-x / math.sqrt(2.0)),
    "erf": torch.erf,
    "lgamma": torch.lgamma,
    "clip": lambda x, low, high: torch.minimum(torch.maximum(x, _tensor(low)), _tensor(high)),
}
_REDUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "min": torch.minimum,
    "max": torch.maximum,
    "sum": torch.add,
}
