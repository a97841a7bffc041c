"""Report: what does it cost to become certain? Greedy, an agent and the optimum, exactly, on random tables.

A run ends as soon as one target has a probability of 0.9; where the budget runs out before, the whole budget counts.
The least expected cost is Bellman's equation with that stop, V(b, left) = 0 where certain, left where nothing more can
be paid, else min_d c_d + Σ_y p(y | b, d) V(b after (d, y), left − c_d): the optimum, which looks as far as the budget
goes. Greedy and the agent (which was asked for information, or for the right guess) are followed through all outcomes.
Ratios of means over games, with 95 % intervals by the delta method.

    python -m tests.benchmarks.certainty [--agent experimenter] [--games 200] [--experiments 3] [--out FILE.json]
"""

import math

import torch
from torch import Tensor

from meta_learner.experimenter.network import Experimenter
from meta_learner.experimenter.policy import Learned
from meta_learner.games import Games, Greedy
from meta_learner.games.play import GamePolicy
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games
from meta_learner.streams import stream
from tests.benchmarks.gap import asked, share
from tests.benchmarks.report import save, told

COLUMNS = [
    "tables", "targets", "costs", "games", "greedy pays", "the optimum pays", "agent closes (information)",
    "agent closes (decision)",
]  # fmt: skip
CERTAIN = 0.9
_AT_ONCE = 25  # games


def certain(games: Games, measure: Tensor) -> Tensor:
    """Whether one target has a probability of 0.9 [games, n] under measures [games, n, hypotheses]."""
    return (measure @ games.member).amax(-1) >= CERTAIN * measure.sum(-1)


def least_cost(games: Games, measure: Tensor, left: Tensor) -> Tensor:
    """V times the measure's mass [games, n], of measures [games, n, hypotheses] with budgets left [games, n]."""
    mass = measure.sum(-1)
    allowed = games.affordable(left)
    done = certain(games, measure)
    stuck = torch.where(done, 0.0, mass * left)
    if not bool((allowed.any(-1) & ~done).any()):
        return stuck
    joint = games.joint(measure)
    shape = joint.shape[:-1]
    rest = (left[..., None] - games.cost[:, None])[..., None].expand(shape)
    after = least_cost(games, joint.flatten(1, 3), rest.flatten(1)).reshape(shape).sum(-1)
    paid = torch.where(allowed, mass[..., None] * games.cost[:, None] + after, torch.inf).amin(-1)
    return torch.where(done | ~allowed.any(-1), stuck, paid)


def expected_cost(games: Games, policy: GamePolicy) -> Tensor:
    """What a policy that draws nothing is expected to pay [games]: exact, over all outcomes."""
    measure, left = games.prior[:, None], games.budget[:, None]
    total, rows = torch.zeros(len(measure), dtype=measure.dtype), torch.arange(len(measure))[:, None]
    while True:
        mass = measure.sum(-1)
        done = certain(games, measure)
        going = games.affordable(left).any(-1) & ~done & (mass > 0)
        total = total + torch.where(going | done, 0.0, mass * left).sum(-1)
        if not bool(going.any()):
            return total
        belief = measure / mass.clamp_min(1e-300)[..., None]
        design = policy(games, belief, left)
        cost = games.cost.gather(1, design)
        total = total + torch.where(going, mass * cost, 0.0).sum(-1)
        after = (measure[..., None] * games.outcomes[rows, design]).transpose(
            -1, -2
        )  # [games, n, outcomes, hypotheses]
        after = torch.where(going[..., None, None], after, 0.0)
        left = (left - cost)[..., None].expand(after.shape[:-1]).flatten(1)
        measure = after.flatten(1, 2)


def row(network: Experimenter, kind: Kind, size: Size, games: int) -> list[object]:
    """One row."""
    drawn = random_games(kind, size, games, stream(2027, 0, 0, "world"))
    parts = [drawn.some(slice(first, first + _AT_ONCE)) for first in range(0, games, _AT_ONCE)]
    best = torch.cat([least_cost(part, part.prior[:, None], part.budget[:, None])[:, 0] for part in parts])
    greedy = expected_cost(drawn, Greedy())
    closed = [
        share(greedy - expected_cost(drawn, Learned(network, goal)), greedy - best)
        for goal in ("information", "decision")
    ]
    costs = "differ" if size.dear else "alike"
    return [kind, size.targets or size.hypotheses, costs, games, _mean(greedy), _mean(best), *closed]


def _mean(values: Tensor) -> str:
    return f"{values.mean():.3f} ± {1.96 * values.std() / math.sqrt(len(values)):.3f}"


def main() -> None:
    """Print the rows, or write them to a file."""
    given, agent, network = asked(__doc__)
    settings = [
        (kind, Size(experiments=given.experiments, targets=targets, dear=dear))
        for targets in (None, 3)
        for kind in KINDS
        for dear in (0.0, 0.5)
    ]
    rows = list(told(row(network, kind, size, given.games) for kind, size in settings))
    note = (
        f"The agent {agent.name} (weights {agent.card.weights.sha256[:12]}) on random tables of {Size().hypotheses} "
        f"hypotheses, {Size().designs} designs, {Size().outcomes} outcomes and a budget of {given.experiments} "
        "experiments at the mean cost. Cost until one target has a probability of 0.9, or the whole budget. 95 % "
        "intervals over games."
    )
    title = "How much of the gap in cost to certainty does the experimenter close?"
    save(given.out, {"kind": "certainty", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()
