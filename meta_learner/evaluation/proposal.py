"""q(θ | h): a density over hypotheses that knows the experiments and never the truth, made from a belief's particles.

Per mechanism a mixture of Student's t fitted to the particles in z by expectation–maximisation (of normals; the tails
are made heavy and the components wide afterwards), the mechanisms weighted by their probability, and a share of the
prior: p/q stays below 1 ÷ that share, wherever the particles may have failed to go. q is a proper density on all of z,
so it also covers places that a prior rules out (another order of exchangeable groups): their weight is 0.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.worlds import DomainModel
from meta_learner.belief import Belief, Population
from meta_learner.resampling import resample

_PRIOR_SHARE = 0.05
_COMPONENTS = 8
_ROUNDS = 40  # of expectation–maximisation
_DF = 5.0
_WIDER = 1.5  # the fitted covariance times this
_STRENGTH = 2.0  # particles' worth of a small sphere that every component's covariance starts from
_SPHERE = 1e-4  # its variance, where the whole cloud's is 1
_IGNORED = 1e-4  # mechanisms below this probability are left to the prior's share


@dataclass(frozen=True)
class Mixture:
    """Student's t mixtures with ``_DF`` degrees of freedom, one a run: log_share [runs, components], centre
    [runs, components, dims], root [runs, components, dims, dims] lower triangular, root·rootᵀ the scale."""

    log_share: Tensor
    centre: Tensor
    root: Tensor

    def sample(self, run: int, count: int, generator: torch.Generator) -> Tensor:
        """``count`` draws z [count, dims] of one run."""
        dims = self.centre.shape[-1]
        pick = randomness.choices(self.log_share[run].exp(), count, generator)
        noise = randomness.normal((count, dims), generator)
        half = torch.full((count,), _DF / 2, dtype=torch.float64)
        chi_square = 2 * randomness.gamma(half, generator)
        noise = noise * (_DF / chi_square).sqrt()[:, None]
        return self.centre[run, pick] + (self.root[run, pick] @ noise[..., None])[..., 0]

    def log_density(self, run: int, z: Tensor) -> Tensor:
        """log density [points] of z [points, dims] for one run, nats."""
        dims = z.shape[-1]
        away = torch.linalg.solve_triangular(self.root[run], (z - self.centre[run, :, None]).mT, upper=False)
        size = self.root[run].diagonal(dim1=-2, dim2=-1).log().sum(-1)
        constant = math.lgamma((_DF + dims) / 2) - math.lgamma(_DF / 2) - dims / 2 * math.log(_DF * math.pi)
        each = -(_DF + dims) / 2 * torch.log1p(away.square().sum(1) / _DF)
        return (each + (constant - size + self.log_share[run])[:, None]).logsumexp(0)


class Proposal:
    """q(mechanism, z | experiments) of every run of a block."""

    def __init__(self, model: DomainModel, belief: Belief, generator: torch.Generator) -> None:
        self._model = model
        probability = belief.log_probability.exp()
        probability = torch.where(probability > _IGNORED, probability, 0.0)
        probability = probability / probability.sum(-1, keepdim=True)
        self._mixtures = tuple(fit(population, generator) for population in belief.populations)
        self._fitted = (1 - _PRIOR_SHARE) * probability  # [runs, mechanisms]
        self._prior = _PRIOR_SHARE * model.log_weights.exp()

    def draw(self, run: int, count: int, generator: torch.Generator) -> Iterator[tuple[int, Tensor]]:
        """``count`` draws for one run: mechanism and z [points, dims], mechanism by mechanism."""
        shares = torch.cat([self._fitted[run], self._prior])
        kinds = randomness.choices(shares, count, generator).bincount(minlength=len(shares))
        fitted, prior = kinds.view(2, -1).tolist()
        for index, law in enumerate(self._model.mechanisms):
            learned = self._mixtures[index].sample(run, fitted[index], generator) if fitted[index] else None
            whole = law.sample_prior((prior[index],), generator)
            yield index, whole if learned is None else torch.cat([learned, whole])

    def log_density(self, run: int, mechanism: int, z: Tensor) -> Tensor:
        """log q [points] of z [points, dims] under a mechanism, for one run."""
        prior = self._prior[mechanism].log() + self._model.mechanisms[mechanism].log_prior(z)
        if self._fitted[run, mechanism] == 0:
            return prior
        return torch.logaddexp(
            prior, self._fitted[run, mechanism].log() + self._mixtures[mechanism].log_density(run, z)
        )


def fit(population: Population, generator: torch.Generator) -> Mixture:
    """Mixtures of ``_COMPONENTS`` fitted to weighted particles z [runs, particles, dims]."""
    weight = population.log_weight.softmax(-1)[..., None]
    mean = (weight * population.z).sum(1, keepdim=True)
    spread = _root((weight * (population.z - mean)).mT @ (population.z - mean))
    x = torch.linalg.solve_triangular(spread, (population.z - mean).mT, upper=False).mT
    state = _start(x, population.log_weight, generator)
    for _ in range(_ROUNDS):
        state = _better(x, weight, *state)
    share, centre, covariance = state
    root = spread[:, None] @ _root(_WIDER * covariance)
    return Mixture(share.log(), mean + (spread[:, None] @ centre[..., None])[..., 0], root)


_State = tuple[Tensor, Tensor, Tensor]  # share [runs, components], centre [.., dims], covariance [.., dims, dims]


def _start(x: Tensor, log_weight: Tensor, generator: torch.Generator) -> _State:
    runs, _, dims = x.shape
    first = resample(log_weight, generator, _COMPONENTS)
    centre = x.gather(1, first[..., None].expand(-1, -1, dims))
    covariance = 0.25 * torch.eye(dims, dtype=torch.float64).expand(runs, _COMPONENTS, dims, dims)
    return torch.full((runs, _COMPONENTS), 1 / _COMPONENTS, dtype=torch.float64), centre, covariance


def _better(x: Tensor, weight: Tensor, share: Tensor, centre: Tensor, covariance: Tensor) -> _State:
    """One round of expectation–maximisation; weight [runs, particles, 1] sums to 1."""
    particles, dims = x.shape[1:]
    root = _root(covariance)
    away = torch.linalg.solve_triangular(root, (x[:, None] - centre[:, :, None]).mT, upper=False)
    size = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    density = share.log()[..., None] - size[..., None] - 0.5 * away.square().sum(2)  # [runs, components, particles]
    mine = density.softmax(1) * weight.mT
    share = mine.sum(-1).clamp_min(1e-12)
    centre = (mine @ x) / share[..., None]
    off = x[:, None] - centre[:, :, None]
    sphere = _SPHERE * torch.eye(dims, dtype=torch.float64)
    scatter = (mine[..., None] * off).mT @ off
    strength = _STRENGTH / particles
    return (
        share / share.sum(-1, keepdim=True),
        centre,
        (scatter + strength * sphere) / (share + strength)[..., None, None],
    )


def _root(covariance: Tensor) -> Tensor:
    """Cholesky factors, after a lift that singular clouds need."""
    diagonal = covariance.diagonal(dim1=-2, dim2=-1)
    return torch.linalg.cholesky(covariance + (1e-9 * diagonal + 1e-24).diag_embed())
