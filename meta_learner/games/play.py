"""Games played: many episodes at random, or all that can happen with its probability."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from meta_learner.games.table import Games
from meta_learner.games.utilities import Utility

GamePolicy = Callable[[Games, Tensor, Tensor], Tensor]
"""Games, belief [games, runs, hypotheses], budget left [games, runs] → designs [games, runs] that it pays for, where
any is."""


@dataclass(frozen=True)
class Episodes:
    """What was played. truth [games, runs]: the hypothesis that held; design and outcome [games, runs, steps], -1 once
    a budget was spent; belief [games, runs, hypotheses] and what was left [games, runs] at the end."""

    truth: Tensor
    design: Tensor
    outcome: Tensor
    belief: Tensor
    left: Tensor


def play(games: Games, policy: GamePolicy, runs: int, generator: torch.Generator) -> Episodes:
    """``runs`` episodes of every game. The policy never sees the truth."""
    truth = randomness.choices(games.prior, runs, generator)
    rows = torch.arange(len(games.prior))[:, None]
    belief = games.prior[:, None].expand(-1, runs, -1)
    left = games.budget[:, None].expand(-1, runs)
    designs, outcomes = [], []
    for _ in range(games.horizon):
        going = games.affordable(left).any(-1)
        design = policy(games, belief, left)
        chance = games.outcomes[rows, design, truth]
        outcome = randomness.choices(chance, 1, generator)[..., 0]
        belief = torch.where(going[..., None], games.updated(belief, design, outcome), belief)
        left = torch.where(going, left - games.cost.gather(1, design), left)
        designs.append(torch.where(going, design, -1))
        outcomes.append(torch.where(going, outcome, -1))
    return Episodes(truth, torch.stack(designs, -1), torch.stack(outcomes, -1), belief, left)


def expected_utility(games: Games, policy: GamePolicy, utility: Utility) -> Tensor:
    """E[U(belief at the end)] [games] under a policy that draws nothing: exact, over all outcomes. Work grows as
    outcomes^horizon."""
    belief, left = games.prior[:, None], games.budget[:, None]
    chance = torch.ones_like(left)
    for _ in range(games.horizon):
        going = games.affordable(left).any(-1) & ~utility.ended(games, belief)
        design = policy(games, belief, left)
        predictive, after = games.every_update(belief)
        runs, (outcomes, hypotheses) = design.shape[1], after.shape[-2:]
        pick = design[..., None, None, None].expand(-1, -1, 1, outcomes, hypotheses)
        after, predictive = after.gather(2, pick)[:, :, 0], predictive.gather(2, pick[..., 0])[:, :, 0]
        still = torch.zeros_like(predictive)  # a run that has ended stays where it is: one branch with all its chance
        still[..., 0] = 1.0
        predictive = torch.where(going[..., None], predictive, still)
        after = torch.where(going[..., None, None], after, belief[:, :, None])
        spent = torch.where(going, games.cost.gather(1, design), 0.0)
        belief, chance = after.flatten(1, 2), (chance[..., None] * predictive).flatten(1)
        left = (left - spent)[..., None].expand(-1, runs, outcomes).flatten(1)
    return (chance * utility(games, belief, left)).sum(-1)
