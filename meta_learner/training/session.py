"""A training and its time: how long it took, and its curve, over as many sittings as it takes."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from meta_learner.training.training import Training

_POINTS = 200  # of the curve, at most
_SINCE = "since"


@dataclass
class Session:
    """seconds: at work, so far; curve: (step, mean value since the last point); since: values since then."""

    training: Training
    seconds: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)
    since: list[float] = field(default_factory=list)

    def run(self) -> Iterator[float]:
        """What every step of the rest gave."""
        before, begun = self.seconds, time.monotonic()
        every = max(1, self.training.plan.steps // _POINTS)
        for value in self.training.run():
            self.since.append(value)
            self.seconds = before + time.monotonic() - begun
            if self.training.step % every == 0:
                self.curve.append((self.training.step, round(sum(self.since) / len(self.since), 6)))
                self.since.clear()
            yield value

    def state(self) -> dict[str, Tensor]:
        """All that the next step and the next point of the curve depend on."""
        return {**self.training.state(), _SINCE: torch.tensor(self.since, dtype=torch.float64)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a ``state``, or from one of a training alone."""
        self.since = [] if _SINCE not in state else state[_SINCE].tolist()
        self.training.restore({name: value for name, value in state.items() if name != _SINCE})


def curve_of(values: Sequence[float]) -> list[tuple[int, float]]:
    """Of a training whose end was not known before: (step, mean value since the last point)."""
    every = -(-len(values) // _POINTS)
    parts = [values[first : first + every] for first in range(0, len(values), max(1, every))]
    steps = itertools.accumulate(len(part) for part in parts)
    return [(step, round(sum(part) / len(part), 6)) for step, part in zip(steps, parts, strict=True)]
