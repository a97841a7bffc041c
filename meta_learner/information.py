"""What candidate designs are expected to tell about the goal, from the table of predictions.

learn: I(hypothesis; y | design) = E[log p(y | hypothesis) − log p(y)] (Lindley 1956). Other goals ask about a target g
of each hypothesis only: the law that it belongs to (discriminate), some parameters (learn with names), its best design
and value (maximise, minimise): I(g; y | design) = E[log p(y | g) − log p(y)], where p(y | g) mixes the hypotheses with
that target: the same law, or near it under a Gaussian kernel (bandwidth: Silverman 1986, eq. 4.14). All in nats.
predict: the expected share of the predictions' variance that goes (Bayesian A-optimality; Chaloner & Verdinelli 1995).

p(y) is the weighted mixture over the hypotheses, and the expectation runs over outcomes drawn from some of them. The
noise is stratified and the same for every design, so that designs are compared on common random numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from domains.outcomes import inside
from domains.worlds import DomainModel
from meta_learner.densities import outcome_densities
from meta_learner.goals import targets
from meta_learner.hypotheses import Hypotheses

_CHUNK = 500_000  # pairs evaluated at once: what fits the processor's cache best


@dataclass(frozen=True)
class Question:
    """What the goal asks of a set of hypotheses.

    draws: how many of them also give an outcome to average over. Where the target is not the whole hypothesis, others
    [runs, draws, hypotheses]: log weights of all hypotheses but the draw's own, its law's weight kept; alike, of the
    same shape: of those that share its target. values [runs, hypotheses, targets]: standardised predictions, for goal
    predict.
    """

    hypotheses: Hypotheses
    draws: int
    others: Tensor | None = None
    alike: Tensor | None = None
    values: Tensor | None = None

    @property
    def least(self) -> Tensor:
        """The least gain that one draw may count for [runs, draws, 1]: as much below 0 as it can come above.

        Where few hypotheses come near an outcome its gain is noise in both directions; so bounded, it averages out.
        """
        assert self.alike is not None
        return self.alike.logsumexp(-1, keepdim=True).nan_to_num(neginf=0.0)


def pose(model: DomainModel, hypotheses: Hypotheses, draws: int) -> Question:
    """The goal's question about these hypotheses."""
    goal = model.domain.goal
    draws = min(draws, hypotheses.mechanism.shape[1])
    whole = goal.kind == "learn" and not goal.parameters
    if whole or hypotheses.statistics is not None:  # an exact belief's hypotheses are laws: to know one is all
        return Question(hypotheses, draws)
    if goal.kind == "discriminate":
        same = hypotheses.mechanism[:, :draws, None] == hypotheses.mechanism[:, None]
        nearness = torch.where(same, 0.0, -torch.inf)
    else:
        values = _standardise(targets(model, hypotheses), hypotheses.log_weight)
        if goal.kind == "predict":
            return Question(hypotheses, draws, values=values)
        nearness = _kernel(values, draws)
    others = _others(hypotheses, draws)
    return Question(hypotheses, draws, others=others, alike=others + nearness)


def _others(hypotheses: Hypotheses, draws: int) -> Tensor:
    """Log weights [runs, draws, hypotheses] without the draw's own hypothesis, the rest of its law scaled up instead.

    With its own density in the mixture of its own target only, an outcome would seem to tell more the fewer hypotheses
    come near it.
    """
    weight = hypotheses.log_weight.exp()
    law = hypotheses.mechanism
    same = law[:, :draws, None] == law[:, None]
    total = (same * weight[:, None]).sum(-1, keepdim=True)
    own = weight[:, :draws, None]
    scale = torch.where(same, total / (total - own).clamp_min(1e-300), 1.0)
    itself = torch.eye(draws, law.shape[1], dtype=torch.bool)
    return torch.where(itself, 0.0, weight[:, None] * scale).log()


