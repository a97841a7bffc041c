"""What comes back: an outcome family for a latent value, with arguments that are valid by construction.

A latent value is scaled by its own prior-predictive quantiles, so that noise is neither nothing nor all, probabilities
turn within the range of designs, and counts are counts.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.random_domains.draw import Draw, figures
from domains.random_domains.questions import Latent
from domains.random_domains.recipe import Recipe

SIGNED = ("normal", "studentt", "bernoulli", "binomial", "categorical", "beta", "logitnormal")
REPEATABLE = (
    "normal", "studentt", "lognormal", "logitnormal", "binomial", "poisson", "negative_binomial", "beta", "gamma",
)  # families that a number of repeats makes sharper  # fmt: skip
NOISY = ("normal", "studentt", "lognormal", "logitnormal")  # families whose noise may be an unknown parameter
_CENSORED = ("normal", "studentt", "lognormal", "gamma", "exponential", "poisson", "negative_binomial")


@dataclass(frozen=True)
class Spread:
    """Prior-predictive quantiles of a latent value over designs, parameters and laws."""

    low: float
    middle: float
    high: float

    @property
    def width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def size(self) -> float:
        """A typical size of a value that is not negative."""
        return (self.middle + self.high) / 2


def spread(values: NDArray[np.float64]) -> Spread | None:
    """The quantiles (10, 50, 90 %) of finite values; None where a law has no use: too many broken, or constant."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.995 * len(values):
        return None
    low, middle, high = np.quantile(finite, (0.1, 0.5, 0.9)).tolist()
    found = Spread(low, middle, high)
    return found if found.width > 0.05 * max(abs(low), abs(high)) and 1e-6 < found.width < 1e7 else None


@dataclass(frozen=True)
class Signal:
    """A latent value to be measured. noise: the relative noise as written, a number or a parameter; level: its typical
    value; repeats: a design, or nothing."""

    text: str
    spread: Spread
    noise: str
    level: float
    repeats: str
    signed: bool

    @property
    def logit(self) -> str:
        """About -3 to 3 over the prior-predictive range."""
        centre, width = figures(self.spread.low / 2 + self.spread.high / 2), figures(self.spread.width / 2.2)
        return f"({self.text} - {centre}) / {width}" if centre >= 0 else f"({self.text} + {-centre}) / {width}"

    @property
    def positive(self) -> str:
        """Kept off 0 by a small background."""
        return f"{self.text} + {figures(0.03 * self.spread.size)}"

    @property
    def sharper(self) -> str:
        return f" / sqrt({self.repeats})" if self.repeats else ""

    @property
    def times(self) -> str:
        return f" * {self.repeats}" if self.repeats else ""


Arguments = dict[str, Any]


def _scaled(draw: Draw, signal: Signal) -> str:
    """Noise on the latent value's own scale: constant, or growing with it."""
    width = figures(signal.spread.width)
    if not signal.signed and draw.chance(0.35):
        return f"{signal.noise} * ({signal.text} + {figures(0.2 * signal.spread.size)}){signal.sharper}"
    if not signal.sharper and signal.noise == str(figures(signal.level)):
        return str(figures(signal.level * signal.spread.width))
    return f"{signal.noise} * {width}{signal.sharper}"


def _normal(draw: Draw, signal: Signal) -> Arguments:
    return {"mean": signal.text, "sd": _scaled(draw, signal)}


def _studentt(draw: Draw, signal: Signal) -> Arguments:
    return {"df": draw.one((3, 4, 6, 10)), "mean": signal.text, "scale": _scaled(draw, signal)}


def _lognormal(draw: Draw, signal: Signal) -> Arguments:
    del draw
    return {"mu": f"log({signal.positive})", "sigma": f"{signal.noise}{signal.sharper}"}


def _probability(draw: Draw, signal: Signal) -> str:
    """A probability of the latent value: saturating (none without signal), with lapses, or logistic."""
    way = draw.pick({"logistic": 3.0, "lapses": 1.0, "saturating": 0.0 if signal.signed else 2.0})
    if way == "saturating":
        return f"1 - exp(-({signal.text}) / {figures(signal.spread.size)})"
    inner = f"sigmoid({signal.logit})"
    return inner if way == "logistic" else f"0.03 + 0.94 * {inner}"


def _binomial(draw: Draw, signal: Signal) -> Arguments:
    return {"n": signal.repeats or draw.one((5, 10, 20, 50, 100)), "p": _probability(draw, signal)}


def _counts(draw: Draw, signal: Signal) -> str:
    """Counts of 4 to 100 where the signal is strong, over a small background."""
    factor = figures(draw.log_between(4, 100) / signal.spread.size)
    counts = f"{factor} * {_bracketed(signal.text)} + {draw.one((0.02, 0.1, 0.5, 1))}"
    return f"({counts}){signal.times}" if signal.repeats else counts


