"""The network as a policy of games."""

import torch
from torch import Tensor

from meta_learner.experimenter.features import of_games
from meta_learner.experimenter.network import Experimenter
from meta_learner.games.table import Games


class Learned:
    """The design with the highest logit."""

    def __init__(self, network: Experimenter, goal: str) -> None:
        self._network, self._goal = network, goal

    @torch.no_grad()
    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        logits, _ = self._network(of_games(games, belief, left, self._goal))
        return logits.argmax(-1).reshape(left.shape)
