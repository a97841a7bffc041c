"""MCMC moves of particles under prior × likelihood, tempered in the newest experiment. Batched over runs × particles.

Two kinds alternate: differential evolution (ter Braak 2006) along the difference of two particles of the other half,
and a random walk with the other half's covariance (Roberts, Gelman & Gilks 1997). Proposals for one half are made from
the other, so each half's kernel is a proper Metropolis kernel. Sizes adapt per run towards 30 % acceptance.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from domains import randomness
from domains.mechanisms import MechanismModel
from meta_learner.belief import History

_CHUNK = 4_000_000  # likelihood terms evaluated at once; bounds memory
_JUMP_SHARE = 0.1  # of differential-evolution proposals that take the whole difference: they cross between modes
_WANTED = 0.3
_RATE = 0.7


@dataclass(frozen=True)
class Cloud:
    """Particles with their terms: z [runs, particles, dims]; log prior, and log likelihood of past and newest
    experiments [runs, particles]."""

    z: Tensor
    prior: Tensor
    past: Tensor
    newest: Tensor

    def target(self, temperature: Tensor) -> Tensor:
        """The tempered log posterior [runs, particles], up to a constant; temperature [runs]."""
        tempered = torch.where(self.newest.isfinite(), temperature[:, None] * self.newest, -torch.inf)
        return self.prior + self.past + tempered

    def half(self, which: int) -> "Cloud":
        return Cloud(self.z[:, which::2], self.prior[:, which::2], self.past[:, which::2], self.newest[:, which::2])


@dataclass(frozen=True)
class Moved:
    """The cloud after its moves; acceptance [runs] as a share, log_scale [runs, 2] as adapted."""

    cloud: Cloud
    acceptance: Tensor
    log_scale: Tensor


def distinct_share(z: Tensor) -> Tensor:
    """Share of particles that differ from all others [runs]: z [runs, particles, dims]. 1 where there are no dims."""
    if z.shape[-1] == 0:
        return torch.ones(z.shape[0], dtype=torch.float64)
    ordered = z[..., 0].sort(dim=-1).values  # copies share every coordinate; others hardly ever share one
    return (1 + (ordered.diff(dim=-1) != 0).sum(-1)).to(torch.float64) / z.shape[1]


def log_terms(mechanism: MechanismModel, z: Tensor, history: History) -> tuple[Tensor, Tensor]:
    """log likelihood of z [runs, particles, dims]: of all experiments but the newest, and of the newest; each
    [runs, particles]."""
    runs, particles, _ = z.shape
    size = max(1, _CHUNK // max(1, particles * history.steps))
    parts = [_log_terms(mechanism, z[i : i + size], history, slice(i, i + size)) for i in range(0, runs, size)]
    return torch.cat([past for past, _ in parts]), torch.cat([newest for _, newest in parts])


def _log_terms(mechanism: MechanismModel, z: Tensor, history: History, rows: slice) -> tuple[Tensor, Tensor]:
    parameters = {name: value[..., None] for name, value in mechanism.parameters(z).items()}
    designs, outcomes = history.designs[rows, None], history.outcomes[rows, None]
    terms = mechanism.log_likelihood(parameters, designs, outcomes)
    terms = terms.expand(*z.shape[:2], history.steps)
    return terms[..., :-1].sum(-1), terms[..., -1]


def move(
    mechanism: MechanismModel,
    cloud: Cloud,
    history: History,
    temperature: Tensor,
    log_scale: Tensor,
    *,
    count: int,
    generator: torch.Generator,
) -> Moved:
    """``count`` moves of every particle; temperature [runs], log_scale [runs, 2]."""
    rate = torch.ones(cloud.z.shape[0], dtype=torch.float64)
    if cloud.z.shape[2] == 0:
        return Moved(cloud, rate, log_scale)
    for index in range(count):
        kind = index % 2
        shares = []
        for which in (0, 1):
            proposal = _propose(cloud, which, kind, log_scale[:, kind], generator)
            past, newest = log_terms(mechanism, proposal, history)
            there = Cloud(proposal, mechanism.log_prior(proposal), past, newest)
            cloud, accepted = _accept(cloud, which, there, temperature, generator)
            shares.append(accepted.to(torch.float64).mean(-1))
        rate = torch.stack(shares).mean(0)
        log_scale = log_scale.clone()
        log_scale[:, kind] = (log_scale[:, kind] + _RATE * (rate - _WANTED)).clamp(-6.0, 2.0)
    return Moved(cloud, rate, log_scale)


def _propose(cloud: Cloud, which: int, kind: int, log_scale: Tensor, generator: torch.Generator) -> Tensor:
    """New places [runs, half, dims] for one half of the particles."""
    own, other = cloud.z[:, which::2], cloud.z[:, 1 - which :: 2]
    runs, half, dims = own.shape
    noise = randomness.normal(own.shape, generator)
    centred = other - other.mean(1, keepdim=True)
    if kind == 1:
        covariance = centred.transpose(1, 2) @ centred / other.shape[1]
        scale = (2.38 / math.sqrt(dims)) * log_scale.exp()
        return own + scale[:, None, None] * (noise @ _root(covariance).transpose(1, 2))
    picks = randomness.integers(other.shape[1], (2, runs, half), generator)
    first, second = (other.gather(1, pick[..., None].expand(-1, -1, dims)) for pick in picks)
    step = (2.38 / math.sqrt(2 * dims)) * log_scale.exp()[:, None]
    jump = randomness.uniform((runs, half), generator, torch.float32) < _JUMP_SHARE
    step = torch.where(jump, 1.0, step)
    spread = centred.square().mean(1, keepdim=True).sqrt()
    return own + step[..., None] * (first - second) + 1e-3 * spread * noise


def _root(covariance: Tensor) -> Tensor:
    """A matrix square root [runs, dims, dims] that exists for singular covariances too: Cholesky after a small lift."""
    diagonal = covariance.diagonal(dim1=-2, dim2=-1)
    lift = (1e-9 * diagonal + 1e-300).diag_embed()
    root, failed = torch.linalg.cholesky_ex(covariance + lift)
    fallback = diagonal.clamp_min(0).sqrt().diag_embed()
    return torch.where((failed > 0)[:, None, None], fallback, root)


def _accept(
    cloud: Cloud, which: int, there: Cloud, temperature: Tensor, generator: torch.Generator
) -> tuple[Cloud, Tensor]:
    """Metropolis: accept each proposed particle of one half with probability min(1, ratio of targets).

    Also which particles [runs, half] are in another place than before.
    """
    here = cloud.half(which)
    threshold = randomness.uniform(there.past.shape, generator).log()
    difference = there.target(temperature) - here.target(temperature)
    accepted = threshold < difference.nan_to_num(nan=-torch.inf)
    result = replace(
        cloud,
        z=_put(cloud.z, which, torch.where(accepted[..., None], there.z, here.z)),
        prior=_put(cloud.prior, which, torch.where(accepted, there.prior, here.prior)),
        past=_put(cloud.past, which, torch.where(accepted, there.past, here.past)),
        newest=_put(cloud.newest, which, torch.where(accepted, there.newest, here.newest)),
    )
    return result, accepted & (there.z != here.z).any(-1)


def _put(whole: Tensor, which: int, half: Tensor) -> Tensor:
    result = whole.clone()
    result[:, which::2] = half
    return result
