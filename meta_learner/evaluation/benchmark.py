"""A policy's benchmark on a domain: many simulated runs, and bounds on what their experiments say about the truth.

Two kinds of work, both in parts that processes share: blocks of runs are played, and chunks of contrasts from the prior
are judged under all runs' experiments. Results do not depend on how many processes there are.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, History
from meta_learner.evaluation.bounds import adaptive, chunks, contrastive, histories, prior_sum, truth_terms
from meta_learner.evaluation.investigated import check_budget, simulated_block
from meta_learner.evaluation.likelihoods import Likelihoods
from meta_learner.evaluation.processes import Tell, silent, work
from meta_learner.evaluation.truths import draw_truths
from meta_learner.laboratory import information
from meta_learner.policies.base import Policy
from meta_learner.policies.random import Random
from meta_learner.policies.sobol import Sobol
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.streams import stream

BLIND: tuple[type[Policy], ...] = (Random, Sobol)  # policies that do not look at the belief
_AT_CAP = 0.01  # nats below log(L+1)

Told = Callable[[str, float], None]  # what is being done, and the share of it that is


@dataclass(frozen=True)
class Setup:
    """What is measured. budget: None for the domain's own; contrasts: L of sPCE and sNMC; proposals: L of sACE and
    sVNMC; blind: keep no belief (for policies that do not look at it), so that only sPCE and sNMC are had."""

    domain: Domain
    policy: Policy
    runs: int = 500
    seed: int = 2026
    contrasts: int = 100_000
    proposals: int = 4_000
    budget: float | None = None
    block_runs: int = 25
    settings: BeliefSettings = field(default_factory=BeliefSettings)
    blind: bool = False

    @property
    def spends(self) -> float:
        return self.domain.budget if self.budget is None else self.budget

    @property
    def blocks(self) -> list[int]:
        """The number of runs of every block."""
        return [min(self.block_runs, self.runs - first) for first in range(0, self.runs, self.block_runs)]

    @property
    def row(self) -> dict[str, Any]:
        """What a row says of it; None for what is of beliefs where none is kept."""
        return {
            "domain": self.domain.name,
            "identity": self.domain.identity,
            "policy": self.policy.name,
            "runs": self.runs,
            "budget": self.spends,
            "seed": self.seed,
            "contrasts": self.contrasts,
            "block_runs": self.block_runs,
            "proposals": None if self.blind else self.proposals,
            "particles": None if self.blind else self.settings.particles,
            "moves": None if self.blind else self.settings.moves,
        }


@dataclass(frozen=True)
class Estimate:
    """A mean over runs and its standard error; values that are not finite make it so."""

    mean: float
    se: float


@dataclass(frozen=True)
class Measured:
    """One policy's row. Estimates in nats a run; None where there is no belief with particles to make them from.

    information: what the belief itself gained on the truth, Σ log p(y | truth) − log p(y | belief before); capped: the
    share of runs whose sPCE is within 0.01 of log(L+1); failed: runs whose belief came to rule out what happened;
    decision_seconds: of one run, in blocks of block_runs; seconds: of everything, all processes together; experiments:
    the most that a run made.
    """

    domain: str
    identity: str
    policy: str
    runs: int
    budget: float
    experiments: int
    seed: int
    contrasts: int
    proposals: int | None
    block_runs: int
    particles: int | None
    moves: int | None
    spce: Estimate
    snmc: Estimate
    sace: Estimate | None
    svnmc: Estimate | None
    information: Estimate | None
    capped: float
    failed: int
    decision_seconds: float
    playing_seconds: float
    bounding_seconds: float


@dataclass(frozen=True)
class Played:
    """A block at its end, on the CPU. lower, upper [runs]: sACE and sVNMC; gained [runs]: the belief's information."""

    history: History
    truth: Tensor
    gained: Tensor | None
    lower: Tensor | None
    upper: Tensor | None
    deciding: float
    decisions: int
    seconds: float


class BlindSteps(BlockSteps):
    """A block whose belief stays the prior's, for policies that do not look at it: the same designs, sooner."""

    def absorb(self, belief: Belief, designs: Tensor, outcomes: Tensor) -> Belief:
        return replace(belief, history=belief.history.append(designs, outcomes))


