"""Rival algebraic laws of one question, made by small changes of one law: a shape, a form, a target replaced."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from domains.random_domains.designs import Setting
from domains.random_domains.draw import Draw, figures
from domains.random_domains.priors import Quantity
from domains.random_domains.shapes import LETTERS, ROLES, Role, Shape

AMPLITUDE, NOTHING = -1, -2  # targets of a choice, beside the index of a factor
_STEEP = ("proportional", "power", "threshold")
_SPREAD = {
    "amplitude": 0.5,
    "scale": 0.6,
    "exponent": 0.3,
    "fraction": 0.2,
    "effect": 0.7,
    "count": 1.0,
    "weights": 1.0,
}
# form → the fewest factors it needs
FORMS: Mapping[str, int] = {
    "multiplicative": 0, "with-baseline": 0, "additive": 2, "synergistic": 2, "limiting": 2, "weighted": 2,
}  # fmt: skip
_PREFERENCE = {
    "multiplicative": 5.0,
    "with-baseline": 2.0,
    "additive": 2.0,
    "synergistic": 1.5,
    "limiting": 1.0,
    "weighted": 1.0,
}


@dataclass(frozen=True)
class Factor:
    """What a law has a shape for: one setting, or two that are a place in a plane."""

    role: str
    settings: tuple[Setting, ...]

    @property
    def rivals(self) -> tuple[Shape, ...]:
        return ROLES[self.role].shapes

    @property
    def names(self) -> str:
        return "_".join(setting.name for setting in self.settings)


@dataclass(frozen=True)
class Law:
    """form: how factors combine (of dynamics: the name of a variant); shapes: one a factor, None: no effect; targets:
    what each choice changes."""

    form: str
    shapes: tuple[Shape | None, ...]
    targets: tuple[int, ...]


@dataclass
class Ground:
    """What all laws of a question stand on.

    signed: whether the response may be negative; scale: its size. rate: whether the laws are of a rate of dynamics:
    then steep shapes do not appear and choices only slow it down, so that none becomes stiff.
    quantities and effects (of choices, let-name → text): what laws have asked for so far.
    """

    factors: tuple[Factor, ...]
    choices: tuple[Setting, ...]
    signed: bool
    scale: float = 1.0
    rate: bool = False
    quantities: dict[str, Quantity] = field(default_factory=dict)
    effects: dict[str, str] = field(default_factory=dict)

    def quantity(self, quantity: Quantity) -> str:
        """A quantity's placeholder; the first law that asks decides what it is."""
        self.quantities.setdefault(quantity.name, quantity)
        return "{" + quantity.name + "}"

    def multiplier(self, draw: Draw, choice: Setting) -> str:
        """The let-name of by how much a choice multiplies what it changes: 1 for its first option, else a quantity."""
        name = f"{choice.name}_effect"
        if name in self.effects:
            return name
        text = "1"
        for option in choice.options[1:]:
            ratio = draw.log_between(1.5, 3) ** (-1 if self.rate else draw.one((-1, 1)))
            effect = self.quantity(Quantity(f"{choice.name}_{option}", "scale", ratio, 0.4, group=choice.name))
            text = f"where({choice.name} == '{option}', {effect}, {text})"
        self.effects[name] = text
        return name

    def shape(self, draw: Draw, index: int, shape: Shape, multipliers: list[str]) -> str:
        """A factor's text; ``multipliers`` of choices go to its first quantity that is a scale."""
        factor = self.factors[index]
        role, first = ROLES[factor.role], factor.settings[0]
        words = {axis: setting.name for axis, setting in zip("xy", factor.settings, strict=False)}
        words["m"] = str(figures(first.typical))
        for letter in LETTERS:
            if "{" + letter + "}" in shape.text:
                words[letter] = self.letter(draw, factor, role, letter)
                if LETTERS[letter].kind == "scale" and multipliers:
                    words[letter] = f"({' * '.join([words[letter], *multipliers])})"
                    multipliers = []
        return shape.text.format_map(words)

    def letter(self, draw: Draw, factor: Factor, role: Role, letter: str) -> str:
        """The placeholder of a letter's quantity."""
        what = LETTERS[letter]
        place = factor.settings["xy".index(what.of)]
        name = f"{what.stem}_{place.name}"
        centre = (
            what.factor
            * {"typical": place.typical, "width": place.reach, "middle": place.middle, "none": 1.0}[what.unit]
        )
        if what.kind == "location":
            position = [group for group in role.groups if letter in group]
            like = ""
            if position and position[0] != role.groups[0]:
                twin = role.groups[0][position[0].index(letter)]
                like = f"{LETTERS[twin].stem}_{place.name}"
            return self.quantity(Quantity(name, "location", centre, 0.22 * place.reach, like=like, group=place.name))
        if what.kind in ("scale", "exponent"):
            centre *= draw.log_between(0.75, 1.35)
        spread = 0.3 if letter == "e" else _SPREAD[what.kind]
        return self.quantity(Quantity(name, what.kind, centre, spread, group=place.name))

    def exchangeable(self) -> list[list[str]]:
        """Groups of quantities that may be swapped."""
        for factor in self.factors:
            groups = ROLES[factor.role].groups
            if groups:
                places = {LETTERS[letter].of: letter for letter in groups[0]}
                assert len(places) == len(factor.settings)
                return [
                    [
                        f"{LETTERS[letter].stem}_{factor.settings['xy'.index(LETTERS[letter].of)].name}"
                        for letter in group
                    ]
                    for group in groups
                ]
        return []


