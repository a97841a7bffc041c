"""What the experimenter sees: numbers without units, made from what every hypothesis says of every design.

All that depends on the outcome enters through p(y | h)/p(y), so that binary, count and continuous outcomes look alike.
What one experiment, and the best two, are expected to do for the goal is worked out exactly and seen too: what is left
to learn is what lies beyond, and what of the estimates not to believe.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.games.lookahead import action_values
from meta_learner.games.table import NOTHING_LEFT, Games
from meta_learner.games.utilities import UTILITIES, Utility

GOALS = tuple(UTILITIES)
CELL, HYPOTHESIS, DESIGN, WHOLE = 4, 4, 12, 7 + len(GOALS)  # how many numbers each
_LEAST = 1e-9
_STEEP = 10.0  # by which a design's regret is told
_SAME, _FAR = 1e-6, 10.0


@dataclass(frozen=True)
class Table:
    """One decision of every row. Leading axis: rows (games × runs).

    cell [rows, designs, hypotheses, CELL]; hypothesis [rows, hypotheses, HYPOTHESIS]; design [rows, designs, DESIGN];
    whole [rows, WHOLE]; log_weight [rows, hypotheses]; allowed, boolean [rows, designs]; gain [rows, designs]: expected
    information about the target per cost, as a share of the best design's.
    """

    cell: Tensor
    hypothesis: Tensor
    design: Tensor
    whole: Tensor
    log_weight: Tensor
    allowed: Tensor
    gain: Tensor


@dataclass(frozen=True)
class Known:
    """Greedy's scores per cost [games, runs, designs], as so many hypotheses tell them."""

    gain: Tensor
    hypotheses: int


def of_games(games: Games, belief: Tensor, left: Tensor, goal: str, known: Known | None = None) -> Table:
    """Of beliefs [games, runs, hypotheses] with budgets left [games, runs]; known: greedy's scores, where they come
    from elsewhere than the games."""
    information, utility = UTILITIES["information"], UTILITIES[goal]
    allowed, target = games.affordable(left), belief @ games.member
    told = information.after(games, belief) - information(games, belief)[..., None]
    greedy = told / games.cost[:, None] if known is None else known.gain.to(told.dtype)
    most = torch.where(allowed, greedy, 0.0).amax(-1, keepdim=True).clamp_min(_LEAST)
    relative = (greedy / most).clamp(-1.0, 1.0)
    mean_cost = games.cost.mean(-1, keepdim=True)
    entropy = -information(games, belief)
    after = (left[..., None] - games.cost[:, None]).clamp_min(0.0) / mean_cost[..., None]
    cost = (games.cost / mean_cost).log()[:, None].expand(allowed.shape)
    values = [_ahead(games, belief, left, utility, depth) for depth in (1, 2)]
    values.append(values[1] if goal == "information" else _ahead(games, belief, left, information, 2))
    design = torch.stack(
        [relative, told, told / entropy[..., None].clamp_min(_LEAST), cost, after.log1p(), *_beyond(games, left)]
        + [_regret(value) for value in (values[0] / games.cost[:, None], *values)]
        + [values[1]],
        dim=-1,
    )
    steps = (left / mean_cost).clamp_min(0.0)
    chosen = torch.tensor([float(goal == name) for name in GOALS]).to(belief).expand(*left.shape, -1)
    level = torch.zeros_like(left) if games.level is None else -torch.log1p(-games.level)[:, None].expand_as(left)
    better = torch.full_like(steps, 0.0 if known is None else 1.0 + math.log(known.hypotheses / belief.shape[-1]))
    numbers = [steps.log1p(), 1.0 / (1.0 + steps), entropy, target.amax(-1), values[1].amax(-1), better, level]
    whole = torch.cat([torch.stack(numbers, dim=-1), chosen], dim=-1)
    seen = (_cells(games, belief, target), _hypotheses(games, belief, target), design, whole)
    return Table(*(_rows(part) for part in (*seen, belief.clamp_min(1e-12).log(), allowed, relative)))


