"""Bounds on the information that designs and outcomes hold about the hypothesis. All in nats, one value a run.

h = (ξ_1, y_1 … ξ_T, y_T), θ_0 the truth (mechanism and parameters), ℓ_l = Σ_t log p(y_t | θ_l, ξ_t). In expectation
over θ_0, h and the contrasts θ_1 … θ_L:

- ``spce`` = ℓ_0 − log Σ_{l=0..L} e^{ℓ_l} + log(L+1) ≤ I, contrasts from the prior; never above log(L+1).
  Sequential prior contrastive estimation: Foster, Ivanova, Malik & Rainforth 2021, Deep Adaptive Design, ICML.
- ``snmc`` = ℓ_0 − log Σ_{l=1..L} e^{ℓ_l} + log L ≥ I, contrasts from the prior. Sequential nested Monte Carlo: there.
- ``sace`` = ℓ_0 − log (1/(L+1)) Σ_{l=0..L} e^{ℓ_l} p(θ_l)/q(θ_l | h) ≤ I, contrasts from q; not capped by log(L+1)
  where q is close to the posterior. Adaptive contrastive estimation: Foster, Jankowiak, O'Meara, Teh & Rainforth
  2020, A unified stochastic gradient approach, AISTATS; sequential: Foster et al. 2021, appendix B.
- ``svnmc`` = ℓ_0 − log (1/L) Σ_{l=1..L} e^{ℓ_l} p(θ_l)/q(θ_l | h) ≥ I, the same contrasts. Variational nested Monte
  Carlo: Foster et al. 2019, Variational Bayesian Optimal Experimental Design, NeurIPS.

I = E[log p(h | θ_0) − log p(h)] is the expected information of the policy. Contrasts from the prior are shared by all
runs: they are independent of every run's θ_0 and h, so that each run's value is a bound in expectation as it would be
with contrasts of its own, and so is the mean over runs.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.worlds import DomainModel
from meta_learner.belief import Belief, History
from meta_learner.evaluation.likelihoods import Likelihoods
from meta_learner.evaluation.proposal import Proposal
from meta_learner.evaluation.truths import Truths
from meta_learner.streams import stream

CHUNK = 65_536  # contrasts drawn from one stream
_SAMPLE = 1024
_NEGLIGIBLE = 45.0  # nats


@dataclass(frozen=True)
class Pair:
    """A lower and an upper bound of every run [runs]."""

    lower: Tensor
    upper: Tensor


def truth_terms(likelihoods: Likelihoods, truths: Truths) -> Tensor:
    """ℓ_0 [runs]."""
    result = torch.empty(len(truths.worlds.mechanism), dtype=torch.float64)
    for run, mechanism in enumerate(truths.worlds.mechanism.tolist()):
        own = {name: value[run : run + 1] for name, value in truths.worlds.parameters[mechanism].items()}
        result[run] = likelihoods.of_run(run, mechanism, own)[0]
    return result


def chunks(contrasts: int) -> int:
    """How many chunks hold so many contrasts."""
    return -(-contrasts // CHUNK)


def prior_sum(
    model: DomainModel, likelihoods: Likelihoods, truth: Tensor, *, contrasts: int, seed: int, chunk: int
) -> Tensor:
    """log Σ e^{ℓ_l} [runs] over the contrasts of one chunk, drawn from the prior: mechanism by its weight, then z.

    Contrasts that are 45 nats below the truth and below the sum so far are left out: 1e7 of them together change
    neither bound by more than 3e-13. truth [runs]: ℓ_0.
    """
    count = min(CHUNK, contrasts - chunk * CHUNK)
    generator = stream(seed, chunk, 0, "contrast")
    mechanism = randomness.choices(model.log_weights.exp(), count, generator)
    total = torch.full_like(truth, -torch.inf)
    for index, size in enumerate(mechanism.bincount(minlength=len(model.mechanisms)).tolist()):
        law = model.mechanisms[index]
        for z in _parts(law.sample_prior((size,), generator), likelihoods.points_at_once):
            floor = torch.minimum(truth, total) - _NEGLIGIBLE
            terms = likelihoods.log_sum(index, law.parameters(z), floor)
            copies = len(z) if law.dims == 0 else 1  # a law without unknowns is one point, drawn so many times
            total = torch.logaddexp(total, terms + math.log(copies))
    return total


def _parts(z: Tensor, size: int) -> list[Tensor]:
    """z [points, dims] in parts; the first is small, after which the sum so far is known."""
    first = z[:_SAMPLE]
    rest = z[_SAMPLE:]
    return [part for part in (first, *rest.split(size)) if len(part)]


def contrastive(truth: Tensor, others: Tensor, contrasts: int) -> Pair:
    """sPCE and sNMC from ℓ_0 [runs] and log Σ_{l=1..L} e^{ℓ_l} [runs] of L contrasts from the prior."""
    lower = truth - torch.logaddexp(truth, others) + math.log(contrasts + 1)
    return Pair(lower, truth - others + math.log(contrasts))


def adaptive(
    model: DomainModel,
    truths: Truths,
    belief: Belief,
    *,
    contrasts: int,
    generator: torch.Generator,
) -> Pair:
    """sACE and sVNMC of a block, with ``contrasts`` of every run from a proposal fitted to the belief at its end."""
    likelihoods = Likelihoods(model, belief.history, grouped=False)
    proposal = Proposal(model, belief, generator)
    truth = truth_terms(likelihoods, truths)
    lower, upper = torch.empty_like(truth), torch.empty_like(truth)
    for run, mechanism in enumerate(truths.worlds.mechanism.tolist()):
        z = truths.z[mechanism][run : run + 1]
        own = truth[run] + log_ratio(model, proposal, run, mechanism, z)[0]
        terms = [
            likelihoods.of_run(run, index, model.mechanisms[index].parameters(each))
            + log_ratio(model, proposal, run, index, each)
            for index, each in proposal.draw(run, contrasts, generator)
            if len(each)
        ]
        others = torch.cat(terms).logsumexp(0)
        lower[run] = truth[run] - torch.logaddexp(own, others) + math.log(contrasts + 1)
        upper[run] = truth[run] - others + math.log(contrasts)
    return Pair(lower, upper)


def log_ratio(model: DomainModel, proposal: Proposal, run: int, mechanism: int, z: Tensor) -> Tensor:
    """log p(θ)/q(θ | h) [points]; -inf where the prior has no mass."""
    prior = model.log_weights[mechanism] + model.mechanisms[mechanism].log_prior(z)
    return prior - proposal.log_density(run, mechanism, z)


def histories(parts: list[History]) -> History:
    """Blocks of runs as one; those that ended sooner are filled up with outcomes that are missing."""
    steps = max(part.steps for part in parts)
    padded = [
        (_filled(part.designs, steps - part.steps, 0.0), _filled(part.outcomes, steps - part.steps, torch.nan))
        for part in parts
    ]
    return History(torch.cat([designs for designs, _ in padded]), torch.cat([outcomes for _, outcomes in padded]))


def _filled(values: Tensor, steps: int, value: float) -> Tensor:
    return torch.cat([values, values.new_full((values.shape[0], steps, values.shape[2]), value)], dim=1)
