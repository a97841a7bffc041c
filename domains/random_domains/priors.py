"""Quantities of laws, and their priors: which of them are unknown, and how much is known of each."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domains.random_domains.draw import Draw, figures
from domains.random_domains.recipe import Recipe
from domains.random_domains.shapes import Kind

_FITS: Mapping[Kind, tuple[str, ...]] = {
    "amplitude": ("lognormal", "loguniform", "uniform", "gamma", "halfnormal", "exponential", "normal", "studentt"),
    "scale": ("lognormal", "loguniform", "uniform", "gamma", "normal", "studentt"),
    "exponent": ("lognormal", "loguniform", "uniform", "gamma", "normal", "categorical"),
    "fraction": ("beta", "uniform"),
    "effect": ("normal", "studentt", "uniform"),
    "location": ("uniform", "normal", "studentt"),
    "count": ("poisson", "categorical"),
    "weights": ("dirichlet",),
}
_POSITIVE: tuple[Kind, ...] = ("amplitude", "scale", "exponent")
_TRUNCATED = ("normal", "lognormal", "halfnormal", "gamma", "exponential", "studentt")


@dataclass(frozen=True)
class Quantity:
    """A number (or, with ``size`` > 1, weights that sum to 1) of some laws, unknown or known.

    centre: its typical value; spread: of the logarithm for positive kinds, absolute for an effect or a location. like:
    the quantity whose prior this one shares, being exchangeable with it. group: of quantities of one kind that may
    depend on one another in a hierarchical prior; none if empty.
    """

    name: str
    kind: Kind
    centre: float
    spread: float = 0.5
    size: int = 1
    like: str = ""
    group: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The placeholders that stand for it in the texts of laws."""
        return (self.name,) if self.size == 1 else tuple(f"{self.name}_{index}" for index in range(self.size))


@dataclass(frozen=True)
class Knowledge:
    """What a document knows of its quantities.

    entries: name in the document → constant or prior, in an order in which they can be evaluated. written: placeholder
    → how expressions write it; names: placeholder → the name that it needs in the document.
    """

    entries: dict[str, Any] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def put(self, placeholder: str, name: str, entry: Any, written: str) -> None:
        self.entries[name] = entry
        self.names[placeholder] = name
        self.written[placeholder] = written

    def prior(self, quantity: Quantity) -> dict[str, Any] | None:
        """The prior of a quantity that is unknown and not a vector."""
        entry = self.entries.get(self.names.get(quantity.name, ""))
        return entry["prior"] if isinstance(entry, dict) else None


def choose_unknown(
    draw: Draw, recipe: Recipe, quantities: Mapping[str, Quantity], laws: list[frozenset[str]]
) -> set[str]:
    """Which quantities are unknown: as many as the recipe says where the laws have them, and one in every law.

    Exchangeable quantities are unknown together. laws: the names of the quantities that each law uses.
    """
    target = draw.pick(recipe.parameters)
    possible = [q for q in quantities.values() if any(recipe.priors.get(family) for family in _FITS[q.kind])]
    bundles: dict[str, list[Quantity]] = {}
    sources = {name for quantity in possible if quantity.like for name in (quantity.like, quantity.name)}
    for quantity in draw.shuffled(possible):
        bundles.setdefault("sources" if quantity.name in sources else quantity.name, []).append(quantity)
    shared = [name for name, bundle in bundles.items() if all(law & {q.name for q in bundle} for law in laws)]
    ordered = [*(n for n in bundles if n == "sources"), *shared[:1], *bundles]
    unknown: set[str] = set()
    for name in dict.fromkeys(ordered):
        size = sum(quantity.size for quantity in bundles[name])
        if sum(quantities[one].size for one in unknown) + size <= target:
            unknown |= {quantity.name for quantity in bundles[name]}
    return unknown


def know(draw: Draw, recipe: Recipe, quantities: Mapping[str, Quantity], unknown: set[str]) -> Knowledge:
    """Constants for what is known, priors for what is not."""
    known = Knowledge()
    for quantity in quantities.values():
        if quantity.name not in unknown:
            _constant(draw, known, quantity)
    for quantity in quantities.values():
        if quantity.name in unknown:
            _unknown(draw, recipe, known, quantities, quantity)
    return known


def _constant(draw: Draw, known: Knowledge, quantity: Quantity) -> None:
    if quantity.kind == "weights":
        shares = [draw.between(0.5, 1.5) for _ in quantity.parts]
        for part, share in zip(quantity.parts, shares, strict=True):
            known.put(part, part, figures(share / sum(shares)), part)
        return
    value = round(quantity.centre) if quantity.kind == "count" else figures(quantity.centre)
    if quantity.kind == "location":
        value = figures(draw.between(quantity.centre - quantity.spread, quantity.centre + quantity.spread))
    known.put(quantity.name, quantity.name, value, quantity.name)


