"""Questions about dynamical systems."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domains.random_domains import forms, laws
from domains.random_domains.designs import Setting, effort, setting
from domains.random_domains.draw import Draw, figures
from domains.random_domains.laws import Factor, Ground, Law
from domains.random_domains.priors import Quantity
from domains.random_domains.questions import Latent, Question, choices, law_names, question_kinds
from domains.random_domains.recipe import Recipe
from domains.random_domains.shapes import ROLES
from domains.random_domains.systems import SYSTEMS, System


@dataclass(frozen=True)
class Clock:
    """When a system is observed: at a setting's time, after a fixed one, or at several."""

    horizon: float
    setting: Setting | None = None
    at: tuple[float, ...] = ()

    def entry(self) -> dict[str, Any]:
        if self.at:
            return {"at": list(self.at)}
        return {"until": self.setting.name if self.setting else figures(self.horizon, 3)}


@dataclass(frozen=True)
class _Stage:
    """A system with its clock, where it starts (a text), and the unit of its states."""

    system: System
    clock: Clock
    start: str
    unit: float

    @property
    def quantities(self) -> dict[str, Quantity]:
        """The quantities of the system by letter."""
        units = {"rate": 1 / self.clock.horizon, "size": self.unit, "number": 1.0}
        return {
            letter: Quantity(
                term.name, term.kind, figures(term.factor * units[term.unit], 3), term.spread, group=term.unit
            )
            for letter, term in self.system.terms.items()
        }


def _written(stage: _Stage, variant: str, words: Mapping[str, str]) -> dict[str, Any]:
    """A variant's dynamics for the document."""
    states = {
        name: {"start": _plain(start.format_map(words)), "rate": rate.format_map(words)}
        for name, (start, rate) in stage.system.variants[variant].items()
    }
    return {"state": states, **stage.clock.entry()}


def _plain(text: str) -> str | float:
    """A text that is a number as a number."""
    return figures(float(text), 6) if text.replace(".", "", 1).isdigit() else text


def dynamic(draw: Draw, recipe: Recipe, *, signed: bool, repeats: bool) -> Question:
    """A question about a dynamical system; arguments as of ``algebraic``."""
    system = draw.one([one for one in SYSTEMS if signed or not one.signed])
    kinds = question_kinds(draw, recipe, repeats=repeats)
    left = list(kinds.numeric)
    horizon, unit = draw.one((5.0, 10.0, 24.0, 48.0, 100.0)), draw.one((2.0, 5.0, 20.0, 100.0))
    clock, start, starts = _clock(draw, recipe, system, (horizon, unit), left)
    factors = _drives(draw, system, left)
    options = choices(draw, kinds.choices, system.choice)
    ground = Ground(factors, options, signed=False, rate=True)
    first = laws.first_law(draw, ground, draw.one(tuple(system.variants)))
    rivals = laws.rivals(draw, ground, draw.pick(recipe.mechanisms), first, tuple(system.variants))
    stage = _Stage(system, clock, start, unit)
    body = {name: _body(draw, ground, stage, law) for name, law in zip(law_names(ground, rivals), rivals, strict=True)}
    times = len(clock.at)
    outcomes = draw.shuffled(list(system.outcomes.items()))
    latents = tuple(Latent(name, text, system.signed, times) for name, text in outcomes)
    settings = [*([clock.setting] if clock.setting else []), *starts]
    return Question(
        system.field,
        (*settings, *(one for factor in factors for one in factor.settings), *options),
        effort(draw, "replicates") if kinds.effort else None,
        body, ground.quantities, latents, [], f"the {system.name}",
    )  # fmt: skip


def _clock(
    draw: Draw, recipe: Recipe, system: System, size: tuple[float, float], left: list[str]
) -> tuple[Clock, str, list[Setting]]:
    """When it is observed, where it starts (a text), and the starting value as a setting; takes kinds from ``left``."""
    horizon, unit = size
    if draw.chance(recipe.chance("vector")):
        count = draw.whole(2, 6)
        clock = Clock(horizon, at=tuple(figures(horizon * (i + 1) / count, 3) for i in range(count)))
    elif not left:
        clock = Clock(horizon)
    else:
        time = _between(draw, "time", left.pop(0), (horizon / 25, horizon), log=draw.chance(0.3))
        clock = Clock(horizon, time)
    low, high = system.starts
    whole = left[:1] == ["integer"] and high * unit < 3  # too narrow for whole numbers
    if left and not whole and (clock.at or draw.chance(0.6)):
        start = _between(draw, system.start, left.pop(0), (low * unit, high * unit), log=high / low > 15)
        return clock, start.name, [start]
    return clock, str(figures((low * high) ** 0.5 * unit)), []


def _between(draw: Draw, name: str, kind: str, ends: tuple[float, float], *, log: bool) -> Setting:
    """A numeric setting over a given range."""
    low, high = (figures(end, 2) for end in ends)
    if kind == "integer":
        low, high = max(1, round(low)), round(high)
        return Setting(name, kind, {"integer": [low, high]} | ({"scale": "log"} if log else {}), low, high)
    if kind == "levels":
        count = draw.whole(3, 6)
        spaced = [low * (high / low) ** (i / (count - 1)) for i in range(count)]
        return Setting(name, "levels", {"levels": sorted({figures(value, 2) for value in spaced})}, low, high)
    return Setting(name, kind, {"real": [low, high]} | ({"scale": "log"} if log else {}), low, high)


def _drives(draw: Draw, system: System, left: list[str]) -> tuple[Factor, ...]:
    """Factors that act on a system's rate, for the numeric kinds that are left."""
    free = draw.shuffled([(role, name) for role, names in system.drives.items() for name in names])
    free += [("inhibitor", f"stress_{index}") for index in range(1, 5)]
    return tuple(
        Factor(role, (setting(draw, name, kind, ROLES[role].span),))
        for (role, name), kind in zip(free, left, strict=False)
    )


def _body(draw: Draw, ground: Ground, stage: _Stage, law: Law) -> dict[str, Any]:
    """One law's let-names and dynamics."""
    letters = stage.quantities
    texts = " ".join(rate + begin for begin, rate in stage.system.variants[law.form].values())
    words = {letter: ground.quantity(q) for letter, q in letters.items() if "{" + letter + "}" in texts}
    words |= {"start": stage.start, "U": str(figures(stage.unit)), "T": str(figures(stage.clock.horizon, 3))}
    factors, multipliers = forms.effects(draw, ground, law)
    words["drive"] = rate = ground.quantity(letters["r"])
    body: dict[str, Any] = {}
    if factors or multipliers:
        words["drive"] = "drive"
        formula = forms.product([rate, *multipliers, *factors])
        body["let"] = {**forms.used_effects(ground, formula), "drive": formula}
    return {**body, "dynamics": _written(stage, law.form, words)}
