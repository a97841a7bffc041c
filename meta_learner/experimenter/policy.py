"""The network as a policy of games."""

import torch
from torch import Tensor

from domains import randomness
from meta_learner.experimenter.features import of_games
from meta_learner.experimenter.network import Experimenter
from meta_learner.games.table import Games


class Learned:
    """The design with the highest logit, or one drawn by the logits where a generator is given."""

    def __init__(self, network: Experimenter, goal: str, generator: torch.Generator | None = None) -> None:
        self._network, self._goal, self._generator = network, goal, generator

    @torch.no_grad()
    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        logits, _ = self._network(of_games(games, belief, left, self._goal))
        if self._generator is None:
            picked = logits.argmax(-1)
        else:
            chance = torch.where(logits.isfinite().any(-1, keepdim=True), logits, 0.0).softmax(-1)
            picked = randomness.choices(chance, 1, self._generator)[:, 0]
        return picked.reshape(left.shape)
