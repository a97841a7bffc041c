"""Report: what does it cost to become certain? Greedy, an agent and the optimum, exactly, on random tables.

A run ends as soon as one target has a probability of 0.9; where the budget runs out before, the whole budget counts.
The least expected cost is Bellman's equation for the utility ``certainty`` (``meta_learner.games.utilities``), as far
as the budget goes. Greedy, the agent, and looking two experiments ahead are followed through all outcomes. Ratios of
means over games, with 95 % intervals by the delta method.

    python -m tests.benchmarks.certainty [--agent experimenter] [--games 200] [--experiments 3] [--out FILE.json]
"""

import math
from dataclasses import replace

import torch
from torch import Tensor

from meta_learner.experimenter.network import Experimenter
from meta_learner.experimenter.policy import Learned
from meta_learner.games import UTILITIES, Greedy, Lookahead, best_value, expected_utility
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games
from meta_learner.streams import stream
from tests.benchmarks.gap import asked, share
from tests.benchmarks.report import save, told

COLUMNS = [
    "tables", "hypotheses", "costs", "games", "greedy pays", "the optimum pays", "agent closes", "two ahead closes",
]  # fmt: skip
CERTAIN = 0.9
_AT_ONCE = 25  # games


def row(network: Experimenter, kind: Kind, size: Size, games: int) -> list[object]:
    """One row."""
    drawn = random_games(kind, size, games, stream(2027, 0, 0, "world"))
    drawn = replace(drawn, level=torch.full_like(drawn.budget, CERTAIN))
    utility = UTILITIES["certainty"]
    parts = [drawn.some(slice(first, first + _AT_ONCE)) for first in range(0, games, _AT_ONCE)]
    best = torch.cat(
        [best_value(part, part.prior[:, None], part.budget[:, None], utility, part.horizon)[:, 0] for part in parts]
    )
    greedy, agent, ahead = (
        expected_utility(drawn, policy, utility)
        for policy in (Greedy(), Learned(network, "certainty"), Lookahead(utility, 2))
    )
    closed = [share(value - greedy, best - greedy) for value in (agent, ahead)]
    costs = "differ" if size.dear else "alike"
    paid = [_mean(drawn.budget - value) for value in (greedy, best)]
    return [kind, size.hypotheses, costs, games, *paid, *closed]


def _mean(values: Tensor) -> str:
    return f"{values.mean():.3f} ± {1.96 * values.std() / math.sqrt(len(values)):.3f}"


def main() -> None:
    """Print the rows, or write them to a file."""
    given, agent, network = asked(__doc__)
    settings = [
        (kind, Size(hypotheses=hypotheses, experiments=given.experiments, dear=dear))
        for hypotheses in (12, 3)
        for kind in KINDS
        for dear in (0.0, 0.5)
    ]
    rows = list(told(row(network, kind, size, given.games) for kind, size in settings))
    note = (
        f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}) on random tables of {Size().designs} "
        f"designs, {Size().outcomes} outcomes and a budget of {given.experiments} experiments at the mean cost. Cost "
        f"until one hypothesis has a probability of {CERTAIN}, or the whole budget. 95 % intervals over games."
    )
    title = "How much of the gap in cost to certainty does the experimenter close?"
    save(given.out, {"kind": "certainty", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()
