"""The density of a prior with constant arguments, as points of a curve to draw. Needs no torch.

The formulas are those of FORMAT.md; a truncated prior is divided by the share that lies between its bounds.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domains.document import Parameter, Prior
from domains.prior_ranges import Arguments, known_numbers, quantile, share_between

_POINTS = 160
_ENDS = (0.005, 0.995)  # what is drawn of a law without ends
_WIDE = 300.0  # of a positive law: beyond this ratio of its ends, the logarithm is drawn
_FLAT = 1e-9


@dataclass(frozen=True)
class Curve:
    """Points of a density, or the probabilities of separate values.

    logarithmic: x is to be drawn on a logarithmic axis, and y is the density of log x.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    discrete: bool = False
    logarithmic: bool = False


def density(parameter: Parameter, constants: Mapping[str, float]) -> list[Curve]:
    """The curve of a scalar unknown, or one for each entry of a vector; none where the prior depends on others."""
    prior = parameter.prior
    numbers = None if prior is None else known_numbers(prior, constants)
    if prior is None or numbers is None:
        return []
    arguments, bounds = numbers
    if prior.family == "dirichlet":  # each share is beta by itself
        total = sum(arguments)
        return [_curve(Prior("beta", ()), (a, total - a), [None, None]) for a in arguments]
    return [_discrete(prior, arguments, bounds) if prior.family in _MASSES else _curve(prior, arguments, bounds)]


def _curve(prior: Prior, arguments: Arguments, bounds: list[float | None]) -> Curve:
    first, last = (quantile(prior, arguments, bounds, level) for level in _ends(prior, bounds))
    share = max(share_between(prior, arguments, bounds), 1e-300)
    logarithmic = first > 0 and last / first > _WIDE and prior.family in ("lognormal", "loguniform")
    ends = (math.log(first), math.log(last)) if logarithmic else (first, last)
    steps = [ends[0] + (ends[1] - ends[0]) * i / (_POINTS - 1) for i in range(_POINTS)]
    x = [math.exp(step) for step in steps] if logarithmic else steps
    heights = [_height(prior.family, value, arguments) / share for value in x]
    y = [value * height for value, height in zip(x, heights, strict=True)] if logarithmic else heights
    return Curve(tuple(x), tuple(y), logarithmic=logarithmic)


def _ends(prior: Prior, bounds: list[float | None]) -> tuple[float, float]:
    """The levels at which the drawing begins and ends: all of a law that has an end there, just inside of it."""
    low, high = _ENDS
    if prior.family in ("uniform", "loguniform"):
        return _FLAT, 1 - _FLAT
    return (_FLAT if bounds[0] is not None else low), (1 - _FLAT if bounds[1] is not None else high)


def _height(family: str, x: float, arguments: Arguments) -> float:
    try:
        return math.exp(_LOG_DENSITIES[family](x, arguments))
    except (ValueError, OverflowError, ZeroDivisionError):  # at the edge of the support, where a logarithm has no value
        return 0.0


def _discrete(prior: Prior, arguments: Arguments, bounds: list[float | None]) -> Curve:
    if prior.family == "categorical":
        masses = dict(sorted(zip(prior.values, arguments, strict=True)))
    else:
        (rate,) = arguments
        first, last = (int(quantile(prior, arguments, bounds, level)) for level in _ENDS)
        masses = {float(k): math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in range(first, last + 1)}
    total = sum(masses.values())
    return Curve(tuple(masses), tuple(mass / total for mass in masses.values()), discrete=True)


def _normal(x: float, mean: float, sd: float) -> float:
    return -0.5 * ((x - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def _studentt(x: float, a: Arguments) -> float:
    df, mean, scale = a
    rest = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi) - math.log(scale)
    return rest - (df + 1) / 2 * math.log1p(((x - mean) / scale) ** 2 / df)


def _beta(x: float, a: Arguments) -> float:
    rest = math.lgamma(a[0] + a[1]) - math.lgamma(a[0]) - math.lgamma(a[1])
    return rest + (a[0] - 1) * math.log(x) + (a[1] - 1) * math.log1p(-x)


def _gamma(x: float, a: Arguments) -> float:
    return a[0] * math.log(a[1]) - math.lgamma(a[0]) + (a[0] - 1) * math.log(x) - a[1] * x


_MASSES = ("categorical", "poisson")
_LOG_DENSITIES: Mapping[str, Callable[[float, Arguments], float]] = {
    "normal": lambda x, a: _normal(x, a[0], a[1]),
    "lognormal": lambda x, a: _normal(math.log(x), a[0], a[1]) - math.log(x),
    "halfnormal": lambda x, a: math.log(2) + _normal(x, 0, a[0]),
    "uniform": lambda _, a: -math.log(a[1] - a[0]),
    "loguniform": lambda x, a: -math.log(x) - math.log(math.log(a[1] / a[0])),
    "beta": _beta,
    "gamma": _gamma,
    "exponential": lambda x, a: math.log(a[0]) - a[0] * x,
    "studentt": _studentt,
}
