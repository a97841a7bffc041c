"""A domain made runnable: draws worlds, simulates experiments, and gives likelihoods. Everything is batched.

Shapes: a mechanism's unconstrained particle is z ``[..., dims]``, one column a scalar unknown; its parameters are a
dictionary name → ``[...]``. Designs are ``[..., columns]``, outcomes ``[..., outcomes]``. Leading shapes broadcast, so
``[runs, particles, 1]`` parameters meet ``[runs, 1, experiments, columns]`` designs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import outcomes as outcome_laws
from domains import priors
from domains.compiler import Compiled, Value, compile_expression
from domains.design_space import DesignSpace
from domains.document import Domain, Mechanism, Parameter, Prior
from domains.errors import DomainError

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class _Unknown:
    """A scalar unknown with its prior compiled."""

    name: str
    family: priors.PriorFamily
    arguments: tuple[Compiled, ...]

    def evaluate(self, environment: Mapping[str, Value]) -> priors.Arguments:
        return tuple(argument(environment) for argument in self.arguments)


class CompiledMechanism:
    """One law of a domain: its prior in unconstrained space, and its prediction of outcomes.

    Exchangeable groups of parameters are kept in the order of their first members (density times the number of
    orders, zero elsewhere): one labelling of the same world, so that particles, truths and summaries agree on it.
    """

    def __init__(self, mechanism: Mechanism, domain: Domain, space: DesignSpace) -> None:
        self.name = mechanism.name
        self.unknowns = tuple(_unknown(p, p.prior) for p in mechanism.unknowns if p.prior is not None)
        self.names = tuple(unknown.name for unknown in self.unknowns)
        self.dims = len(self.unknowns)
        self._ordered = _ordered_columns(self.names, domain.exchangeable)
        self._constants: dict[str, Value] = {
            p.name: torch.tensor(p.constant, dtype=torch.float64) for p in mechanism.parameters if p.prior is None
        }
        self._space = space
        self._let = [(name, compile_expression(law, space.options)) for name, law in mechanism.let]
        self._outcomes = [
            (outcome_laws.FAMILIES[outcome.family], _in_order(outcome.family, outcome.arguments, space))
            for outcome in domain.outcomes
        ]

    def parameters(self, z: Tensor) -> dict[str, Tensor]:
        """Unconstrained z [..., dims] → parameter values name → [...]."""
        environment: dict[str, Value] = dict(self._constants)
        values: dict[str, Tensor] = {}
        for column, unknown in enumerate(self.unknowns):
            value = unknown.family.transform(z[..., column], unknown.evaluate(environment))
            environment[unknown.name] = values[unknown.name] = value
        return values

    def log_prior(self, z: Tensor) -> Tensor:
        """log density [...] of z [..., dims] under the prior, nats; -inf where the prior's arguments are invalid."""
        environment: dict[str, Value] = dict(self._constants)
        total = torch.zeros(z.shape[:-1], dtype=torch.float64)
        for column, unknown in enumerate(self.unknowns):
            arguments = unknown.evaluate(environment)
            density = unknown.family.log_density(z[..., column], arguments)
            total = total + torch.where(unknown.family.valid(arguments), density, -torch.inf)
            environment[unknown.name] = unknown.family.transform(z[..., column], arguments)
        for groups in self._ordered[:1]:
            first = z[..., [group[0] for group in groups]]
            in_order = (first.diff(dim=-1) >= 0).all(-1)
            total = torch.where(in_order, total + math.lgamma(len(groups) + 1), -torch.inf)
        return total.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)

    def sample_prior(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draws z [*shape, dims] from the prior."""
        environment: dict[str, Value] = dict(self._constants)
        columns: list[Tensor] = []
        for unknown in self.unknowns:
            arguments = unknown.evaluate(environment)
            columns.append(unknown.family.sample(torch.Size(shape), arguments, generator))
            environment[unknown.name] = unknown.family.transform(columns[-1], arguments)
        z = torch.stack(columns, dim=-1) if columns else torch.empty((*shape, 0), dtype=torch.float64)
        for groups in self._ordered[:1]:
            order = z[..., [group[0] for group in groups]].argsort(dim=-1)
            blocks = z[..., torch.tensor(groups)]  # [..., groups, members]
            z = z.clone()
            z[..., torch.tensor(groups)] = blocks.gather(-2, order[..., None].expand(blocks.shape))
        return z

    def outcome_arguments(self, parameters: Parameters, designs: Tensor) -> list[outcome_laws.Arguments]:
        """The arguments of each outcome's family, each of the broadcast shape of parameters and designs."""
        environment: dict[str, Value] = {**self._constants, **self._space.environment(designs), **parameters}
        for name, law in self._let:
            environment[name] = law(environment)
        return [tuple(argument(environment) for argument in arguments) for _, arguments in self._outcomes]

    def log_likelihood(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcomes | parameters, designs), nats, summed over the outcomes of an experiment.

        outcomes: [..., outcomes]; NaN marks a missing one, which contributes nothing. An invalid argument (NaN, a
        negative standard deviation) gives -inf.
        """
        return self.table_log_density(self.outcome_arguments(parameters, designs), outcomes)

    def table_log_density(self, arguments: list[outcome_laws.Arguments], outcomes: Tensor) -> Tensor:
        """log density of outcomes [..., outcomes] under families whose arguments have been evaluated."""
        return log_density([family for family, _ in self._outcomes], arguments, outcomes)


def log_density(
    families: list[outcome_laws.OutcomeFamily], arguments: list[outcome_laws.Arguments], outcomes: Tensor
) -> Tensor:
    """Σ over outcomes of log density, nats; outcomes [..., outcomes], NaN = missing = 0, invalid arguments = -inf."""
    total: Tensor | float = 0.0
    for index, (family, values) in enumerate(zip(families, arguments, strict=True)):
        y = outcomes[..., index]
        density = torch.where(family.valid(values), family.log_density(y, values), -torch.inf)
        density = density.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)
        total = total + torch.where(y.isnan(), 0.0, density)
    assert isinstance(total, Tensor)
    return total


@dataclass(frozen=True)
class Worlds:
    """One world a run: which mechanism holds, mechanism [runs], and its parameters name → [runs], per mechanism.

    The agent never sees this; a laboratory and the record do.
    """

    mechanism: Tensor
    parameters: tuple[dict[str, Tensor], ...]


class DomainModel:
    """The whole domain, compiled."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.space = DesignSpace(domain)
        self.mechanisms = tuple(CompiledMechanism(mechanism, domain, self.space) for mechanism in domain.mechanisms)
        self.families = [outcome_laws.FAMILIES[outcome.family] for outcome in domain.outcomes]
        self.outcome_names = tuple(outcome.name for outcome in domain.outcomes)
        weights = torch.tensor([mechanism.weight for mechanism in domain.mechanisms], dtype=torch.float64)
        self.log_weights = (weights / weights.sum()).log()

    def draw_worlds(self, runs: int, generator: torch.Generator) -> Worlds:
        """``runs`` worlds from the domain's distribution."""
        mechanism = torch.multinomial(self.log_weights.exp(), runs, replacement=True, generator=generator)
        return Worlds(mechanism, tuple(m.parameters(m.sample_prior((runs,), generator)) for m in self.mechanisms))

    def simulate(self, worlds: Worlds, designs: Tensor, generator: torch.Generator) -> Tensor:
        """Outcomes [runs, outcomes] of one experiment a run; designs [runs, columns]. DomainError if one is not finite.

        A run's noise is a fixed number of draws, whatever its design: every policy meets the same noise.
        """
        result = self.outcomes(worlds, designs, generator)
        self._check_finite(result, designs, worlds)
        return result

    def outcomes(self, worlds: Worlds, designs: Tensor, generator: torch.Generator) -> Tensor:
        """What ``simulate`` gives, NaN and infinity included; an invalid argument gives NaN."""
        runs = designs.shape[0]
        uniforms = torch.rand((runs, len(self.families), 2), generator=generator, dtype=torch.float64)
        uniforms = outcome_laws.inside(uniforms)
        result = torch.empty((runs, len(self.families)), dtype=torch.float64)
        for index, mechanism in enumerate(self.mechanisms):
            rows = (worlds.mechanism == index).nonzero()[:, 0]
            if len(rows) == 0:
                continue
            parameters = {name: value[rows] for name, value in worlds.parameters[index].items()}
            laws = mechanism.outcome_arguments(parameters, designs[rows])
            for column, (family, arguments) in enumerate(zip(self.families, laws, strict=True)):
                spread = tuple(argument.expand(len(rows)) for argument in arguments)
                drawn = family.sample(spread, uniforms[rows, column])
                result[rows, column] = torch.where(family.valid(spread), drawn, torch.nan)
        return result

    def log_likelihood(self, worlds: Worlds, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcome | the run's world) [runs]; designs [runs, columns], outcomes [runs, outcomes]."""
        each = [
            mechanism.log_likelihood(worlds.parameters[index], designs, outcomes)
            for index, mechanism in enumerate(self.mechanisms)
        ]
        return torch.stack(each, dim=-1).gather(-1, worlds.mechanism[:, None])[:, 0]

    def truth(self, worlds: Worlds, run: int) -> dict[str, object]:
        """What the record keeps of one run's world: mechanism name and its parameter values."""
        index = int(worlds.mechanism[run].item())
        values = {name: value[run].item() for name, value in worlds.parameters[index].items()}
        return {"mechanism": self.mechanisms[index].name, "parameters": values}

    def _check_finite(self, outcomes: Tensor, designs: Tensor, worlds: Worlds) -> None:
        bad = (~outcomes.isfinite()).any(-1).nonzero()[:, 0]
        if len(bad) == 0:
            return
        run = int(bad[0].item())
        raise DomainError(
            f"the law {self.mechanisms[int(worlds.mechanism[run].item())].name!r} simulates a value that is not a "
            f"finite number at {self.space.to_names(designs[run])} with {self.truth(worlds, run)['parameters']}; "
            "mend the law, narrow the priors or the designs"
        )


def _unknown(parameter: Parameter, prior: Prior) -> _Unknown:
    family = priors.FAMILIES[prior.family]
    return _Unknown(parameter.name, family, tuple(compile_expression(argument) for argument in prior.arguments))


def _ordered_columns(names: tuple[str, ...], groups: tuple[tuple[str, ...], ...]) -> list[list[list[int]]]:
    """The columns of the exchangeable groups, if the mechanism has them all: a list of one or none."""
    if not groups or not all(name in names for group in groups for name in group):
        return []
    return [[[names.index(name) for name in group] for group in groups]]


def _in_order(family: str, arguments: Mapping[str, object], space: DesignSpace) -> tuple[Compiled, ...]:
    names = outcome_laws.FAMILIES[family].arguments
    return tuple(compile_expression(arguments[name], space.options) for name in names)  # type: ignore[arg-type]
