"""A domain made runnable: draws worlds, simulates experiments, and gives likelihoods. Everything is batched.

Shapes: a mechanism's unconstrained particle is z ``[..., dims]``, one column a scalar unknown; its parameters are a
dictionary name → ``[...]``. Designs are ``[..., columns]``, outcomes ``[..., outcomes]``. Leading shapes broadcast, so
``[runs, particles, 1]`` parameters meet ``[runs, 1, experiments, columns]`` designs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from domains import outcomes as outcome_laws
from domains import python_domains, randomness
from domains.censoring import censored
from domains.compiler import Compiled, Names, compile_expression, is_vector
from domains.design_space import DesignSpace
from domains.document import Domain, Mechanism, Outcome
from domains.dynamics import CompiledDynamics
from domains.errors import DomainError
from domains.expressions import Expression
from domains.simulators import ExactSimulator, Parameters, Simulator
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
        self.simulator = _simulator(domain)
        self.mechanisms: tuple[MechanismModel, ...]
        self.columns: list[OutcomeColumn] = []  # of a document's laws: validation sees to it that all have the same
        if self.simulator is not None:
            simulated = (SimulatedMechanism(law, domain, self.space, self.simulator) for law in domain.mechanisms)
            self.mechanisms = tuple(simulated)
        else:
            compiled = tuple(CompiledMechanism(law, domain, self.space) for law in domain.mechanisms)
            self.mechanisms, self.columns = compiled, compiled[0].columns
        self.outcome_names = domain.outcome_entries
        weights = torch.tensor([mechanism.weight for mechanism in domain.mechanisms], dtype=torch.float64)
        self.log_weights = (weights / weights.sum()).log()

    @cached_property
    def prediction_points(self) -> dict[str, Tensor]:
        """The goal's points: outcome name → designs [points, columns], which may lie outside the ranges."""
        goal = self.domain.goal
        return {
            outcome: torch.stack([self.space.from_names(point, ranged=False) for point in points])
            for outcome, points in goal.points.items()
        }

    @property
    def sign(self) -> float:
        """1 where the goal wants the most of its objective, -1 where the least."""
        return -1.0 if self.domain.goal.kind == "minimise" else 1.0

    def columns_of(self, outcome: str) -> list[int]:
        """The outcome columns of one outcome: several of a vector."""
        entries = next(o.entries for o in self.domain.outcomes if o.name == outcome)
        return [self.outcome_names.index(entry) for entry in entries]

    def in_worlds(
        self, worlds: "Worlds", designs: Tensor, law: Callable[[MechanismModel, Parameters, Tensor], Tensor]
    ) -> Tensor:
        """A function of (mechanism, parameters, designs) in each run's true world: designs [runs, designs, columns] →
        [runs, designs]."""
        result = torch.full(designs.shape[:2], torch.nan, dtype=torch.float64)
        for index in worlds.mechanism.unique().tolist():
            rows = (worlds.mechanism == index).nonzero()[:, 0]
            parameters = {name: value[rows, None] for name, value in worlds.parameters[index].items()}
            values = law(self.mechanisms[index], parameters, designs[rows])
            result[rows] = values.expand(len(rows), designs.shape[1])
        return result

    def draw_worlds(self, runs: int, generator: torch.Generator) -> Worlds:
        """``runs`` worlds from the domain's distribution."""
        mechanism = randomness.choices(self.log_weights.exp(), runs, generator)
        return Worlds(mechanism, tuple(m.parameters(m.sample_prior((runs,), generator)) for m in self.mechanisms))

    def simulate(self, worlds: Worlds, designs: Tensor, generator: torch.Generator) -> Tensor:
        """Outcomes [runs, outcomes] of one experiment a run; designs [runs, columns].

        A run's noise is a fixed number of draws, whatever its design: every policy meets the same noise. A value that
        is not finite (rare, or the domain fails its check) did not come back: NaN.
        """
        result = self.outcomes(worlds, designs, generator)
        return torch.where(result.isfinite(), result, torch.nan)

    def outcomes(self, worlds: Worlds, designs: Tensor, generator: torch.Generator) -> Tensor:
        """What ``simulate`` gives, NaN and infinity included; an invalid argument gives NaN."""
        runs = designs.shape[0]
        uniforms = randomness.uniform((runs, len(self.outcome_names), 2), generator)
        uniforms = outcome_laws.inside(uniforms)
        result = torch.empty((runs, len(self.outcome_names)), dtype=torch.float64)
        for index in worlds.mechanism.unique().tolist():
            mechanism = self.mechanisms[index]
            for rows in (worlds.mechanism == index).nonzero()[:, 0].split(mechanism.at_once):
                parameters = {name: value.index_select(0, rows) for name, value in worlds.parameters[index].items()}
                drawn = mechanism.sample(parameters, designs.index_select(0, rows), uniforms.index_select(0, rows))
                result.index_copy_(0, rows, drawn)
        return result

    def log_likelihood(self, worlds: Worlds, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcome | the run's world) [runs]; designs [runs, columns], outcomes [runs, outcomes]."""
        result = torch.full(worlds.mechanism.shape, torch.nan, dtype=torch.float64)
        for index in worlds.mechanism.unique().tolist():
            rows = (worlds.mechanism == index).nonzero()[:, 0]
            parameters = {name: value[rows] for name, value in worlds.parameters[index].items()}
            result[rows] = self.mechanisms[index].log_likelihood(parameters, designs[rows], outcomes[rows])
        return result

    def truth(self, worlds: Worlds, run: int) -> dict[str, object]:
        """What the record keeps of one run's world: mechanism name and its parameter values."""
        index = int(worlds.mechanism[run].item())
        values = {name: value[run].item() for name, value in worlds.parameters[index].items()}
        return {"mechanism": self.mechanisms[index].name, "parameters": values}

    def worlds_of(self, truths: Sequence[Mapping[str, Any]]) -> Worlds:
        """The worlds that ``truth`` described, one a run; laws that do not hold there have no values."""
        names = [mechanism.name for mechanism in self.mechanisms]
        mechanism = torch.tensor([names.index(truth["mechanism"]) for truth in truths])
        parameters: list[dict[str, Tensor]] = [{} for _ in names]
        for index in mechanism.unique().tolist():
            known = [truth["parameters"] if truth["mechanism"] == names[index] else {} for truth in truths]
            for name in self.mechanisms[index].names:
                values = [own.get(name, torch.nan) for own in known]
                parameters[index][name] = torch.tensor(values, dtype=torch.float64)
        return Worlds(mechanism, tuple(parameters))


def _simulator(domain: Domain) -> Simulator | None:
    """The laws of a Python domain; None for a document that holds its laws itself."""
    if not domain.python:
        return None
    simulator = python_domains.get(domain.python).simulator(domain)
    if isinstance(simulator, ExactSimulator) and domain.goal.kind != "discriminate":
        raise DomainError(
            f"goal: the laws of {domain.python!r} integrate their unknowns out; the goal can only be discriminate"
        )
    if domain.goal.kind == "predict" and type(simulator).expectation is Simulator.expectation:
        raise DomainError(f"goal: predict needs expected outcomes; give the laws of {domain.python!r} an expectation")
    return simulator


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
