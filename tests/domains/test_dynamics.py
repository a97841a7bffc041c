"""Dynamics against an independent integrator, in every shape they are used in."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from domains import catalogue
from domains.compiler import Names
from domains.document import Dynamics, State
from domains.dynamics import CompiledDynamics
from domains.errors import DomainError
from domains.expressions import parse
from domains.loading import find, load_text
from domains.runge_kutta import Problems, integrate
from domains.worlds import DomainModel
from meta_learner.streams import stream
from tests.domains.fine_solutions import relative_errors


def dynamics(states: dict[str, tuple[str, str]], *, until: str | None = None, at: tuple[str, ...] = (), **let: str):  # type: ignore[no-untyped-def]
    parsed = tuple(State(name, parse(start), parse(rate)) for name, (start, rate) in states.items())
    laws = tuple((name, parse(law)) for name, law in let.items())
    end = parse(until) if until else None
    return CompiledDynamics("law", Dynamics("t", parsed, laws, end, tuple(parse(time) for time in at)), Names())


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_outcome_statistics_agree_with_a_fine_solution_over_prior_draws() -> None:
    """Prey depletion (no closed form in N): within 1e-4 relative of scipy at rtol 1e-9, over draws of its prior."""
    draws = torch.randn((60, 2), generator=stream(0, 0, 0, "world"), dtype=torch.float64)
    a, h = (-1.4 + 1.35 * draws).exp().unbind(-1)
    start = torch.randint(1, 301, (60,), generator=stream(0, 0, 0, "design")).double()
    law = dynamics({"prey": ("n0", "-a * prey**2 / (1 + a * h * prey**2)")}, until="24")
    found = law.solve({"a": a, "h": h, "n0": start})["prey"]
    for i in range(60):
        fine = solve_ivp(
            lambda t, n, a, h: -a * n**2 / (1 + a * h * n**2),  # noqa: ARG005
            (0, 24), [start[i].item()], args=(a[i].item(), h[i].item()), rtol=1e-9, atol=1e-12, method="LSODA",
        ).y[0, -1]  # fmt: skip
        assert found[i].item() == pytest.approx(fine, rel=1e-4)


def models_with_dynamics() -> list[DomainModel]:
    models = [DomainModel(find(name)) for name in catalogue.names()]
    return [model for model in models if any(law.dynamics is not None for law in model.domain.mechanisms)]


def test_the_catalogue_agrees_with_fine_solutions_over_prior_draws() -> None:
    """Every outcome argument of every law, 25 worlds with a design each: within 1e-4 relative (3e-7 measured)."""
    models = models_with_dynamics()
    assert {model.domain.name for model in models} >= {"gene-switch", "prey-population"}
    for model in models:
        for law in model.mechanisms:
            assert relative_errors(model, law, draws=25, seed=1).max() < 1e-4, (model.domain.name, law.name)


def test_errors_follow_the_tolerance_at_every_time() -> None:
    """x'' = -x over 40 readouts, most of them between two steps: the error falls with rtol, about in proportion."""
    times = torch.linspace(0.0, 10.0, 40, dtype=torch.float64)[None]
    begin = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    worst = []
    for rtol in (1e-5, 1e-7, 1e-9):
        problems = Problems(lambda _: lambda _, y: torch.stack([y[1], -y[0]]), begin, times, rtol, rtol, 1000)
        states, tired = integrate(problems, patience=0)
        assert len(tired) == 0
        worst.append((states[0, 0] - times[0].sin()).abs().max().item())
    assert worst[0] < 3e-4
    assert worst[1] < worst[0] / 30
    assert worst[2] < worst[1] / 30


def test_more_solutions_than_are_worked_on_at_a_time_each_come_back_in_their_place() -> None:
    """Exponential growth at 50,000 rates, whose numbers of steps differ a hundredfold."""
    rate = torch.linspace(-30.0, 3.0, 50_000, dtype=torch.float64)[
        torch.randperm(50_000, generator=stream(0, 0, 0, "world"))
    ]
    found = dynamics({"x": ("1", "k * (x - 2)")}, until="1").solve({"k": rate})["x"]
    assert torch.allclose(found, 2 - rate.exp(), rtol=1e-5)


def test_one_solution_serves_all_times_at_which_it_is_read() -> None:
    """Designs that differ only in their time, some at time 0, some without sense; and a law that is stiff for every
    parameter is refused by its number of solutions, not of readings."""
    k = torch.rand((2, 3, 1), generator=stream(0, 0, 0, "world"), dtype=torch.float64)
    end = numbers(5.0, 0.0, 0.3, -1.0, float("nan"), 0.3, 40.0).expand(2, 1, 7)
    found = dynamics({"x": ("1", "-k * x")}, until="end").solve({"k": k, "end": end})["x"]
    assert found.shape == (2, 3, 7)
    assert found.isnan().all(0).all(0).tolist() == [False, False, False, True, True, False, False]
    good = [0, 1, 2, 5, 6]
    assert torch.allclose(found[..., good], torch.exp(-k * end[..., good]), rtol=1e-5)
    mu = torch.full((12, 1), 1e5, dtype=torch.float64)
    with pytest.raises(DomainError, match="12 of 12 solutions"):
        dynamics(VAN_DER_POL, until="end").solve({"mu": mu, "end": numbers(1.0, 2.0, 3.0)})


def test_a_solution_is_known_up_to_where_it_explodes() -> None:
    law = {"x": ("1", "x**2")}
    end = numbers(2.0, 0.5, 1.5, 0.9)
    found = dynamics(law, until="end").solve({"end": end})["x"]
    assert found.isnan().tolist() == [True, False, True, False]
    assert found[[1, 3]].tolist() == pytest.approx([2.0, 10.0], rel=1e-5)
    assert dynamics(law, at=("0.5", "1.5")).solve({})["x"].isnan().all()


def test_a_step_that_leaves_the_domain_of_the_rates_is_tried_smaller() -> None:
    """x' = -√x from 1, exactly (1 - t/2)²: a long step passes below 0, the solution does not."""
    found = dynamics({"x": ("1", "-sqrt(x)")}, until="end").solve({"end": numbers(1.0, 1.999)})["x"]
    assert found[0].item() == pytest.approx(0.25, rel=1e-5)
    assert found[1].item() == pytest.approx((1 - 1.999 / 2) ** 2, abs=1e-8)


