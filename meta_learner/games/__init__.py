"""Experimenting where all can be worked out: finitely many hypotheses, a table of outcome probabilities, a budget.

Such games need no simulator, so that a policy can be trained on very many of them; small ones can be solved, which
tells how much better than greedy one can be.
"""

from meta_learner.games.lookahead import action_values, best_value
from meta_learner.games.play import GamePolicy, expected_utility, play
from meta_learner.games.policies import Greedy, Lookahead, Uniform
from meta_learner.games.table import Games
from meta_learner.games.utilities import UTILITIES, Utility

__all__ = [
    "UTILITIES",
    "GamePolicy",
    "Games",
    "Greedy",
    "Lookahead",
    "Uniform",
    "Utility",
    "action_values",
    "best_value",
    "expected_utility",
    "play",
]
