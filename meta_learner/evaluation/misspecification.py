"""How often the agent notices that no law of its domain is true, and how often it says so where one is.

Beside the share of runs noticed, the share in which one could notice who knew the true law: its evidence against that
of the laws believed in, p(outcomes | true law) ÷ p(outcomes | laws believed in), which is the best of all e-processes
against these laws (the largest expected logarithm: Kelly 1956; Grünwald, de Heide & Koolen 2024), at the same odds of
20 to 1. Where that is low, rivals mimic the truth within the budget, and nobody can tell.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy
import torch
from torch import Tensor

from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.criticism import FALSE_ALARMS
from meta_learner.evaluation.assurance import wilson
from meta_learner.evaluation.investigated import domain_seed
from meta_learner.evaluation.misspecified import Case
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.smc import update
from meta_learner.streams import stream

COLUMNS = (
    "domain", "case", "runs", "noticed", "interval95", "noticed by who knows the true law", "median log E",
    "median log odds of the true law", "median experiments to notice",
)  # fmt: skip
_BLOCK = 20


@dataclass(frozen=True)
class Plan:
    """How the campaigns are run."""

    runs: int = 100
    policy: str = "expected-information-gain"
    seed: int = 2026
    particles: int = 2000


@dataclass(frozen=True)
class Noticed:
    """Of one case, per run: peak of log E; peak of the log odds of the true law against those believed in (NaN where
    no law is true); when the alarm was raised (experiments; NaN: never)."""

    peak: Tensor
    oracle: Tensor
    after: Tensor

    @property
    def alarms(self) -> Tensor:
        return ~self.after.isnan()


Progress = Callable[[int], None]  # how many runs are done


def investigate(case: Case, plan: Plan, progress: Progress = lambda _: None) -> Noticed:
    """All runs of a case, at the domain's budget."""
    parts = []
    for block, first in enumerate(range(0, plan.runs, _BLOCK)):
        parts.append(_block(case, plan, block, min(_BLOCK, plan.runs - first)))
        progress(min(plan.runs, first + _BLOCK))
    return Noticed(*(torch.cat([getattr(part, name) for part in parts]) for name in ("peak", "oracle", "after")))


def _block(case: Case, plan: Plan, block: int, runs: int) -> Noticed:
    plan = replace(plan, seed=domain_seed(f"{case.domain}/{case.what}", plan.seed))  # else all cases share their luck
    settings = BeliefSettings(particles=plan.particles)
    steps = BlockSteps(
        case.believed,
        POLICIES[plan.policy](),
        case.laboratory(plan.seed, block, runs),
        budget=case.believed.domain.budget,
        seed=plan.seed,
        block=block,
        settings=settings,
    )
    oracle = _Oracle(case, plan, block, runs)
    after = torch.full((runs,), torch.nan, dtype=torch.float64)
    state = steps.begin(runs)
    for state in rollout(steps, runs):
        after = torch.where(after.isnan() & state.belief.surprised, float(state.step), after)
        oracle.see(state.belief)
    return Noticed(state.belief.criticism.peak, oracle.peak, after)


class _Oracle:
    """Who knows the true law, though not its parameters."""

    def __init__(self, case: Case, plan: Plan, block: int, runs: int) -> None:
        self._model, self._stream = case.truth, lambda step: stream(plan.seed, block, step, "update")
        self._settings = BeliefSettings(particles=plan.particles)
        self._belief: Belief | None = None
        self.peak = torch.full((runs,), torch.nan, dtype=torch.float64)
        if case.noticeable and not case.mixed_up:
            self._belief = prior_belief(case.truth, runs, self._settings, self._stream(0))
            self.peak = torch.zeros(runs, dtype=torch.float64)

    def see(self, belief: Belief) -> None:
        """The newest experiment of ``belief``, and the odds against it."""
        if self._belief is None:
            return
        designs, outcomes = belief.history.designs[:, -1], belief.history.outcomes[:, -1]
        generator = self._stream(self._belief.history.steps)
        self._belief = update(
            self._model, self._belief, designs, outcomes, settings=self._settings, generator=generator
        )  # fmt: skip
        odds = self._belief.log_evidence - belief.log_evidence
        self.peak = torch.maximum(self.peak, odds.nan_to_num(nan=0.0, posinf=1e3))


def row(case: Case, found: Noticed) -> dict[str, Any]:
    """One line of the table."""
    runs, alarms = len(found.peak), int(found.alarms.sum())
    known = found.oracle[~found.oracle.isnan()]
    seen = sorted(found.after[found.alarms].tolist())
    return {
        "domain": case.domain,
        "case": case.what,
        "misspecified": case.noticeable,
        "runs": runs,
        "noticed": alarms / runs,
        "interval95": interval(alarms, runs),
        "noticed by who knows the true law": _share(known >= -math.log(FALSE_ALARMS)),
        "median log E": found.peak.median().item(),
        "median log odds of the true law": known.median().item() if len(known) else None,
        "median experiments to notice": median(seen) if seen else None,
    }


def totals(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All runs in which a law left out was true, all wrong by construction, and all in which the domain held it."""
    for what, chosen in (
        ("all laws left out", [r for r in rows if r["misspecified"] and "left out" in r["case"]]),
        ("all wrong by construction", [r for r in rows if r["misspecified"] and "left out" not in r["case"]]),
        ("all false alarms", [r for r in rows if not r["misspecified"]]),
    ):
        runs = sum(r["runs"] for r in chosen)
        alarms = round(sum(r["runs"] * r["noticed"] for r in chosen))
        if runs:
            yield {
                "domain": "",
                "case": what,
                "runs": runs,
                "noticed": alarms / runs,
                "interval95": interval(alarms, runs),
            }


def interval(hits: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    low, high = wilson(numpy.array([hits], dtype=numpy.float64), runs)
    return low.item(), high.item()


def _share(hits: Tensor) -> float | None:
    return hits.to(torch.float64).mean().item() if len(hits) else None
