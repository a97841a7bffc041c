"""Decisions in domains to train on: random domains, and those of the catalogue or of a file."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from domains import randomness
from domains.random_domains import random_domain
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.experimenter.features import Known, Table, of_games
from meta_learner.experimenter.network import Judge
from meta_learner.games.of_domain import game_of, goal_of
from meta_learner.games.table import Games
from meta_learner.hypotheses import Hypotheses, draw_hypotheses
from meta_learner.information import information_under, pose, stratified
from meta_learner.training.lessons import Learned, Lesson
from meta_learner.training.recipe import recipe_of_domains
from meta_learner.training.tasks import Task

_KEPT = 256  # random domains in memory
_SOFT = 0.05
_DRAWS = 128  # outcomes behind greedy's scores, at most


@dataclass(frozen=True)
class State:
    """Decisions of one domain. wide, few: hypotheses of the learner, as many as greedy looks at and those of its table;
    known: the teacher's; designs [states, designs, columns]; left [states]: of the budget; goal: what is played for;
    level [states]: of certainty, where it is for that."""

    model: DomainModel
    wide: Hypotheses
    few: Hypotheses
    known: Hypotheses
    designs: Tensor
    left: Tensor
    goal: str
    level: Tensor | None = None

    def game(self, hypotheses: Hypotheses, noise: Tensor) -> Games:
        """The decisions as so many hypotheses see them."""
        return game_of(self.model, hypotheses, self.designs, self.left, noise, level=self.level)


@dataclass(frozen=True)
class Decisions(Task):
    """Decisions in domains, as they come in the middle of a run.

    The learner sees a table of few hypotheses and outcomes, and greedy's scores by these few or by as many as greedy
    itself looks at, in turns. Its teacher's hypotheses are drawn anew from the same belief: only so are the errors of
    both independent, and what the learner takes for foresight is none of its own noise. Beliefs are drawn without an
    inference: particles of the prior drawn together towards one of them, by a factor of exp(−U(0, ``narrow``)) in all
    and more or less along each unknown, and laws' probabilities tilted at random. That one may be moved before, every
    unknown by U(``shift``) of the prior's standard deviations in a direction of its own: beliefs in worlds that the
    prior did not expect. Designs: those of ``tried`` that the
    learner's table ranks highest, so that its errors are met where they matter, and a quarter others. experiments: as
    many as the budget still pays for, at most. certain: where laws are to be told apart, the share of batches in which
    that is to be sure at the least cost, to a level drawn between what is so already and certainty.
    """

    hypotheses: int = 64
    outcomes: int = 16
    designs: int = 16
    tried: int = 64
    particles: int = 2048
    known_hypotheses: int = 512
    known_outcomes: int = 24
    narrow: float = 4.0
    experiments: int = 12
    shift: tuple[float, float] = (0.0, 0.0)
    certain: float = 0.0
    share: float = 0.5  # of a batch of games: a decision in a domain costs more than a table's
    runs: int = 1

    @property
    def group(self) -> str:
        """All decisions in domains are one."""
        return "domains"

    @abstractmethod
    def model(self, generator: torch.Generator) -> DomainModel:
        """The domain that a batch is drawn from."""

    def lessons(self, network: Judge, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        state = self.state(self.model(generator), max(1, round(self.share * batch)), generator)
        behind = state.wide if bool(randomness.uniform((1,), generator) < 0.5) else state.few
        logits, value = network(self.seen(state, behind, generator))
        yield self.lesson(state, generator).learned(logits[:, None], value[:, None])

    def state(self, model: DomainModel, states: int, generator: torch.Generator) -> "State":
        """Decisions as they may come up in a domain."""
        belief = self._belief(model, states, generator)
        wide, known = (draw_hypotheses(model, belief, self.known_hypotheses, generator) for _ in range(2))
        few = wide.first(self.hypotheses)
        designs = self._designs(model, few, generator)
        goal, level = self._asked(model, belief, generator)
        return State(model, wide, few, known, designs, self._left(model, designs, generator), goal, level)

    def seen(self, state: "State", behind: Hypotheses, generator: torch.Generator) -> Table:
        """What the learner is shown; behind: the hypotheses that greedy's scores come from."""
        model, designs = state.model, state.designs
        game = state.game(state.few, _noise(model, self.outcomes, generator))
        gain = expected_gain(model, behind, designs, generator) / model.space.cost(designs)
        known = Known(gain[:, None], behind.mechanism.shape[1])
        return of_games(game, game.prior[:, None], game.budget[:, None], state.goal, known)

    def lesson(self, state: "State", generator: torch.Generator) -> Lesson:
        """What the teacher says."""
        model, designs, goal = state.model, state.designs, state.model.domain.goal
        game = state.game(state.known, _noise(model, self.known_outcomes, generator))
        about_hypotheses = goal.kind == "discriminate" or (goal.kind == "learn" and not goal.parameters)
        told = expected_gain(model, state.known, designs, generator)[:, None] if about_hypotheses else None
        lesson = Lesson.of(game, game.prior[:, None], game.budget[:, None], state.goal, 2, told=told)
        return replace(lesson, soft=_SOFT)

    def _asked(self, model: DomainModel, belief: Belief, generator: torch.Generator) -> tuple[str, Tensor | None]:
        """What is played for, and to which level of certainty [states]."""
        laws = model.domain.goal.kind == "discriminate"
        if not laws or self.certain == 0.0 or bool(randomness.uniform((1,), generator) >= self.certain):
            return goal_of(model), None
        now = belief.log_probability.exp().amax(-1)
        return "certainty", now + (1.0 - now) * (0.05 + 0.9 * randomness.uniform(now.shape, generator))

    def _left(self, model: DomainModel, designs: Tensor, generator: torch.Generator) -> Tensor:
        """Of the budget [games]: often little, always enough for one experiment."""
        share = randomness.uniform(designs.shape[:1], generator).square()
        cost = model.space.cost(designs)
        most = torch.minimum(model.domain.budget * share, self.experiments * cost.mean(-1))
        return torch.maximum(most, cost.amin(-1))

    def _designs(self, model: DomainModel, few: Hypotheses, generator: torch.Generator) -> Tensor:
        """Candidates [games, designs, columns]."""
        games = len(few.mechanism)
        designs = model.space.sobol(self.tried, generator).expand(games, -1, -1)
        gain = expected_gain(model, few, designs, generator) / model.space.cost(designs)
        others = self.designs // 4
        best = gain.topk(self.designs - others, dim=-1).indices
        luck = randomness.uniform(gain.shape, generator).scatter(1, best, -1.0)
        place = torch.cat([best, luck.topk(others, dim=-1).indices], dim=1)
        return designs.gather(1, place[..., None].expand(-1, -1, designs.shape[2]))

    def _belief(self, model: DomainModel, games: int, generator: torch.Generator) -> Belief:
        """Beliefs that look like posteriors."""
        belief = prior_belief(model, games, BeliefSettings(particles=self.particles), generator)
        populations = []
        for population in belief.populations:
            overall = -self.narrow * randomness.uniform((games, 1, 1), generator)
            each = 0.7 * randomness.normal((games, 1, population.z.shape[2]), generator)
            factor = (overall + each).clamp_max(0.0).exp()
            centre = population.z[:, :1]
            middle = self._moved(centre, population.z, generator)
            tilt = 2.0 * randomness.normal((games,), generator)
            populations.append(replace(population, z=middle + factor * (population.z - centre), log_evidence=tilt))
        return replace(belief, populations=tuple(populations))

    def _moved(self, centre: Tensor, z: Tensor, generator: torch.Generator) -> Tensor:
        """Centres [games, 1, dims] as far off as ``shift`` says; without one no draw is made."""
        low, high = self.shift
        if high == 0.0:
            return centre
        by = low + (high - low) * randomness.uniform((len(z), 1, 1), generator)
        direction = 2.0 * randomness.integers(2, centre.shape, generator) - 1.0
        return centre + by * direction * z.std(1, keepdim=True)