def _bracketed(text: str) -> str:
    return text if text.replace("_", "").isalnum() else f"({text})"


def _negative_binomial(draw: Draw, signal: Signal) -> Arguments:
    return {"mean": _counts(draw, signal), "dispersion": figures(draw.log_between(2, 30))}


def _categorical(draw: Draw, signal: Signal) -> Arguments:
    """Ordered categories (cumulative logits, McCullagh 1980), or a choice between two and none."""
    u = signal.logit
    if draw.chance(0.5):
        middle = f"sigmoid({u} + 1) - sigmoid({u} - 1)"
        return {"p": [f"1 - sigmoid({u} + 1)", middle, f"sigmoid({u} - 1)"]}
    neither = draw.one((0.05, 0.1, 0.2))
    return {"p": [neither, f"{1 - neither} * sigmoid({u})", f"{1 - neither} * sigmoid(-({u}))"]}


def _concentration(signal: Signal) -> str:
    return f"{figures(min(max(0.3 / signal.level**2, 3), 400))}{signal.times}"


def _beta(draw: Draw, signal: Signal) -> Arguments:
    del draw
    return {"mean": f"0.02 + 0.96 * sigmoid({signal.logit})", "concentration": _concentration(signal)}


def _gamma(draw: Draw, signal: Signal) -> Arguments:
    del draw
    return {"mean": signal.positive, "shape": f"{figures(min(max(1 / signal.level**2, 1.5), 400))}{signal.times}"}


def _exponential(draw: Draw, signal: Signal) -> Arguments:
    """A waiting time: of the size of the latent value, or until an event of that rate."""
    return {"rate": f"1 / ({signal.positive})" if draw.chance(0.5) else signal.positive}


def _logitnormal(draw: Draw, signal: Signal) -> Arguments:
    del draw
    noise = figures(3 * signal.level) if signal.noise == str(figures(signal.level)) else f"3 * {signal.noise}"
    return {"mean": signal.logit, "sd": f"{noise}{signal.sharper}"}


FAMILIES: Mapping[str, Callable[[Draw, Signal], Arguments]] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "studentt": _studentt,
    "bernoulli": lambda draw, signal: {"p": _probability(draw, signal)},
    "binomial": _binomial,
    "poisson": lambda draw, signal: {"rate": _counts(draw, signal)},
    "negative_binomial": _negative_binomial,
    "categorical": _categorical,
    "beta": _beta,
    "gamma": _gamma,
    "exponential": _exponential,
    "logitnormal": _logitnormal,
}
_WORDS: Mapping[str, str] = {
    "bernoulli": "response", "binomial": "successes", "poisson": "count", "negative_binomial": "count",
    "categorical": "grade", "beta": "fraction", "exponential": "waiting_time", "logitnormal": "proportion",
}  # fmt: skip


def families(draw: Draw, recipe: Recipe) -> tuple[str, ...]:
    """The families of one or two outcomes."""
    first = draw.pick(recipe.outcomes)
    return (first, draw.pick(recipe.outcomes)) if draw.chance(recipe.chance("second outcome")) else (first,)


def outcome(draw: Draw, recipe: Recipe, family: str, signal: Signal) -> dict[str, Any]:
    """An outcome's entry, at times censored at the 80th to 95th or 5th to 20th percentile or so."""
    arguments = {name: _plain(value) for name, value in FAMILIES[family](draw, signal).items()}
    entry: dict[str, Any] = {family: arguments}
    if family in _CENSORED and draw.chance(recipe.chance("censor")):
        entry["censor"] = _censor(draw, family, arguments, signal.spread)
    return entry


def _plain(value: Any) -> Any:
    """A text that is a number as a number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(number) if number == math.floor(number) and isinstance(value, str | int) else number


def _censor(draw: Draw, family: str, arguments: Arguments, spread: Spread) -> list[float | None]:
    """A detection limit, a saturation, or both."""
    if family in ("poisson", "negative_binomial"):
        return [None, draw.one((10, 20, 50))]
    low, high = figures(spread.low + 0.1 * spread.width), figures(spread.high + 0.1 * spread.width)
    if family == "exponential" and not str(arguments["rate"]).startswith("1 /"):
        low, high = figures(0.1 / spread.size), figures(2 / spread.size)
    both: list[float | None] = [low, high] if 0 < low < high or family in ("normal", "studentt") else [None, high]
    return draw.one((both, [None, high], [both[0], None] if both[0] is not None else [None, high]))


def outcome_name(latent: Latent, family: str, taken: set[str]) -> str:
    """A name of its own for what comes back."""
    name = _WORDS.get(family, f"measured_{latent.name}")
    return name if name not in taken else f"{name}_{latent.name}"
