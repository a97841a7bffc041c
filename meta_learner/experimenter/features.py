"""What the experimenter sees: numbers without units, made from what every hypothesis says of every design.

All that depends on the outcome enters through p(y | h)/p(y), so that binary, count and continuous outcomes look alike.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.games.table import Games
from meta_learner.games.utilities import information, of_targets

GOALS = ("information", "correct")
CELL, HYPOTHESIS, DESIGN, WHOLE = 4, 2, 4, 3 + len(GOALS)  # how many numbers each


@dataclass(frozen=True)
class Table:
    """One decision of every row. Leading axis: rows (games × runs).

    cell [rows, designs, hypotheses, 4]; hypothesis [rows, hypotheses, 2]; design [rows, designs, 4]; whole [rows, 5];
    log_weight [rows, hypotheses]; allowed, boolean [rows, designs]; gain [rows, designs]: expected information about
    the target per cost, as a share of the best design's.
    """

    cell: Tensor
    hypothesis: Tensor
    design: Tensor
    whole: Tensor
    log_weight: Tensor
    allowed: Tensor
    gain: Tensor


def of_games(games: Games, belief: Tensor, left: Tensor, goal: str) -> Table:
    """Of beliefs [games, runs, hypotheses] with budgets left [games, runs]."""
    predictive, after = games.every_update(belief)  # [games, runs, designs, outcomes(, hypotheses)]
    own = games.outcomes.transpose(-1, -2)[:, None]  # p(y | h)
    target = of_targets(after, games.target)
    told = (predictive * information(after, games.target)).sum(-1) - information(belief, games.target)[..., None]
    right = (predictive * target.amax(-1)).sum(-1) - of_targets(belief, games.target).amax(-1)[..., None]
    gain = told / games.cost[:, None]
    allowed = games.affordable(left)
    best = torch.where(allowed, gain, 0.0).amax(-1, keepdim=True).clamp_min(1e-9)
    cell = _cells(games, belief, predictive, after, own)
    steps = (left / games.cost.mean(-1, keepdim=True)).clamp_min(0.0)
    share = of_targets(belief, games.target)
    chosen = torch.tensor([float(goal == name) for name in GOALS], dtype=torch.float64).expand(*left.shape, -1)
    whole = torch.cat([torch.stack([steps.log1p(), _entropy(share), share.amax(-1)], dim=-1), chosen], dim=-1)
    relative = (games.cost / games.cost.mean(-1, keepdim=True)).log()[:, None].expand(allowed.shape)
    design = torch.stack([gain / best, told, right, relative], dim=-1)
    log_weight = belief.clamp_min(1e-12).log()
    count = belief.shape[-1]
    mine = share.gather(-1, games.target[:, None].expand(belief.shape))
    hypothesis = torch.stack([(belief * count).clamp_min(1e-3).log(), mine], dim=-1)
    parts = (cell, hypothesis, design, whole, log_weight, allowed, gain / best)
    return Table(*(_rows(part) for part in parts))


def _cells(games: Games, belief: Tensor, predictive: Tensor, after: Tensor, own: Tensor) -> Tensor:
    """Of every design and hypothesis [games, runs, designs, hypotheses, 4]: what the outcome is expected to say for it
    if it is true (nats); its probability and its target's then, against now; its mean outcome, standardised."""
    ratio = torch.where(own > 0, (own / predictive[..., None]).clamp_min(1e-12).log(), 0.0)
    said = (own * ratio).sum(-2)
    itself = (own * after).sum(-2)
    member = games.target[:, :, None] == games.target[:, None]  # [games, hypotheses, hypotheses]
    together = torch.einsum("grdyk,ghk->grdyh", after, member.to(after.dtype))
    now = torch.einsum("grk,ghk->grh", belief, member.to(after.dtype))
    y = torch.arange(own.shape[-2], dtype=torch.float64)[:, None]
    mean, expected = (own * y).sum(-2), (predictive * y[:, 0]).sum(-1, keepdim=True)
    spread = (predictive * (y[:, 0] - expected).square()).sum(-1, keepdim=True).sqrt()
    standard = (mean - expected) / spread.clamp_min(1e-9)
    parts = (said, itself - belief[:, :, None], (own * together).sum(-2) - now[:, :, None], standard)
    return torch.stack(torch.broadcast_tensors(*parts), dim=-1)


def _entropy(share: Tensor) -> Tensor:
    return -torch.xlogy(share, share).sum(-1)


def _rows(value: Tensor) -> Tensor:
    flat = value.flatten(0, 1)
    return flat if flat.dtype == torch.bool else flat.to(torch.float32)
