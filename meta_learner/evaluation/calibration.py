"""Is a belief right as often as it says? Worlds drawn from the prior, investigated, and compared with what is believed.

Given everything that came back, designs included, the truth of a run is a draw from an exact posterior. Hence, under
the true law, the place u of each true constant among the particles is uniform (simulation-based calibration: Talts et
al. 2018; Cook, Gelman & Rubin 2006), whatever the policy and whichever law leads; and laws hold as often as their
probabilities say. ``calibration_statistics`` turns that into exact null distributions.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains import randomness
from domains.loading import find
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import Belief, BeliefSettings
from meta_learner.evaluation.investigated import continuous_parameters, domain_seed, investigate
from meta_learner.evaluation.processes import Tell, silent, work
from meta_learner.resampling import resample
from meta_learner.streams import stream

ROWS = 1000  # draws from the belief that a truth is ranked with; u has as many values


@dataclass(frozen=True)
class JudgedRun:
    """One run at its end, as the tests need it.

    truth: index of the law that holds; probability [laws] as believed. names: the true law's parameters, continuous
    [names]; rank [names]: the place of each true value, 0 … ROWS − 1, so that u = (rank + ½) / ROWS; others
    [ROWS, names]: the ranks of draws from the belief, row by row, each column a permutation: how parameters hang
    together. No names where the belief is exact and has no particles.
    """

    domain: str
    truth: int
    probability: NDArray[numpy.float64]
    names: tuple[str, ...]
    continuous: NDArray[numpy.bool_]
    rank: NDArray[numpy.int16]
    others: NDArray[numpy.int16]
    surprised: bool
    trusted: bool

    @property
    def leading(self) -> int:
        """The most probable law."""
        return int(self.probability.argmax())

    @property
    def found(self) -> bool:
        """Whether the most probable law is the true one."""
        return self.leading == self.truth


@dataclass(frozen=True)
class Part:
    """A part of the work that is done as one batch: ``runs`` worlds of one domain."""

    domain: str
    block: int
    runs: int


@dataclass(frozen=True)
class JudgedPart:
    """A part that is done. seconds: of CPU."""

    part: Part
    runs: list[JudgedRun]
    seconds: float


class Keeper(Protocol):
    """Who keeps parts that are done, so that none is done twice."""

    def load(self, part: Part) -> JudgedPart | None:
        """The part, if it was kept."""

    def save(self, judged: JudgedPart) -> None:
        """Keep a part."""


def parts(runs: dict[str, int], size: int) -> list[Part]:
    """Domain → number of worlds, cut into blocks; the cut decides the draws, so it knows nothing of processes."""
    return [
        Part(name, block, min(size, count - first))
        for name, count in runs.items()
        for block, first in enumerate(range(0, count, size))
    ]


def judged_parts(
    job: Callable[[Part, Tell], JudgedPart],
    wanted: Sequence[Part],
    *,
    processes: int = 1,
    keeper: Keeper | None = None,
    tell: Tell = silent,
    done: Callable[[JudgedPart], None] = lambda _: None,
) -> list[JudgedPart]:
    """All parts, in their order: as they were kept, or investigated now, and kept as soon as each is done.

    tell: the share that is done of what was not kept; done: told every part, kept ones first.
    """
    kept = {part: found for part in wanted if keeper is not None and (found := keeper.load(part)) is not None}
    for found in kept.values():
        done(found)

    def take(_: int, judged: JudgedPart) -> None:
        if keeper is not None:
            keeper.save(judged)
        done(judged)

    missing = [part for part in wanted if part not in kept]
    new = dict(zip(missing, work(job, missing, processes, tell, take), strict=True)) if missing else {}
    return [kept.get(part) or new[part] for part in wanted]


def timed_part(part: Part, tell: Tell = silent, *, policy: str, seed: int, settings: BeliefSettings) -> JudgedPart:
    """``investigate_and_judge``, and the CPU time that it took."""
    started = time.thread_time()
    runs = investigate_and_judge(part, tell, policy=policy, seed=seed, settings=settings)
    return JudgedPart(part, runs, time.thread_time() - started)


def investigate_and_judge(
    part: Part, tell: Tell = silent, *, policy: str, seed: int, settings: BeliefSettings
) -> list[JudgedRun]:
    """The runs of one part, deterministic for a seed."""
    model = _model(part.domain)
    own = domain_seed(model.domain.name, seed)
    done = investigate(model, policy, runs=part.runs, seed=own, block=part.block, settings=settings, tell=tell)
    return judge(model, done.state.belief, done.worlds, stream(own, part.block, done.state.step, "check"))


@lru_cache(maxsize=1)  # the parts of a domain come one after the other
def _model(name: str) -> DomainModel:
    return DomainModel(find(name))


def judge(model: DomainModel, belief: Belief, worlds: Worlds, generator: torch.Generator) -> list[JudgedRun]:
    """Every run's truth beside its belief."""
    probability = belief.log_probability.exp()
    runs: dict[int, JudgedRun] = {}
    known = continuous_parameters(model.domain)
    for law in worlds.mechanism.unique().tolist():
        rows = (worlds.mechanism == law).nonzero()[:, 0]
        exact = belief.posterior is not None
        names = () if exact else model.mechanisms[law].names
        rank, others = _no_ranks(len(rows)) if exact else _ranks(model, belief, worlds, law, generator)
        for own, run in enumerate(rows.tolist()):
            runs[run] = JudgedRun(
                domain=model.domain.name,
                truth=law,
                probability=probability[run].cpu().numpy(),
                names=names,
                continuous=numpy.array([name in known for name in names], dtype=bool),
                rank=rank[own].to(torch.int16).cpu().numpy(),
                others=others[own].to(torch.int16).cpu().numpy(),
                surprised=bool(belief.surprised[run]),
                trusted=bool(belief.trusted[run]),
            )
    return [runs[run] for run in sorted(runs)]


