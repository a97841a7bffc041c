"""Families of priors and outcomes: their arguments, in order, and what a constant argument must satisfy."""

import math
from collections.abc import Callable, Mapping

Arguments = tuple[tuple[str, str], ...]  # (name, rule) in the order in which they are written

_RULES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "any": (math.isfinite, "finite"),
    "positive": (lambda value: 0 < value < math.inf, "> 0"),
    "non-negative": (lambda value: 0 <= value < math.inf, ">= 0"),
    "probability": (lambda value: -1e-6 <= value <= 1 + 1e-6, "between 0 and 1"),
    "fraction": (lambda value: 0 < value < 1, "between 0 and 1, both excluded"),
    "count": (lambda value: value >= 0 and value == math.floor(value), "a whole number >= 0"),
}

PRIORS: Mapping[str, Arguments] = {
    "normal": (("mean", "any"), ("sd", "positive")),
    "lognormal": (("mu", "any"), ("sigma", "positive")),
    "halfnormal": (("scale", "positive"),),
    "uniform": (("low", "any"), ("high", "any")),
    "loguniform": (("low", "positive"), ("high", "positive")),
    "beta": (("a", "positive"), ("b", "positive")),
    "gamma": (("shape", "positive"), ("rate", "positive")),
    "exponential": (("rate", "positive"),),
    "studentt": (("df", "positive"), ("mean", "any"), ("scale", "positive")),
    "dirichlet": (),  # any number of concentrations, at least two
    "categorical": (),  # a mapping of values to weights
    "poisson": (("rate", "positive"),),
}

OUTCOMES: Mapping[str, Arguments] = {
    "normal": (("mean", "any"), ("sd", "positive")),
    "lognormal": (("mu", "any"), ("sigma", "positive")),
    "studentt": (("df", "positive"), ("mean", "any"), ("scale", "positive")),
    "bernoulli": (("p", "probability"),),
    "binomial": (("n", "count"), ("p", "probability")),
    "poisson": (("rate", "non-negative"),),
    "negative_binomial": (("mean", "non-negative"), ("dispersion", "positive")),
    "categorical": (("p", "probability"),),
    "beta": (("mean", "fraction"), ("concentration", "positive")),
    "gamma": (("mean", "positive"), ("shape", "positive")),
    "exponential": (("rate", "positive"),),
    "logitnormal": (("mean", "any"), ("sd", "positive")),
}

_SUPPORTS = {"normal": (-math.inf, math.inf), "studentt": (-math.inf, math.inf), "beta": (0.0, 1.0)}


def fault(argument: str, rule: str, value: float | None) -> str | None:
    """What is wrong with a constant argument; None where nothing is, or where the argument is no constant."""
    if value is None or _RULES[rule][0](value):
        return None
    return f"{argument} is {value:g}, but must be {_RULES[rule][1]}"


def support(family: str, arguments: tuple[float | None, ...]) -> tuple[float, float]:
    """The open interval that a scalar family's values lie in; an argument that is no constant widens it."""
    if family in ("uniform", "loguniform"):
        low, high = arguments
        return (-math.inf if low is None else low, math.inf if high is None else high)
    return _SUPPORTS.get(family, (0.0, math.inf))
