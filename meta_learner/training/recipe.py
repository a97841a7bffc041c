"""A recipe of meta-training: one YAML file that says on what the experimenter trains, and for how long. Torch-free.

``meta_learner.training.planned`` makes of it what a training takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from domains.document import Domain, GoalKind
from domains.errors import DomainError
from domains.loading import find
from domains.random_domains import Recipe

FOLDER = Path(__file__).parent / "recipes"
MOST_TEXT = 100_000  # characters of a recipe
GameKind = Literal["flat", "ordered", "rare"]
PlayedFor = Literal["information", "decision", "prediction", "certainty"]
Natural = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Place = tuple[str | int, ...]


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"the range runs from {ends[0]:g} to {ends[1]:g}; write the smaller first")
    return ends


Shift = Annotated[tuple[Annotated[float, Field(ge=0, le=5)], Annotated[float, Field(ge=0, le=5)]],
                  AfterValidator(_rising)]  # fmt: skip
Noise = Annotated[tuple[Annotated[float, Field(gt=0, le=10)], Annotated[float, Field(gt=0, le=10)]],
                  AfterValidator(_rising)]  # fmt: skip


class Part(BaseModel):
    """A part of a recipe: unknown words are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Network(Part):
    """The network's size (``meta_learner.experimenter.network.Shape``)."""

    width: Annotated[int, Field(ge=4, le=512)] = 32
    heads: Natural = 4
    layers: Annotated[int, Field(ge=1, le=16)] = 2


class Weighed(Part):
    """Something to train on, and how much of it."""

    weight: Annotated[float, Field(ge=0)] = 1.0


class TableGames(Weighed):
    """Random tables: all combinations of the sizes, kinds and goals listed, each as likely.

    targets: how many things are told apart, 0 for every hypothesis; answers: how many answers are worth something else
    under every hypothesis, 0 where to name the target is the answer; dear: spread of the logarithm of costs; ahead: the
    teacher's look-ahead, at most; runs: states visited at once of each game.
    """

    kinds: tuple[GameKind, ...] = ("flat", "ordered", "rare")
    goals: tuple[PlayedFor, ...] = ("information", "decision", "prediction")
    hypotheses: tuple[Annotated[int, Field(ge=2, le=512)], ...] = (12,)
    designs: tuple[Annotated[int, Field(ge=2, le=256)], ...] = (5,)
    outcomes: tuple[Annotated[int, Field(ge=2, le=64)], ...] = (2, 3)
    experiments: tuple[Annotated[int, Field(ge=1, le=50)], ...] = (2, 3)
    targets: tuple[Annotated[int, Field(ge=0)], ...] = (0, 3)
    answers: tuple[Annotated[int, Field(ge=0)], ...] = (0, 4)
    dear: tuple[Annotated[float, Field(ge=0, le=2)], ...] = (0.0, 0.5)
    ahead: Annotated[int, Field(ge=1, le=4)] = 2
    runs: Natural = 2


class RandomDomainDecisions(Weighed):
    """Decisions in random domains (``meta_learner.training.decisions.RandomDomains``).

    seeds: from the first to before the second; experiments: the longest horizon; narrow: how sharp beliefs may be;
    shift: how far from the prior's middle beliefs may lie besides, in its standard deviations; noise: of the domains,
    relative to their signals; dynamics: the share with differential equations; certain: of questions about laws, the
    share that is asked to be sure at the least cost.
    """

    seeds: tuple[Annotated[int, Field(ge=0)], Natural] = (0, 400)
    hypotheses: Annotated[int, Field(ge=4, le=512)] = 64
    outcomes: Annotated[int, Field(ge=2, le=512)] = 16
    designs: Annotated[int, Field(ge=4, le=256)] = 16
    tried: Annotated[int, Field(ge=8, le=4096)] = 64
    particles: Annotated[int, Field(ge=8, le=2**16)] = 2048
    known_hypotheses: Annotated[int, Field(ge=4, le=4096)] = 512
    known_outcomes: Annotated[int, Field(ge=2, le=512)] = 24
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    narrow: Annotated[float, Field(ge=0, le=20)] = 4.0
    experiments: Natural = 12
    shift: Shift = (0.0, 0.0)
    noise: Noise = (0.03, 0.4)
    dynamics: Share = 0.0
    certain: Share = 0.0
    goals: dict[GoalKind, Annotated[float, Field(ge=0)]] = {}

    def of_domains(self) -> Recipe:
        """How the domains are drawn; DomainError where no document could be asked for so."""
        return recipe_of_domains(self.dynamics, self.noise, {str(goal): weight for goal, weight in self.goals.items()})


def recipe_of_domains(dynamics: float, noise: tuple[float, float], goals: Mapping[str, float]) -> Recipe:
    """How random domains are drawn to be trained on; goals: weights of their words, empty for the usual mix."""
    recipe = Recipe(features={"dynamics": dynamics}, noise=noise)
    return replace(recipe, goals=dict(goals)) if goals else recipe


