"""Many runs of many games at once, played by a network that learns from them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from meta_learner.experimenter.features import of_games
from meta_learner.experimenter.network import Judge
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES


@dataclass(frozen=True)
class Turn:
    """One decision of every run: belief [games, runs, hypotheses], budget left and value [games, runs], logits [games,
    runs, designs], -inf where the budget does not pay; who still experiments, and the design drawn [games, runs]."""

    belief: Tensor
    left: Tensor
    logits: Tensor
    value: Tensor
    going: Tensor
    design: Tensor

    @property
    def log_probability(self) -> Tensor:
        """Of the design drawn [games, runs]; 0 where there was none to draw."""
        every = torch.where(self.going[..., None], self.logits, 0.0).log_softmax(-1)
        return torch.where(self.going, every.gather(-1, self.design[..., None])[..., 0], 0.0)


def episode(
    network: Judge, games: Games, goal: str, runs: int, generator: torch.Generator
) -> tuple[list[Turn], Tensor, Tensor]:
    """Until all budgets are spent, or the goal's utility has ended: designs drawn by the network's probabilities,
    outcomes from the truth, the exact update of the belief. The network never sees the truth. All turns, and the belief
    [games, runs, hypotheses] and what was left [games, runs] at the end."""
    rows, turns = torch.arange(len(games.prior))[:, None], []
    truth = randomness.choices(games.prior, runs, generator)
    belief, left = games.prior[:, None].expand(-1, runs, -1), games.budget[:, None].expand(-1, runs)
    for _ in range(games.horizon):
        going = games.affordable(left).any(-1) & ~UTILITIES[goal].ended(games, belief)
        logits, value = network(of_games(games, belief, left, goal))
        logits = logits.reshape(*left.shape, -1)
        chance = torch.where(going[..., None], logits.detach(), 0.0).softmax(-1)
        design = randomness.choices(chance, 1, generator)[..., 0]
        turns.append(Turn(belief, left, logits, value.reshape(left.shape), going, design))
        outcome = randomness.choices(games.outcomes[rows, design, truth], 1, generator)[..., 0]
        belief = torch.where(going[..., None], games.updated(belief, design, outcome), belief)
        left = torch.where(going, left - games.cost.gather(1, design), left)
    return turns, belief, left
