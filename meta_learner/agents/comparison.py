"""An agent beside another policy: both investigate the same worlds, with the same noise and budget.

What a run gains, larger for the better, by the domain's goal:

- learn: nats about the whole hypothesis, by the lower bound ``sACE`` (``meta_learner.evaluation.bounds``), which
  trusts no belief and, unlike sPCE, has no cap under which differences would vanish;
- discriminate: ``law``, log P(true law | data) − log P(true law), nats, probabilities below 1e-4 counting as that;
- predict, maximise, minimise: 1 − the goal's ``score``: the share of what there was to gain.

Differences are of the same run, so that what worlds and noise do to both cancels.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.agents.card import GREEDY, AgentError, Document, HeldOut, Measure
from meta_learner.agents.loading import load_policy
from meta_learner.agents.store import Store, Stored
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.bounds import adaptive
from meta_learner.evaluation.investigated import check_budget, domain_seed, simulated_block
from meta_learner.evaluation.processes import Tell, silent, work
from meta_learner.evaluation.results import provenance
from meta_learner.evaluation.truths import Truths, draw_truths
from meta_learner.goals import score
from meta_learner.policies import POLICIES
from meta_learner.policies.base import Policy
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.streams import stream

_LEAST_LOG = math.log(1e-4)
Array = NDArray[numpy.float64]


@dataclass(frozen=True)
class Setting:
    """What is compared on. budget: None for the domain's own; proposals: L of sACE."""

    domain: Domain
    against: str = GREEDY
    runs: int = 100
    seed: int = 2026
    budget: float | None = None
    particles: int = 2000
    proposals: int = 4000
    block_runs: int = 25

    @property
    def spends(self) -> float:
        return self.domain.budget if self.budget is None else self.budget

    @property
    def stream_seed(self) -> int:
        """A seed of the domain's own: results on several domains are pooled."""
        return domain_seed(self.domain.name, self.seed)

    @property
    def blocks(self) -> list[int]:
        """The number of runs of every block."""
        return [min(self.block_runs, self.runs - first) for first in range(0, self.runs, self.block_runs)]


@dataclass(frozen=True)
class Played:
    """What a policy did in a block's worlds: gain and experiments [runs]; deciding: seconds of all its decisions."""

    gain: Array
    experiments: Array
    deciding: float


@dataclass(frozen=True)
class _Order:
    """A comparison for another process: where the agent lies, and which weights."""

    setting: Setting
    store: Store
    name: str
    sha256: str


def compare(store: Store, stored: Stored, setting: Setting, *, processes: int = 1, tell: Tell = silent) -> HeldOut:
    """The held-out result of an agent on a domain; AgentError or DomainError where it cannot be had."""
    model = DomainModel(setting.domain)
    check_budget(model, setting.spends)
    load_policy(stored, model)
    order = _Order(setting, store, stored.name, stored.card.weights.sha256)
    pairs = work(partial(_job, order), range(len(setting.blocks)), processes, tell)
    mine, others = (_joined([pair[which] for pair in pairs]) for which in (0, 1))
    failed = int((~numpy.isfinite(mine.gain) | ~numpy.isfinite(others.gain)).sum())
    if failed:
        raise AgentError(
            f"in {failed} of {setting.runs} runs on {setting.domain.name} the belief came to rule out what happened; "
            "more particles may mend it (--particles)"
        )
    return _result(stored, setting, mine, others, provenance(str(torch.get_default_device()), processes))


def measure_of(domain: Domain) -> Measure:
    """What a gain is, under a domain's goal."""
    measures: dict[str, Measure] = {"learn": "sACE", "discriminate": "law"}
    return measures.get(domain.goal.kind, "score")


