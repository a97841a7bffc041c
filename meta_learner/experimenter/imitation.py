"""Stage 1: learn from look-ahead on random games, at the states that the learner itself comes to.

Outer loop over batches of games, inner loop the exact belief update of each. At every state the teacher's values Q of
all designs are known (``action_values``), and with them each design's regret, as a share of what the best one gains:
r(d) = (max Q − Q(d)) ÷ (max Q − U(b)). What is minimised is the cross-entropy of the learner's choices against
softmax(−r ÷ 0.03), which also pulls at choices that the learner is sure of; the regret itself, Σ_d π(d) r(d), is what
is told. Ross & Bagnell 2014, Reinforcement and imitation learning via interactive no-regret learning (AggreVaTe).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from domains import randomness
from meta_learner.experimenter.features import GOALS, of_games
from meta_learner.experimenter.network import Experimenter
from meta_learner.games.lookahead import action_values
from meta_learner.games.random_tables import KINDS, Size, random_games
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES

_WORTH = 0.1  # of the value head's squared error in the loss
_SOFT = 0.03  # the regret, as a share, that makes a design e times less wanted


@dataclass(frozen=True)
class Imitation:
    """A recipe. sizes, kinds and goals of games are drawn evenly; ahead: the teacher's look-ahead, at most; batch: so
    many games; runs: states visited at once of each game."""

    sizes: tuple[Size, ...] = field(
        default_factory=lambda: tuple(
            Size(outcomes=outcomes, experiments=experiments, targets=targets, dear=dear)
            for outcomes in (2, 3)
            for experiments in (2, 3)
            for targets in (None, 3)
            for dear in (0.0, 0.5)
        )
    )
    goals: tuple[str, ...] = GOALS
    ahead: int = 3
    batch: int = 32
    runs: int = 2
    rate: float = 2e-3
    steps: int = 2000
    seed: int = 0

    def share(self, step: int) -> float:
        """Of the rate: up over the first twentieth, then down by half a cosine."""
        warm = max(1, self.steps // 20)
        return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / self.steps)))


def train(network: Experimenter, recipe: Imitation) -> Iterator[float]:
    """Improve the network in place; the regret after every step, a share."""
    generator = randomness.generator(recipe.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, recipe.share)
    for _ in range(recipe.steps):
        games, goal = _drawn(recipe, generator)
        losses, regrets = zip(*_episode(network, games, goal, recipe, generator), strict=True)
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        yield sum(regrets) / len(regrets)


def _drawn(recipe: Imitation, generator: torch.Generator) -> tuple[Games, str]:
    """The next task of the outer loop."""
    options = (len(recipe.sizes), len(KINDS), len(recipe.goals))
    size, kind, goal = (int(randomness.integers(count, (1,), generator)) for count in options)
    return random_games(KINDS[kind], recipe.sizes[size], recipe.batch, generator), recipe.goals[goal]


def _episode(
    network: Experimenter, games: Games, goal: str, recipe: Imitation, generator: torch.Generator
) -> Iterator[tuple[Tensor, float]]:
    """The inner loop: loss and regret at every state on the way to the end of the budgets."""
    runs, rows = recipe.runs, torch.arange(len(games.prior))[:, None]
    truth = randomness.choices(games.prior, runs, generator)
    belief, left = games.prior[:, None].expand(-1, runs, -1), games.budget[:, None].expand(-1, runs)
    for step in range(games.horizon):
        allowed = games.affordable(left)
        going = allowed.any(-1)
        logits, value = network(of_games(games, belief, left, goal))
        log_policy = torch.where(allowed, logits.reshape(allowed.shape), -1e9).log_softmax(-1)
        depth = min(recipe.ahead, games.horizon - step)
        yield _loss(games, (belief, left), log_policy, value.reshape(left.shape), (goal, depth))
        design = randomness.choices(log_policy.detach().exp(), 1, generator)[..., 0]
        chance = games.outcomes[rows, design, truth]
        outcome = randomness.choices(chance, 1, generator)[..., 0]
        belief = torch.where(going[..., None], games.updated(belief, design, outcome), belief)
        left = torch.where(going, left - games.cost.gather(1, design), left)


def _loss(
    games: Games, state: tuple[Tensor, Tensor], log_policy: Tensor, value: Tensor, teaching: tuple[str, int]
) -> tuple[Tensor, float]:
    belief, left = state
    goal, depth = teaching
    utility = UTILITIES[goal]
    values = action_values(games, belief, left, utility, depth)
    allowed, now = values.isfinite(), utility(belief, games.target)
    best = torch.where(allowed, values, -1e9).amax(-1)
    going = allowed.any(-1)
    gained = torch.where(going, best - now, 1.0)
    lost = torch.where(allowed & going[..., None], best[..., None] - values, 0.0) / gained.clamp_min(1e-4)[..., None]
    weight = going / going.sum().clamp_min(1)
    wanted = torch.where(allowed, -lost / _SOFT, -1e9).softmax(-1)
    surprise = (weight * -(wanted * log_policy).sum(-1)).sum()
    regret = (weight * (log_policy.exp() * lost.clamp_max(1.0)).sum(-1)).sum()
    error = (weight * (value - torch.where(going, best - now, 0.0)).square()).sum()
    return surprise + _WORTH * error, regret.item()