def _no_ranks(runs: int) -> tuple[Tensor, Tensor]:
    return torch.zeros((runs, 0)), torch.zeros((runs, ROWS, 0))


def _ranks(
    model: DomainModel, belief: Belief, worlds: Worlds, law: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Where this law holds: of the true values [rows, names], and of draws from the belief [rows, ROWS, names]."""
    rows = (worlds.mechanism == law).nonzero()[:, 0]
    mechanism, population = model.mechanisms[law], belief.populations[law]
    if not mechanism.names:
        return _no_ranks(len(rows))
    z, log_weight = population.z[rows], population.log_weight[rows]
    parameters = mechanism.parameters(z)
    values = torch.stack([parameters[name] for name in mechanism.names], dim=-1)
    truth = torch.stack([worlds.parameters[law][name][rows] for name in mechanism.names], dim=-1)
    u = place(values, log_weight, truth, generator)
    rank = (u * ROWS).floor().clamp(0, ROWS - 1)
    drawn = resample(log_weight, generator, ROWS)
    taken = values.gather(1, drawn[..., None].expand(-1, -1, values.shape[-1]))
    return rank, _order(taken, generator)


def place(values: Tensor, log_weight: Tensor, truth: Tensor, generator: torch.Generator) -> Tensor:
    """u = (N·(Σ w 1[θ < θ₀] + V·Σ w 1[θ = θ₀]) + V) / (N + 1) in (0, 1), V ~ U(0, 1): uniform for an exact belief.

    The truth counts as one draw more; among equals its place is drawn, so that discrete parameters are uniform too.
    values [runs, particles, names], log_weight [runs, particles], truth [runs, names] → [runs, names].
    """
    weight = log_weight.softmax(-1)[..., None]
    below = (weight * (values < truth[:, None])).sum(1)
    equal = (weight * (values == truth[:, None])).sum(1)
    count = values.shape[1]
    v = randomness.uniform(truth.shape, generator)
    return (count * (below + v * equal) + v) / (count + 1)


def _order(values: Tensor, generator: torch.Generator) -> Tensor:
    """The rank of each of values [runs, rows, names] in its column; equals in random order, each column's its own."""
    shuffled = randomness.order(values.shape, generator, 1)
    ranks = values.gather(1, shuffled).argsort(dim=1, stable=True).argsort(dim=1)
    return torch.empty_like(ranks).scatter(1, shuffled, ranks)
