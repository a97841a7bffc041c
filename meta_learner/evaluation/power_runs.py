"""Simulated runs, and what each of them knew at every budget of a grid: the raw material of a power report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains.document import Domain
from domains.simulators import ExactSimulator, Marginal
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import Belief, BeliefSettings
from meta_learner.evaluation.investigated import continuous_parameters, simulated_block
from meta_learner.evaluation.processes import Tell, one_thread, silent
from meta_learner.goals import score
from meta_learner.laboratory import information
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.summary import marginal

Array = NDArray[np.float64]

_MOST_POINTS = 60  # of a grid of budgets, where experiments differ in cost
_ROUNDING = 1e-9  # a sum of costs that exceeds a budget by no more than this share is within it


@dataclass(frozen=True)
class BlockOrder:
    """A block of runs to simulate; everything that its result depends on."""

    domain: Domain
    policy: str
    budgets: tuple[float, ...]
    seed: int
    block: int
    runs: int
    particles: int


@dataclass(frozen=True)
class Runs:
    """What each run knew after its last experiment within each budget: arrays [runs, budgets].

    law [runs]: the index of the true one; experiments: done; probability: of the true law; found: 1 where the most
    probable law is the true one; information: nats gained about the whole hypothesis; error and width, parameter name →
    posterior mean − truth, and width of the central 90 % interval, both under the true law's belief, NaN where the true
    law has no such parameter; score: the goal's own, smaller is better. trusted, surprised [runs]: the belief at the
    end.
    """

    law: NDArray[np.int64]
    experiments: Array
    probability: Array
    found: Array
    information: Array
    error: Mapping[str, Array]
    width: Mapping[str, Array]
    score: Array | None
    trusted: NDArray[np.bool_]
    surprised: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return len(self.law)


def budget_grid(model: DomainModel, budget: float) -> tuple[float, ...]:
    """The budgets to report on, from 0 to ``budget``.

    Where every experiment costs 1, each number of experiments; else steps of 1, 2 or 5 times a power of ten, near the
    cost of the cheapest experiment but at most 60 of them, and the budget itself.
    """
    if model.domain.cost is None:
        return tuple(float(count) for count in range(math.floor(budget * (1 + _ROUNDING)) + 1))
    cheapest = model.space.cost(model.space.cheapest).item()
    sizes = [size * 10.0**power for power in range(-12, 13) for size in (1, 2, 5)]
    fine = max((size for size in sizes if size <= cheapest * (1 + _ROUNDING)), default=cheapest)
    least = max(fine, budget / _MOST_POINTS) * (1 - _ROUNDING)
    step = min((size for size in sizes if size >= least), default=least)
    inside = [round(step * index, 12) for index in range(_MOST_POINTS + 1) if step * index < budget * (1 - _ROUNDING)]
    return (*inside, budget)


def simulate(order: BlockOrder, told: Tell = silent) -> Runs:
    """Investigate a block of simulated worlds to the end of the budget.

    On one thread, so that the result does not depend on how many processes share the work.
    """
    with one_thread():
        model = DomainModel(order.domain)
        steps, worlds = simulated_block(
            model,
            POLICIES[order.policy](),
            runs=order.runs,
            seed=order.seed,
            block=order.block,
            budget=order.budgets[-1],
            settings=BeliefSettings(particles=order.particles),
        )
        state = steps.begin(order.runs)
        seen = [_look(steps, worlds, state)]
        for state in rollout(steps, order.runs):
            seen.append(_look(steps, worlds, state))
            told(min(1.0, state.spent.mean().item() / order.budgets[-1]))
    return _runs(order, worlds, seen, state.belief)


def _look(steps: BlockSteps, worlds: Worlds, state: BlockState) -> dict[str, Tensor]:
    """Everything measured of one state, name → [runs]; performed and information are of its last step alone."""
    probability = state.belief.log_probability.exp()
    gained = torch.zeros_like(state.spent)
    if state.choice is not None:
        assert state.outcomes is not None
        assert state.log_predictive is not None
        gained = information(steps.model, worlds, state.choice.designs, state.outcomes, state.log_predictive)
    seen = {
        "spent": state.spent,
        "performed": state.performed.to(torch.float64),
        "information": torch.where(state.performed, gained, 0.0),
        "probability": probability.gather(1, worlds.mechanism[:, None])[:, 0],
        "found": (probability.argmax(-1) == worlds.mechanism).to(torch.float64),
        **_parameters(steps.model, worlds, state.belief),
    }
    scores = score(steps.model, worlds, steps.answer(state))
    return seen if scores is None else {**seen, "score": scores}


def _parameters(model: DomainModel, worlds: Worlds, belief: Belief) -> dict[str, Tensor]:
    """``error:NAME`` and ``width:NAME`` of every continuous parameter, under each run's true law."""
    names = continuous_parameters(model.domain)
    blank = torch.full((len(worlds.mechanism),), torch.nan, dtype=torch.float64)
    seen = {f"{what}:{name}": blank.clone() for name in names for what in ("error", "width")}
    for law in worlds.mechanism.unique().tolist():
        rows = (worlds.mechanism == law).nonzero()[:, 0]
        for name, found in _marginals(model, belief, law, rows).items():
            if name in names:
                seen[f"error:{name}"][rows] = found.mean - worlds.parameters[law][name][rows]
                seen[f"width:{name}"][rows] = found.high90 - found.low90
    return seen


