"""What a belief is worth at the end of a game, and after one more experiment.

Utilities of what is known are convex, so that no experiment is expected to harm. Each is extended to measures m = c·b,
beliefs b times a probability c, by U(m) = c·U(b). What an experiment is expected to leave, Σ_y p(y | d) U(b after (d,
y)), is then Σ_y U(m(·, y)) with m(h, y) = b(h) p(y | h, d): a product of matrices over all designs and outcomes, no
division.

information: −H(target), nats (Lindley 1956). decision: what the best answer is expected to be worth, and with no payoff
given the probability of guessing the target (value of information: Raiffa & Schlaifer 1961). prediction: minus the
variance left in the values to be predicted, the mean over them (Bayesian A-optimality: Chaloner & Verdinelli 1995).
certainty: what is left of the budget when a run ends because one target is as probable as asked for; nothing, where
the budget runs out before (sequential testing with a cost of experiments: Wald 1947; Chernoff 1959). That one alone is
not convex, looks at the budget, and ends a run.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from meta_learner.games.table import Games


class Utility(ABC):
    """U(belief), or U(belief, left) where the budget that is left [games, n] counts."""

    name: str

    @abstractmethod
    def __call__(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        """U [games, n] of measures [games, n, hypotheses]."""

    @abstractmethod
    def after(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        """What an experiment is expected to leave, Σ_y U(m(·, y)) [games, n, designs], of measures [games, n,
        hypotheses]; left: before the experiment."""

    @abstractmethod
    def known(self, games: Games, belief: Tensor, left: Tensor | None = None) -> Tensor:
        """E[U] [games, n] if the hypothesis were told: no experiments leave more."""

    def ended(self, games: Games, measure: Tensor) -> Tensor:
        """Where nothing more is done, whatever the budget pays for [games, n]: for most utilities nowhere."""
        del games
        return torch.zeros(measure.shape[:-1], dtype=torch.bool)


class Information(Utility):
    """−H(target)."""

    name = "information"

    def __call__(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        share = measure @ games.member
        return _log(share).sum(-1) - _log(share.sum(-1))

    def after(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        outcomes = games.outcomes.shape[-1]
        mixed = measure @ games.flat  # [games, n, designs × outcomes]
        if games.each_its_own:
            remains = _log(measure).sum(-1, keepdim=True) + measure @ games.certainty
        else:
            remains = (
                _log(measure @ games.times(games.member)).unflatten(-1, (-1, outcomes * games.member.shape[-1])).sum(-1)
            )
        return remains - _log(mixed).unflatten(-1, (-1, outcomes)).sum(-1)

    def known(self, games: Games, belief: Tensor, left: Tensor | None = None) -> Tensor:
        del games, left
        return belief.new_zeros(belief.shape[:-1])


class Decision(Utility):
    """max over answers of E[payoff]."""

    name = "decision"

    def __call__(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        return (measure @ games.worth).amax(-1)

    def after(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        shape = (*games.outcomes.shape[1::2], games.worth.shape[-1])  # designs, outcomes, answers
        return (measure @ games.times(games.worth)).unflatten(-1, shape).amax(-1).sum(-1)

    def known(self, games: Games, belief: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        return (belief @ games.worth.amax(-1, keepdim=True))[..., 0]


class Prediction(Utility):
    """Minus the posterior variance, the mean over the values."""

    name = "prediction"

    def __call__(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        explained = (measure @ games.worth).square().mean(-1) / measure.sum(-1).clamp_min(_LEAST)
        return explained - self._square(games, measure)

    def after(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        del left
        shape = (*games.outcomes.shape[1::2], games.worth.shape[-1])
        mean = (measure @ games.times(games.worth)).unflatten(-1, shape).square().mean(-1)
        explained = mean / (measure @ games.flat).unflatten(-1, shape[:2]).clamp_min(_LEAST)
        return explained.sum(-1) - self._square(games, measure)[..., None]

    def known(self, games: Games, belief: Tensor, left: Tensor | None = None) -> Tensor:
        del games, left
        return belief.new_zeros(belief.shape[:-1])

    @staticmethod
    def _square(games: Games, measure: Tensor) -> Tensor:
        return (measure @ games.worth.square().mean(-1, keepdim=True))[..., 0]


class Certainty(Utility):
    """What is left of the budget, once one target has a probability of ``Games.level``."""

    name = "certainty"

    def __call__(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        return torch.where(self.ended(games, measure), self.known(games, measure, left), 0.0)

    def after(self, games: Games, measure: Tensor, left: Tensor | None = None) -> Tensor:
        assert left is not None
        shape = (*games.outcomes.shape[1::2], games.member.shape[-1])  # designs, outcomes, targets
        joint = (measure @ games.times(games.member)).unflatten(-1, shape)
        mass = joint.sum(-1)
        certain = joint.amax(-1) >= _of_level(games)[..., None, None] * mass
        return torch.where(certain, mass, 0.0).sum(-1) * (left[..., None] - games.cost[:, None]).clamp_min(0.0)

    def known(self, games: Games, belief: Tensor, left: Tensor | None = None) -> Tensor:
        del games
        assert left is not None
        return belief.sum(-1) * left

    def ended(self, games: Games, measure: Tensor) -> Tensor:
        return (measure @ games.member).amax(-1) >= _of_level(games) * measure.sum(-1)


def _of_level(games: Games) -> Tensor:
    """[games, 1]."""
    if games.level is None:
        raise ValueError("games played for certainty have a level; it says how probable a target is to be")
    return games.level[:, None]


_LEAST = 1e-30


def _log(x: Tensor) -> Tensor:
    """x log x, 0 at 0."""
    return x.clamp_min(_LEAST).log_().mul_(x)


UTILITIES: dict[str, Utility] = {
    utility.name: utility for utility in (Information(), Decision(), Prediction(), Certainty())
}
