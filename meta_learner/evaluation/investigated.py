"""Blocks of simulated runs, and runs seen through to the end: the worlds, and what was believed of them at last."""

import hashlib
from dataclasses import dataclass

from domains.document import Domain
from domains.errors import DomainError
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.processes import Tell, silent
from meta_learner.laboratory import Simulation
from meta_learner.policies import POLICIES
from meta_learner.policies.base import Policy
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.stopping import StoppingRules

DISCRETE = ("categorical", "poisson")  # the families of priors that give probability to single values


@dataclass(frozen=True)
class Investigated:
    """A block of runs at its end. decisions: how many were taken over all runs; deciding: the seconds they took."""

    steps: BlockSteps
    worlds: Worlds
    state: BlockState
    decisions: int
    deciding: float


def simulated_block(  # noqa: PLR0913  (what fixes the runs of a block)
    model: DomainModel,
    policy: Policy,
    *,
    runs: int,
    seed: int,
    block: int = 0,
    budget: float | None = None,
    settings: BeliefSettings | None = None,
    worlds: Worlds | None = None,
    stop: StoppingRules | None = None,
    kind: type[BlockSteps] = BlockSteps,
) -> tuple[BlockSteps, Worlds]:
    """The steps of a block of simulated runs, to be turned, and the worlds that they investigate.

    budget: the domain's own unless given; worlds: drawn from the domain unless given; stop: what else ends a run.
    """
    laboratory = Simulation(model, seed=seed, block=block, runs=runs, worlds=worlds)
    assert laboratory.worlds is not None
    spends = model.domain.budget if budget is None else budget
    steps = kind(model, policy, laboratory, budget=spends, seed=seed, block=block, settings=settings, stop=stop)
    return steps, laboratory.worlds


def investigate(
    model: DomainModel,
    policy: str,
    *,
    runs: int,
    seed: int,
    block: int = 0,
    settings: BeliefSettings | None = None,
    tell: Tell = silent,
) -> Investigated:
    """Investigate ``runs`` worlds drawn from a domain, at its own budget; tell: told the share that is spent."""
    steps, worlds = simulated_block(model, POLICIES[policy](), runs=runs, seed=seed, block=block, settings=settings)
    state = steps.begin(runs)
    decisions, deciding = 0, 0.0
    for state in rollout(steps, runs):
        decisions += int(state.performed.sum())
        deciding += state.seconds
        tell(min(1.0, state.spent.mean().item() / steps.budget))
    return Investigated(steps, worlds, state, decisions, deciding)


def check_budget(model: DomainModel, budget: float) -> None:
    """DomainError where it pays for no experiment."""
    cost = model.space.cost(model.space.cheapest).item()
    if not cost * (1 - 1e-9) <= budget:
        raise DomainError(
            f"budget {budget:g}: it pays for no experiment of {model.domain.name}, the cheapest of which costs {cost:g}"
        )


def domain_seed(name: str, seed: int) -> int:
    """A seed of a domain's own.

    With one seed for all, the first constants and the noise of run r would be the same quantiles in every domain, and
    statistics over several domains would count the same luck again and again.
    """
    return int.from_bytes(hashlib.sha256(f"{name}/{seed}".encode()).digest()[:6], "big")


def continuous_parameters(domain: Domain) -> tuple[str, ...]:
    """The entries of all parameters whose prior gives no probability to a single value, in the domain's order."""
    return tuple(
        dict.fromkeys(
            entry
            for mechanism in domain.mechanisms
            for parameter in mechanism.unknowns
            if parameter.prior is not None and parameter.prior.family not in DISCRETE
            for entry in parameter.entries
        )
    )
