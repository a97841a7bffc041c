"""When a run ends before its budget does: its question is answered, or nothing that is left to do is worth its cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import torch
from torch import Tensor

from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.belief import Belief
from meta_learner.policies.base import Choice
from meta_learner.summary import by_probability, marginals


class Ended(IntEnum):
    """Why a run ended: no experiment fits the budget, every precision is reached, or none is worth doing."""

    NOT_YET = 0
    BUDGET = 1
    ANSWERED = 2
    EXHAUSTED = 3


@dataclass(frozen=True)
class StoppingRules:
    """What ends a run; what is None or empty was not asked for.

    Precision targets, which must all hold: probability, at least, of the most probable law; widths: parameter's entry →
    how wide its 90 % interval may be under that law. information: the least that the best experiment must be expected
    to tell per unit of cost, in the unit of the policy's scores (nats; for goal predict a share of variance).
    """

    probability: float | None = None
    widths: Mapping[str, float] = field(default_factory=dict)
    information: float | None = None

    def answered(self, model: DomainModel, belief: Belief) -> Tensor:
        """Where every precision asked for is reached [runs]; nowhere if none was.

        Never where no law explains what came back, nor where the most probable law lacks a named parameter.
        """
        if self.probability is None and not self.widths:
            return torch.zeros_like(belief.explained)
        reached = belief.explained & self._narrow(model, belief)
        if self.probability is not None:
            reached &= belief.log_probability.exp().amax(-1) >= self.probability
        return reached

    def exhausted(self, choice: Choice) -> Tensor:
        """Where the best experiment is expected to tell less than asked for [runs].

        DomainError where a threshold meets a policy that scores nothing.
        """
        if self.information is None:
            return torch.zeros(len(choice.designs), dtype=torch.bool)
        if choice.scores.shape[1] == 0:
            raise DomainError("stopping by expected information needs a policy that scores its designs")
        best = choice.scores[:, 0]  # not finite: nothing affordable was scored, which tells nothing of what could be
        return best.isfinite() & (best < self.information)

    def _narrow(self, model: DomainModel, belief: Belief) -> Tensor:
        """Where the 90 % interval of every named parameter is narrow enough under the most probable law [runs]."""
        if not self.widths:
            return torch.ones_like(belief.explained)
        narrow = torch.zeros_like(belief.explained)
        leading = by_probability(belief)[:, 0]
        for law in leading.unique().tolist():
            found = marginals(model, belief, law, self.widths)
            if self.widths.keys() <= found.keys():
                fits = [found[name].high90 - found[name].low90 <= width for name, width in self.widths.items()]
                narrow |= (leading == law) & torch.stack(fits).all(0)
        return narrow


def end(ended: Tensor, where: Tensor, reason: Ended) -> Tensor:
    """``ended`` [runs] with a reason for the runs that end now; those that had ended keep theirs."""
    return torch.where((ended == Ended.NOT_YET) & where, int(reason), ended)
