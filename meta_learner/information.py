"""Expected information gain of candidate designs, from the table of predictions.

learn: I(mechanism, parameters; y | design) = E[log p(y | hypothesis) − log p(y)]; discriminate: I(mechanism; y |
design) = E[log p(y | mechanism) − log p(y)], both in nats (Lindley 1956), with p(y) the weighted mixture over the
hypotheses and the expectation over outcomes drawn from some of them. The noise is stratified and the same
for every design, so that designs are compared on common random numbers.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from domains.outcomes import Arguments, inside
from domains.worlds import DomainModel
from meta_learner.hypotheses import Hypotheses, predict

_CHUNK = 500_000  # pairs evaluated at once: what fits the processor's cache best


def expected_information(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, *, draws: int, generator: torch.Generator
) -> Tensor:
    """Expected information [runs, designs] of designs [runs, designs, columns], for the domain's goal.

    draws: how many of the hypotheses also give an outcome to average over.
    """
    runs, rows = hypotheses.mechanism.shape
    draws = min(draws, rows)
    uniforms = _noise(draws, len(model.families), generator)
    marginal = model.domain.goal.kind == "learn"
    gains = []
    for part in _parts(designs, runs * rows * draws):
        table = predict(model, hypotheses, part)
        gain = (
            _learn(model, hypotheses, table, uniforms)
            if marginal
            else _discriminate(model, hypotheses, table, uniforms)
        )
        gains.append(gain)
    return torch.cat(gains, dim=1)


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


def _densities(model: DomainModel, table: list[Arguments], uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Outcomes drawn from the first hypotheses, under themselves and under all.

    Returns own [runs, draws, designs] and every [runs, draws, hypotheses, designs]: log densities, nats.
    """
    draws = uniforms.shape[0]
    own: Tensor | float = 0.0
    every: Tensor | float = 0.0
    for column, (family, arguments) in enumerate(zip(model.families, table, strict=True)):
        source = tuple(argument[:, :draws] for argument in arguments)
        y = family.sample(source, uniforms[None, :, None, column].expand(*source[0].shape, 2))
        density = family.log_density(y[:, :, None], tuple(argument[:, None] for argument in arguments))
        valid = family.valid(arguments)
        if not bool(valid.all()):
            density = torch.where(valid[:, None], density, -torch.inf)
        own = own + family.log_density(y, source)
        every = every + density
    assert isinstance(own, Tensor)
    assert isinstance(every, Tensor)
    return own, every.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)


def _average(gain: Tensor, hypotheses: Hypotheses) -> Tensor:
    """Weighted mean over the draws: gain [runs, draws, designs] → [runs, designs]; broken predictions tell nothing."""
    weight = hypotheses.log_weight[:, : gain.shape[1]].softmax(-1)
    return (weight[..., None] * gain.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)).sum(1)


def _learn(model: DomainModel, hypotheses: Hypotheses, table: list[Arguments], uniforms: Tensor) -> Tensor:
    own, every = _densities(model, table, uniforms)
    return _average(own - _mix(every, hypotheses.log_weight), hypotheses)


def _mix(every: Tensor, log_weight: Tensor) -> Tensor:
    """log Σ_k w_k p(y | k): every [runs, draws, hypotheses, designs], log_weight [runs, hypotheses]."""
    joint = every + log_weight[:, None, :, None]
    top = joint.amax(2, keepdim=True).clamp_min(-1e300)
    return joint.sub_(top).exp_().sum(2).log() + top[:, :, 0]


def _discriminate(model: DomainModel, hypotheses: Hypotheses, table: list[Arguments], uniforms: Tensor) -> Tensor:
    _, every = _densities(model, table, uniforms)
    laws = hypotheses.log_probability.shape[1]
    own = torch.full((every.shape[0], every.shape[1], every.shape[3]), torch.nan, dtype=torch.float64)
    mixture = []
    for law in range(laws):
        belongs = hypotheses.mechanism == law
        log_weight = torch.where(belongs, hypotheses.log_weight, -torch.inf)
        within = _mix(every, log_weight)
        mixture.append(within)
        inside = belongs[:, : every.shape[1], None]
        own = torch.where(inside, within - log_weight.logsumexp(-1)[:, None, None], own)
    return _average(own - torch.stack(mixture).logsumexp(0), hypotheses)
