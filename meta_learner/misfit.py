"""Where the data depart from the laws: what a run that raised the alarm says about it."""

import math
from typing import Any

import torch
from torch import Tensor

from domains.worlds import DomainModel
from meta_learner.alternatives import KERNELS, SCALES, WEIGHTS, kinds, log_prior
from meta_learner.belief import Belief

_SHOWN = 3  # experiments with the largest residuals


def misfit(model: DomainModel, belief: Belief, run: int) -> dict[str, Any]:
    """The evidence against all laws of one run, as plain data: log E now and at its peak, nats.

    After an alarm also where: of the most probable law the outcome and the kind of departure that carry most of the
    evidence, and the experiments with the largest residuals, in standard deviations of what was predicted for them.
    """
    criticism = belief.criticism
    found: dict[str, Any] = {
        "log_evidence": criticism.log_evidence[run].item(),
        "peak": criticism.peak[run].item(),
    }
    if not bool(criticism.alarm[run]):
        return found
    law = int(belief.log_probability[run].argmax().item())
    weights = criticism.log_ratio[run, law] + log_prior(criticism.log_ratio.device)  # [outcomes, alternatives]
    outcome, kind = _strongest(weights)
    residual = torch.where(criticism.information[run, :, outcome] > 0, criticism.residual[run, :, law, outcome], 0.0)
    largest = residual.abs().argsort(descending=True, stable=True)[:_SHOWN].tolist()
    return {
        **found,
        "law": model.mechanisms[law].name,
        "outcome": model.outcome_names[outcome],
        "kind": _more_or_less(weights[outcome]) if kind == "scatter" else kind,
        "where": [
            {"design": model.space.to_names(belief.history.designs[run, step]), "residual": residual[step].item()}
            for step in largest
        ],
    }


def _strongest(weights: Tensor) -> tuple[int, str]:
    """The outcome and the kind with the largest sum over its alternatives."""
    per_kind = {
        kind: weights[:, [index for index, other in enumerate(kinds()) if other == kind]].logsumexp(-1)
        for kind in WEIGHTS
    }
    best = max(per_kind, key=lambda kind: per_kind[kind].max().item())
    return int(per_kind[best].argmax().item()), best


def _more_or_less(weights: Tensor) -> str:
    """Whether the outcomes scatter more than the law allows, or less."""
    scale = torch.tensor(list(SCALES), dtype=torch.float64).log()
    plain = next(index for index, kernel in enumerate(KERNELS) if kernel.kind == "scatter") * len(SCALES)
    posterior = weights[plain : plain + len(SCALES)].softmax(-1)
    return "more scatter" if math.fsum((posterior * scale).tolist()) > 0 else "less scatter"