def _unknown(
    draw: Draw, recipe: Recipe, known: Knowledge, quantities: Mapping[str, Quantity], quantity: Quantity
) -> None:
    if quantity.like:
        known.put(quantity.name, quantity.name, known.entries[quantity.like], quantity.name)
        return
    if quantity.kind == "weights":
        entry = {"prior": _PRIORS["dirichlet"](draw, quantity)}
        for index, part in enumerate(quantity.parts):
            known.put(part, quantity.name, entry, f"{quantity.name}[{index}]")
        return
    twin = any(other.like == quantity.name for other in quantities.values())
    above = [one for one in quantities.values() if _related(one, quantity) and known.prior(one) is not None]
    if above and not twin and draw.chance(recipe.chance("hierarchical")):
        around = _hierarchical(recipe, known, quantity, draw.one(above))
        if around is not None:
            known.put(quantity.name, quantity.name, {"prior": around}, quantity.name)
            return
    weights = {family: recipe.priors.get(family, 0.0) for family in _FITS[quantity.kind]}
    family = draw.pick(weights)
    logarithm = quantity.kind in _POSITIVE and family in ("normal", "studentt")
    prior = _log_prior(draw, family, quantity) if logarithm else _PRIORS[family](draw, quantity)
    if family in _TRUNCATED and draw.chance(recipe.chance("truncation")):
        prior |= _bounds(draw, quantity, logarithm=logarithm)
    name = f"log_{quantity.name}" if logarithm else quantity.name
    known.put(quantity.name, name, {"prior": prior}, f"exp({name})" if logarithm else name)


def _related(one: Quantity, other: Quantity) -> bool:
    return one.group == other.group != "" and one.kind == other.kind


def _hierarchical(recipe: Recipe, known: Knowledge, quantity: Quantity, other: Quantity) -> dict[str, Any] | None:
    """A prior around another quantity of the same kind; None for kinds that have none such in the recipe."""
    written = known.written[other.name]
    if quantity.kind in _POSITIVE and recipe.priors.get("lognormal"):
        ratio = quantity.centre / other.centre
        times = "" if abs(math.log(ratio)) < 0.05 else f"{figures(ratio)} * "
        return {"lognormal": [f"log({times}{written})", figures(0.6 * quantity.spread)]}
    if quantity.kind in ("effect", "location") and recipe.priors.get("normal"):
        return {"normal": [written, figures(0.5 * quantity.spread)]}
    return None


def _log_prior(draw: Draw, family: str, quantity: Quantity) -> dict[str, Any]:
    middle = figures(math.log(quantity.centre))
    if family == "normal":
        return {"normal": [middle, figures(quantity.spread)]}
    return {"studentt": [draw.one((5, 8, 10)), middle, figures(0.7 * quantity.spread)]}


def _lognormal(draw: Draw, q: Quantity) -> dict[str, Any]:
    del draw
    return {"lognormal": [figures(math.log(q.centre)), figures(q.spread)]}


def _loguniform(draw: Draw, q: Quantity) -> dict[str, Any]:
    reach = math.exp(draw.between(1.2, 1.8) * q.spread)
    return {"loguniform": [figures(q.centre / reach), figures(q.centre * reach)]}


def _uniform(draw: Draw, q: Quantity) -> dict[str, Any]:
    if q.kind == "fraction":
        return {"uniform": draw.one(([0, 1], [0.05, 0.95], [0.1, 0.8]))}
    if q.kind in ("effect", "location"):
        return {"uniform": [figures(q.centre - 1.6 * q.spread), figures(q.centre + 1.6 * q.spread)]}
    return {"uniform": [figures(q.centre * math.exp(-1.6 * q.spread)), figures(q.centre * (1 + 1.2 * q.spread))]}


def _gamma(draw: Draw, q: Quantity) -> dict[str, Any]:
    del draw
    shape = max(figures(1 / q.spread**2), 1)
    return {"gamma": [shape, figures(shape / q.centre)]}


def _normal(draw: Draw, q: Quantity) -> dict[str, Any]:
    del draw
    return {"normal": [figures(q.centre), figures(q.spread)]}


def _studentt(draw: Draw, q: Quantity) -> dict[str, Any]:
    return {"studentt": [draw.one((4, 5, 8)), figures(q.centre), figures(0.7 * q.spread)]}


def _beta(draw: Draw, q: Quantity) -> dict[str, Any]:
    size = draw.between(2.5, 6)
    return {"beta": [figures(q.centre * size), figures((1 - q.centre) * size)]}


def _categorical(draw: Draw, q: Quantity) -> dict[str, Any]:
    values = (0, 1, 2, 3, 4) if q.kind == "count" else [figures(q.centre * ratio) for ratio in (0.5, 1, 1.5, 2)]
    count = draw.whole(2, len(values))
    return {"categorical": {str(value): figures(draw.between(0.2, 1)) for value in values[:count]}}


_PRIORS: Mapping[str, Callable[[Draw, Quantity], dict[str, Any]]] = {
    "lognormal": _lognormal,
    "loguniform": _loguniform,
    "uniform": _uniform,
    "gamma": _gamma,
    "halfnormal": lambda _, q: {"halfnormal": [figures(1.4 * q.centre)]},
    "exponential": lambda _, q: {"exponential": [figures(0.8 / q.centre)]},
    "normal": _normal,
    "studentt": _studentt,
    "beta": _beta,
    "poisson": lambda draw, q: {"poisson": [figures(q.centre * draw.between(0.6, 1.2))]},
    "categorical": _categorical,
    "dirichlet": lambda draw, q: {"dirichlet": [draw.one((1, 1, 2, 3)) for _ in range(q.size)]},
}


def _bounds(draw: Draw, quantity: Quantity, *, logarithm: bool) -> dict[str, Any]:
    """Truncation on one side or both, which leaves most of the prior."""
    low, high = quantity.centre - 1.3 * quantity.spread, quantity.centre + 1.5 * quantity.spread
    if quantity.kind in _POSITIVE:
        low, high = (
            quantity.centre * math.exp(-1.3 * quantity.spread),
            quantity.centre * math.exp(1.6 * quantity.spread),
        )
    if logarithm:
        low, high = math.log(low), math.log(high)
    bounds = {"low": figures(low), "high": figures(high)}
    return bounds if draw.chance(0.4) else {side: bounds[side] for side in [draw.one(("low", "high"))]}
