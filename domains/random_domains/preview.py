"""A cheap look at a draft: what its laws give over prior and designs, in numpy.

The draws are not random but a fixed low-discrepancy set (Kronecker's sequence with the roots of primes), pushed
through quantile functions, so that a draft is scaled to its own prior-predictive spread without any stream. Truncated
priors are clipped, which is near enough for a scale.
"""

import operator
from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from domains.expressions import Binary, Call, Compare, Entry, Name, Node, Number, Text, Unary, children
from domains.expressions import parse as parse_expression

Array = NDArray[np.float64]
Environment = dict[str, Any]
Value = Callable[[Environment], Any]

_DRAWS = 192
_DYNAMIC_DRAWS = 48
_STEPS = 30  # of Runge-Kutta: enough for a scale
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)

_BINARY: Mapping[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "%": operator.mod, "//": operator.floordiv,
}  # fmt: skip
_COMPARE: Mapping[str, Callable[..., Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos,
    "tanh": np.tanh, "atan": np.arctan, "sigmoid": special.expit, "normcdf": special.ndtr, "where": np.where,
    "min": np.minimum, "max": np.maximum,
}  # fmt: skip


@cache
def uniforms(draws: int) -> Array:
    """Points [draws, columns] of the unit cube, one axis a prime."""
    steps = np.arange(1, draws + 1)[:, None] * np.sqrt(np.array(_PRIMES, dtype=np.float64))
    points: Array = ((0.5 + steps) % 1.0).clip(0.002, 0.998)
    return points


def compiled(text: str | float) -> Value:
    """A number or an expression as a function of named arrays."""
    return _build(parse_expression(text).root) if isinstance(text, str) else _always(text)


def _always(constant: float | str) -> Value:
    def value(environment: Environment) -> float | str:
        del environment
        return constant

    return value


def _build(node: Node) -> Value:
    """A syntax tree as nested closures; for what random domains write: ``where`` and one comparison at a time."""
    match node:
        case Number(value=constant) | Text(value=constant):
            return _always(constant)
        case Name(name=name):
            return operator.itemgetter(name)
        case Entry(name=name, index=index):
            return lambda environment: environment[name][index]
        case Call(function=("min" | "max") as function, arguments=arguments):
            return _fold(_FUNCTIONS[function], [_build(one) for one in arguments])
    return _apply(_function(node), [_build(part) for part in children(node)])


def _function(node: Node) -> Callable[..., Any]:
    match node:
        case Unary():
            return operator.neg
        case Binary(operator=sign):
            return _BINARY[sign]
        case Compare(operators=(sign,)):
            return _COMPARE[sign]
        case Call(function=function):
            return _FUNCTIONS[function]
    raise AssertionError(node)


def _apply(function: Callable[..., Any], values: list[Value]) -> Value:
    if len(values) == 2:
        first, second = values
        return lambda environment: function(first(environment), second(environment))
    return lambda environment: function(*[value(environment) for value in values])


def _fold(function: Callable[..., Any], values: list[Value]) -> Value:
    return lambda environment: reduce(function, [value(environment) for value in values])


def _poisson(u: Array, rate: Any) -> Array:
    return np.ceil(special.pdtrik(u, rate)).clip(0)


_QUANTILES: Mapping[str, Callable[..., Any]] = {
    "normal": lambda u, mean, sd: mean + sd * special.ndtri(u),
    "lognormal": lambda u, mu, sigma: np.exp(mu + sigma * special.ndtri(u)),
    "halfnormal": lambda u, scale: scale * special.ndtri(0.5 + u / 2),
    "uniform": lambda u, low, high: low + (high - low) * u,
    "loguniform": lambda u, low, high: low * (high / low) ** u,
    "beta": lambda u, a, b: special.betaincinv(a, b, u),
    "gamma": lambda u, shape, rate: special.gammaincinv(shape, u) / rate,
    "exponential": lambda u, rate: -np.log1p(-u) / rate,
    "studentt": lambda u, df, mean, scale: mean + scale * special.stdtrit(df, u),
    "poisson": _poisson,
}


def _draw_prior(prior: Mapping[str, Any], environment: Environment, columns: list[Array]) -> Any:
    """Draws of one parameter; a vector has its entries first. Takes the columns that it uses."""
    family, arguments = next(iter(prior.items()))
    if family == "categorical":
        weights = np.cumsum(list(arguments.values()))
        return np.array([float(key) for key in arguments])[np.searchsorted(weights / weights[-1], columns.pop())]
    if family == "dirichlet":
        entries = np.stack([special.gammaincinv(a, columns.pop()) for a in arguments])
        return entries / entries.sum(0)
    values = _QUANTILES[family](columns.pop(), *[compiled(argument)(environment) for argument in arguments])
    return values.clip(prior.get("low"), prior.get("high")) if "low" in prior or "high" in prior else values


def _draw_design(design: Mapping[str, Any], u: Array) -> Any:
    if "choice" in design or "levels" in design:
        values = np.array(design.get("choice") or design["levels"])
        return values[(u * len(values)).astype(int)]
    low, high = design.get("real") or design["integer"]
    value = low * (high / low) ** u if design.get("scale") == "log" else low + (high - low) * u
    return np.round(value) if "integer" in design else value


def look(draft: Mapping[str, Any], latents: tuple[str, ...]) -> tuple[list[list[Array]], Environment]:
    """What the latent expressions give under each law, [law][latent] → [draws] (of vectors, [times × draws]).

    The second value holds the draws of the designs. Laws share the draws of parameters of the same name.
    """
    dynamic = any("dynamics" in law for law in draft["mechanisms"].values())
    columns = list(uniforms(_DYNAMIC_DRAWS if dynamic else _DRAWS).T)
    designs = {name: _draw_design(design, columns.pop()) for name, design in draft["designs"].items()}
    wanted = [compiled(latent) for latent in latents]
    values: Environment = dict(designs)
    found = []
    with np.errstate(all="ignore"):
        for law in draft["mechanisms"].values():
            for name, entry in {**draft["parameters"], **law.get("parameters", {})}.items():
                if name not in values:
                    prior = entry["prior"] if isinstance(entry, dict) else None
                    values[name] = float(entry) if prior is None else _draw_prior(prior, values, columns)
            environment = dict(values)
            for name, text in law.get("let", {}).items():
                environment[name] = compiled(text)(environment)
            if "dynamics" in law:
                environment |= integrate(law["dynamics"], environment)
            found.append([np.ravel(np.asarray(latent(environment), dtype=np.float64)) for latent in wanted])
    return found, designs


def integrate(dynamics: Mapping[str, Any], environment: Environment) -> Environment:
    """The states when they are read out, by the classical Runge-Kutta method with few steps; ``at``: at the last."""
    draws = next(len(value) for value in environment.values() if isinstance(value, np.ndarray))
    until = compiled(dynamics["at"][-1] if "at" in dynamics else dynamics["until"])(environment)
    names = list(dynamics["state"])
    rates = [compiled(state["rate"]) for state in dynamics["state"].values()]
    starts = [compiled(state["start"])(environment) for state in dynamics["state"].values()]
    y = np.empty((len(names), draws))
    for index, start in enumerate(starts):
        y[index] = start
    step = np.asarray(until, dtype=np.float64) / _STEPS
    scope = dict(environment)

    def slope(y: Array) -> Array:
        scope.update(zip(names, y, strict=True))
        change = np.empty_like(y)
        for index, rate in enumerate(rates):
            change[index] = rate(scope)
        return change

    path = [y]
    for _ in range(_STEPS):
        first = slope(y)
        second = slope(y + step / 2 * first)
        third = slope(y + step / 2 * second)
        y = y + step / 6 * (first + 2 * second + 2 * third + slope(y + step * third))
        path.append(y)
    if "at" not in dynamics:
        return dict(zip(names, y, strict=True))
    last = dynamics["at"][-1]
    read = np.stack([path[round(time / last * _STEPS)] for time in dynamics["at"]])  # [times, states, draws]
    return {name: read[:, index] for index, name in enumerate(names)}
