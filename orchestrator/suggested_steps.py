"""The steps of a run whose designs are suggested first and answered later, in whatever order answers come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from meta_learner.batches import choose_batch, nothing_yet
from meta_learner.hypotheses import draw_hypotheses
from meta_learner.policies.base import Choice
from meta_learner.rollout import BlockState, BlockSteps

Design = dict[str, Any]


@dataclass(frozen=True)
class Suggested:
    """What was chosen for the one run, nothing where nothing more is to be asked, and how long that took."""

    choices: tuple[Choice, ...] = ()
    seconds: float = 0.0


class SuggestedSteps(BlockSteps):
    """``BlockSteps`` for a block of one run, where an experiment is an answer to a suggestion.

    outstanding: how many suggestions are to become experiments; recorded: how many steps are on record. A run is judged
    when nothing is outstanding, as between two batches, and never anew for a step after which it had gone on.
    """

    outstanding: int = 0
    recorded: int = 0

    def expect(self, *, recorded: int, outstanding: int) -> None:
        """What the record says now."""
        self.recorded, self.outstanding = recorded, outstanding

    def judge(self, state: BlockState, *, between: bool) -> BlockState:
        """Whether the run goes on; it does while an answer may still come."""
        if self.outstanding > 0 or state.step < self.recorded:
            return state
        return super().judge(state, between=between)

    def suggest(
        self, state: BlockState, under_way: Sequence[Design], refused: Sequence[Design], *, size: int, number: int
    ) -> Suggested:
        """Up to ``size`` further designs, chosen one after the other, told which are under way.

        under_way: designs suggested and not yet in the belief, whose cost is set aside. refused: those rejected since
        the last experiment: to the policy they are under way, too, for it is to look elsewhere. number: how many
        suggestions there were before, which names the streams. None where the budget, the precision reached or what an
        experiment is expected to tell asks for no more.
        """
        started = perf_counter()
        history, spent = state.belief.history, state.spent
        for point in map(self._point, (*refused, *under_way)):
            history = history.append(point, nothing_yet(self.model, point))
        for point in map(self._point, under_way):
            spent = spent + self.model.space.cost(point)
        reached = bool(self.stop.answered(self.model, state.belief)[0])
        if reached or not bool(self._affords(history, spent).any()):
            return Suggested()
        generator = self._stream(number + self.given_rows, "hypothesise")
        rows = draw_hypotheses(self.model, state.belief, self.policy.hypotheses, generator)
        deciding, passed = replace(state, hypotheses=rows), number - history.steps + self.given_rows
        choices = choose_batch(
            self.model,
            history,
            spent,
            size=size,
            choose=lambda ahead, cost: self.policy.choose(self._problem(deciding, ahead, cost, passed=passed)),
            affords=lambda ahead, cost: bool(self._affords(ahead, cost).any()),
        )
        if bool(self.stop.exhausted(choices[0])[0]):
            return Suggested()
        return Suggested(choices, perf_counter() - started)

    def answered(
        self, state: BlockState, choice: Choice, outcomes: Tensor, *, seconds: float, outstanding: int
    ) -> BlockState:
        """The state after an answer: outcomes [1, outcomes] (NaN: nothing came back) at the choice's design.

        seconds: what the choice took; outstanding: how many suggestions are left.
        """
        cost = self.model.space.cost(choice.designs)
        everybody = torch.ones_like(state.performed)
        told = replace(state, choice=choice, outcomes=outcomes, cost=cost, performed=everybody, seconds=seconds)
        self.outstanding = outstanding
        return self.decide(self.update(told))

    def choice(self, design: Design, candidates: Sequence[dict[str, Any]]) -> Choice:
        """A recorded choice: its design and the candidates behind it."""
        point = self._point(design)
        leading = [self.model.space.from_names(candidate["design"]) for candidate in candidates]
        scores = torch.tensor([[candidate["score"] for candidate in candidates]], dtype=torch.float64)
        if not leading:
            return Choice(point, point[:, None][:, :0], scores)
        return Choice(point, torch.stack(leading)[None], scores)

    def _point(self, design: Design) -> Tensor:
        """A design by names as a row [1, columns]."""
        return self.model.space.from_names(design)[None]
