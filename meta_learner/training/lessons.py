"""What is learned at one state: the teacher's value of every design, beside what the learner would do.

The teacher's values Q give each design's regret, as a share of what the best one gains: r(d) = (max Q − Q(d)) ÷
(max Q − U(b)). What is minimised is the cross-entropy of the learner's choices against softmax(−r ÷ soft), which also
pulls at choices that the learner is sure of; what is told is the regret of the design that it prefers. The value head
learns (max Q − U(b)) ÷ (U known − U(b)). Ross & Bagnell 2014, Reinforcement and imitation learning via interactive
no-regret learning (AggreVaTe).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.games.lookahead import action_values
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES

_WORTH = 0.1  # of the value head's squared error in the loss
_LEAST_GAIN = 0.01  # nats or standard deviations: where no more is to be had, choices matter little
_IN_REACH = 0.02  # of the budget left once certain: below that, little is said by what is expected of it
_CLOSED = -1e9


@dataclass(frozen=True)
class Learned:
    """loss: what to minimise; told: the regret, or what was gained, a share; decisions: how many it is of."""

    loss: Tensor
    told: float
    decisions: int


@dataclass(frozen=True)
class Lesson:
    """values [games, runs, designs]: what the teacher expects to gain, as a share of the best; -inf where the budget
    does not pay. share [games, runs]: what the best gains of all there is to gain. soft: the regret, as a share, that
    makes a design e times less wanted; well above the teacher's own errors, so that these average out."""

    values: Tensor
    share: Tensor
    soft: float = 0.03

    @classmethod
    def of(
        cls, games: Games, belief: Tensor, left: Tensor, goal: str, ahead: int, *, told: Tensor | None = None
    ) -> "Lesson":
        """At beliefs [games, runs, hypotheses] with budgets left [games, runs], by a teacher that looks so many
        experiments ahead. The further the end lies beyond, the more information about the target counts in the goal's
        place: by 1 − ahead ÷ (experiments that the budget pays for), and for certainty also where the best design
        leaves next to nothing of the budget. told [games, runs, designs]: the information that one experiment is
        expected to give, nats, where it is known better than from the table, whose few outcomes can tell only so much
        apart."""
        steps = (left / games.cost.mean(-1, keepdim=True)).clamp_min(1.0)
        near = (ahead / steps).clamp_max(1.0)
        own = _Gain.of(games, belief, left, goal, ahead, told=told if goal == "information" else None)
        if goal == "certainty":
            near = near * (own.share / _IN_REACH).clamp_max(1.0)
        nothing_beyond = goal == "information" or bool((near >= 1.0).all())
        information = own if nothing_beyond else _Gain.of(games, belief, left, "information", ahead, told=told)
        values = near[..., None] * own.relative + (1.0 - near[..., None]) * information.relative
        open_still = own.values.isfinite() & ~UTILITIES[goal].ended(games, belief)[..., None]
        return cls(torch.where(open_still, values, -torch.inf), own.share)

    def learned(self, logits: Tensor, value: Tensor) -> "Learned":
        """What to minimise, and the regret, of logits [games, runs, designs] and values [games, runs]."""
        allowed = self.values.isfinite()
        going = allowed.any(-1)
        log_policy = torch.where(allowed, logits, _CLOSED).log_softmax(-1)
        best = self.values.amax(-1, keepdim=True)
        regret = torch.where(allowed, best - self.values, 0.0).clamp_max(1.0)
        wanted = torch.where(allowed, -regret / self.soft, _CLOSED).softmax(-1)
        weight = going / going.sum().clamp_min(1)
        surprise = (weight * -(wanted * log_policy).sum(-1)).sum()
        error = (weight * (value - self.share).square()).sum()
        chosen = torch.where(allowed, logits, _CLOSED).argmax(-1, keepdim=True)
        told = (weight * regret.gather(-1, chosen)[..., 0]).sum().item()
        return Learned(surprise + _WORTH * error, told, int(going.sum()))


@dataclass(frozen=True)
class _Gain:
    """values [games, runs, designs] of a look-ahead; relative: as a share of the best design's gain; share [games,
    runs]: of all there is to gain."""

    values: Tensor
    relative: Tensor
    share: Tensor

    @classmethod
    def of(cls, games: Games, belief: Tensor, left: Tensor, goal: str, ahead: int, *, told: Tensor | None) -> "_Gain":
        utility = UTILITIES[goal]
        values, now = action_values(games, belief, left, utility, ahead), utility(games, belief, left)
        if told is not None:
            values = values + told - (utility.after(games, belief, left) - now[..., None])
        allowed = values.isfinite()
        gain = torch.where(allowed, values - now[..., None], 0.0)
        best = torch.where(allowed, gain, _CLOSED).amax(-1).clamp_min(_LEAST_GAIN)
        share = best / (utility.known(games, belief, left) - now).clamp_min(1e-3)
        return cls(values, gain / best[..., None], torch.where(allowed.any(-1), share, 0.0).clamp(0.0, 1.0))