def measure(setup: Setup, *, processes: int = 1, tell: Told = lambda _what, _share: None) -> Measured:
    """Play all runs of a policy and bound what they learned; DomainError where the budget pays for no experiment."""
    check_budget(DomainModel(setup.domain), setup.spends)
    blocks = range(len(setup.blocks))
    played = work(partial(_play_job, setup), blocks, processes, partial(tell, "investigating"))
    history = histories([block.history for block in played])
    truth = torch.cat([block.truth for block in played])
    parts = range(chunks(setup.contrasts))
    sums = work(partial(_sum_job, setup, history, truth), parts, processes, partial(tell, "contrasting"))
    others = torch.stack([each for each, _ in sums]).logsumexp(0)
    pair = contrastive(truth, others, setup.contrasts)
    return Measured(
        **setup.row,
        experiments=history.steps,
        spce=_estimate(pair.lower),
        snmc=_estimate(pair.upper),
        sace=_joint([block.lower for block in played]),
        svnmc=_joint([block.upper for block in played]),
        information=_joint([block.gained for block in played]),
        capped=(pair.lower > math.log(setup.contrasts + 1) - _AT_CAP).double().mean().item(),
        failed=sum(int((~block.gained.isfinite()).sum()) for block in played if block.gained is not None),
        decision_seconds=sum(block.deciding for block in played) / max(1, sum(block.decisions for block in played)),
        playing_seconds=sum(block.seconds for block in played),
        bounding_seconds=sum(seconds for _, seconds in sums),
    )


def play(setup: Setup, model: DomainModel, block: int, tell: Tell = silent) -> Played:
    """One block of runs, to the end of its budget."""
    started, runs = time.perf_counter(), setup.blocks[block]
    truths = draw_truths(model, runs, stream(setup.seed, block, 0, "world"))
    kind, settings = (BlindSteps, BeliefSettings(particles=2)) if setup.blind else (BlockSteps, setup.settings)
    steps, _ = simulated_block(
        model,
        setup.policy,
        runs=runs,
        seed=setup.seed,
        block=block,
        budget=setup.spends,
        settings=settings,
        worlds=truths.worlds,
        kind=kind,
    )
    gained = torch.zeros(runs, dtype=torch.float64)
    deciding, decisions = 0.0, 0
    state = steps.begin(runs)
    for state in rollout(steps, runs):
        deciding, decisions = deciding + state.seconds, decisions + int(state.performed.sum())
        gained += _gain(model, truths.worlds, state)
        tell(float((state.spent / setup.spends).amin()))
    pair = None
    if not setup.blind and state.belief.populations:
        proposing = stream(setup.seed, block, state.step, "proposal")
        pair = adaptive(model, truths, state.belief, contrasts=setup.proposals, generator=proposing)
    return Played(
        history=_moved(state.belief.history, torch.device("cpu")),
        truth=truth_terms(Likelihoods(model, state.belief.history, grouped=False), truths).cpu(),
        gained=None if setup.blind else gained.cpu(),
        lower=None if pair is None else pair.lower.cpu(),
        upper=None if pair is None else pair.upper.cpu(),
        deciding=deciding,
        decisions=decisions,
        seconds=time.perf_counter() - started,
    )


def _gain(model: DomainModel, worlds: Any, state: BlockState) -> Tensor:
    assert state.log_predictive is not None
    newest = state.belief.history
    return information(model, worlds, newest.designs[:, -1], newest.outcomes[:, -1], state.log_predictive)


def _estimate(values: Tensor) -> Estimate:
    error = values.std().item() / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Estimate(values.mean().item(), error)


def _joint(parts: list[Tensor | None]) -> Estimate | None:
    known = [part for part in parts if part is not None]
    return _estimate(torch.cat(known)) if known else None


def _play_job(setup: Setup, block: int, tell: Tell) -> Played:
    return play(setup, DomainModel(setup.domain), block, tell)


def _sum_job(setup: Setup, history: History, truth: Tensor, chunk: int, tell: Tell) -> tuple[Tensor, float]:
    del tell
    started = time.perf_counter()
    model = DomainModel(setup.domain)
    here = torch.get_default_device()
    likelihoods = Likelihoods(model, _moved(history, here))
    others = prior_sum(model, likelihoods, truth.to(here), contrasts=setup.contrasts, seed=setup.seed, chunk=chunk)
    return others.cpu(), time.perf_counter() - started


def _moved(history: History, device: torch.device) -> History:
    return History(history.designs.to(device), history.outcomes.to(device))
