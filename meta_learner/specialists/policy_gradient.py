"""Proximal policy optimisation on played episodes: an actor-critic with clipped steps.

Schulman, Wolski, Dhariwal, Radford & Klimov 2017, Proximal policy optimization algorithms, arXiv:1707.06347, with
advantages A_t = Σ_k λ^k δ_{t+k}, δ_t = r_t + V_{t+1} − V_t, undiscounted (Schulman et al. 2016, GAE, ICLR).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_learner.specialists.network import Specialist
from meta_learner.specialists.play import Played


@dataclass(frozen=True)
class Clipping:
    """passes: over the same episodes; clip: of the ratio of probabilities; decay: λ; worth, entropy: of the value's
    squared error and of the entropy in the loss."""

    passes: int = 4
    clip: float = 0.2
    decay: float = 0.95
    worth: float = 0.5
    entropy: float = 0.003


def losses(network: Specialist, played: Played, settings: Clipping) -> Iterator[Tensor]:
    """One loss a pass, each to be followed by a step of the optimiser."""
    gain = advantages(played, settings.decay)
    target = gain + played.value
    weight = played.active / played.active.sum().clamp_min(1)
    mean = (weight * gain).sum()
    gain = (gain - mean) / (weight * (gain - mean).square()).sum().sqrt().clamp_min(1e-6)
    for _ in range(settings.passes):
        decision = network(played.tokens)
        ratio = (decision.log_probability(played.action) - played.log_probability).exp()
        clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
        better = torch.minimum(ratio * gain, clipped * gain)
        error = (decision.value - target).square()
        yield (weight * (settings.worth * error - better - settings.entropy * decision.entropy())).sum()


def advantages(played: Played, decay: float) -> Tensor:
    """A [episodes, steps]; 0 after an episode's end."""
    value = torch.where(played.active, played.value, 0.0)
    following = torch.cat([value[:, 1:], torch.zeros_like(value[:, :1])], dim=1)
    surprise = torch.where(played.active, played.reward + following - value, 0.0)
    gain, parts = torch.zeros_like(value[:, 0]), []
    for step in range(value.shape[1] - 1, -1, -1):
        gain = surprise[:, step] + decay * gain
        parts.append(gain)
    return torch.stack(parts[::-1], dim=1)
