"""What a belief is worth at the end of a game, and after one more experiment.

Every utility U is convex, so that no experiment is expected to harm, and is extended to measures m = c·b, beliefs b
times a probability c, by U(m) = c·U(b). What an experiment is expected to leave, Σ_y p(y | d) U(b after (d, y)), is
then Σ_y U(m(·, y)) with m(h, y) = b(h) p(y | h, d): a product of matrices over all designs and outcomes, no division.

information: −H(target), nats (Lindley 1956). decision: what the best answer is expected to be worth, and with no payoff
given the probability of guessing the target (value of information: Raiffa & Schlaifer 1961). prediction: minus the
variance left in the values to be predicted, the mean over them (Bayesian A-optimality: Chaloner & Verdinelli 1995).
"""

from abc import ABC, abstractmethod

from torch import Tensor

from meta_learner.games.table import Games


class Utility(ABC):
    """U(belief)."""

    name: str

    @abstractmethod
    def __call__(self, games: Games, measure: Tensor) -> Tensor:
        """U [games, n] of measures [games, n, hypotheses]."""

    @abstractmethod
    def after(self, games: Games, measure: Tensor) -> Tensor:
        """What an experiment is expected to leave, Σ_y U(m(·, y)) [games, n, designs], of measures [games, n,
        hypotheses]."""

    @abstractmethod
    def known(self, games: Games, belief: Tensor) -> Tensor:
        """E[U] [games, n] if the hypothesis were told: no experiments leave more."""


class Information(Utility):
    """−H(target)."""

    name = "information"

    def __call__(self, games: Games, measure: Tensor) -> Tensor:
        share = measure @ games.member
        return _log(share).sum(-1) - _log(share.sum(-1))

    def after(self, games: Games, measure: Tensor) -> Tensor:
        outcomes = games.outcomes.shape[-1]
        mixed = measure @ games.flat  # [games, n, designs × outcomes]
        if games.each_its_own:
            left = _log(measure).sum(-1, keepdim=True) + measure @ games.certainty
        else:
            left = (
                _log(measure @ games.times(games.member)).unflatten(-1, (-1, outcomes * games.member.shape[-1])).sum(-1)
            )
        return left - _log(mixed).unflatten(-1, (-1, outcomes)).sum(-1)

    def known(self, games: Games, belief: Tensor) -> Tensor:
        del games
        return belief.new_zeros(belief.shape[:-1])


class Decision(Utility):
    """max over answers of E[payoff]."""

    name = "decision"

    def __call__(self, games: Games, measure: Tensor) -> Tensor:
        return (measure @ games.worth).amax(-1)

    def after(self, games: Games, measure: Tensor) -> Tensor:
        shape = (*games.outcomes.shape[1::2], games.worth.shape[-1])  # designs, outcomes, answers
        return (measure @ games.times(games.worth)).unflatten(-1, shape).amax(-1).sum(-1)

    def known(self, games: Games, belief: Tensor) -> Tensor:
        return (belief @ games.worth.amax(-1, keepdim=True))[..., 0]


class Prediction(Utility):
    """Minus the posterior variance, the mean over the values."""

    name = "prediction"

    def __call__(self, games: Games, measure: Tensor) -> Tensor:
        explained = (measure @ games.worth).square().mean(-1) / measure.sum(-1).clamp_min(_LEAST)
        return explained - self._square(games, measure)

    def after(self, games: Games, measure: Tensor) -> Tensor:
        shape = (*games.outcomes.shape[1::2], games.worth.shape[-1])
        mean = (measure @ games.times(games.worth)).unflatten(-1, shape).square().mean(-1)
        explained = mean / (measure @ games.flat).unflatten(-1, shape[:2]).clamp_min(_LEAST)
        return explained.sum(-1) - self._square(games, measure)[..., None]

    def known(self, games: Games, belief: Tensor) -> Tensor:
        del games
        return belief.new_zeros(belief.shape[:-1])

    @staticmethod
    def _square(games: Games, measure: Tensor) -> Tensor:
        return (measure @ games.worth.square().mean(-1, keepdim=True))[..., 0]


_LEAST = 1e-30


def _log(x: Tensor) -> Tensor:
    """x log x, 0 at 0."""
    return x.clamp_min(_LEAST).log_().mul_(x)


UTILITIES: dict[str, Utility] = {utility.name: utility for utility in (Information(), Decision(), Prediction())}
