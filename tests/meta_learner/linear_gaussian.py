"""The oracle: a domain whose posterior and evidence have closed forms.

Two laws for y ~ N(mean, 0.5²): a line, a + b·x with a ~ N(0, 1), b ~ N(0, 2²), and a constant, a ~ N(0, 1).
With Φ the design matrix, S the prior covariance and σ² the noise: covariance (S⁻¹ + ΦᵀΦ/σ²)⁻¹, mean covariance·Φᵀy/σ²,
evidence N(y; 0, ΦSΦᵀ + σ²I) (Bishop 2006, sections 3.3 and 3.5).
"""

import torch
from torch import Tensor

from domains.loading import load_text
from domains.worlds import DomainModel

TEXT = """
format: 1
name: linear-gaussian
title: Is it a line or a constant?
designs: {x: {real: [-2, 2]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms:
  line:
    parameters: {b: {prior: {normal: [0, 2]}}}
    let: {mu: a + b * x}
  constant:
    let: {mu: a + 0 * x}
outcomes: {y: {normal: {mean: mu, sd: 0.5}}}
budget: 8
goal: learn
"""
NOISE = 0.5
PRIOR_SD = {"line": torch.tensor([1.0, 2.0], dtype=torch.float64), "constant": torch.tensor([1.0], dtype=torch.float64)}


def model() -> DomainModel:
    return DomainModel(load_text(TEXT))


def design_matrix(law: str, x: Tensor) -> Tensor:
    """Φ [steps, parameters] for designs x [steps]."""
    columns = [torch.ones_like(x), x] if law == "line" else [torch.ones_like(x)]
    return torch.stack(columns, dim=-1)


def posterior(law: str, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Exact mean [parameters] and covariance [parameters, parameters]."""
    phi = design_matrix(law, x)
    precision = torch.diag(PRIOR_SD[law] ** -2) + phi.T @ phi / NOISE**2
    covariance = torch.linalg.inv(precision)
    return covariance @ phi.T @ y / NOISE**2, covariance


def log_evidence(law: str, x: Tensor, y: Tensor) -> Tensor:
    """Exact log p(y | law)."""
    phi = design_matrix(law, x)
    covariance = phi @ torch.diag(PRIOR_SD[law] ** 2) @ phi.T + NOISE**2 * torch.eye(len(x), dtype=torch.float64)
    return torch.distributions.MultivariateNormal(torch.zeros_like(y), covariance).log_prob(y)
