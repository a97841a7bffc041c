"""The value of an expression at plain numbers and texts, one at a time. Needs no torch; the compiler does tensors."""

import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce

from domains.document import Domain
from domains.expressions import Binary, Call, Compare, Conditional, Expression, Logical, Name, Node, Number, Text, Unary

Value = float | str | bool


def broken_constraint(domain: Domain, design: Mapping[str, float | str]) -> str | None:
    """The text of the first constraint of a domain that a design breaks; None where it breaks none."""
    names = {**domain.shared_constants, **design}
    return next((rule.text for rule in domain.constraints if not evaluate(rule, names)), None)


def evaluate(expression: Expression, names: Mapping[str, Value]) -> Value:
    """The value of an expression of settings and constants; NaN where it has none, as in tensors."""
    try:
        return _value(expression.root, names)
    except (ArithmeticError, ValueError):
        return math.nan


def _value(node: Node, names: Mapping[str, Value]) -> Value:
    match node:
        case Number(value) | Text(value):
            return value
        case Name(name):
            return names[name]
        case Compare(signs, operands):
            values = [_value(operand, names) for operand in operands]
            return all(
                _COMPARE[sign](left, right) for sign, left, right in zip(signs, values, values[1:], strict=False)
            )
        case Logical(sign, operands):
            return (all if sign == "and" else any)(bool(_value(operand, names)) for operand in operands)
        case Conditional(test, yes, no) | Call("where", (test, yes, no)):
            return _value(yes if _value(test, names) else no, names)
    return _number(node, names)


def _number(node: Node, names: Mapping[str, Value]) -> Value:
    def part(inner: Node) -> float:
        return float(_value(inner, names))

    match node:
        case Unary("not", operand):
            return not _value(operand, names)
        case Unary(sign, operand):
            return -part(operand) if sign == "-" else part(operand)
        case Binary(sign, left, right):
            return _BINARY[sign](part(left), part(right))
        case Call(function, arguments):
            return _FUNCTIONS[function](*map(part, arguments))
    raise ValueError(f"{node} has no plain value")


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


_COMPARE: Mapping[str, Callable[..., bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_BINARY: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": math.pow,
    "%": operator.mod, "//": operator.floordiv,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in ("exp", "log", "log10", "log1p", "expm1", "sqrt", "floor", "sin", "cos")},
    **{name: getattr(math, name) for name in ("tan", "tanh", "atan", "atan2", "erf", "lgamma")},
    "abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "sigmoid": _sigmoid,
    "logit": lambda p: math.log(p / (1 - p)),
    "normcdf": lambda x: 0.5 * math.erfc(-x / math.sqrt(2)),
    "clip": lambda x, low, high: min(max(x, low), high),
    "min": min,
    "max": max,
    "sum": lambda *values: reduce(operator.add, values),
}
