"""A batch of games on tables, and what an experiment does to a belief over finitely many hypotheses."""

from dataclasses import dataclass

import torch
from torch import Tensor

_NOTHING_LEFT = 1e-9  # of a budget, by rounding


@dataclass(frozen=True)
class Games:
    """Games of one size.

    prior [games, hypotheses]; outcomes [games, designs, hypotheses, outcomes]: p(y | hypothesis, design), adding up to
    1; target [games, hypotheses]: a whole number from 0 on, the same for hypotheses between which the goal does not ask
    to tell; cost [games, designs] > 0; budget [games]: an experiment is made only if its cost fits what is left.
    Several runs of a game share it: beliefs are [games, runs, hypotheses].
    """

    prior: Tensor
    outcomes: Tensor
    target: Tensor
    cost: Tensor
    budget: Tensor

    @property
    def horizon(self) -> int:
        """The most experiments that any game's budget pays for."""
        return int(((self.budget + _NOTHING_LEFT) / self.cost.amin(-1)).floor().max())

    def affordable(self, left: Tensor) -> Tensor:
        """Which designs fit what is left [games, runs]: boolean [games, runs, designs]."""
        return self.cost[:, None] <= left[..., None] + _NOTHING_LEFT

    def updated(self, belief: Tensor, design: Tensor, outcome: Tensor) -> Tensor:
        """Bayes: the belief after an outcome [games, runs] of a design [games, runs]."""
        games = torch.arange(len(belief))[:, None]
        joint = belief * self.outcomes[games, design, :, outcome]
        return joint / joint.sum(-1, keepdim=True)

    def every_update(self, belief: Tensor) -> tuple[Tensor, Tensor]:
        """All that may come of one experiment: p(y | design) [games, runs, designs, outcomes], and the beliefs
        [games, runs, designs, outcomes, hypotheses] after it; the old one where an outcome is impossible."""
        joint = belief[:, :, None, :, None] * self.outcomes[:, None]
        predictive = joint.sum(-2)
        after = (joint / predictive[..., None, :]).transpose(-1, -2)
        return predictive, torch.where(predictive[..., None] > 0, after, belief[:, :, None, None])