def set_up(model: DomainModel, policy: Policy, setting: Setting, block: int) -> tuple[Truths, BlockSteps]:
    """The worlds of a block of runs [runs], which do not depend on the policy, and the steps that investigate them."""
    runs, seed = setting.blocks[block], setting.stream_seed
    truths = draw_truths(model, runs, stream(seed, block, 0, "world"))
    steps, _ = simulated_block(
        model,
        policy,
        runs=runs,
        seed=seed,
        block=block,
        budget=setting.spends,
        settings=BeliefSettings(particles=setting.particles),
        worlds=truths.worlds,
    )
    return truths, steps


def play(model: DomainModel, policy: Policy, setting: Setting, block: int, tell: Tell = silent) -> Played:
    """A block of runs by one policy, to the end of the budget."""
    truths, steps = set_up(model, policy, setting, block)
    runs = setting.blocks[block]
    state, deciding = steps.begin(runs), 0.0
    experiments = torch.zeros_like(state.spent)
    for state in rollout(steps, runs):
        deciding += state.seconds
        experiments += state.performed
        tell(float((state.spent / setting.spends).amin()))
    gain = gained(steps, truths, state, setting.proposals)
    return Played(gain.cpu().numpy(), experiments.cpu().numpy(), deciding)


def gained(steps: BlockSteps, truths: Truths, state: BlockState, proposals: int) -> Tensor:
    """Of every run [runs], under the domain's goal."""
    model = steps.model
    measure = measure_of(model.domain)
    if measure == "sACE":
        proposing = stream(steps.seed, steps.block, 0, "proposal")
        return adaptive(model, truths, state.belief, contrasts=proposals, generator=proposing).lower
    if measure == "law":
        law = truths.worlds.mechanism
        believed = state.belief.log_probability.gather(1, law[:, None])[:, 0]
        return believed.clamp_min(_LEAST_LOG) - model.log_weights[law]
    scored = score(model, truths.worlds, steps.answer(state))
    assert scored is not None
    return 1.0 - scored


def _job(order: _Order, block: int, tell: Tell) -> tuple[Played, Played]:
    setting = order.setting
    model = DomainModel(setting.domain)
    stored = order.store.find(order.name, order.sha256)
    policies = (load_policy(stored, model), POLICIES[setting.against]())
    shares = (lambda share: tell(share / 2), lambda share: tell((1 + share) / 2))
    first, second = (play(model, policy, setting, block, told) for policy, told in zip(policies, shares, strict=True))
    return first, second


def _joined(parts: list[Played]) -> Played:
    return Played(
        numpy.concatenate([part.gain for part in parts]),
        numpy.concatenate([part.experiments for part in parts]),
        sum(part.deciding for part in parts),
    )


def _result(stored: Stored, setting: Setting, mine: Played, others: Played, about: dict[str, Any]) -> HeldOut:
    difference = mine.gain - others.gain
    error = float(difference.std(ddof=1)) / math.sqrt(setting.runs)
    margin = float(student.ppf(0.975, setting.runs - 1)) * error
    mean = float(difference.mean())
    machine = about["machine"]
    return HeldOut(
        domain=Document(name=setting.domain.name, identity=setting.domain.identity),
        goal=setting.domain.goal.kind,
        measure=measure_of(setting.domain),
        against=setting.against,
        weights=stored.card.weights.sha256,
        runs=setting.runs,
        budget=setting.spends,
        seed=setting.seed,
        particles=setting.particles,
        gain=float(mine.gain.mean()),
        other_gain=float(others.gain.mean()),
        difference=mean,
        standard_error=error,
        interval=(mean - margin, mean + margin),
        experiments=float(mine.experiments.mean()),
        other_experiments=float(others.experiments.mean()),
        decision_ms=_per_decision(mine),
        other_decision_ms=_per_decision(others),
        machine=f"{machine['processor']}, {machine['device']}, one thread, torch {machine['torch']}",
        commit=about["commit"],
        date=about["date"],
    )


def _per_decision(played: Played) -> float:
    return 1000.0 * played.deciding / max(1.0, float(played.experiments.sum()))
