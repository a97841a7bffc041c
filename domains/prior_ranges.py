"""Where a prior with constant arguments puts a parameter: median and central 90 % interval. Needs no torch."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domains.document import Parameter, Prior
from domains.expressions import Binary, Call, Expression, Name, Node, Number, Unary

Arguments = tuple[float, ...]
_LEVELS = (0.5, 0.05, 0.95)


@dataclass(frozen=True)
class Range:
    """The median and the 5 % and 95 % quantiles."""

    median: float
    low: float
    high: float


def prior_range(parameter: Parameter, constants: Mapping[str, float]) -> Range | None:
    """The range of a scalar unknown; None where the prior depends on other unknowns, and for vectors."""
    numbers = None if parameter.prior is None or parameter.size else known_numbers(parameter.prior, constants)
    if numbers is None or parameter.prior is None:
        return None
    return Range(*(quantile(parameter.prior, *numbers, level) for level in _LEVELS))


def known_numbers(prior: Prior, constants: Mapping[str, float]) -> tuple[Arguments, list[float | None]] | None:
    """A prior's arguments and its bounds as numbers; None where one of them depends on other unknowns."""
    arguments = [constant(argument, constants) for argument in prior.arguments]
    bounds = [None if bound is None else constant(bound, constants) for bound in (prior.low, prior.high)]
    known = all(value is not None for value in arguments)
    if not known or any(b is None for b, e in zip(bounds, (prior.low, prior.high), strict=True) if e is not None):
        return None
    return tuple(value for value in arguments if value is not None), bounds


def share_between(prior: Prior, arguments: Arguments, bounds: list[float | None]) -> float:
    """The probability that the family, not cut off, has between the bounds."""
    _, below = _CONTINUOUS[prior.family]
    low, high = bounds
    return (1.0 if high is None else below(high, arguments)) - (0.0 if low is None else below(low, arguments))


def quantile(prior: Prior, arguments: Arguments, bounds: list[float | None], level: float) -> float:
    """The value below which a share ``level`` of a scalar prior lies."""
    if prior.family in ("categorical", "poisson"):
        return _discrete_quantile(prior, arguments, bounds, level)
    quantile, below = _CONTINUOUS[prior.family]
    low, high = bounds
    if prior.family == "normal" and low is not None:
        return _above(low, high, arguments, level)
    if prior.family == "lognormal" and low is not None and low > 0:
        return math.exp(_above(math.log(low), None if high is None else math.log(high), arguments, level))
    first = 0.0 if low is None else below(low, arguments)
    last = 1.0 if high is None else below(high, arguments)
    return float(quantile(first + level * (last - first), arguments))


def _discrete_quantile(prior: Prior, arguments: Arguments, bounds: list[float | None], level: float) -> float:
    """The smallest value whose probability and that of all below reach the level."""
    if prior.family == "categorical":
        weights = dict(sorted(zip(prior.values, arguments, strict=True)))
    else:
        (rate,) = arguments
        most = int(rate + 12 * math.sqrt(rate) + 40)
        weights = {float(k): math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(most)}
    low, high = bounds
    inside = {v: w for v, w in weights.items() if (low is None or v >= low) and (high is None or v <= high)}
    goal, reached = level * sum(inside.values()), 0.0
    for value, weight in inside.items():
        reached += weight
        if reached >= goal * (1 - 1e-12):
            return value
    return math.nan


def constant(expression: Expression, constants: Mapping[str, float]) -> float | None:
    """The value of an expression of numbers and constants; None for any other, and where it has none."""
    try:
        return _value(expression.root, constants)
    except (ArithmeticError, ValueError):
        return None


def _value(node: Node, constants: Mapping[str, float]) -> float | None:
    match node:
        case Number(value=value):
            return value
        case Name(name=name):
            return constants.get(name)
        case Unary(operator="-", operand=operand):
            return _of(operator.neg, operand, constants=constants)
        case Binary(operator=sign, left=left, right=right) if sign in _ARITHMETIC:
            return _of(_ARITHMETIC[sign], left, right, constants=constants)
        case Call(function=function, arguments=(inner,)) if function in _FUNCTIONS:
            return _of(_FUNCTIONS[function], inner, constants=constants)
    return None


def _of(function: Callable[..., float], *parts: Node, constants: Mapping[str, float]) -> float | None:
    values = [_value(part, constants) for part in parts]
    return None if None in values else function(*values)


_ARITHMETIC: Mapping[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": math.pow,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt}


def _special(name: str, *arguments: float) -> float:
    """A function of scipy.special, imported when it is first needed."""
    from scipy import special

    return float(getattr(special, name)(*arguments))


def _normal_quantile(p: float, a: Arguments) -> float:
    return a[0] + a[1] * _special("ndtri", p)


def _above(low: float, high: float | None, a: Arguments, level: float) -> float:
    """A quantile of a normal variable above ``low``, by logarithms of its upper tail: far up, 1 − p has no digits."""
    first = _special("log_ndtr", (a[0] - low) / a[1])
    last = -math.inf if high is None else _special("log_ndtr", (a[0] - high) / a[1])
    tail = first + math.log1p(level * math.expm1(last - first))  # of (1 − level) P(X > low) + level P(X > high)
    return a[0] - a[1] * _special("ndtri_exp", tail)


def _normal_below(x: float, a: Arguments) -> float:
    return _special("ndtr", (x - a[0]) / a[1])


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _clipped(x: float) -> float:
    return min(max(x, 0.0), 1.0)


_Law = tuple[Callable[[float, Arguments], float], Callable[[float, Arguments], float]]
_CONTINUOUS: Mapping[str, _Law] = {  # family: quantile(p, arguments), P(X ≤ x; arguments)
    "normal": (_normal_quantile, _normal_below),
    "lognormal": (lambda p, a: math.exp(_normal_quantile(p, a)), lambda x, a: _normal_below(_log(x), a)),
    "halfnormal": (
        lambda p, a: _normal_quantile((1 + p) / 2, (0, a[0])),
        lambda x, a: 2 * _normal_below(max(x, 0), (0, a[0])) - 1,
    ),
    "uniform": (lambda p, a: a[0] + (a[1] - a[0]) * p, lambda x, a: _clipped((x - a[0]) / (a[1] - a[0]))),
    "loguniform": (
        lambda p, a: a[0] * (a[1] / a[0]) ** p,
        lambda x, a: _clipped((_log(x) - math.log(a[0])) / math.log(a[1] / a[0])),
    ),
    "beta": (lambda p, a: _special("betaincinv", *a, p), lambda x, a: _special("betainc", *a, _clipped(x))),
    "gamma": (
        lambda p, a: _special("gammaincinv", a[0], p) / a[1],
        lambda x, a: _special("gammainc", a[0], max(x, 0) * a[1]),
    ),
    "exponential": (lambda p, a: -math.log1p(-p) / a[0], lambda x, a: -math.expm1(-a[0] * max(x, 0))),
    "studentt": (
        lambda p, a: a[1] + a[2] * _special("stdtrit", a[0], p),
        lambda x, a: _special("stdtr", a[0], (x - a[1]) / a[2]),
    ),
}
