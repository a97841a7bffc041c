"""A question before its priors: settings, rival laws as texts with placeholders, and what can be measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from domains.random_domains import dynamics, laws
from domains.random_domains.designs import Setting, choice, effort, setting
from domains.random_domains.draw import Draw, figures
from domains.random_domains.laws import Factor, Ground, Law
from domains.random_domains.priors import Quantity
from domains.random_domains.recipe import Recipe
from domains.random_domains.shapes import ROLES, SOURCES, THEMES, Theme

_CHOICES = (  # beside the one that a field has of its own
    ("batch", ("first", "second", "third")),
    ("laboratory", ("east", "north", "south", "west")),
    ("protocol", ("long", "short", "standard")),
    ("operator", ("novice", "expert")),
)


@dataclass(frozen=True)
class Latent:
    """What an outcome can measure: an expression known under every law. times: how many, of a vector."""

    name: str
    text: str
    signed: bool
    times: int = 0


@dataclass(frozen=True)
class Question:
    """body: law's name → its part of the document, with placeholders for quantities in every text."""

    field: str
    settings: tuple[Setting, ...]
    effort: Setting | None
    body: Mapping[str, dict[str, Any]]
    quantities: Mapping[str, Quantity]
    latents: tuple[Latent, ...]
    exchangeable: list[list[str]]
    about: str

    @property
    def designs(self) -> tuple[Setting, ...]:
        return (*self.settings, self.effort) if self.effort else self.settings

    def used(self, law: str) -> frozenset[str]:
        """The quantities that a law uses."""
        fields = placeholders(self.body[law])
        return frozenset(q.name for q in self.quantities.values() if fields & set(q.parts))


def placeholders(value: Any) -> set[str]:
    """The placeholders in all texts below a value."""
    if isinstance(value, str):
        return {field for _, field, _, _ in Formatter().parse(value) if field}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*(placeholders(part) for part in inner))


def filled(value: Any, written: Mapping[str, str]) -> Any:
    """The value with placeholders replaced in all its texts."""
    if isinstance(value, str):
        return value.format_map(written)
    if isinstance(value, dict):
        return {key: filled(part, written) for key, part in value.items()}
    return value


@dataclass(frozen=True)
class _Kinds:
    """How many designs of each kind: numeric kinds in order, the number of choices, and whether one is an effort."""

    numeric: tuple[str, ...]
    choices: int
    effort: bool


def _kinds(draw: Draw, recipe: Recipe, *, repeats: bool) -> _Kinds:
    drawn = [draw.pick(recipe.kinds) for _ in range(draw.pick(recipe.designs))]
    choices = drawn.count("choice")
    numeric = [kind for kind in drawn if kind != "choice"]
    has_effort = repeats and len(drawn) > 1 and "integer" in numeric and draw.chance(recipe.chance("effort"))
    if has_effort:
        numeric.remove("integer")
    return _Kinds(tuple(numeric), choices, has_effort)


def _choices(draw: Draw, count: int, own: tuple[str, tuple[str, ...]]) -> tuple[Setting, ...]:
    return tuple(choice(draw, name, options) for name, options in (own, *_CHOICES)[:count])


def algebraic(draw: Draw, recipe: Recipe, *, signed: bool, repeats: bool) -> Question:
    """A question about closed formulas. signed: whether outcomes can take negative values; repeats: whether a number of
    repeats would change any."""
    kinds = _kinds(draw, recipe, repeats=repeats)
    source = bool(kinds.numeric) and draw.chance(recipe.chance("source"))
    fitting = [theme for theme in THEMES if not source or "plane source" in theme.names]
    theme = draw.one(fitting)
    factors = _factors(draw, recipe, theme, kinds.numeric, source=source)
    choices = _choices(draw, kinds.choices, (theme.choice, theme.options))
    scale = draw.one((1.0, 2.0, 5.0, 10.0, 30.0, 100.0))
    ground = Ground(factors, choices, signed, scale)
    forms = laws.forms_for(len(factors))
    rivals = laws.rivals(draw, ground, draw.pick(recipe.mechanisms), laws.first_law(draw, ground), forms)
    names = _law_names(ground, rivals)
    body = {name: {"let": laws.let(draw, ground, law, theme.response)} for name, law in zip(names, rivals, strict=True)}
    return Question(
        theme.field,
        (*(one for factor in factors for one in factor.settings), *choices),
        effort(draw, theme.effort) if kinds.effort else None,
        body,
        ground.quantities,
        (Latent(theme.response, theme.response, _signed(rivals)),),
        ground.exchangeable(),
        theme.response,
    )


