"""Laws made runnable: what one mechanism makes of parameters and designs, as draws, densities and expectations.

Shapes: a mechanism's unconstrained particle is z ``[..., dims]``, one column a scalar unknown; its parameters are a
dictionary name → ``[...]``. Designs are ``[..., columns]``, outcomes ``[..., outcomes]``. Leading shapes broadcast, so
``[runs, particles, 1]`` parameters meet ``[runs, 1, experiments, columns]`` designs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import outcomes as outcome_laws
from domains.censoring import censored
from domains.compiler import Compiled, Names, compile_expression, is_vector
from domains.design_space import DesignSpace
from domains.document import Domain, Mechanism, Outcome
from domains.dynamics import CompiledDynamics
from domains.expressions import Expression
from domains.simulators import Parameters, Simulator
from domains.unknowns import Unknowns

_CACHED = 32_768  # experiments worked on at a time, so that what is in between fits a processor's cache
_ALL = 2**31  # where dynamics are integrated, whose solver sees to its cache itself


@dataclass(frozen=True)
class OutcomeColumn:
    """One number that comes back. A vector outcome has one column an entry, ``name[0]`` …

    arguments: how many the family takes here (of a categorical: one an option).
    """

    name: str
    family: outcome_laws.OutcomeFamily
    arguments: int


@dataclass(frozen=True)
class _CompiledOutcome:
    """An outcome under one mechanism; vectors: which of its arguments are."""

    outcome: Outcome
    arguments: tuple[Compiled, ...]
    vectors: tuple[bool, ...]

    def evaluate(self, environment: Mapping[str, Tensor]) -> list[outcome_laws.Arguments]:
        """The family's arguments, one tuple a column."""
        values = [argument(environment) for argument in self.arguments]
        if not self.outcome.size:
            return [tuple(values)]
        pairs = list(zip(values, self.vectors, strict=True))
        return [tuple(value[i] if vector else value for value, vector in pairs) for i in range(self.outcome.size)]

    def columns(self) -> list[OutcomeColumn]:
        family = outcome_laws.FAMILIES[self.outcome.family]
        if self.outcome.censor is not None:
            family = censored(family, *self.outcome.censor)
        return [OutcomeColumn(entry, family, len(self.arguments)) for entry in self.outcome.entries]


