"""What experiments can tell before any was made: which designs tell anything, and which laws can be told apart.

Which of two laws holds, both equally likely: I = ½ Σ over the two of E[log p(y | law) − log p(y)], p(y) their mean (the
Jensen–Shannon divergence of their prior predictives; at most log 2 = 0.693 nats). p(y | law) averages over hypotheses
drawn from the law's prior but the one that gave y, so that two laws that say the same come out at or below 0.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.examination.simulation import Region, region
from meta_learner.hypotheses import Hypotheses, draw_hypotheses
from meta_learner.information import likelihoods
from meta_learner.streams import stream

_CANDIDATES = 128
_FINALISTS = 4
_USELESS = 0.01  # of the best design's information
_NOISE = 3.0  # standard errors: below, a mean of 16 is not told from 0 (one-sided, α < 0.5 %)
_LEAST = -3.0  # nats that one draw counts for: rarer than one in forty, and little is cut off
_STEADY = -math.log(2.0)  # cuts more off, for noise no larger below 0 than above
_TOGETHER = 8  # experiments of which it is asked whether at least all of them together tell


@dataclass(frozen=True)
class Sample:
    """How finely information is estimated: replicates, each with so many hypotheses a law, so many giving outcomes."""

    replicates: int
    hypotheses: int
    draws: int


_COARSE = Sample(1, 128, 32)
_CHOOSING = Sample(8, 128, 64)
_MEASURING = Sample(16, 1024, 64)
_INCREASED = Sample(16, 2048, 64)
_INTEGRATED = Sample(16, 512, 64)  # where a prediction is the solution of differential equations
_JOINTLY = Sample(16, 2048, 64)


@dataclass(frozen=True)
class Estimate:
    """A mean over replicates and its standard error, nats."""

    nats: float
    error: float

    @property
    def noise(self) -> bool:
        """Whether it cannot be told from 0."""
        return self.nats < _NOISE * self.error or self.nats <= 0


@dataclass(frozen=True)
class Candidates:
    """How candidate designs compare: useless, the share that tells less than 1 % of the best one about the whole
    hypothesis; where, the setting by which these differ most."""

    useless: float
    where: Region | None


@dataclass(frozen=True)
class Rivals:
    """What experiments can tell about which of two laws holds.

    single: one experiment at the best design found; together: eight at designs spread evenly, measured only where a
    single one tells nothing.
    """

    laws: tuple[str, str]
    design: dict[str, float | str]
    single: Estimate
    together: Estimate | None

    @property
    def alike(self) -> bool:
        """Whether nothing tells the two apart."""
        return self.single.noise and (self.together is None or self.together.noise)


@dataclass(frozen=True)
class Screening:
    """Candidate designs [candidates, columns], what each tells about everything [candidates] and, by pair of laws,
    about which of the two holds [candidates], nats; coarse."""

    designs: Tensor
    everything: Tensor
    pairs: dict[tuple[int, int], Tensor]


def screen(domain: Domain) -> Screening:
    """What candidate designs tell, from one table of predictions, the laws taken as equally likely."""
    laws = range(len(domain.mechanisms))
    model = _among(domain, tuple(laws))
    designs = model.space.sobol(_CANDIDATES, stream(0, 0, 0, "design"))
    hypotheses, draws = _hypotheses(model, _COARSE, 0, 0)
    every = likelihoods(model, hypotheses, designs[None], draws=draws, generator=stream(0, 0, 0, "noise"))
    gain = math.log(every.shape[2]) - every.logsumexp(2)
    everything = gain.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).mean(1)[0]
    evidence = _evidence(every, hypotheses, len(laws))
    pairs = [(i, j) for i in laws for j in laws if i < j]
    return Screening(designs, everything, {pair: _divergence(evidence, hypotheses, pair, _STEADY)[0] for pair in pairs})


def candidates(model: DomainModel, screening: Screening) -> Candidates:
    """The share of designs that tell next to nothing, and where they lie."""
    useless = screening.everything < _USELESS * screening.everything.max()
    settings = dict(zip(model.space.names, screening.designs.unbind(-1), strict=True))
    return Candidates(useless.to(torch.float64).mean().item(), region(model, settings, useless))


def rivals(domain: Domain, pair: tuple[int, int], screening: Screening) -> Rivals:
    """How well the two laws with these indices can be told apart."""
    model = _among(domain, pair)
    finalists = screening.designs[screening.pairs[pair].topk(_FINALISTS).indices]
    best = finalists[_single(model, finalists, _CHOOSING, 1, _STEADY).mean(0).argmax()][None]
    single = _estimate(_single(model, best, _INTEGRATED if _integrated(model) else _MEASURING, 2)[:, 0])
    if single.noise:
        single = _estimate(_single(model, best, _INCREASED, 3)[:, 0])
    together = _estimate(_jointly(model, 4)) if single.noise else None
    names = (domain.mechanisms[pair[0]].name, domain.mechanisms[pair[1]].name)
    return Rivals(names, model.space.to_names(best[0]), single, together)


def _among(domain: Domain, laws: tuple[int, ...]) -> DomainModel:
    """The domain with these laws only, equally likely."""
    return DomainModel(replace(domain, mechanisms=tuple(replace(domain.mechanisms[i], weight=1.0) for i in laws)))


def _integrated(model: DomainModel) -> bool:
    return any(mechanism.dynamics for mechanism in model.domain.mechanisms)


def _hypotheses(model: DomainModel, sample: Sample, stage: int, replicate: int) -> tuple[Hypotheses, int]:
    """Hypotheses [1, hypotheses] from the prior, equally many a law, and how many of them give outcomes."""
    laws = len(model.mechanisms)
    belief = prior_belief(model, 1, BeliefSettings(sample.hypotheses), stream(stage, replicate, 0, "prior"))
    generator = stream(stage, replicate, 0, "hypothesise")
    return draw_hypotheses(model, belief, laws * sample.hypotheses, generator), laws * sample.draws


def _single(model: DomainModel, designs: Tensor, sample: Sample, stage: int, least: float = _LEAST) -> Tensor:
    """Information [replicates, designs] of one experiment at each of designs [designs, columns] about which of two
    laws holds. One replicate after the other: the noise of one table is shared by its runs."""
    found = []
    for replicate in range(sample.replicates):
        hypotheses, draws = _hypotheses(model, sample, stage, replicate)
        noise = stream(stage, replicate, 0, "noise")
        every = likelihoods(model, hypotheses, designs[None], draws=draws, generator=noise)
        found.append(_divergence(_evidence(every, hypotheses, 2), hypotheses, (0, 1), least))
    return torch.cat(found)


def _jointly(model: DomainModel, stage: int) -> Tensor:
    """Information [replicates] of several experiments together, at designs of each replicate's own.

    With sharp predictions most draws are explained by few hypotheses, or none, and count for next to ±∞. Bounded as
    far below 0 as above, this noise averages out, and the mean stays at or below 0 for laws that say the same.
    """
    sample = _INTEGRATED if _integrated(model) else _JOINTLY
    found = []
    for replicate in range(sample.replicates):
        hypotheses, draws = _hypotheses(model, sample, stage, replicate)
        designs = model.space.sobol(_TOGETHER, stream(stage, replicate, 0, "design"))[:, None, None]
        noise = stream(stage, replicate, 0, "noise")
        every = sum(likelihoods(model, hypotheses, part, draws=draws, generator=noise) for part in designs)
        assert isinstance(every, Tensor)
        found.append(_divergence(_evidence(every, hypotheses, 2), hypotheses, (0, 1), _STEADY))
    return torch.cat(found)[:, 0]


def _evidence(every: Tensor, hypotheses: Hypotheses, laws: int) -> Tensor:
    """log p(y | law) [runs, draws, laws, designs] from every [runs, draws, hypotheses, designs], without the draw's
    own hypothesis."""
    draws, rows = every.shape[1:3]
    itself = torch.eye(draws, rows, dtype=torch.bool)
    found = []
    for law in range(laws):
        member = (hypotheses.mechanism == law)[:, None] & ~itself
        weight = torch.where(member, 0.0, -torch.inf).to(torch.float64)
        found.append((every + weight[..., None]).logsumexp(2) - member.sum(-1).to(torch.float64).log()[..., None])
    return torch.stack(found, dim=2)


def _divergence(evidence: Tensor, hypotheses: Hypotheses, pair: tuple[int, int], least: float) -> Tensor:
    """Information [runs, designs] about which of two laws holds, from log p(y | law) [runs, draws, laws, designs].

    A draw counts for no less than ``least``, since few hypotheses may come near it, and for 0 if neither law explains
    it.
    """
    both = evidence[:, :, list(pair)]
    mixture = both.logsumexp(2) - math.log(2.0)
    total: Tensor | float = 0.0
    for place, law in enumerate(pair):
        mine = (hypotheses.mechanism[:, : evidence.shape[1]] == law).to(torch.float64)[..., None]
        gain = (both[:, :, place] - mixture).nan_to_num(nan=0.0).clamp_min(least)
        total = total + 0.5 * (mine * gain).sum(1) / mine.sum(1).clamp_min(1.0)
    assert isinstance(total, Tensor)
    return total


def _estimate(values: Tensor) -> Estimate:
    return Estimate(values.mean().item(), values.std().item() / math.sqrt(len(values)))
