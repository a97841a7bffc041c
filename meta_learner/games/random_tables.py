"""Random games: tables of outcome probabilities of several kinds, so that a policy meets unlike ones.

flat: every hypothesis's outcomes from a Dirichlet distribution; ordered: a hypothesis is a place on a line, a design a
threshold there, and outcomes tell noisily on which side; rare: a design says something of a few hypotheses only.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from domains import randomness
from meta_learner.games.table import Games

Kind = Literal["flat", "ordered", "rare"]
KINDS: tuple[Kind, ...] = ("flat", "ordered", "rare")


@dataclass(frozen=True)
class Size:
    """How large the games of a batch are; experiments: what a budget pays for at the mean cost; targets: how many
    things the goal tells apart (as many as hypotheses: each its own); dear: standard deviation of the logarithm of
    costs, 0 where all cost 1; none costs less than a half. answers: how many there are at the end, each worth something
    else under every hypothesis (or as many values to predict), targets then being which is best; 0: to name the target
    is the answer."""

    hypotheses: int = 12
    designs: int = 5
    outcomes: int = 2
    experiments: int = 3
    targets: int | None = None
    dear: float = 0.0
    answers: int = 0


def random_games(kind: Kind, size: Size, games: int, generator: torch.Generator) -> Games:
    """``games`` games of one kind and size."""
    outcomes = _TABLES[kind](size, games, generator)
    prior = _dirichlet(torch.ones((games, size.hypotheses), dtype=torch.float64), generator)
    noise = randomness.normal((games, size.designs), generator)
    cost = (size.dear * (noise - size.dear / 2)).exp().clamp_min(0.5)  # of mean 1, or a little more
    budget = torch.full((games,), float(size.experiments), dtype=torch.float64)
    budget = torch.maximum(budget, cost.amin(-1))
    if size.answers == 0:
        return Games(prior, outcomes, _targets(size, games, generator), cost, budget)
    payoff = _payoffs(size, games, generator)
    return Games(prior, outcomes, payoff.argmax(-1), cost, budget, payoff)


def _payoffs(size: Size, games: int, generator: torch.Generator) -> Tensor:
    """Answers [games, hypotheses, answers] lie on a line, worth the more the nearer they come to each hypothesis's own
    place there, some more for all."""
    place = randomness.uniform((games, size.hypotheses, 1), generator)
    answer = randomness.uniform((games, 1, size.answers), generator)
    width = (randomness.uniform((games, 1, 1), generator) * 3.0 - 2.5).exp()
    general = 0.3 * randomness.normal((games, 1, size.answers), generator)
    return general + (-0.5 * ((answer - place) / width).square()).exp()


def _targets(size: Size, games: int, generator: torch.Generator) -> Tensor:
    """Every target has a hypothesis; which one, is drawn."""
    count = size.hypotheses if size.targets is None else size.targets
    order = randomness.order((games, size.hypotheses), generator)
    return order % count


def _flat(size: Size, games: int, generator: torch.Generator) -> Tensor:
    """Concentrations are drawn for each game: nearly certain outcomes to nearly even ones."""
    concentration = randomness.uniform((games, 1, 1, 1), generator) * 4.0 - 2.0
    shape = (games, size.designs, size.hypotheses, size.outcomes)
    return _dirichlet(concentration.exp().expand(shape), generator)


def _ordered(size: Size, games: int, generator: torch.Generator) -> Tensor:
    """p(y) ∝ exp(−½ ((s − c_y)/w)²), s the sharpness times the hypothesis's place less the design's, c_y even."""
    place = randomness.uniform((games, 1, size.hypotheses, 1), generator)
    threshold = randomness.uniform((games, size.designs, 1, 1), generator)
    sharp = (randomness.uniform((games, 1, 1, 1), generator) * 3.0).exp()
    centres = torch.linspace(-1.0, 1.0, size.outcomes, dtype=torch.float64)
    return (-0.5 * (torch.tanh(sharp * (place - threshold)) - centres).square() * 8.0).softmax(-1)


def _rare(size: Size, games: int, generator: torch.Generator) -> Tensor:
    """Each design depends on some of the hypotheses only; the others give what is usual there."""
    usual = _flat(size, games, generator)[:, :, :1]
    own = _flat(size, games, generator)
    shape = (games, size.designs, size.hypotheses, 1)
    special = randomness.uniform(shape, generator, torch.float32) < 2.0 / size.hypotheses
    return torch.where(special, own, usual)


def _dirichlet(concentration: Tensor, generator: torch.Generator) -> Tensor:
    """Draws along the last axis, kept off 0 by 1e-9."""
    gamma = randomness.gamma(concentration.contiguous(), generator).clamp_min(1e-300)
    share = gamma / gamma.sum(-1, keepdim=True)
    return (share + 1e-9) / (1 + 1e-9 * share.shape[-1])


_TABLES = {"flat": _flat, "ordered": _ordered, "rare": _rare}
