"""A training and its time: how long it took, and its curve, over as many sittings as it takes."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from meta_learner.training.training import Training

_POINTS = 200  # of the curve, at most


@dataclass
class Session:
    """seconds: at work, so far; curve: (step, mean value since the last point)."""

    training: Training
    seconds: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)

    def run(self) -> Iterator[float]:
        """What every step of the rest gave."""
        before, begun = self.seconds, time.monotonic()
        every, since = max(1, self.training.plan.steps // _POINTS), list[float]()
        for value in self.training.run():
            since.append(value)
            self.seconds = before + time.monotonic() - begun
            if self.training.step % every == 0:
                self.curve.append((self.training.step, round(sum(since) / len(since), 6)))
                since = []
            yield value


def curve_of(values: Sequence[float]) -> list[tuple[int, float]]:
    """Of a training whose end was not known before: (step, mean value since the last point)."""
    every = -(-len(values) // _POINTS)
    parts = [values[first : first + every] for first in range(0, len(values), max(1, every))]
    steps = itertools.accumulate(len(part) for part in parts)
    return [(step, round(sum(part) / len(part), 6)) for step, part in zip(steps, parts, strict=True)]
