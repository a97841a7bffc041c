"""Model criticism: the evidence against all laws of a domain together, valid whenever in the run one looks.

Each law m is set against alternatives g that add to it what a wrong law leaves behind: a deviation that depends on the
design or drifts with the order of experiments (a Gaussian process), another scatter, outliers. Where an outcome lies
in law m's prediction is z = Φ⁻¹(P(Y ≤ y)), independent N(0, 1) under m; an alternative predicts z from the residuals
before. With R = Π q(z | before)/φ(z), averaged over alternatives and outcomes,

    E = Σ_m P(m | experiments) R_m = p(experiments | some law with its alternatives) / p(experiments | some law)

is a nonnegative martingale with mean 1 if the belief holds the truth, however designs were chosen, so that
P(E ever reaches 1/α) ≤ α (Ville 1939). Discrete and censored outcomes: both densities over the interval of z that the
outcome stands for, whose ratio has mean 1 exactly. Kennedy & O'Hagan 2001, J. R. Statist. Soc. B 63, 425 (discrepancy);
Dawid 1984, J. R. Statist. Soc. A 147, 278 (prequential); Shafer 2021, J. R. Statist. Soc. A 184, 407; Ramdas et al.
2023, Statist. Sci. 38, 576 (e-processes). Averages, not products, over the outcomes of an experiment: these depend on
each other through what is unknown, and an average of martingales is one whatever their dependence.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from domains.design_space import DesignSpace
from meta_learner.alternatives import KERNELS, Prediction, kinds, log_prior, log_ratios
from meta_learner.normal_scores import intervals

FALSE_ALARMS = 0.05  # the share of well-specified runs that may ever raise the alarm
_FARTHEST = 8.0  # residuals are remembered up to here: one wild outcome must not rule the alternatives


@dataclass(frozen=True)
class Criticism:
    """What is kept of the experiments so far; nothing of a run's state depends on other runs.

    residual [runs, steps, mechanisms, outcomes]: standardised residuals; information [runs, steps, outcomes]: how much
    of a residual each outcome shows: 1 if continuous, less the coarser, 0 where missing; log_ratio [runs, mechanisms,
    outcomes, alternatives]: log R; log_evidence [runs]: log E, nats; peak [runs]: its largest value so far.
    """

    residual: Tensor
    information: Tensor
    log_ratio: Tensor
    log_evidence: Tensor
    peak: Tensor

    @property
    def alarm(self) -> Tensor:
        """Whether E ever reached 1/α [runs]."""
        return self.peak >= -math.log(FALSE_ALARMS)


def no_criticism(runs: int, mechanisms: int, outcomes: int) -> Criticism:
    """Before any experiment."""
    none = torch.zeros(runs, dtype=torch.float64)
    return Criticism(
        residual=torch.empty((runs, 0, mechanisms, outcomes), dtype=torch.float64),
        information=torch.empty((runs, 0, outcomes), dtype=torch.float64),
        log_ratio=torch.zeros((runs, mechanisms, outcomes, len(kinds())), dtype=torch.float64),
        log_evidence=none,
        peak=none,
    )


def criticise(
    criticism: Criticism,
    distances: Tensor,
    tails: tuple[Tensor, Tensor],
    log_probability: Tensor,
) -> Criticism:
    """With the newest experiment: distances [runs, steps, steps], squared, of all designs, the newest last.

    tails: P(Y ≤ y), P(Y ≥ y) under each law [runs, mechanisms, outcomes], both 1 where nothing came back;
    log_probability [runs, mechanisms]: of the laws after the experiment.
    """
    z = intervals(*tails)
    ratios = log_ratios(z, predictions(criticism, distances))
    log_ratio = criticism.log_ratio + ratios
    law = (log_ratio + log_prior(log_ratio.device)).logsumexp(-1).logsumexp(-1) - math.log(log_ratio.shape[2])
    log_evidence = (log_probability + law).logsumexp(-1)
    shown = (log_probability.exp()[..., None] * z.information).sum(1)
    residual = torch.where(z.information > 0, z.mean / z.information.clamp_min(1e-6).sqrt(), 0.0)
    return Criticism(
        residual=torch.cat([criticism.residual, residual.clamp(-_FARTHEST, _FARTHEST)[:, None]], dim=1),
        information=torch.cat([criticism.information, shown[:, None]], dim=1),
        log_ratio=log_ratio,
        log_evidence=log_evidence,
        peak=torch.maximum(criticism.peak, log_evidence),
    )


def predictions(criticism: Criticism, distances: Tensor) -> list[Prediction]:
    """What each kernel's deviation predicts for the newest z, from the residuals before.

    With B = I + a² S K S, S² the information of each residual y, k the covariances with the newest: mean a² kᵀS B⁻¹ y
    [runs, mechanisms, outcomes], variance a² − a⁴ kᵀS B⁻¹ S k [runs, 1, outcomes] (Rasmussen & Williams 2006, 3.26).
    """
    steps = criticism.residual.shape[1]
    information = criticism.information
    if bool((information == information[..., :1]).all()):
        information = information[..., :1]  # solved once for all outcomes
    root = information.sqrt().transpose(1, 2)  # [runs, outcomes, steps]
    y = criticism.residual.permute(0, 3, 1, 2)  # [runs, outcomes, steps, mechanisms]
    order = torch.arange(steps + 1, dtype=torch.float64)
    lags = (order[:, None] - order).square()
    none = torch.zeros((1, 1, 1), dtype=torch.float64)
    found = []
    for kernel in KERNELS:
        if kernel.amplitude == 0 or steps == 0:
            found.append(Prediction(none, none + kernel.amplitude**2))
            continue
        covariance = kernel.covariance(distances, lags)
        past = root[..., None] * covariance[:, None, :steps, :steps] * root[..., None, :]
        cross = (root * covariance[:, None, :steps, steps])[..., None]
        weights = torch.cholesky_solve(cross, torch.linalg.cholesky(past + torch.eye(steps, dtype=torch.float64)))
        mean = (weights * y).sum(2).transpose(1, 2)
        variance = kernel.amplitude**2 - (weights * cross).sum((2, 3))
        found.append(Prediction(mean, variance.clamp_min(0.0)[:, None]))
    return found


def squared_distances(space: DesignSpace, designs: Tensor) -> Tensor:
    """Between all designs [runs, steps, columns] of a run [runs, steps, steps]: in the unit cube, averaged over
    columns; two options of a choice are 1 apart."""
    unit = space.encode(designs)
    apart = (unit[:, :, None] - unit[:, None]).square()
    choices = torch.tensor([design.kind == "choice" for design in space.designs])
    return torch.where(choices, (apart > 0).to(torch.float64), apart).mean(-1)
