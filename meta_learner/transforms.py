"""Where an outcome lies in what each law predicted: the distribution functions of the posterior predictives.

u = P(Y ≤ y | experiments before) is uniform if the law holds and its beliefs are right, whatever the designs:
Rosenblatt 1952, Ann. Math. Statist. 23, 470; Dawid 1984, J. R. Statist. Soc. A 147, 278.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from domains import randomness
from domains.mechanisms import CompiledMechanism, MechanismModel
from domains.outcomes import inside
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from meta_learner.belief import Belief, Population
from meta_learner.resampling import resample

_DRAWS = 10_000  # of a simulator's next outcome, over all of its laws
_FEWEST_DRAWS = 1_000  # under each of them


@dataclass(frozen=True)
class Transforms:
    """P(Y ≤ y) and P(Y ≥ y) of the newest outcomes under each law [runs, mechanisms, outcomes]; both 1 where nothing
    came back. They add up to 1 and the probability of y itself."""

    below: Tensor
    above: Tensor


def predictive_transforms(
    model: DomainModel, belief: Belief, designs: Tensor, outcomes: Tensor, generator: torch.Generator
) -> Transforms:
    """Under the belief before these outcomes: designs [runs, columns], outcomes [runs, outcomes], NaN where missing.

    From the laws' distribution functions. Of simulators by draws, the outcome itself one of them (Phipson & Smyth
    2010): its rank among them is exact, and no tail is 0 for want of draws.
    """
    if isinstance(model.simulator, ExactSimulator):
        assert belief.posterior is not None
        below, above = model.simulator.predictive_tails(belief.posterior.statistics, designs, outcomes)
    else:
        apart = randomness.generator((generator.initial_seed() + 1) % 2**63)  # particles move as without draws
        pairs = [
            _compiled(law, population, designs, outcomes)
            if isinstance(law, CompiledMechanism)
            else _drawn(law, population, designs, outcomes, (apart, len(model.mechanisms)))
            for law, population in zip(model.mechanisms, belief.populations, strict=True)
        ]
        below, above = (torch.stack(side, dim=1) for side in zip(*pairs, strict=True))
    missing = outcomes.isnan()[:, None]
    return Transforms(*(torch.where(missing, 1.0, tail).nan_to_num(nan=1.0).clamp(0.0, 1.0) for tail in (below, above)))


def two_sided(transforms: Transforms, log_probability: Tensor) -> Tensor:
    """min(1, 2·P(Y ≤ y), 2·P(Y ≥ y)) [runs, outcomes], averaged over laws by log_probability [runs, mechanisms]:
    below α for a share α of outcomes at most, counts and point masses included."""
    weight = log_probability.exp()[..., None]
    sides = ((weight * tail).sum(1) for tail in (transforms.below, transforms.above))
    return (2 * torch.minimum(*sides)).clamp(0.0, 1.0)


def _compiled(
    law: CompiledMechanism, population: Population, designs: Tensor, outcomes: Tensor
) -> tuple[Tensor, Tensor]:
    """Averaged over particles that predict something: an invalid prediction gives no outcome, so none that came."""
    weight = population.log_weight.softmax(-1)[..., None]
    below, above = law.tails(law.parameters(population.z), designs[:, None], outcomes[:, None])
    valid = (weight * (below + above > 0.5)).sum(1).clamp_min(1e-300)
    return (weight * below).sum(1) / valid, (weight * above).sum(1) / valid


def _drawn(
    law: MechanismModel,
    population: Population,
    designs: Tensor,
    outcomes: Tensor,
    drawing: tuple[torch.Generator, int],
) -> tuple[Tensor, Tensor]:
    """From outcomes of equally weighted particles, drawn again from the law's own."""
    generator, laws = drawing
    count = max(_FEWEST_DRAWS, _DRAWS // laws)
    runs, width = outcomes.shape
    rows = resample(population.log_weight, generator, count)
    z = population.z.gather(1, rows[..., None].expand(-1, -1, population.z.shape[2]))
    noise = inside(randomness.uniform((runs, count, width, 2), generator))
    y = law.sample(law.parameters(z), designs[:, None], noise)
    sides = ((y <= outcomes[:, None]).sum(1), (y >= outcomes[:, None]).sum(1))
    came = y.isfinite().sum(1) + 1.0
    below, above = ((side + 1.0) / came for side in sides)
    return below, above
