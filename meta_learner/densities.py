"""Outcomes that some hypotheses give, and how probable all hypotheses make them: what expected information is made of.

Shapes: own [runs, draws, designs] and every [runs, draws, hypotheses, designs], log densities in nats. The outcomes are
drawn from the first ``draws`` hypotheses, with the same noise for every design.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from meta_learner.hypotheses import Hypotheses, predict


@dataclass(frozen=True)
class Densities:
    """own: of each outcome under the hypothesis that gave it; every: under all. Broken predictions: -inf in every."""

    own: Tensor
    every: Tensor


def outcome_densities(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Densities:
    """For designs [runs, designs, columns], with noise uniforms [draws, outcomes, 2]."""
    if hypotheses.statistics is not None:
        found = _exact(model, hypotheses, designs, uniforms)
    elif model.simulator is not None:
        found = _simulated(model, hypotheses, designs, uniforms)
    else:
        found = _tabulated(model, hypotheses, designs, uniforms)
    return Densities(found.own, found.every.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf))


def _tabulated(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Densities:
    """From the table of predicted distributions: a document's outcomes are independent given the hypothesis."""
    (runs, rows), count, draws = hypotheses.mechanism.shape, designs.shape[1], uniforms.shape[0]
    own: Tensor | float = 0.0
    every: Tensor = torch.zeros((runs, draws, rows, count), dtype=torch.float64)
    table = zip(model.columns, predict(model, hypotheses, designs), strict=True)
    for index, (column, arguments) in enumerate(table):
        family = column.family
        source = tuple(argument[:, :draws] for argument in arguments)
        y = family.sample(source, uniforms[None, :, None, index].expand(*source[0].shape, 2))
        few = tuple(_once(argument) for argument in arguments)
        density = family.log_density(y[:, :, None], tuple(argument[:, None] for argument in few))
        valid, mine = family.valid(few), family.log_density(y, source)
        if not bool(valid.all()):
            density = torch.where(valid[:, None], density, -torch.inf)
            mine = torch.where(family.valid(source), mine, torch.nan)  # what breaks gives no outcome to learn from
        own = own + mine
        every += density
    assert isinstance(own, Tensor)
    return Densities(own, every)


def _once(argument: Tensor) -> Tensor:
    """An argument [runs, hypotheses, designs] that all hypotheses share, a noise say, once for all of them: what is
    computed from it and the outcomes alone is then computed once, too."""
    return argument[:, :1] if bool((argument == argument[:, :1]).all()) else argument


def _simulated(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Densities:
    """From a simulator's sampler and log-likelihood, one mechanism after the other."""
    (runs, rows), count, draws = hypotheses.mechanism.shape, designs.shape[1], uniforms.shape[0]
    y = torch.full((runs, draws, count, len(model.outcome_names)), torch.nan, dtype=torch.float64)
    for law, member in zip(model.mechanisms, hypotheses.members, strict=True):
        drawing = member.row < draws
        run, row = member.run[drawing], member.row[drawing]
        parameters = {name: value[drawing] for name, value in member.parameters.items()}
        noise = uniforms[row, None].expand(-1, count, -1, -1)
        y[run, row] = law.sample(parameters, designs[run], noise)
    every = torch.full((runs, rows, draws, count), -torch.inf, dtype=torch.float64)
    for law, member in zip(model.mechanisms, hypotheses.members, strict=True):
        parameters = {name: value[..., None] for name, value in member.parameters.items()}
        density = law.log_likelihood(parameters, designs[member.run, None], y[member.run])
        every[member.run, member.row] = torch.where(y[member.run].isnan().any(-1), -torch.inf, density)
    every = every.transpose(1, 2).contiguous()
    return Densities(_diagonal(every, draws), every)


def _exact(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Densities:
    """From the predictive of laws whose unknowns are integrated out."""
    assert isinstance(model.simulator, ExactSimulator)
    assert hypotheses.statistics is not None
    draws, statistics = uniforms.shape[0], hypotheses.statistics
    y = model.simulator.predictive_sample(statistics, hypotheses.mechanism[:, :draws], designs, uniforms)
    every = model.simulator.predictive_log_density(statistics, hypotheses.mechanism, designs, y)
    return Densities(_diagonal(every, draws), every)


def _diagonal(every: Tensor, draws: int) -> Tensor:
    """Each outcome under the hypothesis that gave it [runs, draws, designs]: the draws are the first hypotheses."""
    return every[:, :, :draws].diagonal(dim1=1, dim2=2).transpose(1, 2).clone()
