"""A recipe of meta-training: one YAML file that says on what the experimenter trains, and for how long."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domains.document import Domain, GoalKind
from domains.errors import DomainError
from domains.loading import find

if TYPE_CHECKING:
    from meta_learner.training.decisions import KnownDomains, RandomDomains
    from meta_learner.training.tasks import Tables
    from meta_learner.training.training import Plan

FOLDER = Path(__file__).parent / "recipes"
GameKind = Literal["flat", "ordered", "rare"]
PlayedFor = Literal["information", "decision", "prediction"]
Natural = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


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

    def tasks(self) -> "Iterator[Tables]":
        """One a combination; predictions are asked for where there are answers, information where there are none."""
        from meta_learner.games.random_tables import Size
        from meta_learner.training.tasks import Tables

        sizes = itertools.product(
            self.hypotheses, self.designs, self.outcomes, self.experiments, self.targets, self.dear, self.answers
        )
        for (h, d, y, n, targets, dear, answers), kind, goal in itertools.product(sizes, self.kinds, self.goals):
            if (goal == "prediction" and not answers) or (answers and (targets or goal == "information")):
                continue
            size = Size(h, d, y, n, min(targets, h) or None, dear, answers)
            yield Tables(kind, size, goal, self.ahead, self.runs)


class RandomDomainDecisions(Weighed):
    """Decisions in random domains (``meta_learner.training.decisions.RandomDomains``)."""

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
    dynamics: Share = 0.0
    goals: dict[GoalKind, Annotated[float, Field(ge=0)]] = {}

    def task(self) -> "RandomDomains":
        """As the training takes it."""
        from meta_learner.training.decisions import RandomDomains

        goals = tuple(sorted(self.goals.items()))
        return RandomDomains(**self.model_dump(exclude={"weight", "goals"}), goals=goals)


class DomainDecisions(Weighed):
    """Decisions in domains of the catalogue, or of files (``meta_learner.training.decisions.KnownDomains``)."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]

    def domains(self) -> tuple[Domain, ...]:
        """The documents; DomainError where there is none, or an invalid one."""
        return tuple(find(name) for name in self.names)

    def task(self) -> "KnownDomains":
        """As the training takes it."""
        from domains.worlds import DomainModel
        from meta_learner.training.decisions import KnownDomains

        return KnownDomains(known=tuple(DomainModel(domain) for domain in self.domains()))


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

    def plan(self) -> "Plan":
        """As the training takes it."""
        from meta_learner.experimenter.network import Shape
        from meta_learner.training.training import Plan, Stage

        tasks: list[tuple[float, Any]] = []
        for games in self.tables:
            each = list(games.tasks())
            tasks += [(games.weight / len(each), task) for task in each]
        tasks += [(part.weight, part.task()) for part in self.random_domains]
        tasks += [(part.weight, part.task()) for part in self.domains]
        imitate, improve = (Stage(**stage.model_dump()) for stage in (self.imitate, self.improve))
        shape, mixed = Shape(**self.network.model_dump()), self.precision == "mixed"
        return Plan(tuple(tasks), imitate, improve, self.seed, shape, self.curriculum, mixed)

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


def read_recipe(source: str) -> TrainingRecipe:
    """Of a file, or of one that comes with Organon, by its name; DomainError says what is wrong, and where."""
    path = FOLDER / f"{source}.yaml" if source in shipped() else Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"{source}: there is no such recipe ({error}); Organon has {', '.join(shipped())}") from None
    try:
        recipe = TrainingRecipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DomainError(f"{path}: this is no YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the recipe"
        raise DomainError(f"{path}: {where}: {first['msg']}") from None
    for wrong in _wrong(recipe):
        raise DomainError(f"{path}: {wrong}")
    return recipe


def _wrong(recipe: TrainingRecipe) -> Iterator[str]:
    """What its parts, each right by itself, do not allow together."""
    if recipe.weight == 0:
        yield "nothing to train on; add tables:, random-domains: or domains: with a weight above 0"
    for domain in recipe.documents():
        if recipe.held_out.holds(domain):
            yield f"domains: {domain.name} ({domain.field}) is held out; take it out of one of the two"
    if recipe.improve.steps > 0 and not any(part.weight > 0 for part in recipe.tables):
        yield "improve needs games to play; add tables: with a weight above 0, or leave it out"
    if recipe.network.width % recipe.network.heads:
        yield f"network: width {recipe.network.width} is no multiple of {recipe.network.heads} heads"
