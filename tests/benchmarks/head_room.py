"""Report: how much better than greedy can an experimenter be? Exactly, on random tables small enough to be solved.

Per kind of table and number of targets (as many as hypotheses, or three): what greedy expected information gains over
the prior as a share of what the optimum gains, the same of looking two experiments ahead, and how many fewer wrong
guesses the optimum makes than greedy; means over games ± one standard error. Goals: information about the target
(nats), and the probability of guessing it.

    python -m tests.benchmarks.head_room [--games 200] [--experiments 3] [--out FILE.json]
"""

import math

import torch
from torch import Tensor

from meta_learner.games import UTILITIES, Greedy, Lookahead, best_value, expected_utility
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games
from meta_learner.streams import stream
from tests.benchmarks.report import parser, save, told

COLUMNS = ["tables", "targets", "goal", "games", "greedy: share of the optimum's gain", "two ahead", "fewer errors"]


def row(kind: Kind, size: Size, goal: str, games: int) -> list[object]:
    """One row."""
    drawn = random_games(kind, size, games, stream(2026, 0, 0, "world"))
    utility = UTILITIES[goal]
    start = utility(drawn, drawn.prior[:, None])[:, 0]
    best = best_value(drawn, drawn.prior[:, None], drawn.budget[:, None], utility, drawn.horizon)[:, 0]
    greedy = expected_utility(drawn, Greedy(), utility)
    two = expected_utility(drawn, Lookahead(utility, 2), utility)
    fewer = (best - greedy) / (1 - greedy) if goal == "decision" else None
    shares = (_share(found - start, best - start) for found in (greedy, two))
    return [kind, size.targets or size.hypotheses, goal, games, *shares, "" if fewer is None else _percent(fewer)]


def _share(gain: Tensor, best: Tensor) -> str:
    """A ratio of means over games, with its standard error by the delta method."""
    ratio = gain.mean() / best.mean()
    error = (gain - ratio * best).std() / best.mean() / math.sqrt(len(gain))
    return f"{100 * ratio:.1f} ± {100 * error:.1f} %"


def _percent(values: Tensor) -> str:
    return f"{100 * values.mean():.1f} ± {100 * values.std() / math.sqrt(len(values)):.1f} %"


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("--games", type=int, default=200)
    options.add_argument("--experiments", type=int, default=3)
    given = options.parse_args()
    torch.set_num_threads(1)
    sizes = [(kind, Size(experiments=given.experiments, targets=targets)) for kind in KINDS for targets in (None, 3)]
    rows = list(
        told(row(kind, size, goal, given.games) for kind, size in sizes for goal in ("information", "decision"))
    )
    note = (
        f"Random tables of {Size().hypotheses} hypotheses, {Size().designs} designs, {Size().outcomes} outcomes and "
        f"{given.experiments} experiments, solved by dynamic programming; ± one standard error over games. Gains "
        "are over the prior; errors: wrong guesses of the target at the end, optimum against greedy."
    )
    title = "How much better than greedy can an experimenter be?"
    save(given.out, {"kind": "head-room", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()
