"""A batch of games on tables, and what an experiment does to a belief over finitely many hypotheses."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

NOTHING_LEFT = 1e-9  # of a budget, by rounding


@dataclass(frozen=True)
class Games:
    """Games of one size.

    prior [games, hypotheses]; outcomes [games, designs, hypotheses, outcomes]: p(y | hypothesis, design), adding up to
    1; target [games, hypotheses]: a whole number from 0 on, the same for hypotheses between which the goal does not ask
    to tell; cost [games, designs] > 0; budget [games]: an experiment is made only if its cost fits what is left.
    payoff [games, hypotheses, answers]: what each answer at the end is worth where a hypothesis holds, or the values to
    be predicted there; unless given, an answer names a target and is worth 1 if it is right. mean [games, designs,
    hypotheses]: outcomes as one number, as each hypothesis expects it; unless given, of their places in the list.
    level [games]: the probability of a target at which a run ends, where it is played for certainty.
    Several runs of a game share it: beliefs are [games, runs, hypotheses].
    """

    prior: Tensor
    outcomes: Tensor
    target: Tensor
    cost: Tensor
    budget: Tensor
    payoff: Tensor | None = None
    mean: Tensor | None = None
    level: Tensor | None = None

    def to(self, dtype: torch.dtype) -> "Games":
        """In another precision."""

        def cast(value: Any) -> Any:
            return value.to(dtype) if value is not None and value.is_floating_point() else value

        return self._each(cast)

    def some(self, which: slice) -> "Games":
        """Some of the games."""
        return self._each(lambda value: None if value is None else value[which])

    def _each(self, change: Callable[[Any], Any]) -> "Games":
        values: dict[str, Any] = {field.name: change(getattr(self, field.name)) for field in fields(self)}
        return Games(**values)

    @property
    def horizon(self) -> int:
        """The most experiments that any game's budget pays for."""
        return int(((self.budget + NOTHING_LEFT) / self.cost.amin(-1)).floor().max())

    @cached_property
    def member(self) -> Tensor:
        """Which target a hypothesis has: 1 or 0 [games, hypotheses, targets]."""
        return torch.nn.functional.one_hot(self.target, int(self.target.max()) + 1).to(self.prior.dtype)

    @cached_property
    def each_its_own(self) -> bool:
        """Whether no two hypotheses share a target."""
        return bool((self.member.sum(1) <= 1).all())

    @cached_property
    def worth(self) -> Tensor:
        """``payoff``, or 1 for the right target [games, hypotheses, answers]."""
        return self.member if self.payoff is None else self.payoff

    @cached_property
    def expected(self) -> Tensor:
        """``mean``, or that of the outcomes' places [games, designs, hypotheses]."""
        return (
            self.outcomes @ torch.arange(self.outcomes.shape[-1]).to(self.outcomes) if self.mean is None else self.mean
        )

    @cached_property
    def flat(self) -> Tensor:
        """``outcomes`` as [games, hypotheses, designs × outcomes]."""
        return self.outcomes.transpose(1, 2).flatten(2)

    @cached_property
    def certainty(self) -> Tensor:
        """Σ_y p log p [games, hypotheses, designs], nats: how surely each hypothesis predicts."""
        return torch.xlogy(self.outcomes, self.outcomes).sum(-1).transpose(1, 2)

    def times(self, values: Tensor) -> Tensor:
        """p(y | h, d) v(h) [games, hypotheses, designs × outcomes × values] of values [games, hypotheses, values]."""
        return (self.flat[..., None] * values[:, :, None]).flatten(2)

    def affordable(self, left: Tensor) -> Tensor:
        """Which designs fit what is left [games, runs]: boolean [games, runs, designs]."""
        return self.cost[:, None] <= left[..., None] + NOTHING_LEFT

    def updated(self, belief: Tensor, design: Tensor, outcome: Tensor) -> Tensor:
        """Bayes: the belief after an outcome [games, runs] of a design [games, runs]."""
        games = torch.arange(len(belief))[:, None]
        joint = belief * self.outcomes[games, design, :, outcome]
        return joint / joint.sum(-1, keepdim=True)

    def joint(self, belief: Tensor) -> Tensor:
        """p(hypothesis, y | design) [games, runs, designs, outcomes, hypotheses]: beliefs after every outcome, times
        its probability."""
        return belief[:, :, None, None] * self.outcomes[:, None].transpose(-1, -2)

    def every_update(self, belief: Tensor) -> tuple[Tensor, Tensor]:
        """All that may come of one experiment: p(y | design) [games, runs, designs, outcomes], and the beliefs
        [games, runs, designs, outcomes, hypotheses] after it; the old one where an outcome is impossible."""
        joint = self.joint(belief)
        predictive = joint.sum(-1)
        after = joint / predictive[..., None]
        return predictive, torch.where(predictive[..., None] > 0, after, belief[:, :, None, None])
