"""Drawing particles anew by their weights."""

import torch
from torch import Tensor

from domains import randomness


def resample(log_weight: Tensor, generator: torch.Generator, count: int | None = None) -> Tensor:
    """Systematic resampling (Carpenter, Clifford & Fearnhead 1999): ancestors [runs, count] in ascending order."""
    runs, particles = log_weight.shape
    count = count or particles
    offset = randomness.uniform((runs, 1), generator)
    points = (torch.arange(count, dtype=torch.float64) + offset) / count
    cumulative = log_weight.softmax(-1).cumsum(-1)
    cumulative = cumulative / cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True).clamp_max(particles - 1)
