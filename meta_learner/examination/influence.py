"""Which settings and parameters change anything: one at a time is given another value, all else held."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.document import Domain, Mechanism
from domains.expressions import Expression
from domains.mechanisms import CompiledMechanism, MechanismModel
from domains.outcomes import inside
from domains.simulators import Parameters
from domains.worlds import DomainModel
from meta_learner.streams import stream

_DRAWS = 128  # a change that shows in fewer than about one in a hundred worlds may be missed
_TOLERANCE = 1e-6  # relative; the integrator of dynamics keeps 1e-7


@dataclass(frozen=True)
class Effect:
    """Whether a quantity changes the law of any outcome, and the goal's objective."""

    outcomes: bool
    objective: bool

    def __or__(self, other: "Effect") -> "Effect":
        return Effect(self.outcomes or other.outcomes, self.objective or other.objective)


@dataclass(frozen=True)
class Influence:
    """Under one law, the effect of each setting and of each unknown parameter."""

    settings: Mapping[str, Effect]
    parameters: Mapping[str, Effect]


def influence(model: DomainModel, index: int) -> Influence:
    """The effects under the mechanism with this index, by comparing outcome arguments at prior draws and designs."""
    law, mechanism = model.mechanisms[index], model.domain.mechanisms[index]
    values = law.parameters(law.sample_prior((_DRAWS,), stream(0, 1, index, "world")))
    designs = model.space.uniform(_DRAWS, stream(0, 1, 0, "design"))
    columns, unknowns = len(model.space.names), mechanism.unknowns
    rows = 1 + columns + len(unknowns)  # as drawn, then one row a change
    settings = designs.expand(rows, -1, -1).clone()
    for column in range(columns):
        settings[1 + column, :, column] = designs[:, column].roll(1)
    parameters = {name: value.expand(rows, -1).clone() for name, value in values.items()}
    for row, parameter in enumerate(unknowns, 1 + columns):
        for entry in parameter.entries:
            parameters[entry][row] = values[entry].roll(1)
    allowed = model.space.feasible(settings)
    told = _changes(_predictions(law, parameters, settings), allowed)
    wanted = torch.zeros_like(told)
    if model.domain.goal.objective is not None:
        wanted = _changes([law.objective(parameters, settings)], allowed)
    effects = [Effect(*pair) for pair in zip(told.tolist(), wanted.tolist(), strict=True)]
    after = dict(zip((parameter.name for parameter in unknowns), effects[columns:], strict=True))
    return Influence(dict(zip(model.space.names, effects, strict=False)), _through_priors(mechanism, after))


def _predictions(law: MechanismModel, parameters: Parameters, settings: Tensor) -> list[Tensor]:
    """What a law says of its outcomes: their arguments, or, of a simulator, what it gives for the same noise."""
    if isinstance(law, CompiledMechanism):
        return [value for arguments in law.outcome_arguments(parameters, settings) for value in arguments]
    noise = randomness.uniform((*settings.shape[1:-1], law.outcomes, 2), stream(0, 1, 0, "noise"))
    return list(law.sample(parameters, settings, inside(noise).expand(len(settings), -1, -1, -1)).unbind(-1))


def _changes(values: list[Tensor], allowed: Tensor) -> Tensor:
    """Whether any value [rows, draws] differs from the first row's at an allowed design [rows, draws]: [rows − 1]."""
    changed = torch.zeros(allowed.shape[0] - 1, dtype=torch.bool)
    for value in values:
        spread = value.to(torch.float64).expand(allowed.shape)
        finite = spread[0][spread[0].isfinite()].abs()
        floor = 1e-9 * finite.median().item() if len(finite) else 0.0
        same = torch.isclose(spread[1:], spread[:1].expand_as(spread[1:]), _TOLERANCE, floor, equal_nan=True)
        changed |= (~same & allowed[1:]).any(-1)
    return changed


def _through_priors(mechanism: Mechanism, effects: dict[str, Effect]) -> dict[str, Effect]:
    """A parameter that stands in another's prior has the other's effect too."""
    found = dict(effects)
    for parameter in reversed(mechanism.unknowns):  # in order of evaluation: a prior's names come before
        prior = parameter.prior
        assert prior is not None
        names = frozenset[str]().union(*(e.names for e in (*prior.arguments, prior.low, prior.high) if e))
        for name in names & found.keys():
            found[name] = found[name] | found[parameter.name]
    return found


def unused_constants(domain: Domain) -> list[str]:
    """The constants that stand in no expression of any law that has them."""
    used = frozenset(name for expression in _everywhere(domain) for name in expression.names)
    names = [p.name for mechanism in domain.mechanisms for p in mechanism.parameters if p.constant is not None]
    return [name for name in dict.fromkeys(names) if name not in used]


def _everywhere(domain: Domain) -> list[Expression]:
    """Every expression of the document."""
    found = [*domain.constraints, domain.cost, domain.goal.objective]
    for outcome in domain.outcomes:
        for argument in outcome.arguments.values():
            found.extend(argument if isinstance(argument, tuple) else (argument,))
    for mechanism in domain.mechanisms:
        found.extend(law for _, law in mechanism.let)
        for parameter in mechanism.unknowns:
            assert parameter.prior is not None
            found.extend((*parameter.prior.arguments, parameter.prior.low, parameter.prior.high))
        dynamics = mechanism.dynamics
        if dynamics is not None:
            found.extend((*(law for _, law in dynamics.let), dynamics.until, *dynamics.at))
            found.extend(part for state in dynamics.states for part in (state.start, state.rate))
    return [expression for expression in found if expression is not None]
