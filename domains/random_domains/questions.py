"""A question before its priors: settings, rival laws as texts with placeholders, and what can be measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from domains.random_domains import laws
from domains.random_domains.designs import Setting, choice
from domains.random_domains.draw import Draw
from domains.random_domains.laws import Ground, Law
from domains.random_domains.priors import Quantity
from domains.random_domains.recipe import Recipe

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
class Kinds:
    """How many designs of each kind: numeric kinds in order, the number of choices, and whether one is an effort."""

    numeric: tuple[str, ...]
    choices: int
    effort: bool


def question_kinds(draw: Draw, recipe: Recipe, *, repeats: bool) -> Kinds:
    drawn = [draw.pick(recipe.kinds) for _ in range(draw.pick(recipe.designs))]
    choices = drawn.count("choice")
    numeric = [kind for kind in drawn if kind != "choice"]
    has_effort = repeats and len(drawn) > 1 and "integer" in numeric and draw.chance(recipe.chance("effort"))
    if has_effort:
        numeric.remove("integer")
    return Kinds(tuple(numeric), choices, has_effort)


def choices(draw: Draw, count: int, own: tuple[str, tuple[str, ...]]) -> tuple[Setting, ...]:
    """So many choices: the field's own, then general ones."""
    return tuple(choice(draw, name, options) for name, options in (own, *_CHOICES)[:count])


def law_names(ground: Ground, rivals: list[Law]) -> list[str]:
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