class DomainDecisions(Weighed):
    """Decisions in domains of the catalogue, or of files (``meta_learner.training.decisions.KnownDomains``)."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    experiments: Natural = 12
    narrow: Annotated[float, Field(ge=0, le=20)] = 4.0
    shift: Shift = (0.0, 0.0)

    def domains(self) -> tuple[Domain, ...]:
        """The documents; DomainError where there is none, or an invalid one."""
        return tuple(find(name) for name in self.names)


class HeldOutSet(Part):
    """What is never trained on, so that results there are of what was not seen: domains by name, and whole fields."""

    domains: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def holds(self, domain: Domain) -> bool:
        """Whether a domain is held out."""
        return domain.name in self.domains or domain.field in self.fields


class StageRecipe(Part):
    """A stage of learning: so many steps of ``batch`` games; rate: the highest; runs: of every game (improve)."""

    steps: Annotated[int, Field(ge=0)]
    batch: Natural = 32
    rate: Annotated[float, Field(gt=0, le=1)] = 3e-3
    runs: Annotated[int, Field(ge=2)] = 8


class TrainingRecipe(Part):
    """The whole. summary: in words, what it is for; curriculum: how much of what comes next goes by learning progress,
    0 to 1; precision: of the network's layers (mixed: bfloat16)."""

    name: str
    summary: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    network: Network = Network()
    tables: tuple[TableGames, ...] = ()
    random_domains: tuple[RandomDomainDecisions, ...] = Field(default=(), alias="random-domains")
    domains: tuple[DomainDecisions, ...] = ()
    held_out: HeldOutSet = Field(default=HeldOutSet(), alias="held-out")
    curriculum: Share = 0.0
    precision: Literal["single", "mixed"] = "single"
    imitate: StageRecipe
    improve: StageRecipe = StageRecipe(steps=0)

    def is_that_of(self, kept: Any) -> bool:
        """Whether a recipe kept as plain data is this one: written by an earlier version, it lacks what that did not
        know."""
        try:
            return TrainingRecipe.model_validate(kept) == self
        except ValidationError:
            return False

    @property
    def weight(self) -> float:
        """Of everything together."""
        parts: tuple[Weighed, ...] = (*self.tables, *self.random_domains, *self.domains)
        return sum(part.weight for part in parts)

    def documents(self) -> list[Domain]:
        """The domains that it trains on by name."""
        return [domain for part in self.domains if part.weight > 0 for domain in part.domains()]

    def in_words(self) -> tuple[str, ...]:
        """What it trains on, for a card."""
        weight = self.weight
        tables = (
            f"{part.weight / weight:.0%}: random tables ({', '.join(part.kinds)}) of {_span(part.hypotheses)} "
            f"hypotheses, {_span(part.designs)} designs, {_span(part.experiments)} experiments, for "
            f"{', '.join(part.goals)}"
            for part in self.tables
        )
        random = (
            f"{part.weight / weight:.0%}: decisions in random domains of seeds {part.seeds[0]} to {part.seeds[1] - 1}"
            for part in self.random_domains
        )
        named = (f"{part.weight / weight:.0%}: decisions in {', '.join(part.names)}" for part in self.domains)
        return (*tables, *random, *named)


def _span(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else f"{min(values)} to {max(values)}"


def shipped() -> list[str]:
    """Names of the recipes that come with Organon."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@dataclass(frozen=True)
class Problem:
    """What is wrong with a recipe. place: keys and places in lists, () for the whole."""

    place: Place
    words: str

    def __str__(self) -> str:
        return ": ".join(part for part in (".".join(map(str, self.place)), self.words) if part)


def read_recipe(source: str) -> TrainingRecipe:
    """Of a file, or of one that comes with Organon, by its name; DomainError says what is wrong, and where."""
    path = FOLDER / f"{source}.yaml" if source in shipped() else Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"{source}: there is no such recipe ({error}); Organon has {', '.join(shipped())}") from None
    return read_text(text, str(path))


def read_text(text: str, file: str = "<text>") -> TrainingRecipe:
    """Of a text; DomainError says the first thing that is wrong."""
    recipe, problems = examine(text)
    if recipe is None or problems:
        raise DomainError(f"{file}: {problems[0]}")
    return recipe


def examine(text: str) -> tuple[TrainingRecipe | None, list[Problem]]:
    """A recipe's text read, and everything that is wrong with it; None where its parts are not right by themselves."""
    if len(text) > MOST_TEXT:
        return None, [Problem((), f"{len(text):,} characters, and {MOST_TEXT:,} are the most")]
    try:
        recipe = TrainingRecipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        return None, [Problem((), f"this is no YAML: {error}")]
    except ValidationError as error:
        return None, [Problem(each["loc"], each["msg"].removeprefix("Value error, ")) for each in error.errors()]
    return recipe, list(_wrong(recipe))


def _wrong(recipe: TrainingRecipe) -> Iterator[Problem]:
    """What its parts, each right by itself, do not allow together."""
    if recipe.weight == 0:
        yield Problem((), "nothing to train on; add tables:, random-domains: or domains: with a weight above 0")
    yield from _wrong_random_domains(recipe)
    yield from _wrong_domains(recipe)
    if recipe.improve.steps > 0 and not any(part.weight > 0 for part in recipe.tables):
        words = "improve needs games to play; add tables: with a weight above 0, or leave it out"
        yield Problem(("improve",), words)
    if recipe.network.width % recipe.network.heads:
        words = f"width {recipe.network.width} is no multiple of {recipe.network.heads} heads"
        yield Problem(("network",), words)


def _wrong_random_domains(recipe: TrainingRecipe) -> Iterator[Problem]:
    for index, part in enumerate(recipe.random_domains):
        first, last = part.seeds
        if first >= last:
            words = f"from {first} to before {last} there is no seed; write the smaller first"
            yield Problem(("random-domains", index, "seeds"), words)
        try:
            part.of_domains()
        except DomainError as error:
            yield Problem(("random-domains", index, "goals"), str(error))


def _wrong_domains(recipe: TrainingRecipe) -> Iterator[Problem]:
    for index, part in enumerate(recipe.domains):
        place = ("domains", index, "names")
        try:
            documents = part.domains()
        except DomainError as error:
            yield Problem(place, str(error))
            continue
        for domain in documents if part.weight > 0 else ():
            if recipe.held_out.holds(domain):
                words = f"{domain.name} ({domain.field}) is held out; take it out of one of the two"
                yield Problem(place, words)