def _signed(rivals: list[Law]) -> bool:
    return any(shape is not None and shape.signed for law in rivals for shape in law.shapes)


def _factors(draw: Draw, recipe: Recipe, theme: Theme, kinds: tuple[str, ...], *, source: bool) -> tuple[Factor, ...]:
    """Factors for numeric designs of the given kinds; a source takes one or two of them."""
    left = list(kinds)
    factors = []
    if source:
        places = 2 if len(left) > 1 and draw.chance(0.7) else 1
        role = SOURCES[places, draw.chance(recipe.chance("exchangeable"))]
        names = theme.names["plane source"] if places == 2 else theme.names.get("line source", ("location",))
        factors.append(Factor(role, tuple(setting(draw, name, left.pop(0), "line") for name in names[:places])))
    free = [(role, name) for role, names in theme.names.items() if "source" not in role for name in names]
    for role, name in _spread_roles(draw.shuffled(free))[: len(left)]:
        factors.append(Factor(role, (setting(draw, name, left.pop(0), ROLES[role].span),)))
    return tuple(factors)


def _spread_roles(free: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Different roles before a second setting of the same role."""
    first = {role: (role, name) for role, name in reversed(free)}
    leading = [one for one in free if first[one[0]] == one]
    return [*leading, *(one for one in free if one not in leading)]


def _law_names(ground: Ground, rivals: list[Law]) -> list[str]:
    """Short names that say what differs between the laws."""
    several = len(ground.factors) > 1
    names = []
    for law in rivals:
        words = [law.form] if len({one.form for one in rivals}) > 1 else []
        for index, shape in enumerate(law.shapes):
            if len({one.shapes[index] for one in rivals}) > 1:
                words.append(shape.name if shape else f"no-{ground.factors[index].names}-effect")
        for index, target in enumerate(law.targets):
            if len({one.targets[index] for one in rivals}) > 1:
                words.append(f"{ground.choices[index].name}-{_target_word(ground, target)}")
        if not words:
            words = [shape.name for shape in law.shapes if shape][: 1 + several] or [law.form]
        names.append("-".join(words).replace("_", "-")[:60].rstrip("-"))
    return [name if names.count(name) == 1 else f"{name[:58]}-{index + 1}" for index, name in enumerate(names)]


def _target_word(ground: Ground, target: int) -> str:
    if target == laws.NOTHING:
        return "no-effect"
    return "on-amplitude" if target == laws.AMPLITUDE else f"on-{ground.factors[target].names}"


def dynamic(draw: Draw, recipe: Recipe, *, signed: bool, repeats: bool) -> Question:
    """A question about a dynamical system; arguments as of ``algebraic``."""
    system = draw.one([one for one in dynamics.SYSTEMS if signed or not one.signed])
    kinds = _kinds(draw, recipe, repeats=repeats)
    left = list(kinds.numeric)
    horizon, unit = draw.one((5.0, 10.0, 24.0, 48.0, 100.0)), draw.one((2.0, 5.0, 20.0, 100.0))
    clock, start, starts = _clock(draw, recipe, system, (horizon, unit), left)
    factors = _drives(draw, system, left)
    choices = _choices(draw, kinds.choices, system.choice)
    ground = Ground(factors, choices, signed=False, rate=True)
    first = laws.first_law(draw, ground, draw.one(tuple(system.variants)))
    rivals = laws.rivals(draw, ground, draw.pick(recipe.mechanisms), first, tuple(system.variants))
    letters = dynamics.quantities(system, horizon, unit)
    body = {
        name: _dynamic_body(draw, ground, (system, clock), law, (letters, start, unit))
        for name, law in zip(_law_names(ground, rivals), rivals, strict=True)
    }
    times = len(clock.at)
    outcomes = draw.shuffled(list(system.outcomes.items()))
    latents = tuple(Latent(name, text, system.signed, times) for name, text in outcomes)
    settings = [*([clock.setting] if clock.setting else []), *starts]
    return Question(
        system.field,
        (*settings, *(one for factor in factors for one in factor.settings), *choices),
        effort(draw, "replicates") if kinds.effort else None,
        body, ground.quantities, latents, [], system.name,
    )  # fmt: skip


def _clock(
    draw: Draw, recipe: Recipe, system: dynamics.System, size: tuple[float, float], left: list[str]
) -> tuple[dynamics.Clock, str, list[Setting]]:
    """When it is observed, where it starts (a text), and the starting value as a setting; takes kinds from ``left``."""
    horizon, unit = size
    if draw.chance(recipe.chance("vector")) or not left:
        count = draw.whole(2, 6)
        vector = recipe.chance("vector") > 0 and left
        at = tuple(figures(horizon * (i + 1) / count, 3) for i in range(count)) if vector else ()
        clock = dynamics.Clock(horizon, at=at)
    else:
        time = _between(draw, "time", left.pop(0), (horizon / 25, horizon), log=draw.chance(0.3))
        clock = dynamics.Clock(horizon, time)
    low, high = system.starts
    if left and (clock.at or draw.chance(0.6)):
        start = _between(draw, system.start, left.pop(0), (low * unit, high * unit), log=high / low > 15)
        return clock, start.name, [start]
    return clock, str(figures((low * high) ** 0.5 * unit)), []


def _between(draw: Draw, name: str, kind: str, ends: tuple[float, float], *, log: bool) -> Setting:
    """A numeric setting over a given range."""
    low, high = (figures(end, 2) for end in ends)
    if kind == "integer" and high >= 3:
        low, high = max(1, round(low)), round(high)
        return Setting(name, kind, {"integer": [low, high]} | ({"scale": "log"} if log else {}), low, high)
    if kind != "real":  # also whole numbers where the range holds too few
        count = draw.whole(3, 6)
        spaced = [low * (high / low) ** (i / (count - 1)) for i in range(count)]
        return Setting(name, "levels", {"levels": sorted({figures(value, 2) for value in spaced})}, low, high)
    return Setting(name, kind, {"real": [low, high]} | ({"scale": "log"} if log else {}), low, high)


def _drives(draw: Draw, system: dynamics.System, left: list[str]) -> tuple[Factor, ...]:
    """Factors that act on a system's rate, for the numeric kinds that are left."""
    free = draw.shuffled([(role, name) for role, names in system.drives.items() for name in names])
    free += [("inhibitor", f"stress_{index}") for index in range(1, 5)]
    return tuple(
        Factor(role, (setting(draw, name, kind, ROLES[role].span),))
        for (role, name), kind in zip(free, left, strict=False)
    )


def _dynamic_body(
    draw: Draw,
    ground: Ground,
    observed: tuple[dynamics.System, dynamics.Clock],
    law: Law,
    size: tuple[Mapping[str, Quantity], str, float],
) -> dict[str, Any]:
    """One law's let-names and dynamics."""
    (system, clock), (letters, start, unit) = observed, size
    texts = " ".join(rate + begin for begin, rate in system.variants[law.form].values())
    words = {letter: ground.quantity(q) for letter, q in letters.items() if "{" + letter + "}" in texts}
    words |= {"start": start, "U": str(figures(unit)), "T": str(figures(clock.horizon, 3))}
    factors, multipliers = laws.effects(draw, ground, law)
    words["drive"] = rate = ground.quantity(letters["r"])
    body: dict[str, Any] = {}
    if factors or multipliers:
        words["drive"] = "drive"
        formula = laws.product([rate, *multipliers, *factors])
        body["let"] = {**laws.used_effects(ground, formula), "drive": formula}
    return {**body, "dynamics": dynamics.written(system, law.form, words, clock)}
