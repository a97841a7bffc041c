"""How the factors of a law combine, and the texts that come of it."""

from collections.abc import Callable, Mapping

from domains.random_domains.draw import Draw
from domains.random_domains.laws import AMPLITUDE, NOTHING, Ground, Law
from domains.random_domains.priors import Quantity

# form → the fewest factors it needs, and how often it is a law's first form
FORMS: Mapping[str, int] = {
    "multiplicative": 0, "with-baseline": 0, "additive": 2, "synergistic": 2, "limiting": 2, "weighted": 2,
}  # fmt: skip
PREFERENCE: Mapping[str, float] = {
    "multiplicative": 5, "with-baseline": 2, "additive": 2, "synergistic": 1.5, "limiting": 1, "weighted": 1,
}  # fmt: skip


def preference(factors: int) -> dict[str, float]:
    """Weights of the forms that so many factors can take."""
    return {form: PREFERENCE[form] for form, least in FORMS.items() if factors >= least}


def effects(draw: Draw, ground: Ground, law: Law) -> tuple[list[str], list[str]]:
    """The texts of a law's factors, and of what multiplies its amplitude."""
    multipliers: dict[int, list[str]] = {}
    for choice, target in zip(ground.choices, law.targets, strict=True):
        if target != NOTHING:
            multipliers.setdefault(target, []).append(ground.multiplier(draw, choice))
    factors = [
        ground.shape(draw, index, shape, multipliers.get(index, []))
        for index, shape in enumerate(law.shapes)
        if shape is not None
    ]
    return factors, multipliers.get(AMPLITUDE, [])


def product(parts: list[str]) -> str:
    """The parts multiplied; a reciprocal divides."""
    return " * ".join(parts).replace(" * 1 / ", " / ")


def let(draw: Draw, ground: Ground, law: Law, response: str) -> dict[str, str]:
    """The law as let-names, the last of them the response."""
    formula = text(draw, ground, law)
    return {**used_effects(ground, formula), response: formula}


def used_effects(ground: Ground, formula: str) -> dict[str, str]:
    """The let-names of choices that a formula uses."""
    return {name: effect for name, effect in ground.effects.items() if name in formula}


def text(draw: Draw, ground: Ground, law: Law) -> str:
    """The law as an expression, with placeholders for quantities."""
    factors, multipliers = effects(draw, ground, law)
    amplitude = ground.quantity(Quantity("amplitude", "amplitude", ground.scale, group="amplitude"))
    head = [amplitude, *multipliers]
    if len(factors) < FORMS[law.form]:
        return product([*head, *factors])
    return _FORMS[law.form](ground, head, factors)


def _gain(ground: Ground, index: int) -> str:
    """How much another factor counts beside the first."""
    place = ground.factors[min(index, len(ground.factors) - 1)]
    return ground.quantity(Quantity(f"gain_{place.names}"[:40], "amplitude", 1.0, group="gain"))


def _multiplicative(ground: Ground, head: list[str], factors: list[str]) -> str:
    del ground
    return product([*head, *factors])


def _limiting(ground: Ground, head: list[str], factors: list[str]) -> str:
    """Liebig's law of the minimum."""
    del ground
    return product([*head, f"min({', '.join(factors)})"])


def _baseline(ground: Ground, head: list[str], factors: list[str]) -> str:
    return f"{ground.quantity(Quantity('baseline', 'amplitude', 0.3 * ground.scale))} + {product([*head, *factors])}"


def _additive(ground: Ground, head: list[str], factors: list[str]) -> str:
    terms = [factors[0], *(product([_gain(ground, index), one]) for index, one in enumerate(factors[1:], 1))]
    return product([*head, f"({' + '.join(terms)})"])


def _interaction(ground: Ground, head: list[str], factors: list[str]) -> str:
    first, second, *rest = factors
    synergy = ground.quantity(Quantity("synergy", "amplitude", 1.5))
    pair = f"({first} + {second} + {product([synergy, first, second])})"
    return product([*head, pair, *rest])


def _mixture(ground: Ground, head: list[str], factors: list[str]) -> str:
    size = min(len(factors), 3)
    weights = Quantity(f"weights_of_{size}", "weights", 1.0, size=size)
    ground.quantity(weights)
    terms = [product([f"{{{part}}}", one]) for part, one in zip(weights.parts, factors, strict=False)]
    return product([*head, f"({' + '.join(terms)})", *factors[size:]])


_FORMS: Mapping[str, Callable[[Ground, list[str], list[str]], str]] = {
    "multiplicative": _multiplicative,
    "with-baseline": _baseline,
    "additive": _additive,
    "synergistic": _interaction,
    "limiting": _limiting,
    "weighted": _mixture,
}
