"""A family of agents for tests: one weight, which says whether large settings are liked or small ones."""

from typing import Any

import torch
from torch import Tensor, nn

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.agents.card import GREEDY, Card, Document, HeldOut
from meta_learner.agents.comparison import Setting
from meta_learner.agents.families import Family, register
from meta_learner.agents.loading import packed
from meta_learner.policies.base import Choice, DesignProblem, Policy
from meta_learner.policies.sobol import Sobol

GOALS = ("learn", "discriminate", "predict", "maximise", "minimise")
TRAINING = {
    "tasks": ["nothing at all"], "steps": 3, "episodes": 12, "experiments": 48, "seconds": 1.5, "hardware": "one core",
    "commit": "abc", "date": "2026-11-28", "curve_of": "regret", "curve": [[0, 0.5], [3, 0.25]],
}  # fmt: skip
# Large settings tell more: the outcome's noise is the same everywhere.
SLOPE = """
format: 1
name: slope
title: Which way, and how steep?
designs: {x: {real: [0, 1]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms:
  line: {let: {mu: "a * x"}}
  bent: {let: {mu: "3 + a * x * x"}}
outcomes: {y: {normal: {mean: mu, sd: 0.2}}}
budget: 2
goal: GOAL
"""


class Tiny(nn.Module):
    """score = slope × the mean of the settings, in the unit cube."""

    def __init__(self, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([slope]))

    def forward(self, unit: Tensor) -> Tensor:
        return self.slope * unit.mean(-1).to(torch.float32)


class TinyPolicy(Policy):
    """The allowed design with the highest score, of a few."""

    goals = GOALS

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def choose(self, problem: DesignProblem) -> Choice:
        space = problem.model.space
        designs = space.sobol(32, problem.generator).expand(problem.runs, -1, -1)
        scores = torch.where(problem.allowed(designs), self.network(space.encode(designs)).double(), -torch.inf)
        best = scores.argmax(-1)[:, None]
        chosen = designs.gather(1, best[..., None].expand(-1, -1, designs.shape[-1]))
        return Choice(chosen[:, 0], chosen, scores.gather(1, best))


def _build(card: Card, model: DomainModel | None) -> nn.Module:
    return Tiny(**card.options)


def _policy(network: nn.Module, card: Card, model: DomainModel) -> Policy:
    return TinyPolicy(network)


def _sobol(network: nn.Module, card: Card, model: DomainModel) -> Policy:
    return Sobol()


register("tiny", Family(_build, _policy))
register("sobol-in-disguise", Family(_build, _sobol))


class TinySetting(Setting):
    """A comparison whose other processes know these families: to read it, they load this module."""


def slope(goal: str = "learn") -> DomainModel:
    return DomainModel(load_text(SLOPE.replace("GOAL", goal)))


def tiny(name: str = "tiny-one", weight: float = 1.0, **about: Any) -> tuple[Card, bytes]:
    """An agent of this family: its card and weights."""
    values = {"name": name, "family": "tiny", "goals": GOALS, "training": TRAINING, **about}
    return packed(Tiny(weight), **values)


def result(card: Card, domain: str = "d0", goal: str = "learn", **values: Any) -> HeldOut:
    """A held-out result beside greedy, which gains 2: the agent gains as much ± 0.001, over 200 runs."""
    given = {
        "domain": Document(name=domain, identity=domain.encode().hex().rjust(64, "0")),
        "goal": goal, "measure": "score", "against": GREEDY, "weights": card.weights.sha256, "runs": 200, "budget": 4.0,
        "seed": 1, "particles": 500, "gain": 2.0, "other_gain": 2.0, "difference": 0.0, "standard_error": 0.001,
        "interval": (-10.0, 10.0), "experiments": 4.0, "other_experiments": 4.0, "decision_ms": 1.0,
        "other_decision_ms": 2.0,
    }  # fmt: skip
    return HeldOut.model_validate({**given, **values})


def proven(card: Card, **values: Any) -> Card:
    """The card with results that are enough for a default policy; values: of each of them."""
    for index, goal in enumerate(("learn", "learn", "discriminate", "predict", "maximise", "minimise")):
        card = card.with_result(result(card, f"d{index}", goal, **values))
    return card
