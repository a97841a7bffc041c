"""Look-ahead by dynamic programming over all that may come back: Bellman's equation for experiments.

V_0(b) = U(b), Q_n(b, d) = Σ_y p(y | b, d) V_{n-1}(b after (d, y)), V_n(b) = max_d Q_n(b, d) over the designs that the
rest of the budget pays for, U(b) where it pays for none or U has ended. Exact where n reaches the horizon: then
V_n(prior) is what an optimal policy attains (Lindley 1961, J. R. Statist. Soc. B 23, 112; DeGroot 1970, Optimal
Statistical Decisions, ch. 12–14). Values are worked out on measures, beliefs times the probability of coming to them,
so that sums over outcomes need no weights. Work and memory grow as (designs × outcomes)^n, the last experiment by a
product of matrices.
"""

import torch
from torch import Tensor

from meta_learner.games.table import Games
from meta_learner.games.utilities import Utility

_CACHED = 2**18


def action_values(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """Q_depth [games, runs, designs] of beliefs [games, runs, hypotheses] with budgets left [games, runs]; -inf for
    designs that it does not pay for."""
    allowed = games.affordable(left)
    if depth == 1:
        return torch.where(allowed, utility.after(games, belief, left), -torch.inf)
    parts = torch.arange(len(belief)).split(_at_once(games, belief.shape[1]))
    each = [slice(int(part[0]), int(part[-1]) + 1) for part in parts]
    values = [_next_values(games.some(part), belief[part], left[part], utility, depth) for part in each]
    return torch.where(allowed, torch.cat(values), -torch.inf)


def _next_values(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """Σ_y V_{depth-1} [games, runs, designs] of what every design and outcome leaves."""
    joint = games.joint(belief)
    shape = joint.shape[:-1]
    rest = (left[..., None] - games.cost[:, None])[..., None].expand(shape)
    values = best_value(games, joint.flatten(1, 3), rest.flatten(1), utility, depth - 1)
    return values.reshape(shape).sum(-1)


def _at_once(games: Games, runs: int) -> int:
    """How many games' next experiments but one fit a processor's cache."""
    _, designs, _, outcomes = games.outcomes.shape
    return max(1, _CACHED // (runs * (designs * outcomes) ** 2 * games.worth.shape[-1]))


def best_value(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """V_depth [games, runs]."""
    now = utility(games, belief, left)
    if depth == 0 or not bool(games.affordable(left).any()):
        return now
    values = action_values(games, belief, left, utility, depth).amax(-1)
    return torch.where(values.isfinite() & ~utility.ended(games, belief), values, now)
