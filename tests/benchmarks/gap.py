"""Report: how much of the gap between greedy and the optimum does an agent close? Exactly, on random tables.

Tables small enough to be solved by dynamic programming (``tests.benchmarks.head_room``), none of which was trained on;
of every kind, number of targets and goal: what the optimum gains over greedy, and the share of that which the agent
takes, and which looking two experiments ahead takes; ratios of means over games, with 95 % intervals by the delta
method.

    python -m tests.benchmarks.gap [--agent experimenter] [--games 200] [--experiments 3] [--out FILE.json]
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from meta_learner.agents.loading import load_network
from meta_learner.agents.store import SHIPPED, Store, Stored
from meta_learner.experimenter.network import Experimenter
from meta_learner.experimenter.policy import Learned
from meta_learner.games import UTILITIES, Greedy, Lookahead, best_value, expected_utility
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games
from meta_learner.streams import stream
from tests.benchmarks.report import parser, save, told

COLUMNS = [
    "tables", "targets", "answers", "costs", "goal", "games", "greedy short by", "agent closes", "two ahead closes",
]  # fmt: skip
PLAYED = ((None, 0, "information"), (3, 0, "information"), (None, 0, "decision"), (3, 0, "decision"),
          (None, 4, "decision"), (None, 4, "prediction"))  # fmt: skip


def row(network: Experimenter, kind: Kind, size: Size, goal: str, games: int) -> list[object]:
    """One row."""
    drawn = random_games(kind, size, games, stream(2027, 0, 0, "world"))
    utility = UTILITIES[goal]
    best = best_value(drawn, drawn.prior[:, None], drawn.budget[:, None], utility, drawn.horizon)[:, 0]
    greedy = expected_utility(drawn, Greedy(), utility)
    gap = best - greedy
    closed = [
        share(expected_utility(drawn, policy, utility) - greedy, gap)
        for policy in (Learned(network, goal), Lookahead(utility, 2))
    ]
    told_gap = f"{gap.mean():.4f} ± {1.96 * gap.std() / math.sqrt(games):.4f}"
    costs = "differ" if size.dear else "alike"
    return [kind, size.targets or size.hypotheses, size.answers or "", costs, goal, games, told_gap, *closed]


def share(gain: Tensor, gap: Tensor) -> str:
    """Of the gap that is closed, a ratio of means over games."""
    ratio = gain.mean() / gap.mean()
    error = (gain - ratio * gap).std() / gap.mean() / math.sqrt(len(gain))
    return f"{100 * ratio:.0f} ± {196 * error:.0f} %"


def asked(about: str | None) -> tuple[argparse.Namespace, Stored, Experimenter]:
    """The options of a report on small tables, and the agent that it is about."""
    options = parser(about)
    options.add_argument("--agent", default="experimenter")
    options.add_argument("--folder", type=Path, default=SHIPPED)
    options.add_argument("--games", type=int, default=200)
    options.add_argument("--experiments", type=int, default=3)
    given = options.parse_args()
    torch.set_num_threads(1)
    agent = Store(given.folder).find(given.agent)
    network = load_network(agent)
    assert isinstance(network, Experimenter)
    return given, agent, network


def main() -> None:
    """Print the rows, or write them to a file."""
    given, agent, network = asked(__doc__)
    settings = [
        (kind, Size(experiments=given.experiments, targets=targets, answers=answers, dear=dear), goal)
        for targets, answers, goal in PLAYED
        for kind in KINDS
        for dear in (0.0, 0.5)
    ]
    rows = list(told(row(network, kind, size, goal, given.games) for kind, size, goal in settings))
    note = (
        f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}) on random tables of {Size().hypotheses} "
        f"hypotheses, {Size().designs} designs, {Size().outcomes} outcomes and {given.experiments} experiments at the "
        "mean cost, which it was not trained on. Utilities: nats, the chance of a right answer or its payoff, and "
        "minus the variance of predictions. 95 % intervals over games."
    )
    title = "How much of the gap between greedy and the optimum does the experimenter close?"
    save(given.out, {"kind": "gap", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()
