"""Ours and others' in one run: same domain, same budget, same worlds and noise; quality and seconds per decision."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.goals import Answer, score
from meta_learner.laboratory import information
from meta_learner.policies import POLICIES, Policy
from meta_learner.policies import expected_improvement as lawless
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.streams import stream

BLOCK_RUNS = 25
Progress = Callable[[float], None]  # told how many runs' worth of work is done


@dataclass(frozen=True)
class Measured:
    """One policy's runs: means with standard errors, and CPU seconds of one core.

    quality: nats gained about the world (learn), or the simple regret of Organon's answer as a share of what there is
    to gain (maximise, minimise); own: the regret of what the policy itself would recommend without laws.
    """

    policy: str
    runs: int
    experiments: float
    quality: float
    quality_se: float
    own: float | None
    own_se: float | None
    decision_seconds: float
    update_seconds: float


@dataclass(frozen=True)
class Comparison:
    """The same for every policy: what is investigated, and how."""

    model: DomainModel
    runs: int
    budget: float
    seed: int
    settings: BeliefSettings


@dataclass
class _Tally:
    quality: list[Tensor]
    own: list[Tensor]
    experiments: int = 0
    deciding: float = 0.0
    updating: float = 0.0


def policies(model: DomainModel) -> dict[str, Callable[[], Policy]]:
    """Those that apply to the domain's goal, ours first; imports BoTorch or Pyro where they do."""
    ours: dict[str, Callable[[], Policy]] = {name: POLICIES[name] for name in ("random", "sobol")}
    ours["expected-information-gain"] = POLICIES["expected-information-gain"]
    if model.domain.goal.kind in ("maximise", "minimise"):
        from meta_learner.peers.noisy_expected_improvement import NoisyExpectedImprovement

        return {
            **ours,
            "expected-improvement": POLICIES["expected-improvement"],
            "botorch-qlognei": NoisyExpectedImprovement,
        }
    from meta_learner.peers.estimators import OurNestedMonteCarlo, PyroNestedMonteCarlo, applies

    if not applies(model):
        return ours
    return {**ours, OurNestedMonteCarlo.name: OurNestedMonteCarlo, PyroNestedMonteCarlo.name: PyroNestedMonteCarlo}


def measure(comparison: Comparison, name: str, policy: Policy, progress: Progress) -> Measured:
    """Investigate the comparison's worlds with one policy, in blocks."""
    tally, runs = _Tally([], []), comparison.runs
    for block, first in enumerate(range(0, runs, BLOCK_RUNS)):
        count = min(BLOCK_RUNS, runs - first)
        done = partial(_tell, progress, first, count)
        _investigate(comparison, policy, tally, block=block, runs=count, progress=done)
    quality, own = torch.cat(tally.quality), torch.cat(tally.own) if tally.own else None
    decisions = max(1, tally.experiments)
    return Measured(
        policy=name,
        runs=runs,
        experiments=tally.experiments / runs,
        quality=quality.mean().item(),
        quality_se=_standard_error(quality),
        own=None if own is None else own.mean().item(),
        own_se=None if own is None else _standard_error(own),
        decision_seconds=tally.deciding / decisions,
        update_seconds=tally.updating / decisions,
    )


def _tell(progress: Progress, before: int, count: int, share: float) -> None:
    progress(before + share * count)


def _investigate(
    comparison: Comparison, policy: Policy, tally: _Tally, *, block: int, runs: int, progress: Progress
) -> None:
    model = comparison.model
    steps, worlds = simulated_block(
        model,
        policy,
        runs=runs,
        seed=comparison.seed,
        block=block,
        budget=comparison.budget,
        settings=comparison.settings,
    )
    state, gained = steps.begin(runs), torch.zeros(runs, dtype=torch.float64)
    while bool(state.active.any()):
        state = _timed_turn(steps, state, tally)
        history = state.belief.history
        assert state.log_predictive is not None
        newest = history.designs[:, -1], history.outcomes[:, -1]
        gained += information(model, worlds, *newest, state.log_predictive)
        progress((state.spent / comparison.budget).mean().item())
    regret = score(model, worlds, steps.answer(state))
    tally.quality.append(gained if regret is None else regret)
    if regret is not None and policy.name != "expected-information-gain":
        own = score(model, worlds, Answer(recommendation=_own(steps, policy, state)))
        assert own is not None
        tally.own.append(own)


def _timed_turn(steps: BlockSteps, state: BlockState, tally: _Tally) -> BlockState:
    """One step of a block; CPU time, since the wall's would measure who else is at work."""
    tally.experiments += int(state.active.sum())
    started = time.thread_time()
    state = steps.design(steps.hypothesise(state))
    decided = time.thread_time()
    state = steps.experiment(state)
    updating = time.thread_time()
    state = steps.update(state)
    tally.deciding += decided - started
    tally.updating += time.thread_time() - updating
    return steps.decide(state)


def _own(steps: BlockSteps, policy: Policy, state: BlockState) -> Tensor:
    """What the designs and outcomes alone recommend, by the policy's own regression [runs, columns]."""
    generator = stream(steps.seed, steps.block, state.step, "answer")
    if policy.name == "botorch-qlognei":
        from meta_learner.peers.noisy_expected_improvement import recommend

        return recommend(steps.model, state.belief.history, generator.initial_seed() % 2**31)
    return lawless.recommend(steps.model, state.belief.history, generator)


def _standard_error(values: Tensor) -> float:
    return values.std().item() / math.sqrt(len(values)) if len(values) > 1 else math.nan
