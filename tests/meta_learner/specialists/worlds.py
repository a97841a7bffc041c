"""Small domains that specialists are tested on."""

from domains.loading import load_text
from domains.worlds import DomainModel
from tests.meta_learner import linear_gaussian

BOTH = linear_gaussian.TEXT.replace("budget: 8", "budget: 3")
LINE = BOTH.split("  constant:")[0] + BOTH[BOTH.index("outcomes:") :]
MIXED = """
format: 1
name: mixed
title: Every kind of design, a constraint and a cost
designs:
  dose: {real: [0.1, 10], scale: log}
  count: {integer: [1, 6]}
  heat: {levels: [10, 20, 40]}
  strain: {choice: [wild, mutant]}
constraints: ["dose + count <= 9"]
parameters: {slope: {prior: {normal: [0, 1]}}, gain: {prior: {lognormal: [0, 0.5]}}}
mechanisms:
  additive: {let: {mu: "slope * log(dose) + where(strain == 'mutant', gain, 0)"}}
  product: {let: {mu: "slope * gain * log(dose) * heat / 20"}}
outcomes:
  level: {normal: {mean: mu, sd: 0.5 / sqrt(count)}}
  alive: {bernoulli: {p: sigmoid(mu)}}
cost: 0.5 + 0.5 * count
budget: 7
goal: GOAL
"""


def line(goal: str = "learn") -> DomainModel:
    """y ~ N(a + b·x, 0.5²), three experiments."""
    return DomainModel(load_text(LINE.replace("goal: learn", f"goal: {goal}")))


def both(goal: str = "learn") -> DomainModel:
    """A line or a constant, three experiments."""
    return DomainModel(load_text(BOTH.replace("goal: learn", f"goal: {goal}")))


def mixed(goal: str = "learn") -> DomainModel:
    """Every kind of design, a constraint and a cost."""
    return DomainModel(load_text(MIXED.replace("GOAL", goal)))
