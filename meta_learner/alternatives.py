"""The alternatives that a law is set against: what they predict for the next normal score z, and what they weigh.

Each is z ~ N(μ, s²(1 + v)): μ and v from a Gaussian process over designs or over the order of experiments, fitted to
the residuals before (none: μ = v = 0), s a scatter. Two more let a share of outcomes be outliers.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from meta_learner.normal_scores import Intervals

Kind = Literal["design", "order", "scatter", "outliers"]


@dataclass(frozen=True)
class Kernel:
    """amplitude² · exp(−d²/(2 length²)), d between designs (unit cube) or in steps; none: amplitude 0."""

    kind: Kind
    amplitude: float
    length: float

    def covariance(self, distances: Tensor, lags: Tensor) -> Tensor:
        """[runs, steps, steps] from squared distances of the same shape and squared lags [steps, steps]."""
        squared = lags.expand(distances.shape) if self.kind == "order" else distances
        return self.amplitude**2 * (-0.5 * squared / self.length**2).exp()


@dataclass(frozen=True)
class Prediction:
    """A kernel's for the newest z: mean [runs, mechanisms, outcomes], variance [runs, 1, outcomes] of the deviation."""

    mean: Tensor
    variance: Tensor


KERNELS = (
    Kernel("scatter", 0.0, 1.0),
    Kernel("order", 1.0, 10.0),
    *(Kernel("design", amplitude, length) for length in (0.1, 0.3, 1.0) for amplitude in (0.7, 2.5)),
)
SCALES = {0.5: 0.07, 0.7: 0.1, 1.0: 0.55, 1.4: 0.15, 2.0: 0.08, 3.0: 0.05}  # scatter → weight
OUTLIERS = {0.03: 0.5, 0.2: 0.5}  # share of outliers → weight
_OUTLIER_SD = 5.0
WEIGHTS: dict[Kind, float] = {"design": 0.5, "order": 0.1, "scatter": 0.25, "outliers": 0.15}


@cache
def kinds() -> tuple[Kind, ...]:
    """What each alternative stands for, in their order."""
    told: list[Kind] = []
    for kernel in KERNELS:
        told += [kernel.kind] * len(SCALES)
    told += ["outliers"] * len(OUTLIERS)
    return tuple(told)


@cache
def log_prior(device: torch.device) -> Tensor:
    """log weight of each alternative [alternatives]; they add up to 1."""
    members = {kind: sum(kernel.kind == kind for kernel in KERNELS) for kind in WEIGHTS}
    gaussian = [WEIGHTS[k.kind] / members[k.kind] * weight for k in KERNELS for weight in SCALES.values()]
    outliers = [WEIGHTS["outliers"] * weight for weight in OUTLIERS.values()]
    return torch.tensor([*gaussian, *outliers], dtype=torch.float64, device=device).log()


def log_ratios(z: Intervals, predictions: list[Prediction]) -> Tensor:
    """log of each alternative's probability of z ÷ that of N(0, 1) [runs, mechanisms, outcomes, alternatives]."""
    null = z.log_mass(0.0, 1.0)
    found = [
        z.log_mass(prediction.mean, scale * (1 + prediction.variance).sqrt()) - null
        for prediction in predictions
        for scale in SCALES
    ]
    wild = z.log_mass(0.0, _OUTLIER_SD) - null
    for share in OUTLIERS:
        mixed = torch.logaddexp(torch.full_like(wild, math.log1p(-share)), wild + math.log(share))
        found.append(mixed)
    return torch.stack(found, dim=-1)
