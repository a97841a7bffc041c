"""Sequential Monte Carlo over (mechanism, parameters): one more experiment into a belief.

Each mechanism's particles are reweighted by the new outcome's likelihood in tempered stages, p(y | θ)^δ with δ chosen
so that the effective sample size keeps a set share; where it fell below, the particles are resampled and moved by MCMC
(``moves``). Products of the stages' mean weights estimate the evidence, consistently in the number of particles.
Del Moral, Doucet & Jasra 2006 (SMC samplers); Chopin 2002 (IBIS); Jasra et al. 2011 (adaptive tempering).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from domains.mechanisms import MechanismModel
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from meta_learner import moves
from meta_learner.belief import MATTERS, Belief, BeliefSettings, Diagnostics, History, Population
from meta_learner.criticism import criticise, squared_distances
from meta_learner.resampling import resample
from meta_learner.transforms import Transforms, predictive_transforms, two_sided

_BISECTIONS = 40
_SMALLEST_EXPONENT = -100.0  # of two: the smallest tempering step
_HOPELESS = 200.0  # nats behind the best law
_MAX_STAGES = 500  # reached only where an outcome lies tens of standard deviations from what was believed


def update(
    model: DomainModel,
    belief: Belief,
    designs: Tensor,
    outcomes: Tensor,
    *,
    settings: BeliefSettings,
    generator: torch.Generator,
) -> Belief:
    """The belief after one more experiment a run: designs [runs, columns], outcomes [runs, outcomes].

    A row of NaN outcomes (a run that had ended) leaves its run's belief as it is.
    """
    transforms = predictive_transforms(model, belief, designs, outcomes, generator)
    tail = two_sided(transforms, belief.log_probability)
    history = belief.history.append(designs, outcomes)
    if isinstance(model.simulator, ExactSimulator):
        health = replace(belief.diagnostics, tail=tail)
        posterior = model.simulator.posterior(history.designs, history.outcomes)
        after = Belief((), belief.log_prior, history, health, belief.criticism, posterior)
        return _criticised(model, after, transforms)
    laws = list(zip(model.mechanisms, belief.populations, strict=True))
    stages = [_begin(*law, history, belief.diagnostics, index) for index, law in enumerate(laws)]
    _give_up(stages, belief.log_prior)
    absorbed = [
        _absorb(mechanism, stage, history, settings, generator)
        for mechanism, stage in zip(model.mechanisms, stages, strict=True)
    ]
    effective, acceptance, distinct = (
        torch.stack([health[which] for _, health in absorbed], dim=-1) for which in range(3)
    )
    alive = torch.stack([population.log_evidence.isfinite() for population, _ in absorbed], dim=-1)
    lost = belief.diagnostics.lost | (~alive & (belief.log_probability.exp() > MATTERS) & belief.explained[:, None])
    diagnostics = Diagnostics(effective, acceptance, distinct, lost, tail)
    populations = tuple(population for population, _ in absorbed)
    after = Belief(populations, belief.log_prior, history, diagnostics, belief.criticism)
    return _criticised(model, after, transforms)


def _criticised(model: DomainModel, belief: Belief, transforms: Transforms) -> Belief:
    """With what the newest experiment says against all laws."""
    distances = squared_distances(model.space, belief.history.designs)
    tails = (transforms.below, transforms.above)
    return replace(belief, criticism=criticise(belief.criticism, distances, tails, belief.log_probability))


@dataclass
class _Stage:
    """A population on its way through the stages of one experiment. ``newest`` [runs, particles]: log p(y | θ)."""

    population: Population
    newest: Tensor
    temperature: Tensor  # [runs], 0 → 1
    effective: Tensor  # [runs]: the smallest effective size of all stages so far, before resampling
    acceptance: Tensor
    distinct: Tensor
    least: Tensor  # [runs]: the log evidence below which the law is hopeless, and its remaining stages are made one


def _begin(
    mechanism: MechanismModel, population: Population, history: History, health: Diagnostics, index: int
) -> _Stage:
    """Before the first stage. Acceptance and distinctness stay what they were until particles move again."""
    latest = History(history.designs[:, -1:], history.outcomes[:, -1:])
    _, newest = moves.log_terms(mechanism, population.z, latest)
    missing = history.outcomes[:, -1].isnan().all(-1)  # nothing came back: nothing to absorb
    acceptance, distinct = health.acceptance[:, index], health.distinct[:, index]
    effective = torch.minimum(health.effective[:, index], effective_size(population.log_weight))
    everything = torch.full_like(effective, -torch.inf)
    stage = _Stage(population, newest, missing.to(torch.float64), effective, acceptance, distinct, everything)
    _bury_impossible(stage)
    return stage


def _give_up(stages: list[_Stage], log_prior: Tensor) -> None:
    """Where some law explains an outcome far better, the worse ones need not be carried to it in hundreds of stages.

    How well: by the plain importance estimate of its evidence, which where it is good is good enough. A law this far
    behind has a probability of e^-200 or less; its evidence is then only known to be that small.
    """
    plain = [
        stage.population.log_evidence + (stage.population.log_weight + stage.newest).logsumexp(-1) for stage in stages
    ]
    best = (torch.stack(plain, dim=-1) + log_prior).amax(-1)
    for index, stage in enumerate(stages):
        stage.least = best - log_prior[index] - _HOPELESS


def _absorb(
    mechanism: MechanismModel,
    stage: _Stage,
    history: History,
    settings: BeliefSettings,
    generator: torch.Generator,
) -> tuple[Population, tuple[Tensor, Tensor, Tensor]]:
    for count in range(_MAX_STAGES):
        hopeless = stage.population.log_evidence < stage.least
        _reweight(stage, settings.threshold, last=hopeless | (count == _MAX_STAGES - 1))
        unfinished = stage.temperature < 1
        effective = effective_size(stage.population.log_weight)
        stage.effective = torch.minimum(stage.effective, effective)
        rows = (unfinished | (effective < settings.threshold)).nonzero()[:, 0]
        if len(rows) > 0:
            _rejuvenate(mechanism, stage, history, rows, count=settings.moves, generator=generator)
        if not bool(unfinished.any()):
            break
    population = stage.population
    log_likelihood = population.log_likelihood + stage.newest
    return replace(population, log_likelihood=log_likelihood), (stage.effective, stage.acceptance, stage.distinct)


def _bury_impossible(stage: _Stage) -> None:
    """Runs in which no particle can have produced the outcome: evidence -inf, particles left as they are."""
    possible = stage.population.log_weight.isfinite() & stage.newest.isfinite()
    dead = ~possible.any(-1) | ~stage.population.log_evidence.isfinite()
    evidence = torch.where(dead, -torch.inf, stage.population.log_evidence)
    stage.population = replace(stage.population, log_evidence=evidence)
    stage.newest = torch.where(dead[:, None], 0.0, stage.newest)


def effective_size(log_weight: Tensor) -> Tensor:
    """Effective sample size as a share: (Σw)² / (N Σw²) [...] for log weights [..., particles]."""
    size = (2 * log_weight.logsumexp(-1) - (2 * log_weight).logsumexp(-1)).exp()
    return size / log_weight.shape[-1]


def _tempered(log_weight: Tensor, newest: Tensor, delta: Tensor) -> Tensor:
    """log weights after multiplying by the likelihood to the power delta [runs]; 0·(-inf) counts as -inf."""
    return log_weight + torch.where(newest.isfinite(), delta[:, None] * newest, -torch.inf)


def _reweight(stage: _Stage, threshold: float, *, last: Tensor) -> None:
    """Take the largest tempering step that keeps ``threshold`` of the effective sample size, by bisection; where
    ``last`` [runs], all that is left."""
    population, newest = stage.population, stage.newest
    room = 1 - stage.temperature
    start = effective_size(_tempered(population.log_weight, newest, torch.zeros_like(room)))
    floor = threshold * start
    whole = effective_size(_tempered(population.log_weight, newest, room)) >= floor
    low, high = torch.full_like(room, _SMALLEST_EXPONENT), torch.zeros_like(room)
    if not bool((last | whole).all()):
        for _ in range(_BISECTIONS):  # in the exponent: a sharp outcome may need a step of 1e-14
            middle = (low + high) / 2
            enough = effective_size(_tempered(population.log_weight, newest, room * middle.exp2())) >= floor
            low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
    delta = torch.where(last | whole, room, room * low.exp2())
    moving = room > 0
    log_weight = torch.where(moving[:, None], _tempered(population.log_weight, newest, delta), population.log_weight)
    gain = torch.where(moving, log_weight.logsumexp(-1), 0.0)
    stage.population = replace(
        population, log_weight=log_weight - gain[:, None], log_evidence=population.log_evidence + gain
    )
    stage.temperature = torch.where(whole | last, 1.0, stage.temperature + delta)


def _rejuvenate(
    mechanism: MechanismModel,
    stage: _Stage,
    history: History,
    rows: Tensor,
    *,
    count: int,
    generator: torch.Generator,
) -> None:
    """Resample the given runs and move their particles under the present tempered posterior."""
    population = stage.population
    particles = population.z.shape[1]
    ancestors = resample(population.log_weight[rows], generator)
    z = population.z[rows].gather(1, ancestors[..., None].expand(-1, -1, population.z.shape[2]))
    past = population.log_likelihood[rows].gather(1, ancestors)
    newest = stage.newest[rows].gather(1, ancestors)
    cloud = moves.Cloud(z, mechanism.log_prior(z), past, newest)
    here = History(history.designs[rows], history.outcomes[rows])
    moved = moves.move(
        mechanism, cloud, here, stage.temperature[rows], population.log_scale[rows], count=count, generator=generator
    )
    uniform = torch.full_like(moved.cloud.past, -math.log(particles))
    stage.population = replace(
        population,
        z=population.z.index_copy(0, rows, moved.cloud.z),
        log_weight=population.log_weight.index_copy(0, rows, uniform),
        log_likelihood=population.log_likelihood.index_copy(0, rows, moved.cloud.past),
        log_scale=population.log_scale.index_copy(0, rows, moved.log_scale),
    )
    stage.newest = stage.newest.index_copy(0, rows, moved.cloud.newest)
    stage.acceptance = stage.acceptance.index_copy(0, rows, moved.acceptance)
    stage.distinct = stage.distinct.index_copy(0, rows, moves.distinct_share(moved.cloud.z))
