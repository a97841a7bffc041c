"""How far the worlds of an evaluation are from those that an agent was made for, and worlds from a shifted prior."""

from typing import Literal

import torch
from torch import Tensor

from domains import randomness
from domains.errors import DomainError
from domains.mechanisms import MechanismModel
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel, Worlds
from meta_learner.evaluation.truths import draw_truths
from meta_learner.streams import stream

Shift = Literal["in-distribution", "shifted-parameters", "unseen-domain"]
SHIFTS: tuple[Shift, ...] = ("in-distribution", "shifted-parameters", "unseen-domain")

_PRIOR_DRAWS = 4096  # that tell the spread of the prior in z
_TRIES = 64  # of directions, until a moved world is one that the prior allows


def draw_shifted(model: DomainModel, runs: int, *, seed: int, block: int, by: float) -> Worlds:
    """Worlds whose constants are ``by`` prior standard deviations from where the document puts them.

    A world of the domain is drawn, by the stream of ``draw_worlds``: law and z. Each unknown is then moved in the
    unconstrained space, z'_i = z_i + s_i · by · sd(z_i), in a direction s_i = ±1 of its own, so that z' is a draw from
    a prior whose mean lies ``by`` standard deviations away (normal z: ``by``²/2 nats an unknown by Kullback and
    Leibler). Supports are kept, since every z is a possible value; where exchangeable parameters would leave their
    order, other directions are drawn. DomainError where there is nothing to move.
    """
    check_shift(model)
    truths = draw_truths(model, runs, stream(seed, block, 0, "world"))
    generator = stream(seed, block, 1, "world")
    moved = tuple(_moved(law, z, by, generator) for law, z in zip(model.mechanisms, truths.z, strict=True))
    values = tuple(law.parameters(z) for law, z in zip(model.mechanisms, moved, strict=True))
    return Worlds(truths.worlds.mechanism, values)


def check_shift(model: DomainModel) -> None:
    """DomainError where worlds have no parameters that could be shifted."""
    if isinstance(model.simulator, ExactSimulator) or all(law.dims == 0 for law in model.mechanisms):
        raise DomainError(
            f"shifted-parameters: the laws of {model.domain.name} have no unknown constants to shift; leave it out"
        )


def _moved(law: MechanismModel, z: Tensor, by: float, generator: torch.Generator) -> Tensor:
    """z [runs, dims] of one law, moved."""
    spread = law.sample_prior((_PRIOR_DRAWS,), stream(0, 0, 0, "prior")).std(0)
    result, left = z.clone(), torch.ones(len(z), dtype=torch.bool)
    for _ in range(_TRIES):
        direction = 2.0 * randomness.integers(2, z.shape, generator) - 1.0
        tried = z + by * spread * direction
        good = left & law.log_prior(tried).isfinite()
        result = torch.where(good[:, None], tried, result)
        left = left & ~good
        if not bool(left.any()):
            return result
    raise DomainError(
        f"shifted-parameters: the prior of the law {law.name!r} allows no world {by:g} standard deviations away"
    )
