"""What candidate designs are expected to tell about the goal, from the table of predictions.

learn: I(hypothesis; y | design) = E[log p(y | hypothesis) − log p(y)] (Lindley 1956). Other goals ask about a target g
of each hypothesis only: the law that it belongs to (discriminate), some parameters (learn with names), its best design
and value (maximise, minimise): I(g; y | design) = E[log p(y | g) − log p(y)], where p(y | g) mixes the hypotheses with
that target: the same law, or near it under a Gaussian kernel (bandwidth: Silverman 1986, eq. 4.14). All in nats.
predict: the expected share of the predictions' variance that goes (Bayesian A-optimality; Chaloner & Verdinelli 1995).

p(y) is the weighted mixture over the hypotheses, and the expectation runs over outcomes drawn from some of them. The
noise is stratified and the same for every design, so that designs are compared on common random numbers.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from domains.outcomes import inside
from domains.worlds import DomainModel
from meta_learner.densities import Drawn, Listed, Outcomes, outcome_parts
from meta_learner.goals import targets
from meta_learner.hypotheses import Hypotheses


@dataclass(frozen=True)
class Question:
    """What the goal asks of a set of hypotheses.

    draws: how many of them also give an outcome to average over. log_weight [runs, draws or 1, hypotheses]: of the
    mixture p(y). Where the target is not the whole hypothesis, that of all hypotheses but the draw's own, its law's
    weight kept, and alike, of the same shape: of those that share its target. values [runs, hypotheses, targets]:
    standardised predictions, for goal predict.
    """

    hypotheses: Hypotheses
    draws: int
    log_weight: Tensor
    alike: Tensor | None = None
    values: Tensor | None = None

    @property
    def least(self) -> Tensor:
        """The least gain that one draw may count for [runs, draws]: as much below 0 as it can come above.

        Where few hypotheses come near an outcome its gain is noise in both directions; so bounded, it averages out.
        """
        assert self.alike is not None
        share = self.alike.logsumexp(-1) - self.log_weight.logsumexp(-1)
        return share.nan_to_num(neginf=0.0)

    @property
    def weight(self) -> Tensor:
        """The weights of the draws in the expectation [runs, draws]."""
        return self.hypotheses.log_weight[:, : self.draws].softmax(-1)

    def after(self, model: DomainModel, designs: Tensor, generator: torch.Generator) -> "Question":
        """What is left to ask once experiments at designs [runs, pending, columns] have been made, for each draw with
        outcomes of its own: I(·; y | outcomes of these) is what one more experiment adds to them."""
        ratio = likelihoods(model, self.hypotheses, designs, draws=self.draws, generator=generator)
        nothing = ratio.isneginf().all(2, keepdim=True)  # the draw's own hypothesis breaks there: nothing comes back
        total = torch.where(nothing, 0.0, ratio).sum(-1)
        alike = None if self.alike is None else self.alike + total
        return replace(self, log_weight=self.log_weight + total, alike=alike)


def pose(model: DomainModel, hypotheses: Hypotheses, draws: int) -> Question:
    """The goal's question about these hypotheses."""
    goal = model.domain.goal
    draws = min(draws, hypotheses.mechanism.shape[1])
    whole = goal.kind == "learn" and not goal.parameters
    question = Question(hypotheses, draws, hypotheses.log_weight[:, None])
    if whole or hypotheses.statistics is not None:  # an exact belief's hypotheses are laws: to know one is all
        return question
    if goal.kind == "discriminate":
        same = hypotheses.mechanism[:, :draws, None] == hypotheses.mechanism[:, None]
        nearness = torch.where(same, 0.0, -torch.inf)
    else:
        values = _standardise(targets(model, hypotheses), hypotheses.log_weight)
        if goal.kind == "predict":
            return replace(question, values=values)
        nearness = _kernel(values, draws)
    others = _others(hypotheses, draws)
    return replace(question, log_weight=others, alike=others + nearness)


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


def expected_information(
    model: DomainModel, question: Question, designs: Tensor, generator: torch.Generator, *, single: bool = False
) -> Tensor:
    """Expected information [runs, designs] of designs [runs, designs, columns] about the goal.

    single: whether single precision will do, as it does to rank candidates.
    """
    uniforms = _noise(question.draws, len(model.outcome_names), generator)
    listing = question.values is None or question.log_weight.shape[1] == 1
    parts = outcome_parts(model, question.hypotheses, designs, uniforms, listing=listing, single=single)
    gains = []
    for place, found in parts:
        run = torch.arange(place.start, place.stop) // designs.shape[1]
        gains.append(_gain(question, run, found))
    return torch.cat(gains).reshape(designs.shape[:2])


