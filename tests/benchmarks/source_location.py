"""Report: the loop on ``source-location``, against random designs. Run with: make benchmark

Information per run (nats gained by the belief about the truth) and, as its check, sPCE: a lower bound on the
information in the designs and outcomes that knows nothing of our beliefs,
sPCE = ℓ_0 − logsumexp(ℓ_0 … ℓ_L) + log(L + 1), ℓ_l = Σ_t log p(y_t | θ_l, ξ_t), θ_0 the truth, θ_1 … θ_L from the prior
(Foster et al. 2021). It cannot exceed log(L + 1).
"""

import json
import math
import sys
import time
from dataclasses import asdict, dataclass

import torch

from domains.loading import find
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import BeliefSettings, History
from meta_learner.laboratory import Simulation, information
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.streams import stream

CONTRASTS = 200_000
_CHUNK = 20_000


@dataclass(frozen=True)
class Report:
    """One policy's row: means with standard errors over runs; seconds per decision of one run, on one core."""

    policy: str
    runs: int
    information: float
    information_se: float
    spce: float
    spce_se: float
    at_cap: float
    decision_seconds: float
    total_seconds: float


def measure(policy: str, *, runs: int, block_runs: int = 25, seed: int = 2026) -> Report:
    """Investigate ``runs`` worlds with a policy, in blocks."""
    model = DomainModel(find("source-location"))
    started = time.perf_counter()
    gained, bounds, deciding, decisions = [], [], 0.0, 0
    for block in range(-(-runs // block_runs)):
        count = min(block_runs, runs - block * block_runs)
        laboratory = Simulation(model, seed=seed, block=block, runs=count)
        steps = BlockSteps(
            model, POLICIES[policy](), laboratory, budget=30, seed=seed, block=block, settings=BeliefSettings()
        )
        assert laboratory.worlds is not None
        total = torch.zeros(count, dtype=torch.float64)
        for state in rollout(steps, count):
            history = state.belief.history
            assert state.log_predictive is not None
            newest = history.designs[:, -1], history.outcomes[:, -1]
            total += information(model, laboratory.worlds, *newest, state.log_predictive)
            deciding, decisions = deciding + state.seconds, decisions + count
        gained.append(total)
        bounds.append(spce(model, laboratory.worlds, history, seed))
    nats, bound = torch.cat(gained), torch.cat(bounds)
    cap = math.log(CONTRASTS + 1)
    root = math.sqrt(runs)
    return Report(
        policy,
        runs,
        nats.mean().item(),
        nats.std().item() / root,
        bound.mean().item(),
        bound.std().item() / root,
        (bound > cap - 0.01).double().mean().item(),
        deciding / decisions,
        time.perf_counter() - started,
    )


def spce(model: DomainModel, worlds: Worlds, history: History, seed: int) -> torch.Tensor:
    """sPCE [runs] with CONTRASTS draws from the prior."""
    law = model.mechanisms[0]
    contrasts = law.parameters(law.sample_prior((CONTRASTS,), stream(seed, 10**6, 0, "prior")))
    result = []
    for run in range(history.designs.shape[0]):
        designs, outcomes = history.designs[run, None], history.outcomes[run, None]
        truth = {name: value[run].reshape(1, 1) for name, value in worlds.parameters[0].items()}
        terms = [law.log_likelihood(truth, designs, outcomes).sum(-1)]
        for start in range(0, CONTRASTS, _CHUNK):
            part = {name: value[start : start + _CHUNK, None] for name, value in contrasts.items()}
            terms.append(law.log_likelihood(part, designs, outcomes).sum(-1))
        each = torch.cat(terms)
        result.append(each[0] - each.logsumexp(0) + math.log(CONTRASTS + 1))
    return torch.stack(result)


def main() -> None:
    """Print a JSON line a policy."""
    torch.set_num_threads(1)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for policy in ("random", "sobol", "expected-information-gain"):
        print(json.dumps(asdict(measure(policy, runs=runs))), flush=True)


if __name__ == "__main__":
    main()
