"""Random choices of one document: fixed by its key alone, the same in every process and on every machine.

The stream is Python's Mersenne twister, seeded by the SHA-512 of a text (``random.Random(str)``), which does not depend
on the process's hash seed; every choice is made from ``random()`` only, whose values Python promises to keep.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Number = int | float


class Draw:
    """A stream of choices."""

    def __init__(self, key: str) -> None:
        self._random = random.Random(f"organon/random-domain/1/{key}").random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def log_between(self, low: float, high: float) -> float:
        """Evenly in the logarithm."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int((high - low + 1) * self._random())

    def one(self, items: Sequence[T]) -> T:
        return items[int(len(items) * self._random())]

    def pick(self, weights: Mapping[T, float]) -> T:
        """A key, in proportion to its weight."""
        left = sum(weights.values()) * self._random()
        for key, weight in weights.items():
            left -= weight
            if left < 0:
                return key
        return [key for key, weight in weights.items() if weight > 0][-1]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keyed = [(self._random(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keyed)]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Several different items, in the order in which they stand."""
        chosen = set(self.shuffled(range(len(items)))[:count])
        return [item for index, item in enumerate(items) if index in chosen]


def figures(value: float, digits: int = 2) -> Number:
    """The value to so many significant digits; a whole number where it is one."""
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e6 else rounded