def test_gradients_flow_to_starts_parameters_and_times() -> None:
    """x = begin · exp(-k t): gradients of Σ x against the closed form, with times shared by all parameters."""
    k = numbers(0.3, 0.7)[:, None].requires_grad_()
    begin = numbers(2.0).requires_grad_()
    end = numbers(0.5, 3.0, 1.0).requires_grad_()
    environment = {"k": k, "begin": begin, "end": end}
    found = dynamics({"x": ("begin", "-k * x")}, until="end").solve(environment)["x"]
    exact = begin * torch.exp(-k * end)
    for gradient, true in zip(
        torch.autograd.grad(found.sum(), (k, begin, end)),
        torch.autograd.grad(exact.sum(), (k, begin, end)),
        strict=True,
    ):
        assert torch.allclose(gradient, true, rtol=1e-5)


def test_shapes_broadcast_and_several_times_lead() -> None:
    """Exponential decay, exactly: parameters [runs, particles, 1] and designs [runs, 1, experiments]."""
    k = torch.rand((2, 3, 1), generator=stream(0, 0, 0, "world"), dtype=torch.float64)
    dose = torch.rand((2, 1, 4), generator=stream(0, 0, 0, "design"), dtype=torch.float64)
    once = dynamics({"x": ("dose", "-speed * x")}, until="5 * dose", speed="k / 2").solve({"k": k, "dose": dose})["x"]
    assert once.shape == (2, 3, 4)
    assert torch.allclose(once, dose * torch.exp(-k / 2 * 5 * dose), rtol=1e-6)
    several = dynamics({"x": ("dose", "-k * x")}, at=("0", "1", "2.5")).solve({"k": k, "dose": dose})["x"]
    assert several.shape == (3, 2, 3, 4)
    for index, time in enumerate((0.0, 1.0, 2.5)):
        assert torch.allclose(several[index], dose * torch.exp(-k * time), rtol=1e-6)


def test_rates_may_use_the_time() -> None:
    found = dynamics({"x": ("0", "cos(t)")}, at=("1", "3")).solve({})["x"]
    assert found.tolist() == pytest.approx([np.sin(1), np.sin(3)], rel=1e-6)


def test_a_solution_that_explodes_is_no_number_and_harms_no_other() -> None:
    found = dynamics({"x": ("1", "k * x**2")}, until="3").solve({"k": numbers(0.1, 1.0, 0.2)})["x"]
    assert found[1].isnan()
    assert found[[0, 2]].tolist() == pytest.approx([1 / 0.7, 1 / 0.4], rel=1e-5)


