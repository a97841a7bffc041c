"""The goal's own score after each experiment, larger is better.

learn: sPCE (``meta_learner.evaluation.bounds``), log p(outcomes so far | truth) over their mean under the prior, nats,
by contrasts that all runs and policies share; it uses nothing of the belief and cannot exceed log(contrasts + 1). Where
worlds are drawn from a shifted prior it is no bound on information, but is still the log score gained on the truth.
discriminate: minus the Brier score of the laws' probabilities, −Σ_k (p_k − 1[k is true])² (Brier 1950, Verification of
forecasts expressed in terms of probability), bounded and proper. predict: minus the mean squared error over the prior's
variance. maximise, minimise: minus the simple regret (both ``meta_learner.goals``).
"""

import math
from typing import Protocol

import torch
from torch import Tensor

from domains import randomness
from domains.worlds import DomainModel, Worlds
from meta_learner.goals import score
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.streams import stream

NAMES = {
    "learn": "information (sPCE), nats",
    "discriminate": "− Brier score of the laws",
    "predict": "− squared error ÷ prior's variance",
    "maximise": "− simple regret",
    "minimise": "− simple regret",
}


class Scorer(Protocol):
    """Told every state of a block in turn, from before the first experiment on: the scores [runs] there."""

    def see(self, state: BlockState) -> Tensor: ...


def scorer(steps: BlockSteps, worlds: Worlds, *, contrasts: int, seed: int) -> Scorer:
    """That of the domain's goal. seed: of the contrasts, the same for all blocks and policies."""
    kind = steps.model.domain.goal.kind
    if kind == "learn":
        return Contrastive(steps.model, worlds, contrasts, seed)
    return Discriminating(worlds) if kind == "discriminate" else Answering(steps, worlds)


class Contrastive:
    """sPCE after each experiment: ℓ_0 − log Σ_{l=0..L} e^{ℓ_l} + log(L+1), with ℓ summed as experiments come."""

    def __init__(self, model: DomainModel, worlds: Worlds, contrasts: int, seed: int) -> None:
        self._model, self._worlds = model, worlds
        generator = stream(seed, 0, 0, "contrast")
        drawn = randomness.choices(model.log_weights.exp(), contrasts, generator)
        counts = drawn.bincount(minlength=len(model.mechanisms)).tolist()
        laws = zip(model.mechanisms, counts, strict=True)
        self._points = [law.parameters(law.sample_prior((count,), generator)) for law, count in laws]
        runs = len(worlds.mechanism)
        self._truth = torch.zeros(runs, dtype=torch.float64)
        self._others = [torch.zeros((runs, count), dtype=torch.float64) for count in counts]

    def see(self, state: BlockState) -> Tensor:
        if state.outcomes is not None:
            history = state.belief.history
            self._add(history.designs[:, -1], history.outcomes[:, -1])
        terms = torch.cat([self._truth[:, None], *self._others], dim=-1)
        return self._truth - terms.logsumexp(-1) + math.log(terms.shape[-1])

    def _add(self, designs: Tensor, outcomes: Tensor) -> None:
        """One more experiment a run; a missing outcome says nothing."""
        self._truth = self._truth + self._model.log_likelihood(self._worlds, designs, outcomes)
        for law, points, total in zip(self._model.mechanisms, self._points, self._others, strict=True):
            if total.shape[-1]:
                each = {name: value[None] for name, value in points.items()}
                total += law.log_likelihood(each, designs[:, None], outcomes[:, None]).expand_as(total)


class Discriminating:
    """Minus the Brier score of the laws' probabilities."""

    def __init__(self, worlds: Worlds) -> None:
        self._mechanism = worlds.mechanism

    def see(self, state: BlockState) -> Tensor:
        probability = state.belief.log_probability.exp()
        truth = torch.nn.functional.one_hot(self._mechanism, probability.shape[-1])
        return -(probability - truth).square().sum(-1)


class Answering:
    """Minus the score of what the agent would answer now."""

    def __init__(self, steps: BlockSteps, worlds: Worlds) -> None:
        self._steps, self._worlds = steps, worlds

    def see(self, state: BlockState) -> Tensor:
        found = score(self._steps.model, self._worlds, self._steps.answer(state))
        assert found is not None
        return -found
