"""What candidate designs are expected to tell about the goal, from the table of predictions.

learn: I(hypothesis; y | design) = E[log p(y | hypothesis) − log p(y)] (Lindley 1956). Other goals ask about a target g
of each hypothesis only: the law that it belongs to (discriminate), some parameters (learn with names), its best design
and value (maximise, minimise): I(g; y | design) = E[log p(y | g) − log p(y)], where p(y | g) mixes the hypotheses with
that target: the same law, or near it under a Gaussian kernel (bandwidth: Silverman 1986, eq. 4.14). All in nats.
predict: the expected share of the predictions' variance that goes (Bayesian A-optimality; Chaloner & Verdinelli 1995).

p(y) is the weighted mixture over the hypotheses, and the expectation runs over outcomes drawn from some of them. The
noise is stratified and the same for every design, so that designs are compared on common random numbers.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from domains import randomness
from domains.outcomes import inside
from domains.worlds import DomainModel
from meta_learner.densities import Drawn, Listed, Part, Shifted, Ways, outcome_parts
from meta_learner.goals import targets
from meta_learner.hypotheses import Hypotheses
from meta_learner.predictive_grid import information_on_grid


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
    def ways(self) -> Ways:
        """In which ways outcomes may be described: on the whole, where the same mixture is asked about for every
        draw."""
        one = self.log_weight.shape[1] == 1
        return Ways(listed=self.values is None or one, shifted=self.values is None and self.alike is None and one)

    @cached_property
    def mixture(self) -> Tensor:
        """The weights of p(y) [runs, draws or 1, hypotheses]."""
        return self.log_weight.softmax(-1)

    @cached_property
    def mixture_single(self) -> Tensor:
        """``mixture`` in single precision."""
        return self.mixture.to(torch.float32)

    def mixture_in(self, dtype: torch.dtype) -> Tensor:
        """``mixture`` in a precision."""
        return self.mixture if dtype == torch.float64 else self.mixture_single

    @cached_property
    def alike_mixture(self) -> Tensor:
        """Those of p(y | target) [runs, draws, hypotheses]."""
        assert self.alike is not None
        return self.alike.softmax(-1)

    @cached_property
    def least(self) -> Tensor:
        """The least gain that one draw may count for [runs, draws]: as much below 0 as it can come above.

        Where few hypotheses come near an outcome its gain is noise in both directions; so bounded, it averages out.
        """
        assert self.alike is not None
        share = self.alike.logsumexp(-1) - self.log_weight.logsumexp(-1)
        return share.nan_to_num(neginf=0.0)

    @cached_property
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


def expected_information(model: DomainModel, question: Question, designs: Tensor, generator: torch.Generator) -> Tensor:
    """Expected information [runs, designs] of designs [runs, designs, columns] about the goal."""
    noise = stratified(question.draws, len(model.outcome_names), generator)
    return information_under(noise, model, question, designs)


def information_under(
    noise: Tensor,
    model: DomainModel,
    question: Question,
    designs: Tensor,
    *,
    single: bool = False,
    blurred: bool = False,
    grid: bool = True,
) -> Tensor:
    """``expected_information`` with given noise [draws, outcomes, 2] for outcomes that are drawn.

    For ranking candidates: single precision will do; and blurred, where predictions lie further apart than a grid
    resolves, what a noisier outcome would tell. grid: whether a grid may take the place of draws.
    """
    ways = replace(question.ways, blurred=blurred, single=single, shifted=question.ways.shifted and grid)
    parts = outcome_parts(model, question.hypotheses, designs, noise[: question.draws], ways)
    told = torch.cat([_told(question, part).flatten(0, 1) for part in parts]).unflatten(0, tuple(designs.shape[:2]))
    if told.dim() == 2:
        return told
    if question.alike is not None:
        told = torch.maximum(told, question.least[:, None])
    return (question.weight[:, None] * told.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)).sum(-1)


def likelihoods(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, *, draws: int, generator: torch.Generator
) -> Tensor:
    """Outcomes drawn from the first ``draws`` hypotheses at designs [runs, designs, columns]: their log density under
    all hypotheses less that under their own [runs, draws, hypotheses, designs], nats; -inf where one is broken."""
    uniforms = stratified(draws, len(model.outcome_names), generator)
    parts = [
        part.found.bits.flatten(0, 1)
        for part in outcome_parts(model, hypotheses, designs, uniforms, Ways(listed=False))
        if isinstance(part.found, Drawn)
    ]
    ratio = math.log(2) * torch.cat(parts).unflatten(0, tuple(designs.shape[:2]))
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


def stratified(draws: int, outcomes: int, generator: torch.Generator) -> Tensor:
    """Uniform draws [draws, outcomes, 2], one in each of ``draws`` equal strata of every axis."""
    shape = (draws, outcomes, 2)
    strata = randomness.order(shape, generator, 0).to(torch.float64)
    offsets = randomness.uniform(shape, generator)
    return inside((strata + offsets) / draws)


def _told(question: Question, part: Part) -> Tensor:
    """What outcomes tell in one part: the mean over draws [runs, designs], or of every draw [runs, designs, draws],
    NaN where its prediction is broken. ``bits`` are overwritten, which saves a third of the time."""
    runs, found = part.runs, part.found
    if isinstance(found, Shifted):
        return information_on_grid(found.mean, (found.least, found.most), found.sd, question.mixture_single[runs])
    if question.values is not None:
        return _of_predictions(question, runs, found)
    alike = None if question.alike is None else question.alike_mixture[runs]
    dtype = found.log_probability.dtype if isinstance(found, Listed) else found.bits.dtype
    mixture = question.mixture_in(dtype)[runs]
    if isinstance(found, Listed):
        if alike is None and mixture.shape[1] == 1:
            return _of_listed(found.log_probability, mixture).to(torch.float64)
        return _each_of_listed(_exp(found.log_probability), mixture, alike, question.draws)
    if alike is None:
        own = found.bits.is_contiguous() and not found.bits.requires_grad  # else entries may share a place
        ratio = torch.exp2(found.bits, out=found.bits) if own else found.bits.exp2()
        return -_mixed(ratio, mixture).log()
    ratio = (found.bits - found.bits.amax(-1, keepdim=True).clamp_min(-1e30)).exp2()
    near, all_ = (_mixed(ratio, weight.to(ratio.dtype)).to(torch.float64) for weight in (alike, mixture))
    return near.log() - all_.log()


def _mixed(ratio: Tensor, weight: Tensor) -> Tensor:
    """Σ_k w_k p(y | k) [runs, designs, draws]; weight [runs, draws or 1, hypotheses]."""
    if weight.shape[:2] == (1, 1):
        return ratio @ weight[0, 0]
    if weight.shape[1] == 1 and bool((weight == weight[..., :1]).all()):  # as after resampling, of a single law
        return ratio.sum(-1) * weight[:, None, :, 0]
    return (ratio * weight[:, None]).sum(-1)


def _of_listed(log_probability: Tensor, weight: Tensor) -> Tensor:
    """I(hypothesis; y) [runs, designs] = Σ_y (Σ_k w_k p log p − p̂ log p̂), exact for these hypotheses."""
    probability = _exp(log_probability)
    column = weight.transpose(1, 2)
    flat = (probability.flatten(1, 2), (probability * log_probability.clamp_min(-1e30)).flatten(1, 2))
    mixed, own = (torch.bmm(each, column)[..., 0].unflatten(1, probability.shape[1:3]) for each in flat)
    return (own - torch.xlogy(mixed, mixed)).sum(-1)


def _exp(log_probability: Tensor) -> Tensor:
    """By powers of 2, which are no slower where they vanish."""
    return (log_probability / math.log(2)).exp2()


def _each_of_listed(probability: Tensor, weight: Tensor, alike: Tensor | None, draws: int) -> Tensor:
    """E[log p(y | g) − log p(y)] [runs, designs, draws] over the outcomes y that each draw gives, of all there can
    be."""
    own = probability[..., :draws]
    mixed = probability @ weight[:, None].mT  # [runs, designs, outcomes, draws or 1]
    told = own if alike is None else probability @ alike[:, None].mT.to(probability.dtype)
    return (torch.xlogy(own, told) - torch.xlogy(own, mixed)).nan_to_num(nan=0.0).sum(2).to(torch.float64)


def _of_predictions(question: Question, runs: slice, found: Listed | Drawn) -> Tensor:
    """The share of the targets' variance that goes [runs, designs], the mean over targets."""
    assert question.values is not None
    log_weight, values = question.log_weight[runs, None], question.values[runs, None]
    if isinstance(found, Listed):
        joint = found.log_probability.to(torch.float64) + log_weight
        weight = joint.logsumexp(-1).exp()
    else:
        joint, weight = math.log(2) * found.bits.to(torch.float64) + log_weight, question.weight[runs, None]
    posterior = joint.softmax(-1)
    mean, square = posterior @ values, posterior @ values.square()
    left = (square - mean.square()).clamp_min(0).mean(-1)
    return (weight * (1.0 - left).nan_to_num(nan=0.0)).sum(-1)