def test_starts_and_times_that_make_no_sense_have_no_solution() -> None:
    found = dynamics({"x": ("begin", "-x")}, until="end").solve(
        {"begin": numbers(1.0, float("nan"), 1.0, 1.0), "end": numbers(1.0, 1.0, -1.0, 0.0)}
    )["x"]
    assert found.isnan().tolist() == [False, True, True, False]
    assert found[3].item() == 1.0


VAN_DER_POL = {"x": ("2", "y"), "y": ("0", "mu * ((1 - x**2) * y - x)")}


def test_a_few_stiff_elements_are_integrated_implicitly() -> None:
    mu = torch.ones(300, dtype=torch.float64)
    mu[7] = 1e5
    found = dynamics(VAN_DER_POL, until="3").solve({"mu": mu})["x"]

    def rate(t: float, y: list[float]) -> list[float]:
        del t
        return [y[1], 1e5 * ((1 - y[0] ** 2) * y[1] - y[0])]

    fine = solve_ivp(rate, (0, 3), [2, 0], method="Radau", rtol=1e-9, atol=1e-11).y[0, -1]
    assert found[7].item() == pytest.approx(fine, rel=1e-4)
    assert found[0].item() == found[200].item()


def test_a_law_that_is_stiff_everywhere_is_refused_by_name() -> None:
    with pytest.raises(DomainError, match=r"law 'law' are stiff: 300 of 300"):
        dynamics(VAN_DER_POL, until="3").solve({"mu": torch.full((300,), 1e5, dtype=torch.float64)})


EPIDEMIC = """
format: 1
name: outbreak
title: How fast does it spread?
designs: {share: {real: [0.001, 0.1], scale: log}}
parameters:
  contact: {prior: {lognormal: [0, 0.3]}}
  mix: {prior: {dirichlet: [2, 3, 5]}}
let: {speed: "contact * (1 + mix[0])"}
dynamics:
  state:
    s: {start: 1 - share, rate: "-speed * s * i"}
    i: {start: share, rate: "speed * s * i - mix[1] * i"}
  at: [1, 2, 4]
mechanisms:
  plain: {let: {level: "100 * i", peak: max(level)}}
outcomes:
  cases: {poisson: {rate: level + 0.1}}
  top: {normal: {mean: peak + sum(mix), sd: 0.1}}
budget: 3
goal: learn
"""


def test_a_domain_with_vectors_of_both_kinds() -> None:
    model = DomainModel(load_text(EPIDEMIC))
    assert model.outcome_names == ("cases[0]", "cases[1]", "cases[2]", "top")
    law = model.mechanisms[0]
    assert law.names == ("contact", "mix[0]", "mix[1]", "mix[2]")
    assert law.dims == 3
    z = law.sample_prior((5, 40), stream(1, 0, 0, "world"))
    values = law.parameters(z)
    assert torch.allclose(values["mix[0]"] + values["mix[1]"] + values["mix[2]"], torch.ones((5, 40)).double())
    spread = {name: value[..., None] for name, value in values.items()}
    designs = model.space.uniform(3, stream(1, 0, 0, "design")).expand(5, 1, 3, 1)
    arguments = law.outcome_arguments(spread, designs)
    assert [argument[0].shape for argument in arguments] == [(5, 40, 3)] * 4
    peak = torch.stack([(rate[0] - 0.1) for rate in arguments[:3]]).max(0).values
    assert torch.allclose(arguments[3][0], peak + 1.0)
    worlds = model.draw_worlds(6, stream(1, 0, 0, "world"))
    outcomes = model.simulate(worlds, model.space.uniform(6, stream(2, 0, 0, "design")), stream(1, 0, 0, "noise"))
    assert outcomes.shape == (6, 4)
    assert set(model.truth(worlds, 0)["parameters"]) == set(law.names)  # type: ignore[call-overload]


@pytest.mark.statistical
def test_dirichlet_sticks_have_the_dirichlet_moments() -> None:
    """Means a_i/A and variances a_i(A − a_i)/(A²(A + 1)) over 200,000 draws: bounds of 5 standard errors (α < 1e-5 for
    all six), which see a relative error of 0.5 % of a mean and 2 % of a variance."""
    model = DomainModel(load_text(EPIDEMIC))
    values = model.mechanisms[0].parameters(model.mechanisms[0].sample_prior((200_000,), stream(3, 0, 0, "world")))
    for index, a in enumerate((2.0, 3.0, 5.0)):
        mix = values[f"mix[{index}]"]
        variance = a * (10 - a) / (100 * 11)
        assert abs(mix.mean().item() - a / 10) < 5 * (variance / 200_000) ** 0.5
        assert mix.var().item() == pytest.approx(variance, rel=0.02)
