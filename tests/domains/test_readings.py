"""The objective read off outcomes: right where it is linear in what they measure, refused where it is not."""

import pytest
import torch

from domains import catalogue
from domains.compiler import Names, compile_expression
from domains.errors import DomainError
from domains.loading import find, load_text
from domains.mechanisms import MechanismModel
from domains.readings import objective_reading, reading_name
from domains.worlds import DomainModel
from meta_learner.streams import stream

DOCUMENT = """
format: 1
name: read
title: What can be read off outcomes?
designs:
  x: {real: [0.5, 2]}
  count: {integer: [2, 9]}
  kind: {choice: [old, new]}
parameters:
  a: {prior: {normal: [1, 0.3]}}
  b: {prior: {beta: [2, 2]}}
  unseen: {prior: {normal: [0, 1]}}
  price: 3
let:
  signal: a * x
  rate_ab: exp(a) * b
  profit: price * signal - x**2
mechanisms:
  only: {let: {share: "b / (1 + x)"}}
outcomes:
  level: {normal: {mean: signal, sd: 0.3}}
  growth: {lognormal: {mu: a, sigma: 0.2}}
  made: {binomial: {n: count, p: share}}
  seen: {poisson: {rate: rate_ab}}
  part: {beta: {mean: "clip(b, 0.01, 0.99)", concentration: 20}}
  cut: {normal: {mean: unseen, sd: 1}, censor: [0, 5]}
budget: 5
goal: {maximise: OBJECTIVE}
"""

READABLE = [
    "signal",
    "a * x",  # written out as the let that an outcome has
    "profit",
    "a",
    "share",
    "rate_ab / 2 + x",
    "b",
    "share - 1.5 * b * x",
    "where(kind == 'new', signal, 2 * share)",
    "signal if x > 1 else b",
    "sum(signal, share, -b)",
]
UNREADABLE = [
    ("signal * share", "not a linear combination"),
    ("exp(signal)", "not a linear combination"),
    ("1 / share", "not a linear combination"),
    ("where(share > 0.5, 1, 0)", "not a linear combination"),
    ("x", "not a linear combination"),
    ("signal + unseen", "depends on 'unseen', which no outcome measures; they measure .*signal"),
]


def model_of(objective: str) -> DomainModel:
    return DomainModel(load_text(DOCUMENT.replace("OBJECTIVE", f'"{objective}"')))


@pytest.mark.parametrize("objective", READABLE)
@pytest.mark.statistical
def test_readings_have_the_objective_as_their_mean(objective: str) -> None:
    """40,000 readings in one world, at one design each of 8: α = 1e-4 over 11 objectives × 8 designs (Bonferroni: 4.9
    standard errors); sees a bias of 2.5 % of the readings' standard deviation. The readings of log, y/n and clip are
    exact here, since b is hardly ever outside [0.01, 0.99]."""
    model = model_of(objective)
    read = compile_expression(objective_reading(model.domain), Names(model.space.options))
    world = model.draw_worlds(1, stream(3, 0, 0, "world"))
    law = model.mechanisms[0]
    designs = model.space.sobol(8, stream(3, 0, 0, "design"))[:, None].expand(-1, 40_000, -1)
    uniforms = torch.rand((8, 40_000, 6, 2), generator=stream(3, 0, 0, "noise"), dtype=torch.float64)
    parameters = {name: value[0] for name, value in world.parameters[0].items()}
    outcomes = law.sample(parameters, designs, uniforms)
    named = {reading_name(name): outcomes[..., i] for i, name in enumerate(model.outcome_names)}
    readings = read(model.space.environment(designs) | named).expand(8, -1)
    truth = model.in_worlds(world, designs[None, :, 0], MechanismModel.objective)[0]
    error = (readings.mean(-1) - truth) / (readings.std(-1) / 200)
    assert error.abs().max() < 4.9


@pytest.mark.parametrize(("objective", "message"), UNREADABLE)
def test_what_no_reading_has_as_its_mean_is_refused(objective: str, message: str) -> None:
    with pytest.raises(DomainError, match=message):
        objective_reading(model_of(objective).domain)


def test_censored_outcomes_and_other_goals_are_refused() -> None:
    with pytest.raises(DomainError, match="'unseen', which no outcome measures"):
        objective_reading(model_of("unseen").domain)
    with pytest.raises(DomainError, match="goal: learn has no objective"):
        objective_reading(find("enzyme-kinetics"))


def test_every_catalogue_domain_with_an_objective_can_be_read() -> None:
    found = [name for name in catalogue.names() if find(name).goal.objective is not None]
    assert len(found) >= 2
    for name in found:
        objective_reading(find(name))


def test_mechanisms_that_would_read_differently_are_refused() -> None:
    text = DOCUMENT.replace("OBJECTIVE", "mixed").replace(
        'only: {let: {share: "b / (1 + x)"}}',
        'one: {let: {share: "b / (1 + x)", mixed: share}}\n  two: {let: {share: "b / (2 + x)", mixed: 2 * share}}',
    )
    with pytest.raises(DomainError, match="reads differently"):
        objective_reading(load_text(text))