def expected_information(model: DomainModel, question: Question, designs: Tensor, generator: torch.Generator) -> Tensor:
    """Expected information [runs, designs] of designs [runs, designs, columns] about the goal."""
    runs, rows = question.hypotheses.mechanism.shape
    uniforms = _noise(question.draws, len(model.outcome_names), generator)
    gains = []
    for part in _parts(designs, runs * rows * question.draws):
        found = outcome_densities(model, question.hypotheses, part, uniforms)
        gains.append(_gain(question, found.own, found.every))
    return torch.cat(gains, dim=1)


def likelihoods(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, *, draws: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Outcomes drawn from the first ``draws`` hypotheses at designs [runs, designs, columns], under themselves and
    under all: log densities own [runs, draws, designs] and every [runs, draws, hypotheses, designs], nats."""
    found = outcome_densities(model, hypotheses, designs, _noise(draws, len(model.outcome_names), generator))
    return found.own, found.every


def _standardise(values: Tensor, log_weight: Tensor) -> Tensor:
    """values [runs, hypotheses, targets] with weighted mean 0 and variance 1; a constant becomes 0."""
    weight = log_weight.exp()[..., None]
    values = values.nan_to_num(nan=0.0)
    centred = values - (weight * values).sum(1, keepdim=True)
    sd = (weight * centred.square()).sum(1, keepdim=True).sqrt()
    return torch.where(sd > 1e-12 * values.abs().amax(1, keepdim=True), centred / sd, 0.0)


def _kernel(values: Tensor, draws: int) -> Tensor:
    """Log Gaussian kernel [runs, draws, hypotheses] between standardised values [runs, hypotheses, targets]."""
    _, rows, width = values.shape
    bandwidth = (4.0 / (width + 2) / rows) ** (1.0 / (width + 4))
    return -0.5 * (torch.cdist(values[:, :draws], values) / bandwidth).square()


def _parts(designs: Tensor, pairs: int) -> Iterator[Tensor]:
    size = max(1, _CHUNK // pairs)
    for start in range(0, designs.shape[1], size):
        yield designs[:, start : start + size]


def _noise(draws: int, outcomes: int, generator: torch.Generator) -> Tensor:
    """Uniform draws [draws, outcomes, 2], one in each of ``draws`` equal strata of every axis."""
    shape = (draws, outcomes, 2)
    strata = torch.rand(shape, generator=generator).argsort(0).to(torch.float64)
    offsets = torch.rand(shape, generator=generator, dtype=torch.float64)
    return inside((strata + offsets) / draws)


def _gain(question: Question, own: Tensor, every: Tensor) -> Tensor:
    """Expected information [runs, designs]; broken predictions tell nothing."""
    log_weight = question.hypotheses.log_weight
    if question.values is not None:
        gain = 1.0 - _left(every, log_weight, question.values)
    elif question.alike is not None and question.others is not None:
        alike = _mix(every, question.alike.log_softmax(-1))
        gain = torch.maximum(alike - _mix(every, question.others), question.least)
    else:
        gain = own - _mix(every, log_weight[:, None])
    weight = log_weight[:, : question.draws].softmax(-1)
    return (weight[..., None] * gain.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)).sum(1)


def _mix(every: Tensor, log_weight: Tensor) -> Tensor:
    """log Σ_k w_k p(y | k) [runs, draws, designs]: log_weight [runs, draws or 1, hypotheses]."""
    joint = every + log_weight[..., None]
    top = joint.amax(2, keepdim=True).clamp_min(-1e300)
    return joint.sub_(top).exp_().sum(2).log() + top[:, :, 0]


def _left(every: Tensor, log_weight: Tensor, values: Tensor) -> Tensor:
    """The share of the targets' variance left after each outcome [runs, draws, designs], the mean over targets."""
    posterior = (every + log_weight[:, None, :, None]).softmax(2)
    mean = torch.einsum("rjkd,rkt->rjdt", posterior, values)
    square = torch.einsum("rjkd,rkt->rjdt", posterior, values.square())
    return (square - mean.square()).clamp_min(0).mean(-1)