def likelihoods(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, *, draws: int, generator: torch.Generator
) -> Tensor:
    """Outcomes drawn from the first ``draws`` hypotheses at designs [runs, designs, columns]: their log density under
    all hypotheses less that under their own [runs, draws, hypotheses, designs], nats; -inf where one is broken."""
    uniforms = _noise(draws, len(model.outcome_names), generator)
    parts = [
        found.log_ratio
        for _, found in outcome_parts(model, hypotheses, designs, uniforms, listing=False, single=False)
        if isinstance(found, Drawn)
    ]
    ratio = torch.cat(parts).reshape(*designs.shape[:2], draws, -1)
    return ratio.nan_to_num(nan=-torch.inf, neginf=-torch.inf).permute(0, 2, 3, 1)


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


def _noise(draws: int, outcomes: int, generator: torch.Generator) -> Tensor:
    """Uniform draws [draws, outcomes, 2], one in each of ``draws`` equal strata of every axis."""
    shape = (draws, outcomes, 2)
    strata = torch.rand(shape, generator=generator).argsort(0).to(torch.float64)
    offsets = torch.rand(shape, generator=generator, dtype=torch.float64)
    return inside((strata + offsets) / draws)


def _gain(question: Question, run: Tensor, found: Outcomes) -> Tensor:
    """Expected information [places] in runs [places]; broken predictions tell nothing."""
    log_weight = question.log_weight[run]
    if question.values is not None:
        return _of_predictions(question, run, found)
    if isinstance(found, Listed) and question.alike is None and log_weight.shape[1] == 1:
        return _of_listed(found.log_probability, log_weight)
    alike = None if question.alike is None else question.alike[run]
    if isinstance(found, Listed):
        gain = _each_of_listed(found.log_probability.exp(), log_weight, alike, question.draws)
    elif alike is None:
        gain = -_mix(found.log_ratio, log_weight)
    else:
        ratio = found.log_ratio - found.log_ratio.amax(-1, keepdim=True).clamp_min(-1e30)
        gain = _mix(ratio, alike) - _mix(ratio, log_weight)
    if alike is not None:
        gain = torch.maximum(gain, question.least[run])
    return (question.weight[run] * gain.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)).sum(-1)


def _mix(log_ratio: Tensor, log_weight: Tensor) -> Tensor:
    """log Σ_k w_k p(y | k) ÷ Σ_k w_k [places, draws]: log_weight [places, draws or 1, hypotheses]."""
    ratio = log_ratio.exp()
    first = log_weight[..., :1]
    if bool(((log_weight == first) & first.isfinite()).all()):  # as after resampling, of a single law
        return ratio.mean(-1).to(torch.float64).log()
    weight = log_weight.softmax(-1).to(ratio.dtype)
    mixed = torch.bmm(ratio, weight.transpose(1, 2))[..., 0] if weight.shape[1] == 1 else (ratio * weight).sum(-1)
    return mixed.to(torch.float64).log()


def _of_listed(log_probability: Tensor, log_weight: Tensor) -> Tensor:
    """I(hypothesis; y) [places] = Σ_y (Σ_k w_k p log p − p̂ log p̂), exact for these hypotheses."""
    probability = log_probability.exp()
    weight = log_weight.softmax(-1).transpose(1, 2)
    mixed = torch.bmm(probability, weight)[..., 0]
    own = torch.bmm(probability * log_probability.clamp_min(-1e30), weight)[..., 0]
    return (own - torch.xlogy(mixed, mixed)).sum(-1)


def _each_of_listed(probability: Tensor, log_weight: Tensor, alike: Tensor | None, draws: int) -> Tensor:
    """E[log p(y | g) − log p(y)] [places, draws] over the outcomes y that each draw gives, of all there can be."""
    own = probability[..., :draws]
    mixed = probability @ log_weight.softmax(-1).transpose(1, 2)  # [places, outcomes, draws or 1]
    told = own if alike is None else probability @ alike.softmax(-1).transpose(1, 2)
    return (torch.xlogy(own, told) - torch.xlogy(own, mixed)).nan_to_num(nan=0.0).sum(1)


def _of_predictions(question: Question, run: Tensor, found: Outcomes) -> Tensor:
    """The share of the targets' variance that goes [places], the mean over targets."""
    assert question.values is not None
    log_weight, values = question.log_weight[run], question.values[run]
    if isinstance(found, Listed):
        joint = found.log_probability + log_weight
        weight = joint.logsumexp(-1).exp()
    else:
        joint, weight = found.log_ratio.to(torch.float64) + log_weight, question.weight[run]
    posterior = joint.softmax(-1)
    mean, square = posterior @ values, posterior @ values.square()
    left = (square - mean.square()).clamp_min(0).mean(-1)
    return (weight * (1.0 - left).nan_to_num(nan=0.0)).sum(-1)
