"""Look-ahead by dynamic programming over all that may come back: Bellman's equation for experiments.

V_0(b) = U(b), Q_n(b, d) = Σ_y p(y | b, d) V_{n-1}(b after (d, y)), V_n(b) = max_d Q_n(b, d) over the designs that the
rest of the budget pays for, U(b) where it pays for none. Exact where n reaches the horizon: then V_n(prior) is what an
optimal policy attains (Lindley 1961, J. R. Statist. Soc. B 23, 112; DeGroot 1970, Optimal Statistical Decisions, ch.
12–14). Work and memory grow as (designs × outcomes)^n.
"""

import torch
from torch import Tensor

from meta_learner.games.table import Games
from meta_learner.games.utilities import Utility


def action_values(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """Q_depth [games, runs, designs] of beliefs [games, runs, hypotheses] with budgets left [games, runs]; -inf for
    designs that it does not pay for."""
    predictive, after = games.every_update(belief)
    shape = after.shape[:-1]
    rest = (left[..., None] - games.cost[:, None])[..., None].expand(shape)
    values = best_value(games, after.flatten(1, 3), rest.flatten(1), utility, depth - 1).reshape(shape)
    return torch.where(games.affordable(left), (predictive * values).sum(-1), -torch.inf)


def best_value(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """V_depth [games, runs]."""
    now = utility(belief, games.target)
    if depth == 0 or not bool(games.affordable(left).any()):
        return now
    values = action_values(games, belief, left, utility, depth).amax(-1)
    return torch.where(values.isfinite(), values, now)