def forms_for(factors: int) -> tuple[str, ...]:
    return tuple(form for form, least in FORMS.items() if factors >= least)


def first_law(draw: Draw, ground: Ground, form: str | None = None) -> Law:
    """A law to begin with."""
    shapes = tuple(draw.one(_allowed(factor, ground)) for factor in ground.factors)
    if form is None:
        form = draw.pick({name: _PREFERENCE[name] for name in forms_for(len(shapes))})
    return Law(form, shapes, tuple(_target(draw, shapes) for _ in ground.choices))


def rivals(draw: Draw, ground: Ground, count: int, first: Law, forms: tuple[str, ...]) -> list[Law]:
    """``count`` different laws, each one change away from another; fewer where there are no more changes."""
    laws = [first]
    for _ in range(12 * count):
        if len(laws) == count:
            break
        changed = _change(draw, ground, draw.one(laws), forms)
        if changed not in laws:
            laws.append(changed)
    return laws


def _allowed(factor: Factor, ground: Ground) -> list[Shape]:
    return [
        shape
        for shape in factor.rivals
        if (ground.signed or not shape.signed) and not (ground.rate and shape.name in _STEEP)
    ]


def _target(draw: Draw, shapes: tuple[Shape | None, ...]) -> int:
    """What a choice changes: the amplitude, or the scale of a factor that has one."""
    scaled = [i for i, shape in enumerate(shapes) if shape and any("{" + k + "}" in shape.text for k in "kwp")]
    return draw.one(scaled) if scaled and draw.chance(0.4) else AMPLITUDE


def _change(draw: Draw, ground: Ground, law: Law, forms: tuple[str, ...]) -> Law:
    """The law with one thing different."""
    what = draw.pick({"shape": 5.0, "form": 2.0, "drop": 0.7, "target": 1.5})
    if what == "shape" and law.shapes:
        index = draw.whole(0, len(law.shapes) - 1)
        return _with_shape(law, index, draw.one(_allowed(ground.factors[index], ground)))
    if what == "drop" and sum(shape is not None for shape in law.shapes) > 1 and law.form != "weighted":
        return _with_shape(law, draw.whole(0, len(law.shapes) - 1), None)
    if what == "target" and law.targets:
        index = draw.whole(0, len(law.targets) - 1)
        target = NOTHING if draw.chance(0.4) else _target(draw, law.shapes)
        return replace(law, targets=(*law.targets[:index], target, *law.targets[index + 1 :]))
    return replace(law, form=draw.one(forms))


def _with_shape(law: Law, index: int, shape: Shape | None) -> Law:
    """The law with another shape; choices that changed the old one change the amplitude instead."""
    targets = tuple(AMPLITUDE if target == index else target for target in law.targets)
    return replace(law, shapes=(*law.shapes[:index], shape, *law.shapes[index + 1 :]), targets=targets)


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
    weights = Quantity("weights", "weights", 1.0, size=size)
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