class MechanismModel(ABC):
    """One law of a domain: its prior in unconstrained space, and what it says of outcomes.

    at_once: how many experiments are best worked out together; a larger table goes faster in parts.
    """

    def __init__(self, mechanism: Mechanism, domain: Domain, space: DesignSpace) -> None:
        self.name = mechanism.name
        self._unknowns = Unknowns(mechanism, domain.exchangeable)
        self.names, self.dims = self._unknowns.names, self._unknowns.dims
        self.outcomes = len(domain.outcome_entries)
        self.at_once = _CACHED if mechanism.dynamics is None else _ALL
        self._space = space

    def parameters(self, z: Tensor) -> dict[str, Tensor]:
        """Unconstrained z [..., dims] → parameter values name → [...]; of a vector, its entries ``name[0]`` …"""
        return self._unknowns.parameters(z)

    def log_prior(self, z: Tensor) -> Tensor:
        """log density [...] of z [..., dims] under the prior, nats; -inf where the prior's arguments are invalid."""
        return self._unknowns.log_prior(z)

    def sample_prior(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draws z [*shape, dims] from the prior."""
        return self._unknowns.sample(shape, generator)

    def environment(self, parameters: Parameters, designs: Tensor) -> dict[str, Tensor]:
        """Everything that goals may name: name → [...], vectors with a leading axis."""
        return {**self._unknowns.environment(parameters), **self._space.environment(designs)}

    def objective(self, parameters: Parameters, designs: Tensor) -> Tensor:
        """What the goal wants the most (or least) of, of the broadcast shape of parameters and designs."""
        assert self._objective is not None
        return self._objective(self.environment(parameters, designs))

    def _compile_objective(self, domain: Domain, vectors: frozenset[str]) -> None:
        objective = domain.goal.objective
        names = Names(self._space.options, vectors)
        self._objective = None if objective is None else compile_expression(objective, names)

    @abstractmethod
    def sample(self, parameters: Parameters, designs: Tensor, uniforms: Tensor) -> Tensor:
        """Outcomes [..., outcomes] as a function of uniform draws [..., outcomes, 2]; NaN for invalid arguments."""

    @abstractmethod
    def expectations(self, parameters: Parameters, designs: Tensor) -> list[Tensor]:
        """E[y | parameters, designs] of each outcome column, uncensored."""

    @abstractmethod
    def log_likelihood(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcomes | parameters, designs), nats, summed over the outcomes of an experiment.

        outcomes: [..., outcomes]; NaN marks a missing one, which contributes nothing. An invalid argument (NaN, a
        negative standard deviation) gives -inf.
        """


class SimulatedMechanism(MechanismModel):
    """A law of a Python domain."""

    def __init__(self, mechanism: Mechanism, domain: Domain, space: DesignSpace, simulator: Simulator) -> None:
        super().__init__(mechanism, domain, space)
        self._simulator = simulator
        self._compile_objective(domain, self._unknowns.vectors)

    def sample(self, parameters: Parameters, designs: Tensor, uniforms: Tensor) -> Tensor:
        return self._simulator.sample(self.name, self._known(parameters), designs, uniforms)

    def expectations(self, parameters: Parameters, designs: Tensor) -> list[Tensor]:
        return list(self._simulator.expectation(self.name, self._known(parameters), designs).unbind(-1))

    def log_likelihood(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        density = self._simulator.log_likelihood(self.name, self._known(parameters), designs, outcomes)
        return density.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)

    def _known(self, parameters: Parameters) -> Parameters:
        return {**self._unknowns.constants, **parameters}


class CompiledMechanism(MechanismModel):
    """A law whose document holds it: expressions, compiled."""

    def __init__(self, mechanism: Mechanism, domain: Domain, space: DesignSpace) -> None:
        super().__init__(mechanism, domain, space)
        vectors = self._unknowns.vectors
        self._dynamics: CompiledDynamics | None = None
        states: frozenset[str] = frozenset()
        if mechanism.dynamics is not None:
            self._dynamics = CompiledDynamics(mechanism.name, mechanism.dynamics, Names(space.options, vectors))
            states = frozenset(self._dynamics.names)
        before, after = _split(mechanism.let, states)
        self._before, vectors = _compile_let(before, space, vectors)
        vectors |= states if self._dynamics is not None and self._dynamics.readouts else frozenset()
        self._after, vectors = _compile_let(after, space, vectors)
        self._outcomes = [_compile_outcome(outcome, Names(space.options, vectors)) for outcome in domain.outcomes]
        self.columns = [column for outcome in self._outcomes for column in outcome.columns()]
        self._compile_objective(domain, vectors)

    def environment(self, parameters: Parameters, designs: Tensor) -> dict[str, Tensor]:
        environment = super().environment(parameters, designs)
        for name, law in self._before:
            environment[name] = law(environment)
        if self._dynamics is not None:
            environment |= self._dynamics.solve(environment)
        for name, law in self._after:
            environment[name] = law(environment)
        return environment

    def outcome_arguments(self, parameters: Parameters, designs: Tensor) -> list[outcome_laws.Arguments]:
        """The arguments of each outcome column's family, each of the broadcast shape of parameters and designs."""
        environment = self.environment(parameters, designs)
        return [arguments for outcome in self._outcomes for arguments in outcome.evaluate(environment)]

    def sample(self, parameters: Parameters, designs: Tensor, uniforms: Tensor) -> Tensor:
        laws = zip(self.columns, self.outcome_arguments(parameters, designs), strict=True)
        drawn = []
        for index, (column, arguments) in enumerate(laws):
            spread = tuple(argument.expand(uniforms.shape[:-2]) for argument in arguments)
            value = column.family.sample(spread, uniforms[..., index, :])
            drawn.append(torch.where(column.family.valid(spread), value, torch.nan))
        return torch.stack(drawn, dim=-1)

    def tails(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> tuple[Tensor, Tensor]:
        """P(Y ≤ y) and P(Y ≥ y) of each outcome [..., outcomes]; 0 for invalid arguments."""
        pairs = []
        for index, arguments in enumerate(self.outcome_arguments(parameters, designs)):
            family, y = self.columns[index].family, outcomes[..., index]
            pairs.append(
                [
                    torch.where(family.valid(arguments), tail, 0.0).nan_to_num(nan=0.0)
                    for tail in _tails(family, y, arguments)
                ]
            )
        below, above = zip(*pairs, strict=True)
        return torch.stack(torch.broadcast_tensors(*below), dim=-1), torch.stack(torch.broadcast_tensors(*above), -1)

    def expectations(self, parameters: Parameters, designs: Tensor) -> list[Tensor]:
        laws = zip(self.columns, self.outcome_arguments(parameters, designs), strict=True)
        return [column.family.mean(arguments) for column, arguments in laws]

    def log_likelihood(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        shapes = (*(value.shape for value in parameters.values()), designs.shape[:-1], outcomes.shape[:-1])
        shape = torch.broadcast_shapes(*shapes)
        if shape.numel() <= self.at_once:
            families = [column.family for column in self.columns]
            return log_density(families, self.outcome_arguments(parameters, designs), outcomes)
        axis = next(axis for axis, size in enumerate(shape) if size > 1)
        size = max(1, shape[axis] * self.at_once // shape.numel())
        place = len(shape) - axis
        parts = []
        for start in range(0, shape[axis], size):
            few = {name: _part(value, place, start, size) for name, value in parameters.items()}
            rest = (_part(value, place + 1, start, size) for value in (designs, outcomes))
            length = min(size, shape[axis] - start)
            parts.append(self.log_likelihood(few, *rest).expand(*shape[:axis], length, *shape[axis + 1 :]))
        return torch.cat(parts, dim=axis)


def _tails(family: outcome_laws.OutcomeFamily, y: Tensor, arguments: outcome_laws.Arguments) -> tuple[Tensor, Tensor]:
    """P(Y ≤ y), P(Y ≥ y)."""
    if family.tails is not None:
        return family.tails.below(y, arguments).exp(), family.tails.above(y, arguments).exp()
    below = above = torch.zeros_like(y)  # bernoulli, categorical: few options, all of them looked at
    for index in range(max(2, len(arguments))):
        option = torch.tensor(float(index), dtype=torch.float64)
        mass = family.log_density(option, arguments).exp()
        below, above = below + mass * (option <= y), above + mass * (option >= y)
    return below, above


def _part(value: Tensor, place: int, start: int, size: int) -> Tensor:
    """``size`` entries along the axis in this place from the end; all of a value that is broadcast there."""
    if value.dim() < place or value.shape[-place] == 1:
        return value
    return value.narrow(-place, start, min(size, value.shape[-place] - start))


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


Let = list[tuple[str, Expression]]


def _split(let: tuple[tuple[str, Expression], ...], states: frozenset[str]) -> tuple[Let, Let]:
    """The let-names that the dynamics may use, and those that need the integrated states."""
    before: Let = []
    after: Let = []
    late = set(states)
    for name, law in let:
        if law.names & late:
            late.add(name)
            after.append((name, law))
        else:
            before.append((name, law))
    return before, after


def _compile_let(
    let: Let, space: DesignSpace, vectors: frozenset[str]
) -> tuple[list[tuple[str, Compiled]], frozenset[str]]:
    """The compiled laws in order, and the names that are vectors after them."""
    compiled = []
    for name, law in let:
        compiled.append((name, compile_expression(law, Names(space.options, vectors))))
        vectors |= {name} if is_vector(law, vectors) else frozenset()
    return compiled, vectors


def _compile_outcome(outcome: Outcome, names: Names) -> _CompiledOutcome:
    ordered = [outcome.arguments[name] for name in outcome_laws.FAMILIES[outcome.family].arguments]
    laws = [law for entry in ordered for law in (entry if isinstance(entry, tuple) else (entry,))]
    vectors = tuple(is_vector(law, names.vectors) for law in laws)
    compiled = tuple(compile_expression(law, names) for law in laws)
    return _CompiledOutcome(outcome, compiled, vectors)
