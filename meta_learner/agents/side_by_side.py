"""Two policies in the same worlds, experiment by experiment: what each has gained by then, and the paired difference.

Gains are those of ``meta_learner.agents.comparison``, larger for the better, taken after every experiment. A run that
has ended keeps what it had.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from scipy.stats import t as student

from domains.worlds import DomainModel
from meta_learner.agents.comparison import Setting, gained, set_up
from meta_learner.evaluation.processes import Tell, silent
from meta_learner.policies.base import Policy
from meta_learner.rollout import rollout

Array = NDArray[numpy.float64]


@dataclass(frozen=True)
class Followed:
    """What a policy did in worlds. gain [experiments + 1, runs]: before the first, and after each; experiments [runs];
    deciding: seconds of all decisions."""

    gain: Array
    experiments: Array
    deciding: float

    def plain(self) -> dict[str, Any]:
        """As JSON takes it; a gain that is not finite as None."""
        return {
            "gain": [[value if math.isfinite(value) else None for value in row] for row in self.gain.tolist()],
            "experiments": self.experiments.tolist(),
            "deciding": self.deciding,
        }


def follow(model: DomainModel, policy: Policy, setting: Setting, block: int, tell: Tell = silent) -> Followed:
    """A block of runs by one policy, to the end of the budget; the worlds and noise are those of ``comparison``."""
    truths, steps = set_up(model, policy, setting, block)
    runs = setting.blocks[block]
    state, deciding = steps.begin(runs), 0.0
    experiments = torch.zeros_like(state.spent)
    gains = [gained(steps, truths, state, setting.proposals)]
    for state in rollout(steps, runs):
        deciding += state.seconds
        experiments += state.performed
        gains.append(gained(steps, truths, state, setting.proposals))
        tell(float((state.spent / setting.spends).amin()))
    return Followed(torch.stack(gains).cpu().numpy(), experiments.cpu().numpy(), deciding)


def joined(parts: Sequence[dict[str, Any]]) -> Followed:
    """Blocks as one, from plain data; those that ended earlier keep what they had."""
    gains = [numpy.array(part["gain"], dtype=numpy.float64) for part in parts]
    most = max(len(gain) for gain in gains)
    padded = [numpy.concatenate([gain, numpy.repeat(gain[-1:], most - len(gain), axis=0)]) for gain in gains]
    experiments = numpy.concatenate([numpy.array(part["experiments"]) for part in parts])
    return Followed(numpy.concatenate(padded, axis=1), experiments, sum(part["deciding"] for part in parts))


def summary(followed: Sequence[Followed]) -> dict[str, Any]:
    """Of two policies: mean and 95 % interval of each by experiment, and of the difference, first less second."""
    longest = max(len(each.gain) for each in followed)
    first, second = (
        numpy.concatenate([each.gain, numpy.repeat(each.gain[-1:], longest - len(each.gain), axis=0)])
        for each in followed
    )
    known = numpy.isfinite(first).all(0) & numpy.isfinite(second).all(0)
    return {
        "runs": int(known.sum()),
        "left_out": int((~known).sum()),
        "policies": [_of(gain[:, known], each) for gain, each in zip((first, second), followed, strict=True)],
        "difference": _by_step(first[:, known] - second[:, known]),
    }


def _of(gain: Array, followed: Followed) -> dict[str, Any]:
    return {
        "by_experiment": _by_step(gain),
        "final": gain[-1].tolist(),
        "experiments": float(followed.experiments.mean()),
        "decision_ms": 1000.0 * followed.deciding / max(1.0, float(followed.experiments.sum())),
    }


def _by_step(values: Array) -> list[dict[str, float]]:
    """Mean, its standard error and 95 % interval (Student's) after every experiment; values [experiments, runs]."""
    runs = values.shape[1]
    if runs < 2:
        return []
    mean, error = values.mean(1), values.std(1, ddof=1) / math.sqrt(runs)
    margin = float(student.ppf(0.975, runs - 1)) * error
    rows = zip(mean.tolist(), error.tolist(), (mean - margin).tolist(), (mean + margin).tolist(), strict=True)
    return [dict(zip(("mean", "error", "low", "high"), row, strict=True)) for row in rows]
