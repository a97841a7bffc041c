"""The hypotheses under consideration, and the table of what they predict: hypotheses × candidate designs.

This table is all a policy sees of a domain. Shapes: ``[runs, hypotheses, designs]``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from domains import randomness
from domains.mechanisms import CompiledMechanism, MechanismModel
from domains.outcomes import Arguments
from domains.simulators import Parameters
from domains.worlds import DomainModel
from meta_learner.belief import Belief
from meta_learner.resampling import resample

_EVEN_SHARE = 0.1  # of the rows, spread evenly over mechanisms: an unlikely law keeps its voice


@dataclass(frozen=True)
class _Members:
    """The rows of the table that belong to one mechanism: their places (run, row), parameters name → [members, 1]."""

    run: Tensor
    row: Tensor
    parameters: dict[str, Tensor]

    def parts(self, size: int) -> Iterator["_Members"]:
        """These rows, ``size`` at a time."""
        for start in range(0, len(self.run), size):
            few = slice(start, start + size)
            yield _Members(self.run[few], self.row[few], {name: value[few] for name, value in self.parameters.items()})


@dataclass(frozen=True)
class Hypotheses:
    """Weighted (mechanism, parameters) points drawn from a belief.

    mechanism [runs, hypotheses]: index of the law; log_weight [runs, hypotheses], normalised over hypotheses;
    log_probability [runs, mechanisms] of the laws. statistics [runs, …]: of an exact belief, whose hypotheses are laws
    with their unknowns integrated out, and have no members.
    """

    mechanism: Tensor
    log_weight: Tensor
    log_probability: Tensor
    members: tuple[_Members, ...]
    statistics: Tensor | None = None

    def values(self, names: list[str]) -> Tensor:
        """The values of parameters that every mechanism has [runs, hypotheses, names]."""
        table = torch.full((*self.mechanism.shape, len(names)), torch.nan, dtype=torch.float64)
        for member in self.members:
            table[member.run, member.row] = torch.cat([member.parameters[name] for name in names], dim=-1)
        return table

    def first(self, count: int) -> "Hypotheses":
        """Every n-th hypothesis, so that ``count`` remain, with weights normalised anew."""
        stride = max(1, self.mechanism.shape[1] // count)
        keep = torch.arange(self.mechanism.shape[1])[::stride][:count]
        position = torch.full((self.mechanism.shape[1],), -1)
        position[keep] = torch.arange(len(keep))
        members = []
        for member in self.members:
            stays = position[member.row] >= 0
            values = {name: value[stays] for name, value in member.parameters.items()}
            members.append(_Members(member.run[stays], position[member.row[stays]], values))
        log_weight = self.log_weight[:, keep].log_softmax(-1)
        return replace(self, mechanism=self.mechanism[:, keep], log_weight=log_weight, members=tuple(members))


def draw_hypotheses(model: DomainModel, belief: Belief, count: int, generator: torch.Generator) -> Hypotheses:
    """``count`` hypotheses a run, by systematic resampling from the belief, in random order."""
    probability = belief.log_probability
    share = (1 - _EVEN_SHARE) * probability.exp() + _EVEN_SHARE / probability.shape[1]
    if belief.posterior is not None:
        mechanism = _in_random_order(resample(share.log(), generator, count), generator)
        log_weight = (probability - share.log()).gather(1, mechanism).log_softmax(-1)
        return Hypotheses(mechanism, log_weight, probability, (), belief.posterior.statistics)
    particles = belief.populations[0].z.shape[1]
    joint = torch.cat([share[:, m, None].log() + p.log_weight for m, p in enumerate(belief.populations)], dim=1)
    drawn = _in_random_order(resample(joint, generator, count), generator)
    mechanism = drawn // particles
    log_weight = (probability - share.log()).gather(1, mechanism).log_softmax(-1)
    members = []
    for index, (law, population) in enumerate(zip(model.mechanisms, belief.populations, strict=True)):
        run, row = (mechanism == index).nonzero(as_tuple=True)
        z = population.z[run, drawn[run, row] - index * particles]
        members.append(_Members(run, row, {n: v[:, None] for n, v in law.parameters(z).items()}))
    return Hypotheses(mechanism, log_weight, probability, tuple(members))


def _in_random_order(drawn: Tensor, generator: torch.Generator) -> Tensor:
    return drawn.gather(1, randomness.order(drawn.shape, generator))


Law = Callable[[MechanismModel, Parameters, Tensor], list[Tensor]]


def tabulate(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, law: Law, count: int) -> list[Tensor]:
    """``count`` tables [runs, hypotheses, designs] of what a function of (mechanism, parameters, designs) gives;
    [runs, 1, designs] of what does not depend on the hypothesis.

    designs [runs, designs, columns]. Every mechanism is evaluated for all of its hypotheses in all runs, in
    parts that fit a processor's cache.
    """
    runs, rows = hypotheses.mechanism.shape
    shape = (runs, rows, designs.shape[1])
    if len(hypotheses.members) == 1:
        return _of_one_law(model.mechanisms[0], hypotheses.members[0], designs, shape, law)
    tables = [torch.full(shape, torch.nan, dtype=torch.float64) for _ in range(count)]
    for mechanism, member in zip(model.mechanisms, hypotheses.members, strict=True):
        for part in member.parts(max(1, mechanism.at_once // max(1, shape[2]))):
            values = law(mechanism, part.parameters, designs[part.run])
            for table, value in zip(tables, values, strict=True):
                table[part.run, part.row] = value.expand(len(part.run), shape[2])
    return tables


def _of_one_law(
    mechanism: MechanismModel, member: _Members, designs: Tensor, shape: tuple[int, int, int], law: Law
) -> list[Tensor]:
    """Where there is only one, hypotheses × designs is a grid: nothing has to be put in its place."""
    runs, rows, width = shape
    parameters = {name: value.reshape(runs, 1, rows) for name, value in member.parameters.items()}
    parts = []
    for few in torch.arange(runs).split(max(1, mechanism.at_once // max(1, rows * width))):
        here = slice(int(few[0]), int(few[-1]) + 1)
        values = law(mechanism, {name: value[here] for name, value in parameters.items()}, designs[here, :, None])
        parts.append([_as_wide(value, len(few), width) for value in values])
    return [torch.cat(values).transpose(1, 2) for values in zip(*parts, strict=True)]


def _as_wide(value: Tensor, runs: int, designs: int) -> Tensor:
    """A value [runs, designs, hypotheses] of which some dimensions may be missing or 1: only the last may stay so."""
    return value.expand(runs, designs, value.shape[-1] if value.dim() > 0 else 1)


def predict(model: DomainModel, hypotheses: Hypotheses, designs: Tensor) -> list[Arguments]:
    """What every hypothesis predicts for every candidate: per outcome column the arguments of its family.

    designs [runs, designs, columns]; each argument [runs, hypotheses, designs], or [runs, 1, designs] where all
    hypotheses say the same.
    """
    counts = [column.arguments for column in model.columns]
    tables = iter(tabulate(model, hypotheses, designs, _all_arguments, sum(counts)))
    return [tuple(islice(tables, count)) for count in counts]


def _all_arguments(mechanism: MechanismModel, parameters: Parameters, designs: Tensor) -> list[Tensor]:
    assert isinstance(mechanism, CompiledMechanism)
    return [argument for arguments in mechanism.outcome_arguments(parameters, designs) for argument in arguments]
