"""Histories as numbers without units: the one place where specialists' inputs are made.

A design is its place in the unit cube, stretched to [−1, 1], a choice one-hot; an outcome is asinh((y − m)/s) with m
the median of the prior predictive over all designs and s half of its middle 68 %, and a flag whether it came back; what
is left of the budget is a share, and one over how many of the cheapest experiments it still pays for, and one more.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from domains.design_space import DesignSpace
from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.streams import stream

_DRAWS = 2048
LEFT = 2  # numbers that say what is left of the budget


@dataclass(frozen=True)
class Tokens:
    """What is known before every experiment, and after the last. Leading axes [rows, steps + 1].

    design [..., design features], outcome [..., outcomes], came [..., outcomes]: 1 where that outcome came back: all of
    the experiment before, 0 at the start, where happened [...] is 0 too; left [..., 2]: of the budget.
    """

    design: Tensor
    outcome: Tensor
    came: Tensor
    happened: Tensor
    left: Tensor

    @property
    def experiment(self) -> Tensor:
        """Design and outcome together [..., features]."""
        return torch.cat([self.design, self.outcome, self.came], dim=-1)

    def append(self, more: "Tokens") -> "Tokens":
        """With later ones."""
        pairs = ((getattr(self, name), getattr(more, name)) for name in Tokens.__dataclass_fields__)
        return Tokens(*(torch.cat(pair, dim=1) for pair in pairs))


class Featuriser(nn.Module):
    """History and budget → tokens, float32. What it knows of the domain's outcomes travels with the weights."""

    middle: Tensor
    spread: Tensor
    budget: Tensor
    cheapest: Tensor

    def __init__(self, model: DomainModel, budget: float) -> None:
        super().__init__()
        self._space = model.space
        self.columns = [_width(options) for options in _options(model.space)]
        self.designs, self.outcomes = sum(self.columns), len(model.outcome_names)
        middle, spread = _of_prior(model)
        self.register_buffer("middle", middle)
        self.register_buffer("spread", spread)
        self.register_buffer("budget", torch.tensor(budget, dtype=torch.float64))
        self.register_buffer("cheapest", model.space.cost(model.space.cheapest))

    @property
    def experiment(self) -> int:
        """How many features an experiment has."""
        return self.designs + 2 * self.outcomes

    def start(self, remaining: Tensor) -> Tokens:
        """Before any experiment; remaining [rows]."""
        rows = len(remaining)
        design, outcome = torch.zeros((rows, 1, self.designs)), torch.zeros((rows, 1, self.outcomes))
        return Tokens(design, outcome, outcome, torch.zeros((rows, 1)), self._left(remaining[:, None]))

    def after(self, designs: Tensor, outcomes: Tensor, remaining: Tensor) -> Tokens:
        """After experiments: designs [rows, steps, columns], outcomes [rows, steps, outcomes], remaining [rows, steps]
        after each of them."""
        came = outcomes.isfinite()
        standard = (torch.where(came, outcomes, self.middle) - self.middle) / self.spread
        return Tokens(
            design=self._of_designs(designs).to(torch.float32),
            outcome=standard.asinh().to(torch.float32),
            came=came.to(torch.float32),
            happened=torch.ones(remaining.shape, dtype=torch.float32),
            left=self._left(remaining),
        )

    def forward(self, history: History, remaining: Tensor) -> Tokens:
        """remaining [rows, steps + 1]: before every experiment, and after the last."""
        return self.start(remaining[:, 0]).append(self.after(history.designs, history.outcomes, remaining[:, 1:]))

    def _of_designs(self, designs: Tensor) -> Tensor:
        unit, parts = self._space.encode(designs), []
        for column, options in enumerate(_options(self._space)):
            if options:
                parts.append(nn.functional.one_hot(designs[..., column].long(), options).to(unit.dtype))
            else:
                parts.append(2.0 * unit[..., column, None] - 1.0)
        return torch.cat(parts, dim=-1)

    def _left(self, remaining: Tensor) -> Tensor:
        cheap = (remaining / self.cheapest + 1e-9).floor().clamp_min(0.0)
        return torch.stack([remaining / self.budget, 1.0 / (1.0 + cheap)], dim=-1).to(torch.float32)


def _options(space: DesignSpace) -> list[int]:
    """How many options each design column has; 0 of a column that is ordered."""
    return [len(design.options) for design in space.designs]


def _width(options: int) -> int:
    return options or 1


def _of_prior(model: DomainModel) -> tuple[Tensor, Tensor]:
    """Median and half of the middle 68 % of every outcome over prior and design space [outcomes]."""
    worlds = model.draw_worlds(_DRAWS, stream(0, 0, 0, "prior"))
    designs = model.space.sobol(_DRAWS, stream(0, 0, 0, "design"))
    drawn = model.simulate(worlds, designs, stream(0, 0, 0, "noise"))
    came = drawn.isfinite().sum(0)
    ordered = drawn.sort(dim=0).values  # NaN comes last
    places = [(level * (came - 1)).long().clamp_min(0) for level in (0.16, 0.5, 0.84)]
    low, middle, high = (ordered.gather(0, place[None])[0].nan_to_num(nan=0.0) for place in places)
    overall = (drawn - drawn.nanmean(0)).square().nanmean(0).sqrt().nan_to_num(nan=1.0)
    half = (high - low) / 2
    return middle, torch.where(half > 0, half, torch.where(overall > 0, overall, 1.0))
