"""The shapes that sciences use: how a response depends on one setting, and what the settings are called.

A shape is an expression of order one. ``{x}`` (and ``{y}``) stand for settings, ``{m}`` for a typical value of the
setting, and every other letter for a quantity of ``LETTERS``, which may be unknown. Shapes of one role are rivals: they
share letters, and so parameters, where these mean the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "amplitude", "scale", "exponent", "fraction", "effect", "location", "count", "weights"
]  # of a quantity: decides which priors suit it


@dataclass(frozen=True)
class Letter:
    """A quantity in a shape: its name is ``stem_setting``; factor × the unit below is its typical value.

    unit: ``typical`` value of the setting, ``width`` of its range, its ``middle``, or 1 (``none``).
    """

    stem: str
    kind: Kind
    factor: float = 1.0
    unit: Literal["typical", "width", "middle", "none"] = "none"
    of: Literal["x", "y"] = "x"


LETTERS: Mapping[str, Letter] = {
    "k": Letter("k", "scale", 1.0, "typical"),
    "j": Letter("ki", "scale", 3.0, "typical"),
    "n": Letter("n", "exponent", 2.0),
    "a": Letter("power", "exponent", 0.7),
    "s": Letter("stretch", "exponent", 0.8),
    "N": Letter("sites", "count", 2.0),
    "f": Letter("share", "fraction", 0.4),
    "c": Letter("centre", "location", 1.0, "middle"),
    "C": Letter("second", "location", 1.0, "middle"),
    "h": Letter("centre", "location", 1.0, "middle", "y"),
    "H": Letter("second", "location", 1.0, "middle", "y"),
    "w": Letter("width", "scale", 0.18, "width"),
    "p": Letter("period", "scale", 0.45, "width"),
    "b": Letter("slope", "effect", 1.0),
    "g": Letter("growth", "exponent", 1.2),
    "e": Letter("energy", "scale", 4000.0),
    "q": Letter("q10", "exponent", 2.0),
    "Q": Letter("sharpness", "exponent", 2.5),
}


@dataclass(frozen=True)
class Shape:
    """One way in which a response depends on a setting; signed: it may be negative."""

    name: str
    text: str
    signed: bool = False


@dataclass(frozen=True)
class Role:
    """What a setting is in a law. span: how its range is laid out; groups: letters that may be swapped."""

    span: Literal["amount", "dose", "time", "kelvin", "line", "frequency"]
    shapes: tuple[Shape, ...]
    settings: int = 1
    groups: tuple[str, ...] = ()


_ONE = "({x} - {c})**2"
_TWO = "({x} - {c})**2 + ({y} - {h})**2"
_OTHER = "({x} - {C})**2 + ({y} - {H})**2"


def _source(one: str, other: str = "") -> tuple[Shape, ...]:
    """Kernels of the squared distance to one source, or to two that add up."""
    kernels = {
        "inverse-square": "1 / (0.1 + ({d}) / {w}**2)",
        "gaussian": "exp(-({d}) / (2 * {w}**2))",
        "exponential": "exp(-sqrt({d}) / {w})",
        "inverse-distance": "1 / (0.3 + sqrt({d}) / {w})",
    }

    def shape(name: str, kernel: str) -> Shape:
        parts = [kernel.replace("{d}", distance) for distance in (one, other) if distance]
        return Shape(name, f"({' + '.join(parts)})" if other else parts[0])

    return tuple(shape(name, kernel) for name, kernel in kernels.items())


ROLES: Mapping[str, Role] = {
    "amount": Role(
        "amount",
        (
            Shape("saturation", "{x} / ({k} + {x})"),
            Shape("hill", "{x}**{n} / ({k}**{n} + {x}**{n})"),
            Shape("exponential-rise", "(1 - exp(-{x} / {k}))"),
            Shape("proportional", "{x} / {m}"),
            Shape("power", "({x} / {m})**{a}"),
            Shape("logarithmic", "log1p({x} / {k})"),
            Shape("self-inhibition", "{x} / ({k} + {x} + {x}**2 / {j})"),
            Shape("threshold", "max({x} - {k}, 0) / {m}"),
            Shape("hyperbolic-tangent", "tanh({x} / {k})"),
            Shape("ricker", "{x} / {k} * exp(1 - {x} / {k})"),
            Shape("cooperative-sites", "{x}**(1 + {N}) / ({k}**(1 + {N}) + {x}**(1 + {N}))"),
            Shape("linear-contrast", "(1 + {b} * ({x} - {m}) / {m})", signed=True),
        ),
    ),
    "inhibitor": Role(
        "dose",
        (
            Shape("hyperbolic-inhibition", "1 / (1 + {x} / {k})"),
            Shape("exponential-inhibition", "exp(-{x} / {k})"),
            Shape("hill-inhibition", "1 / (1 + ({x} / {k})**{n})"),
            Shape("partial-inhibition", "(1 - {f} * {x} / ({k} + {x}))"),
            Shape("step-inhibition", "where({x} < {k}, 1, {f})"),
            Shape("linear-inhibition", "max(1 - {x} / (3 * {k}), 0)"),
            Shape("multi-target", "(1 - (1 - exp(-{x} / {k}))**(1 + {N}))"),
            Shape("linear-quadratic", "exp(-{x} / {k} - ({x} / {j})**2)"),
        ),
    ),
    "decay": Role(
        "time",
        (
            Shape("exponential-decay", "exp(-{x} / {k})"),
            Shape("power-decay", "(1 + {x} / {k})**(-{a})"),
            Shape("hyperbolic-decay", "1 / (1 + {x} / {k})"),
            Shape("two-phase-decay", "({f} * exp(-{x} / {k}) + (1 - {f}) * exp(-{x} / {j}))"),
            Shape("stretched-decay", "exp(-({x} / {k})**{s})"),
            Shape("gaussian-decay", "exp(-({x} / {k})**2)"),
            Shape("rise-and-fall", "({x} / {k}) * exp(1 - {x} / {k})"),
            Shape("damped-oscillation", "exp(-{x} / {k}) * cos(2 * pi * {x} / {p})", signed=True),
        ),
    ),
    "growth": Role(
        "time",
        (
            Shape("logistic-growth", "sigmoid(({x} - {c}) / {w})"),
            Shape("gompertz-growth", "exp(-exp(-({x} - {c}) / {w}))"),
            Shape("saturating-growth", "(1 - exp(-{x} / {k}))"),
            Shape("exponential-growth", "exp({g} * ({x} / {m} - 1))"),
            Shape("linear-growth", "{x} / {m}"),
            Shape("power-growth", "({x} / {m})**{a}"),
            Shape("multi-stage", "(1 - exp(-{x} / {k}))**(1 + {N})"),
        ),
    ),
    "temperature": Role(
        "kelvin",
        (
            Shape("arrhenius", "exp({e} * (1 / 300 - 1 / {x}))"),
            Shape("q10", "{q}**(({x} - 300) / 10)"),
            Shape("thermal-optimum", "exp(-(({x} - {c}) / {w})**2)"),
            Shape("thermal-parabola", "max(1 - (({x} - {c}) / (3 * {w}))**2, 0)"),
            Shape("thermal-plateau", "sigmoid(({x} - {c}) / {w})"),
            Shape("linear-in-temperature", "(1 + {b} * ({x} - 300) / 20)", signed=True),
        ),
    ),
    "position": Role(
        "line",
        (
            Shape("gaussian-peak", "exp(-(({x} - {c}) / {w})**2 / 2)"),
            Shape("lorentzian-peak", "1 / (1 + (({x} - {c}) / {w})**2)"),
            Shape("laplace-peak", "exp(-abs({x} - {c}) / {w})"),
            Shape("cosine-tuning", "(1 + cos(2 * pi * ({x} - {c}) / {p})) / 2"),
            Shape("step-change", "where({x} < {c}, 1, {f})"),
            Shape("smooth-front", "sigmoid(({x} - {c}) / {w})"),
            Shape("gradient", "({x} - {c}) / {w}", signed=True),
            Shape("wave", "sin(2 * pi * ({x} - {c}) / {p})", signed=True),
        ),
    ),
    "stimulus": Role(
        "line",
        (
            Shape("logistic", "sigmoid(({x} - {c}) / {w})"),
            Shape("cumulative-normal", "normcdf(({x} - {c}) / {w})"),
            Shape("arctangent", "(0.5 + atan(({x} - {c}) / {w}) / pi)"),
            Shape("lapsing", "({f} / 4 + (1 - {f} / 2) * sigmoid(({x} - {c}) / {w}))"),
            Shape("rectified", "max({x} - {c}, 0) / {w}"),
            Shape("linear", "({x} - {c}) / {w}", signed=True),
            Shape("compressive", "tanh(({x} - {c}) / {w})", signed=True),
        ),
    ),
    "frequency": Role(
        "frequency",
        (
            Shape("low-pass", "1 / sqrt(1 + ({x} / {k})**2)"),
            Shape("second-order", "1 / (1 + ({x} / {k})**2)"),
            Shape("resonance", "1 / sqrt((1 - ({x} / {k})**2)**2 + ({x} / ({Q} * {k}))**2)"),
            Shape("band-pass", "2 * {x} / {k} / (1 + ({x} / {k})**2)"),
            Shape("power-spectrum", "({x} / {m})**(-{a})"),
        ),
    ),
    "line source": Role("line", _source(_ONE)),
    "plane source": Role("line", _source(_TWO), settings=2),
    "line sources": Role("line", _source(_ONE, _ONE.replace("{c}", "{C}")), groups=("c", "C")),
    "plane sources": Role("line", _source(_TWO, _OTHER), settings=2, groups=("ch", "CH")),
}

SOURCES: Mapping[tuple[int, bool], str] = {
    (1, False): "line source", (2, False): "plane source", (1, True): "line sources", (2, True): "plane sources",
}  # fmt: skip
