"""Rival laws of one question, made by small changes of one law: a shape, a form, what a choice changes."""

from dataclasses import dataclass, field, replace

from domains.random_domains.designs import Setting
from domains.random_domains.draw import Draw, figures
from domains.random_domains.priors import Quantity
from domains.random_domains.shapes import LETTERS, ROLES, Role, Shape

AMPLITUDE, NOTHING = -1, -2  # targets of a choice, beside the index of a factor
_STEEP = ("proportional", "power", "threshold")
_SPREAD = {
    "amplitude": 0.5, "scale": 0.6, "exponent": 0.3, "fraction": 0.2, "effect": 0.7, "count": 1.0, "weights": 1.0,
}  # fmt: skip


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
        group = "" if what.unit == "none" else f"{what.unit} {place.name}"
        centre = (
            what.factor
            * {"typical": place.typical, "width": place.reach, "middle": place.middle, "none": 1.0}[what.unit]
        )
        if what.kind == "location":
            like = _twin(role, letter)
            like = f"{LETTERS[like].stem}_{place.name}" if like else ""
            return self.quantity(Quantity(name, "location", centre, 0.22 * place.reach, like=like, group=group))
        if what.kind in ("scale", "exponent"):
            centre *= draw.log_between(0.75, 1.35)
        spread = 0.3 if letter == "e" else _SPREAD[what.kind]
        return self.quantity(Quantity(name, what.kind, centre, spread, group=group))

    def exchangeable(self) -> list[list[str]]:
        """Groups of quantities that may be swapped."""
        for factor in self.factors:
            places = {axis: place.name for axis, place in zip("xy", factor.settings, strict=False)}
            groups = ROLES[factor.role].groups
            if groups:
                return [[f"{LETTERS[k].stem}_{places[LETTERS[k].of]}" for k in group] for group in groups]
        return []


def _twin(role: Role, letter: str) -> str:
    """The letter of the first group that one of a later group may be swapped with; none for any other letter."""
    first, *later = role.groups or ("",)
    return next((first[group.index(letter)] for group in later if letter in group), "")


def first_law(draw: Draw, ground: Ground, form: str) -> Law:
    """A law to begin with."""
    shapes = tuple(draw.one(_allowed(factor, ground)) for factor in ground.factors)
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
    if what == "drop" and sum(shape is not None for shape in law.shapes) > (0 if ground.rate else 1):
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