def _marginals(model: DomainModel, belief: Belief, law: int, rows: Tensor) -> Mapping[str, Marginal]:
    """``summary.marginals`` of some of the runs [rows] only: of one law, those in which it holds."""
    if belief.posterior is not None:
        assert isinstance(model.simulator, ExactSimulator)
        return model.simulator.marginals(belief.posterior.statistics[rows], law)
    population = belief.populations[law]
    values = model.mechanisms[law].parameters(population.z[rows])
    return {name: marginal(value, population.log_weight[rows]) for name, value in values.items()}


def _runs(order: BlockOrder, worlds: Worlds, seen: Sequence[dict[str, Tensor]], belief: Belief) -> Runs:
    """Each run's last state within each budget, from all states that it went through."""
    states = {name: torch.stack([one[name] for one in seen], dim=1) for name in seen[0]}
    limits = torch.tensor(order.budgets, dtype=torch.float64) * (1 + _ROUNDING)
    last = (states["spent"][:, :, None] <= limits).sum(1) - 1  # [runs, budgets]

    def within(values: Tensor) -> Array:
        found: Array = values.gather(1, last).cpu().numpy()
        return found

    def named(what: str) -> dict[str, Array]:
        return {name.partition(":")[2]: within(v) for name, v in states.items() if name.startswith(f"{what}:")}

    return Runs(
        law=worlds.mechanism.cpu().numpy(),
        experiments=within(states["performed"].cumsum(1)),
        probability=within(states["probability"]),
        found=within(states["found"]),
        information=within(states["information"].cumsum(1)),
        error=named("error"),
        width=named("width"),
        score=within(states["score"]) if "score" in states else None,
        trusted=belief.trusted.cpu().numpy(),
        surprised=belief.surprised.cpu().numpy(),
    )


def joined(parts: Sequence[Runs]) -> Runs:
    """The runs of several blocks of one domain as one."""
    first = parts[0]
    return Runs(
        law=np.concatenate([part.law for part in parts]),
        experiments=np.concatenate([part.experiments for part in parts]),
        probability=np.concatenate([part.probability for part in parts]),
        found=np.concatenate([part.found for part in parts]),
        information=np.concatenate([part.information for part in parts]),
        error={name: np.concatenate([part.error[name] for part in parts]) for name in first.error},
        width={name: np.concatenate([part.width[name] for part in parts]) for name in first.width},
        score=np.concatenate([part.score for part in parts if part.score is not None]) if first.score is not None
        else None,
        trusted=np.concatenate([part.trusted for part in parts]),
        surprised=np.concatenate([part.surprised for part in parts]),
    )  # fmt: skip
