"""What the experimenter trains on: games of random tables here, decisions in domains in ``decisions``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from domains import randomness
from meta_learner.experimenter.episodes import episode
from meta_learner.experimenter.network import Judge
from meta_learner.games.random_tables import Kind, Size, random_games
from meta_learner.games.table import Games
from meta_learner.training.lessons import Learned, Lesson

_LEVELS = (0.6, 0.99)  # of certainty


class Task(ABC):
    """A distribution over decisions. runs: episodes of each game."""

    runs: int

    @property
    @abstractmethod
    def group(self) -> str:
        """What shares its progress in a curriculum."""

    @abstractmethod
    def lessons(self, network: Judge, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        """What there is to learn at the states of ``batch`` games that the learner comes to."""


@dataclass(frozen=True)
class Tables(Task):
    """Random games of one kind and size, played for one goal: the inner loop is the exact belief update of each.

    ahead: the teacher's look-ahead, at most; runs: states visited at once of each game.
    """

    kind: Kind
    size: Size
    goal: str
    ahead: int = 3
    runs: int = 2

    @property
    def group(self) -> str:
        """By horizon, size and what makes the noise."""
        size = self.size
        return f"{self.kind}, {size.hypotheses} × {size.designs} × {size.outcomes}, {size.experiments}, {size.dear}"

    def lessons(self, network: Judge, batch: int, generator: torch.Generator) -> Iterator[Learned]:
        games = self.draw(batch, generator)
        turns, _, _ = episode(network, games, self.goal, self.runs, generator)
        for step, turn in enumerate(turns):
            lesson = Lesson.of(games, turn.belief, turn.left, self.goal, min(self.ahead, games.horizon - step))
            yield lesson.learned(turn.logits, turn.value)

    def draw(self, batch: int, generator: torch.Generator) -> Games:
        """Games in single precision; how certain one is to become, is drawn for each."""
        games = random_games(self.kind, self.size, batch, generator)
        if self.goal == "certainty":
            low, high = _LEVELS
            games = replace(games, level=low + (high - low) * randomness.uniform((batch,), generator))
        return games.to(torch.float32)
