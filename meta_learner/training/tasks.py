"""What the experimenter trains on: games of random tables, and decisions in random domains."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from domains import randomness
from domains.random_domains import Recipe, random_domain
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.experimenter.episodes import episode
from meta_learner.experimenter.features import of_games
from meta_learner.experimenter.network import Experimenter
from meta_learner.games.of_domain import game_of, goal_of
from meta_learner.games.policies import greedy
from meta_learner.games.random_tables import Kind, Size, random_games
from meta_learner.games.table import Games
from meta_learner.hypotheses import Hypotheses, draw_hypotheses
from meta_learner.information import stratified
from meta_learner.training.lessons import Learned, Lesson

_KEPT = 256  # random domains in memory


class Task(ABC):
    """A distribution over decisions. runs: episodes of each game."""

    runs: int

    @abstractmethod
    def lessons(self, network: Experimenter, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        """What there is to learn at the states of ``batch`` games that the learner comes to."""


@dataclass(frozen=True)
class Tables(Task):
    """Random games of one kind and size, played for one goal: the inner loop is the exact belief update of each.

    ahead: the teacher's look-ahead, at most; runs: states visited at once of each game.
    """

    kind: Kind
    size: Size
    goal: str
    ahead: int = 3
    runs: int = 2

    def lessons(self, network: Experimenter, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        games = self.draw(batch, generator)
        turns, _ = episode(network, games, self.goal, self.runs, generator)
        for step, turn in enumerate(turns):
            lesson = Lesson.of(games, turn.belief, turn.left, self.goal, min(self.ahead, games.horizon - step))
            yield lesson.learned(turn.logits, turn.value)

    def draw(self, batch: int, generator: torch.Generator) -> Games:
        """Games in single precision."""
        return random_games(self.kind, self.size, batch, generator).to(torch.float32)


@dataclass(frozen=True)
class Decisions(Task):
    """Decisions in domains, as they come in the middle of a run.

    The learner sees a table of few hypotheses and outcomes, its teacher one of many: what the few get wrong is to be
    learned, too. Greedy's scores come from the one or the other, by turns. Beliefs are drawn without an inference:
    particles of the prior drawn together towards one of them, by a factor of exp(−U(0, ``narrow``)) in all and more or
    less along each unknown, and laws' probabilities tilted at random. Designs: those of ``tried`` that the learner's
    table ranks highest, so that its errors are met where they matter, and a quarter others. experiments: as many as the
    budget still pays for, at most.
    """

    hypotheses: int = 64
    outcomes: int = 16
    designs: int = 16
    tried: int = 64
    known_hypotheses: int = 256
    known_outcomes: int = 32
    narrow: float = 4.0
    experiments: int = 12
    runs: int = 1

    @abstractmethod
    def model(self, generator: torch.Generator) -> DomainModel:
        """The domain that a batch is drawn from."""

    def lessons(self, network: Experimenter, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        model = self.model(generator)
        goal = goal_of(model)
        many = draw_hypotheses(model, self._belief(model, batch, generator), self.known_hypotheses, generator)
        few = many.first(self.hypotheses)
        designs = self._designs(model, few, generator)
        left = self._left(model, designs, generator)
        seen, known = (
            game_of(model, which, designs, left, _noise(model, count, generator))
            for which, count in ((few, self.outcomes), (many, self.known_outcomes))
        )
        better = bool(randomness.uniform((1,), generator) < 0.5)
        gain = greedy(known, known.prior[:, None]) if better else None
        logits, value = network(of_games(seen, seen.prior[:, None], seen.budget[:, None], goal, gain))
        lesson = Lesson.of(known, known.prior[:, None], known.budget[:, None], goal, 2)
        yield lesson.learned(logits[:, None], value[:, None])

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
        plenty = torch.full((games,), model.domain.budget, dtype=torch.float64)
        rough = game_of(model, few, designs, plenty, _noise(model, self.outcomes, generator))
        gain = greedy(rough, rough.prior[:, None])[:, 0]
        others = self.designs // 4
        best = gain.topk(self.designs - others, dim=-1).indices
        luck = randomness.uniform(gain.shape, generator).scatter(1, best, -1.0)
        place = torch.cat([best, luck.topk(others, dim=-1).indices], dim=1)
        return designs.gather(1, place[..., None].expand(-1, -1, designs.shape[2]))

    def _belief(self, model: DomainModel, games: int, generator: torch.Generator) -> Belief:
        """Beliefs that look like posteriors."""
        belief = prior_belief(model, games, BeliefSettings(particles=self.known_hypotheses), generator)
        populations = []
        for population in belief.populations:
            overall = -self.narrow * randomness.uniform((games, 1, 1), generator)
            each = 0.7 * randomness.normal((games, 1, population.z.shape[2]), generator)
            centre, factor = population.z[:, :1], (overall + each).clamp_max(0.0).exp()
            tilt = 2.0 * randomness.normal((games,), generator)
            populations.append(replace(population, z=centre + factor * (population.z - centre), log_evidence=tilt))
        return replace(belief, populations=tuple(populations))


@dataclass(frozen=True)
class RandomDomains(Decisions):
    """Of random domains. seeds: from the first to before the second, one drawn for each batch; dynamics: the share of
    domains with differential equations, which take most of the time."""

    seeds: tuple[int, int] = (0, 400)
    dynamics: float = 0.0

    def model(self, generator: torch.Generator) -> DomainModel:
        low, high = self.seeds
        return _random_model(low + int(randomness.integers(high - low, (1,), generator)), self.dynamics)


@dataclass(frozen=True)
class OneDomain(Decisions):
    """Of a single domain: to become better at it."""

    known: DomainModel | None = None

    def model(self, generator: torch.Generator) -> DomainModel:
        del generator
        assert self.known is not None
        return self.known


def _noise(model: DomainModel, draws: int, generator: torch.Generator) -> Tensor:
    return stratified(draws, len(model.outcome_names), generator)


@lru_cache(maxsize=_KEPT)
def _random_model(seed: int, dynamics: float) -> DomainModel:
    return DomainModel(random_domain(seed, Recipe(features={"dynamics": dynamics})))