def _ahead(games: Games, belief: Tensor, left: Tensor, utility: Utility, depth: int) -> Tensor:
    """What a design is expected to gain, ``depth`` experiments ahead [games, runs, designs], as a share of what there
    is to gain: 0 to 1."""
    now = utility(games, belief, left)
    there = (utility.known(games, belief, left) - now).clamp_min(_LEAST)
    values = action_values(games, belief, left, utility, depth)
    return torch.where(values.isfinite(), (values - now[..., None]) / there[..., None], 0.0)


def _beyond(games: Games, left: Tensor) -> tuple[Tensor, Tensor]:
    """What the budget pays for after each design [games, runs, designs]: the share of the designs, and how many of the
    cheapest (1 + its logarithm)."""
    after = left[..., None] - games.cost[:, None] + NOTHING_LEFT
    share = (games.cost[:, None, None] <= after[..., None]).to(left).mean(-1)
    return share, (after / games.cost.amin(-1)[:, None, None]).clamp_min(0.0).floor().log1p()


def _regret(value: Tensor) -> Tensor:
    """By how much a design falls short of the best, as a share of what that gains, times 10: -10 to 0."""
    best = value.amax(-1, keepdim=True)
    return (_STEEP * (value - best) / best.clamp_min(_LEAST)).clamp_min(-_STEEP)


def _hypotheses(games: Games, belief: Tensor, target: Tensor) -> Tensor:
    """Of every hypothesis [games, runs, hypotheses, 4]: its weight against an even share, its target's, what the answer
    that is best now would lose if it held, and whether that is its own best."""
    weight = (belief * belief.shape[-1]).clamp_min(1e-3).log()
    mine = target @ games.member.transpose(1, 2)
    answer = (belief @ games.worth).argmax(-1)
    paid = games.worth.transpose(1, 2).gather(1, answer[..., None].expand(-1, -1, belief.shape[-1]))
    lost = games.worth.amax(-1)[:, None] - paid
    spread = (belief * lost).sum(-1, keepdim=True).clamp_min(_LEAST)
    return torch.stack([weight, mine, (lost / spread).clamp_max(20.0).log1p(), (lost <= 0).to(lost)], dim=-1)


def _cells(games: Games, belief: Tensor, target: Tensor) -> Tensor:
    """Of every design and hypothesis [games, runs, designs, hypotheses, 4]: what the outcome is expected to say for it
    if it is true (nats); its probability and its target's then, against now; its mean outcome, standardised."""
    outcomes = games.outcomes.shape[-1]
    own = games.outcomes[:, None]  # p(y | h) [games, 1, designs, hypotheses, outcomes]
    predictive = (
        (belief @ games.flat).unflatten(-1, (-1, outcomes)).clamp_min(1e-30)
    )  # [games, runs, designs, outcomes]
    certain = games.certainty.transpose(1, 2)[:, None]
    said = certain - (own @ predictive.log()[..., None])[..., 0]
    ratio = own / predictive[:, :, :, None]
    itself = belief[:, :, None] * ((own * ratio).sum(-1) - 1.0)
    if games.each_its_own:
        together = itself
    else:
        joint = (belief @ games.times(games.member)).unflatten(-1, (-1, outcomes, target.shape[-1]))
        of_target = joint / predictive[..., None]  # p(target | y) [games, runs, designs, outcomes, targets]
        expected = own.expand(*ratio.shape[:3], -1, -1) @ of_target  # E[p(target | y) | h]
        together = (expected * games.member[:, None, None]).sum(-1) - (target @ games.member.mT)[:, :, None]
    return torch.stack([said, itself, together, _standard(games, belief)], dim=-1)


def _standard(games: Games, belief: Tensor) -> Tensor:
    """The outcome that each hypothesis expects [games, runs, designs, hypotheses], with mean 0 and variance 1 under the
    belief."""
    said = games.expected[:, None]
    weight = belief[:, :, None]
    centred = said - (weight * said).sum(-1, keepdim=True)
    spread = (weight * centred.square()).sum(-1, keepdim=True).sqrt()
    least = _SAME * said.abs().amax(-1, keepdim=True) + _LEAST
    return torch.where(spread > least, centred / spread.clamp_min(_LEAST), 0.0).clamp(-_FAR, _FAR)


def _rows(value: Tensor) -> Tensor:
    flat = value.flatten(0, 1)
    return flat if flat.dtype == torch.bool else flat.to(torch.float32)
