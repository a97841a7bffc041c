"""Scores made comparable between domains, by what is known there of greedy and random experiments."""

import math
from dataclasses import dataclass

from meta_learner.evaluation.adaptation.bootstrap import Array
from meta_learner.evaluation.adaptation.study import RANDOM, GroupRuns

_CLEAR = 2.0  # standard errors between two references that a scale can be made of


@dataclass(frozen=True)
class Scale:
    """Mean scores over a group's worlds: before any experiment, of random experiments, of greedy at twice the budget.

    error: standard error of greedy − random, which met the same worlds.
    """

    before: float
    random: float
    greedy: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether greedy at twice the budget is better than random by two standard errors, so that a scale is there."""
        return self.greedy - self.random > _CLEAR * self.error and self.greedy > self.before

    def progress(self, score: Array) -> Array:
        """0 before any experiment, 1 greedy at twice the budget; NaN where these do not differ so."""
        return _between(score, self.before, self.greedy)

    def normalised(self, score: Array) -> Array:
        """0 random experiments, 1 greedy at twice the budget; NaN where these do not differ so."""
        return _between(score, self.random, self.greedy)

    def threshold(self, share: float) -> float:
        """The score at a share of the progress."""
        return self.before + share * (self.greedy - self.before) if self.greedy > self.before else math.nan


def _between(score: Array, zero: float, one: float) -> Array:
    return (score - zero) / (one - zero if one > zero else math.nan)


def scale_of(runs: GroupRuns) -> Scale:
    random, greedy = runs.agents[RANDOM].final, runs.reference.final
    error = float((greedy - random).std(ddof=1)) / math.sqrt(len(random))
    before = float(runs.reference.score[:, 0].mean())
    return Scale(before, float(random.mean()), float(greedy.mean()), error)