@dataclass(frozen=True)
class RandomDomains(Decisions):
    """Of random domains. seeds: from the first to before the second, one drawn for each batch; dynamics: the share of
    domains with differential equations, which take most of the time; noise: its range, relative to signals;
    goals: weights of the goals' words, () for those of ``domains.random_domains``."""

    seeds: tuple[int, int] = (0, 400)
    dynamics: float = 0.0
    noise: tuple[float, float] = (0.03, 0.4)
    goals: tuple[tuple[str, float], ...] = ()

    def model(self, generator: torch.Generator) -> DomainModel:
        low, high = self.seeds
        seed = low + int(randomness.integers(high - low, (1,), generator))
        return _random_model(seed, self.dynamics, self.noise, self.goals)


@dataclass(frozen=True)
class KnownDomains(Decisions):
    """Of domains that are named, each as likely; of a single one: to become better at it."""

    known: tuple[DomainModel, ...] = ()

    def model(self, generator: torch.Generator) -> DomainModel:
        return self.known[int(randomness.integers(len(self.known), (1,), generator))]


def expected_gain(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, generator: torch.Generator) -> Tensor:
    """As ``expected-information-gain`` scores its finalists, but for their costs [games, designs]."""
    question = pose(model, hypotheses, _DRAWS)
    return information_under(_noise(model, _DRAWS, generator), model, question, designs, single=True)


def _noise(model: DomainModel, draws: int, generator: torch.Generator) -> Tensor:
    return stratified(draws, len(model.outcome_names), generator)


@lru_cache(maxsize=_KEPT)
def _random_model(
    seed: int, dynamics: float, noise: tuple[float, float], goals: tuple[tuple[str, float], ...]
) -> DomainModel:
    return DomainModel(random_domain(seed, recipe_of_domains(dynamics, noise, dict(goals))))
