"""Policies for games that need no training."""

import torch
from torch import Tensor

from domains import randomness
from meta_learner.games.lookahead import action_values
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES, Utility


class Lookahead:
    """The design with the best value ``depth`` experiments ahead; with ``per_cost``, the best gain for its cost."""

    def __init__(self, utility: Utility, depth: int, *, per_cost: bool = False) -> None:
        self._utility, self._depth, self._per_cost = utility, depth, per_cost

    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        values = action_values(games, belief, left, self._utility, self._depth)
        if self._per_cost:
            values = (values - self._utility(games, belief)[..., None]) / games.cost[:, None]
        return values.argmax(-1)


def greedy(games: Games, belief: Tensor) -> Tensor:
    """Expected information about the target per cost [games, runs, designs]."""
    information = UTILITIES["information"]
    told = information.after(games, belief) - information(games, belief)[..., None]
    return told / games.cost[:, None]


class Greedy(Lookahead):
    """Expected information about the target per cost, of the next experiment alone (Lindley 1956): what
    ``expected-information-gain`` is on a table."""

    def __init__(self) -> None:
        super().__init__(UTILITIES["information"], 1, per_cost=True)


class Uniform:
    """Any design that the budget pays for."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        del belief
        allowed = games.affordable(left)
        draws = randomness.uniform(allowed.shape, self._generator)
        return torch.where(allowed, draws, -1.0).argmax(-1)
