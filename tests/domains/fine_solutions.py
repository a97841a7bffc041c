"""An oracle for domains with dynamics: outcome arguments by scipy's solve_ivp (LSODA, rtol 1e-9), world by world.

It shares the documents' expressions with what it checks, and nothing of the integration.
"""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.integrate import solve_ivp

from domains.compiler import Names, compile_expression
from domains.document import Dynamics
from domains.mechanisms import CompiledMechanism
from domains.outcomes import FAMILIES
from domains.worlds import DomainModel

Environment = Mapping[str, torch.Tensor]


def outcome_arguments(
    model: DomainModel, law: CompiledMechanism, parameters: Environment, design: torch.Tensor
) -> list[torch.Tensor]:
    """The arguments of every outcome's family, in order, of one world (name → []) and one design [columns].

    For laws whose states are read once, ``until`` a time.
    """
    mechanism = next(m for m in model.domain.mechanisms if m.name == law.name)
    assert mechanism.dynamics is not None
    names = Names(model.space.options)
    environment = dict(law.environment(parameters, design))
    environment |= final_states(mechanism.dynamics, names, environment)
    for name, let in mechanism.let:
        environment[name] = compile_expression(let, names)(environment)
    laws = [outcome.arguments[name] for outcome in model.domain.outcomes for name in FAMILIES[outcome.family].arguments]
    return [compile_expression(law, names)(environment) for law in laws if not isinstance(law, tuple)]


def final_states(dynamics: Dynamics, names: Names, environment: Environment) -> dict[str, torch.Tensor]:
    """State name → its value ``until`` the time of reading, in an environment of numbers."""
    lets = [(name, compile_expression(law, names)) for name, law in dynamics.let]
    rates = [compile_expression(state.rate, names) for state in dynamics.states]
    start = [float(compile_expression(state.start, names)(environment)) for state in dynamics.states]
    assert dynamics.until is not None
    until = float(compile_expression(dynamics.until, names)(environment))

    def rate(t: float, y: np.ndarray) -> list[float]:
        now = {**environment, dynamics.time: torch.tensor(t, dtype=torch.float64)}
        now |= {s.name: torch.tensor(v, dtype=torch.float64) for s, v in zip(dynamics.states, y, strict=True)}
        for name, law in lets:
            now[name] = law(now)
        return [float(law(now)) for law in rates]

    solution = solve_ivp(rate, (0.0, until), start, method="LSODA", rtol=1e-9, atol=1e-12)
    assert solution.success
    return {s.name: torch.tensor(v[-1], dtype=torch.float64) for s, v in zip(dynamics.states, solution.y, strict=True)}


def relative_errors(model: DomainModel, law: CompiledMechanism, draws: int, seed: int) -> torch.Tensor:
    """|argument − fine| ÷ |fine| [draws, arguments] of every outcome argument, each draw with its own world and design.

    Relative to the argument itself, which is the strictest reading: an error of 1e-4 of a mean is far below any
    outcome's standard deviation. An argument that is 0 in both counts as 0.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters = law.parameters(law.sample_prior((draws,), generator))
    designs = model.space.uniform(draws, generator)
    found = torch.stack([a.expand(draws) for args in law.outcome_arguments(parameters, designs) for a in args], dim=-1)
    rows = []
    for i in range(draws):
        fine = outcome_arguments(model, law, {name: value[i] for name, value in parameters.items()}, designs[i])
        rows.append(torch.stack([value.reshape(()).to(torch.float64) for value in fine]))
    fine = torch.stack(rows)
    return torch.where(found == fine, 0.0, (found - fine).abs() / fine.abs())
