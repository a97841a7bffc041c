"""A domain made runnable: draws worlds, simulates experiments, and gives likelihoods. Everything is batched.

Shapes: a mechanism's unconstrained particle is z ``[..., dims]``, one column a scalar unknown; its parameters are a
dictionary name → ``[...]``. Designs are ``[..., columns]``, outcomes ``[..., outcomes]``. Leading shapes broadcast, so
``[runs, particles, 1]`` parameters meet ``[runs, 1, experiments, columns]`` designs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from domains import outcomes as outcome_laws
from domains.compiler import Compiled, Names, compile_expression, is_vector
from domains.design_space import DesignSpace
from domains.document import Domain, Mechanism, Outcome
from domains.dynamics import CompiledDynamics
from domains.expressions import Expression
from domains.unknowns import Unknowns

Parameters = Mapping[str, Tensor]


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
        return [OutcomeColumn(entry, family, len(self.arguments)) for entry in self.outcome.entries]


class CompiledMechanism:
    """One law of a domain: its prior in unconstrained space, and its prediction of outcomes."""

    def __init__(self, mechanism: Mechanism, domain: Domain, space: DesignSpace) -> None:
        self.name = mechanism.name
        self._unknowns = Unknowns(mechanism, domain.exchangeable)
        self.names, self.dims = self._unknowns.names, self._unknowns.dims
        self._space = space
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
        objective = domain.goal.objective
        self._objective = None if objective is None else compile_expression(objective, Names(space.options, vectors))

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
        """Everything that outcomes and goals may name: name → [...], vectors with a leading axis."""
        environment = {**self._unknowns.environment(parameters), **self._space.environment(designs)}
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

    def expectations(self, parameters: Parameters, designs: Tensor) -> list[Tensor]:
        """E[y | parameters, designs] of each outcome column, uncensored."""
        laws = zip(self.columns, self.outcome_arguments(parameters, designs), strict=True)
        return [column.family.mean(arguments) for column, arguments in laws]

    def objective(self, parameters: Parameters, designs: Tensor) -> Tensor:
        """What the goal wants the most (or least) of, of the broadcast shape of parameters and designs."""
        assert self._objective is not None
        return self._objective(self.environment(parameters, designs))

    def log_likelihood(self, parameters: Parameters, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log p(outcomes | parameters, designs), nats, summed over the outcomes of an experiment.

        outcomes: [..., outcomes]; NaN marks a missing one, which contributes nothing. An invalid argument (NaN, a
        negative standard deviation) gives -inf.
        """
        families = [column.family for column in self.columns]
        return log_density(families, self.outcome_arguments(parameters, designs), outcomes)


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
        self.columns = self.mechanisms[0].columns  # the same for every mechanism: validation sees to it
        self.families = [column.family for column in self.columns]
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
        self, worlds: "Worlds", designs: Tensor, law: Callable[[CompiledMechanism, Parameters, Tensor], Tensor]
    ) -> Tensor:
        """A function of (mechanism, parameters, designs) in each run's true world: designs [runs, designs, columns] →
        [runs, designs]."""
        result = torch.full(designs.shape[:2], torch.nan, dtype=torch.float64)
        for index, mechanism in enumerate(self.mechanisms):
            rows = (worlds.mechanism == index).nonzero()[:, 0]
            if len(rows) > 0:
                parameters = {name: value[rows, None] for name, value in worlds.parameters[index].items()}
                result[rows] = law(mechanism, parameters, designs[rows]).expand(len(rows), designs.shape[1])
        return result

    def draw_worlds(self, runs: int, generator: torch.Generator) -> Worlds:
        """``runs`` worlds from the domain's distribution."""
        mechanism = torch.multinomial(self.log_weights.exp(), runs, replacement=True, generator=generator)
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

    def worlds_of(self, truths: Sequence[Mapping[str, Any]]) -> Worlds:
        """The worlds that ``truth`` described, one a run. Laws that do not hold there have draws from their prior."""
        names = [mechanism.name for mechanism in self.mechanisms]
        mechanism = torch.tensor([names.index(truth["mechanism"]) for truth in truths])
        filler = torch.Generator().manual_seed(0)
        parameters = []
        for index, law in enumerate(self.mechanisms):
            rows = (mechanism == index).nonzero()[:, 0]
            known = [truths[run]["parameters"] for run in rows.tolist()]
            values = law.parameters(law.sample_prior((len(truths),), filler))
            parameters.append(
                {
                    name: value.index_copy(0, rows, torch.tensor([own[name] for own in known], dtype=torch.float64))
                    for name, value in values.items()
                }
            )
        return Worlds(mechanism, tuple(parameters))


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
