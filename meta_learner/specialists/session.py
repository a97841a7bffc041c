"""The training of a specialist over as many sittings as it takes: what was asked for, how long it took, its curve."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from domains.document import Domain
from domains.worlds import DomainModel
from meta_learner.evaluation.investigated import check_budget
from meta_learner.specialists.registry import build, options_of
from meta_learner.specialists.training import Recipe, Trainer, train

_POINTS = 200  # of the curve, at most
_SINCE = "since"


@dataclass(frozen=True)
class Plan:
    """A specialist to be trained: under which name, of which family and options (what is left out is the family's),
    on which domain, and how."""

    name: str
    family: str
    domain: Domain
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)

    def plain(self) -> dict[str, Any]:
        """For the record and the card; DomainError where the family has no such options."""
        return {
            "name": self.name,
            "family": self.family,
            "domain": {"name": self.domain.name, "identity": self.domain.identity},
            "options": options_of(self.family, self.options),
            "training": asdict(self.recipe),
        }


class Session:
    """seconds: at work, so far; curve: (experiments simulated, mean gain of an episode since the last point)."""

    def __init__(self, plan: Plan) -> None:
        """DomainError where the budget pays for no experiment, or the family has no such options."""
        self.plan, self.model = plan, DomainModel(plan.domain)
        recipe = plan.recipe
        if recipe.budget is not None:
            check_budget(self.model, recipe.budget)
        options = options_of(plan.family, plan.options)
        network = build(plan.family, self.model, options, seed=recipe.seed, budget=recipe.budget)
        self.trainer = Trainer(network, self.model, recipe)
        self.seconds, self.curve = 0.0, list[tuple[int, float]]()
        self._since = torch.zeros(2, dtype=torch.float64)  # sum and number of gains since the last point

    def run(self) -> Iterator[float]:
        """What episodes of every update of the rest gained."""
        before, begun = self.seconds, time.monotonic()
        every = max(1, self.plan.recipe.experiments // _POINTS)
        last = self.trainer.experiments
        for progress in train(self.trainer):
            self._since += torch.tensor([progress.gained, 1.0], dtype=torch.float64)
            self.seconds = before + time.monotonic() - begun
            if self.trainer.experiments // every > last // every or self.trainer.done:
                self.curve.append((self.trainer.experiments, round((self._since[0] / self._since[1]).item(), 6)))
                self._since.zero_()
            last = self.trainer.experiments
            yield progress.gained

    def state(self) -> dict[str, Tensor]:
        """All that the next update and the next point of the curve depend on."""
        return {**self.trainer.state(), _SINCE: self._since.clone()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a ``state`` of a session of the same plan."""
        self._since = state[_SINCE].to(self._since.device, copy=True)
        self.trainer.restore({name: value for name, value in state.items() if name != _SINCE})
