"""Expressions → batched tensor functions.

A syntax tree becomes nested closures over an environment of named tensors, built once. Shapes are whatever the
environment's tensors broadcast to; numbers are float64. A truth value is 1.0 or 0.0 where a number is wanted, as in
Python. A vector (a Dirichlet draw, a state read out at several times) is a tuple of tensors.
"""

import functools
import math
import operator
from collections.abc import Callable, Mapping

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

Value = Tensor | float | tuple[Tensor, ...]
Environment = Mapping[str, Value]
Compiled = Callable[[Environment], Tensor]

_Built = Callable[[Environment], Value]


def compile_expression(expression: Expression, options: Mapping[str, tuple[str, ...]] | None = None) -> Compiled:
    """Compile an expression to a function of named tensors.

    options: choice design → its options; a comparison with an option becomes one with the option's index.
    The function returns a float64 tensor of the broadcast shape of what the expression uses.
    """
    value = _build_number(expression.root, options or {})
    # Validation refuses expressions whose value is a bare vector, so a function gives a tensor here.
    return _always(_tensor(value)) if isinstance(value, float) else value  # type: ignore[return-value]


def _tensor(value: Value) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


def _build(node: Node, options: Mapping[str, tuple[str, ...]]) -> _Built | float:
    match node:
        case Number(value):
            return value
        case Name(name):
            return operator.itemgetter(name)
        case Entry(name, index):
            return lambda environment: environment[name][index]  # type: ignore[index]
        case Compare():
            return _compare(node, options)
        case Text(value):
            raise ExpressionError(f"the text {value!r} has no value of its own; compare it with a choice design")
        case Logical() | Unary("not"):
            return _apply(_function(node), [_build(part, options) for part in children(node)])
        case Conditional(test, yes, no) | Call("where", (test, yes, no)):
            return _apply(_where, [_build(test, options), _build_number(yes, options), _build_number(no, options)])
    return _apply(_function(node), [_build_number(part, options) for part in children(node)])


def _build_number(node: Node, options: Mapping[str, tuple[str, ...]]) -> _Built | float:
    """As ``_build``, with a truth value made 1.0 or 0.0."""
    built = _build(node, options)
    if isinstance(node, Compare | Logical) or (isinstance(node, Unary) and node.operator == "not"):
        return _apply(_as_number, [built])
    return built


def _function(node: Node) -> Callable[..., Tensor]:
    """The tensor function of a node's parts."""
    match node:
        case Unary(symbol):
            return _UNARY[symbol]
        case Binary(symbol):
            return _BINARY[symbol]
        case Logical(symbol):
            return _reduce(_LOGICAL[symbol])
        case Call(function):
            return _FUNCTIONS[function]
    raise ExpressionError(f"{node} is no function of its parts")


def _always(constant: Tensor) -> Callable[[Environment], Tensor]:
    def get(environment: Environment) -> Tensor:
        del environment
        return constant

    return get


def _apply(function: Callable[..., Tensor], parts: "list[_Built | float]") -> _Built | float:
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


def _compare(node: Compare, options: Mapping[str, tuple[str, ...]]) -> _Built | float:
    parts: list[_Built | float] = []
    choice = next((o.name for o in node.operands if isinstance(o, Name) and o.name in options), None)
    for operand in node.operands:
        if isinstance(operand, Text):
            if choice is None or operand.value not in options[choice]:
                raise ExpressionError(
                    f"{operand.value!r} is compared with something that does not have it as an option"
                )
            parts.append(float(options[choice].index(operand.value)))
        else:
            parts.append(_build(operand, options))
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


def _spread(values: tuple[Value, ...]) -> list[Tensor]:
    """Arguments of min, max and sum: numbers, or the entries of one vector."""
    return [entry for value in values for entry in (value if isinstance(value, tuple) else (_tensor(value),))]


def _reduce(combine: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda *values: functools.reduce(combine, _spread(values))


def _dot(left: Value, right: Value) -> Tensor:
    pairs = zip(_spread((left,)), _spread((right,)), strict=True)
    return functools.reduce(torch.add, [a * b for a, b in pairs])


_UNARY: dict[str, Callable[..., Tensor]] = {"-": torch.neg, "+": torch.positive, "not": torch.logical_not}
_BINARY: dict[str, Callable[..., Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "**": torch.pow,
    "%": torch.remainder,
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
    "min": _reduce(torch.minimum),
    "max": _reduce(torch.maximum),
    "sum": _reduce(torch.add),
    "dot": _dot,
}
