"""Stage 2 of meta-training: policy gradient on what the goal itself pays at the end.

The return of a run is (U(belief at the end) − U(prior)) ÷ (U if all were known − U(prior)): the truth is summed out, so
that its luck is not in the return. Its baseline is the mean return of the other runs of the same game. Williams 1992,
Simple statistical gradient-following algorithms (REINFORCE); Kool, van Hoof & Welling 2019, Buy 4 REINFORCE samples,
get a baseline for free!
"""

import torch
from torch import Tensor

from meta_learner.experimenter.episodes import episode
from meta_learner.experimenter.network import Judge
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES
from meta_learner.training.lessons import Learned
from meta_learner.training.tasks import Tables


def learned(network: Judge, task: Tables, *, batch: int, runs: int, generator: torch.Generator) -> Learned:
    """Of ``runs`` runs of ``batch`` games."""
    games = task.draw(batch, generator)
    turns, belief, left = episode(network, games, task.goal, runs, generator)
    gained = _returns(games, belief, left, task.goal)
    others = (gained.sum(1, keepdim=True) - gained) / (runs - 1)
    log_probability = torch.stack([turn.log_probability for turn in turns]).sum(0)
    decisions = sum(int(turn.going.sum()) for turn in turns)
    unused = 0.0 * sum(turn.value.sum() for turn in turns)  # ranks wait until every parameter has a gradient
    return Learned(unused - ((gained - others) * log_probability).mean(), gained.mean().item(), decisions)


def _returns(games: Games, belief: Tensor, left: Tensor, goal: str) -> Tensor:
    """[games, runs]."""
    utility, start = UTILITIES[goal], (games, games.prior[:, None], games.budget[:, None])
    now = utility(*start)
    return (utility(games, belief, left) - now) / (utility.known(*start) - now).clamp_min(1e-3)
