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
from domains import python_domains, randomness
from domains.design_space import DesignSpace
from domains.document import Domain
from domains.errors import DomainError
from domains.mechanisms import (
    CompiledMechanism,
    MechanismModel,
    OutcomeColumn,
    SimulatedMechanism,
)
from domains.simulators import ExactSimulator, Parameters, Simulator


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
