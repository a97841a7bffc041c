"""Policies for games that need no training."""

import torch
from torch import Tensor

from domains import randomness
from meta_learner.games.lookahead import action_values
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES, Utility


class Lookahead:
    """The design with the best value ``depth`` experiments ahead."""

    def __init__(self, utility: Utility, depth: int) -> None:
        self._utility, self._depth = utility, depth

    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        return action_values(games, belief, left, self._utility, self._depth).argmax(-1)


def greedy(games: Games, belief: Tensor) -> Tensor:
    """Expected information about the target, nats per cost [games, runs, designs]."""
    information = UTILITIES["information"]
    told = information.after(games, belief) - information(games, belief)[..., None]
    return told / games.cost[:, None]


class Greedy:
    """Expected information about the target per cost, of the next experiment alone (Lindley 1956): what
    ``expected-information-gain`` is on a table."""

    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        return torch.where(games.affordable(left), greedy(games, belief), -torch.inf).argmax(-1)


class Uniform:
    """Any design that the budget pays for."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        del belief
        allowed = games.affordable(left)
        draws = randomness.uniform(allowed.shape, self._generator)
        return torch.where(allowed, draws, -1.0).argmax(-1)
